//! GET /{root}/collections/{id}/objects/{object}/versions/ (TAXII 2.1 section 5.8).

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use comity_store::VersionFilter;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::list::ListRequest;
use super::{manifest, object, respond};
use crate::http::auth::Caller;
use crate::http::context::{Ctx, reading};
use crate::http::error::Result;

/// Section 5.8.1.
#[derive(Serialize)]
struct Versions<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The versions of one object, by date added.
///
/// # Errors
/// 401, 403, 404 (also for an object the caller may not see), 406, 400.
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, collection, id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    super::api_root::check(&ctx, &root)?;
    let mut request = ListRequest::new(
        &ctx,
        &caller,
        &collection,
        Some(id),
        &headers,
        query.as_deref(),
    )?;
    // match[version] is no parameter of this endpoint
    request.filter.version = VersionFilter::all();
    let (app, reader) = (Arc::clone(&ctx.app), Arc::clone(&caller.reader));
    let (request, lines, more) = reading(&ctx, request.is_long(), move || {
        let (lines, more) = manifest::lines(&app, &reader, &request)?;
        if lines.is_empty() && !object::exists(&app, &reader, &request)? {
            return Err(object::unknown());
        }
        Ok((request, lines, more))
    })
    .await?;
    let versions = lines.iter().map(|line| line.version.as_str()).collect();
    let next = manifest::next(&request, &lines, more);
    let mut response = respond::resource(
        StatusCode::OK,
        &Versions {
            versions,
            more,
            next,
        },
    )?;
    request.date_headers(&mut response, manifest::added(&lines));
    Ok(response)
}
