//! GET /{root}/ (TAXII 2.1 section 4.2).

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::respond;
use crate::http::accept::TAXII;
use crate::http::auth::Caller;
use crate::http::context::{Context, Ctx};
use crate::http::error::{Error, Result};

/// Section 4.2.1.
#[derive(Serialize)]
struct ApiRoot<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    versions: [&'a str; 1],
    max_content_length: usize,
}

/// Refuses any root but the node's one.
///
/// # Errors
/// 404.
pub fn check(ctx: &Context, root: &str) -> Result<()> {
    if root == ctx.app.config.root_path() {
        Ok(())
    } else {
        Err(Error::not_found("there is no such API root"))
    }
}

/// What the API root is and takes.
///
/// # Errors
/// 401, 404, 406.
pub async fn get(
    State(ctx): State<Ctx>,
    _caller: Caller,
    Path(root): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    check(&ctx, &root)?;
    respond::negotiate(&headers)?;
    let config = &ctx.app.config;
    let resource = ApiRoot {
        title: config.name(),
        description: config.description.value.as_deref(),
        versions: [TAXII],
        max_content_length: config.body_bytes_max(),
    };
    respond::resource(StatusCode::OK, &resource)
}
