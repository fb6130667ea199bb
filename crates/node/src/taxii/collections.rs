//! GET /{root}/collections/ and /{root}/collections/{id}/ (TAXII 2.1 sections 5.1 and 5.2).

use axum::extract::{Path, State};
use axum::response::Response;
use comity_store::Collection;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::rights::Rights;
use super::{api_root, respond, rights};
use crate::http::accept::STIX;
use crate::http::auth::Caller;
use crate::http::context::Ctx;
use crate::http::error::Result;

/// Section 5.2.1.
#[derive(Serialize)]
struct Resource<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<&'a str>,
    can_read: bool,
    can_write: bool,
    media_types: Vec<&'a str>,
}

/// Section 5.1.1: without collections the key is left out.
#[derive(Serialize)]
struct Collections<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    collections: Vec<Resource<'a>>,
}

/// The collections the caller may know of, by id (interoperability 2.1.7).
///
/// # Errors
/// 401, 404, 406.
pub async fn list(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(root): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    api_root::check(&ctx, &root)?;
    respond::negotiate(&headers)?;
    let catalog = ctx.app.catalog();
    let rows = catalog.collections().iter().filter_map(|row| {
        let rights = ctx.rights.of(&ctx.app, &caller, row);
        rights.visible.then(|| resource(row, rights))
    });
    respond::resource(
        StatusCode::OK,
        &Collections {
            collections: rows.collect(),
        },
    )
}

/// One collection, by id or alias; the answer carries the id.
///
/// # Errors
/// 401, 404, 406.
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, collection)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    api_root::check(&ctx, &root)?;
    let catalog = ctx.app.catalog();
    let row = catalog
        .collection(&collection)
        .ok_or_else(rights::unknown)?;
    let rights = ctx.rights.of(&ctx.app, &caller, row);
    if !rights.visible {
        return Err(rights::unknown());
    }
    respond::negotiate(&headers)?;
    respond::resource(StatusCode::OK, &resource(row, rights))
}

fn resource(row: &Collection, rights: Rights) -> Resource<'_> {
    let mut media_types: Vec<&str> = row.media_types.iter().map(String::as_str).collect();
    if media_types.is_empty() {
        media_types.push(STIX);
    }
    Resource {
        id: &row.uuid,
        title: &row.title,
        description: row.description.as_deref(),
        alias: row.alias.as_deref(),
        can_read: rights.can_read,
        can_write: rights.can_write,
        media_types,
    }
}
