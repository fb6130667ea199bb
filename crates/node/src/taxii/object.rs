//! GET and DELETE /{root}/collections/{id}/objects/{object}/ (TAXII 2.1 sections 5.6 and 5.7).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use comity_access::{Action, Reader, Resource};
use comity_stix::timestamp::Timestamp;
use comity_store::{Delete, Filter, Op, Outcome, VersionFilter};
use http::{HeaderMap, StatusCode};

use super::list::ListRequest;
use super::{manifest, page, query, respond};
use crate::app::App;
use crate::disclosure::disclose;
use crate::http::auth::Caller;
use crate::http::context::{Ctx, reading};
use crate::http::error::{Error, Result};

/// 404 for an object that is not there, or not for this caller.
#[must_use]
pub fn unknown() -> Error {
    Error::not_found("there is no such object in this collection")
}

/// Whether the caller may see any version of the object at all.
///
/// # Errors
/// 500 when the register cannot be read.
pub fn exists(app: &App, reader: &Reader, request: &ListRequest) -> Result<bool> {
    let filter = Filter {
        version: VersionFilter::all(),
        ids: request.filter.ids.clone(),
        ..Filter::default()
    };
    let any = ListRequest {
        filter,
        start: None,
        limit: VERSIONS_LOOKED_AT,
        ..request.clone()
    };
    Ok(!manifest::lines(app, reader, &any)?.0.is_empty())
}

/// Versions of one object looked at to find one the caller may see.
const VERSIONS_LOOKED_AT: usize = 100;

/// One object, in an envelope.
///
/// # Errors
/// 401, 403, 404, 406, 400; 503 when a disclosure cannot be written.
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, collection, id)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    super::api_root::check(&ctx, &root)?;
    let request = ListRequest::new(
        &ctx,
        &caller,
        &collection,
        Some(id),
        &headers,
        query.as_deref(),
    )?;
    let (app, reader) = (Arc::clone(&ctx.app), Arc::clone(&caller.reader));
    let (request, page) = reading(&ctx, false, move || {
        let page = page::build(&app, &reader, &request)?;
        if page.added.is_none() && !exists(&app, &reader, &request)? {
            return Err(unknown());
        }
        Ok((request, page))
    })
    .await?;
    disclose(&ctx.app, &caller.reader, &page.released).await?;
    let mut response = respond::body(StatusCode::OK, Body::from(page.body));
    request.date_headers(&mut response, page.added);
    Ok(response)
}

/// Removes an object, or the versions `match[version]` names, from the collection. The log keeps that it was there.
///
/// Only versions the caller may see are touched, and only if it may delete every one of them.
///
/// # Errors
/// 401, 403 and 404 by permission (5.7), 404 for an unknown object, 406, 400; 503 when the node is busy.
pub async fn delete(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, collection, id)): Path<(String, String, String)>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    super::api_root::check(&ctx, &root)?;
    let row = Arc::clone(
        ctx.app
            .catalog()
            .collection(&collection)
            .ok_or_else(super::rights::unknown)?,
    );
    ctx.rights.of(&ctx.app, &caller, &row).to_delete()?;
    let mut request = ListRequest::new(
        &ctx,
        &caller,
        &collection,
        Some(id),
        &headers,
        raw.as_deref(),
    )?;
    request.limit = usize::MAX >> 1;
    if request.filter.version == VersionFilter::default() {
        // 5.7: without a version the object goes, that is, all of them
        request.filter.version = VersionFilter::all();
    }
    let (app, reader) = (Arc::clone(&ctx.app), Arc::clone(&caller.reader));
    let ops = reading(&ctx, true, move || deletions(&app, &reader, &request)).await?;
    if ops.is_empty() {
        return Err(unknown());
    }
    let outcomes = ctx.app.sequencer.submit(ops).await?;
    let gone = outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::Deleted { records, .. } if !records.is_empty()));
    if gone {
        Ok(respond::body(StatusCode::OK, Body::empty()))
    } else {
        Err(unknown())
    }
}

fn deletions(app: &App, reader: &Reader, request: &ListRequest) -> Result<Vec<Op>> {
    let key = request.collection.key.0.to_string();
    let (lines, _) = manifest::lines(app, reader, request)?;
    let mut ops = Vec::with_capacity(lines.len());
    for line in lines {
        let label = app.release.label(line.label_set)?;
        let decision =
            app.release
                .access()
                .decide(reader, Action::Delete, Resource::record_in(&label, &key));
        if !decision.permitted {
            return Err(Error::forbidden(decision.text()));
        }
        let version = Timestamp::parse(&line.version)
            .map_err(Error::internal)?
            .key()
            .to_owned();
        ops.push(Op::Delete(Delete {
            id: line.id,
            version: Some(version),
            collection: Some(request.collection.key),
            scope: Some(request.scope.clone()),
            reason: "deleted over TAXII".to_owned(),
            by: reader.principal().as_str().to_owned(),
            erase: false,
            salt: app.salt()?,
        }));
    }
    Ok(ops)
}

/// An identifier of the right shape; others are simply not there.
#[must_use]
pub fn is_identifier(id: &str) -> bool {
    query::is_identifier(id)
}
