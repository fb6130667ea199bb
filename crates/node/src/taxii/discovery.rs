//! GET /taxii2/ (TAXII 2.1 section 4.1).

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;

use super::respond;
use crate::http::auth::Caller;
use crate::http::base_url::base_url;
use crate::http::connection::Connection;
use crate::http::context::Ctx;
use crate::http::error::Result;

/// Section 4.1.1.
#[derive(Serialize)]
struct Discovery<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a str>,
    // cytaxii2 needs it, and needs it absolute
    default: &'a str,
    api_roots: [&'a str; 1],
}

/// Where the API root is.
///
/// # Errors
/// 401, 406.
pub async fn get(
    State(ctx): State<Ctx>,
    _caller: Caller,
    Extension(connection): Extension<Arc<Connection>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response> {
    respond::negotiate(&headers)?;
    let config = &ctx.app.config;
    let root = format!(
        "{}/{}/",
        base_url(&ctx, &connection, &uri, &headers),
        config.root_path()
    );
    let discovery = Discovery {
        title: config.name(),
        description: config.description.value.as_deref(),
        contact: config.contact.value.as_deref(),
        default: &root,
        api_roots: [&root],
    };
    respond::resource(StatusCode::OK, &discovery)
}
