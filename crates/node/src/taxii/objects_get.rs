//! GET /{root}/collections/{id}/objects/ (TAXII 2.1 section 5.4).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, StatusCode};

use super::list::{self, ListRequest};
use super::page::{self, Page};
use super::page_cache::{Kept, Key};
use super::respond;
use crate::disclosure::disclose;
use crate::http::auth::Caller;
use crate::http::context::{Ctx, reading};
use crate::http::encoding::{COMPRESS_FROM_OCTETS, Coding};
use crate::http::error::{Error, Result};
use crate::peers::head::told;
use crate::peers::inbound;

/// A page of a collection's objects.
///
/// # Errors
/// 401, 403, 404, 406, 400 as the section lists them; 503 when a disclosure cannot be written.
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, collection)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    super::api_root::check(&ctx, &root)?;
    let request = ListRequest::new(&ctx, &caller, &collection, None, &headers, query.as_deref())?;
    // a Comity peer gets the labels beside the objects; the body is finished here, and compressed on its way out
    let beside = list::beside(&ctx.app, &headers, &caller);
    let coding = if beside {
        Coding::Identity
    } else {
        Coding::choose(headers.get(ACCEPT_ENCODING))
    };
    let kept = fetch(&ctx, &caller, &request, coding).await?;
    disclose(&ctx.app, &caller.reader, &kept.released, beside).await?;
    let body = if beside {
        inbound::with_sidecar(&ctx.app, &kept.body, &kept.released, told(&headers))?.into()
    } else {
        kept.body
    };
    let mut response = respond::body(StatusCode::OK, Body::from(body));
    if let Some(name) = kept.coding.header() {
        response.headers_mut().insert(CONTENT_ENCODING, name);
    }
    request.date_headers(&mut response, kept.added);
    Ok(response)
}

async fn fetch(ctx: &Ctx, caller: &Caller, request: &ListRequest, coding: Coding) -> Result<Kept> {
    let size = *ctx.app.sequencer.size().borrow();
    let generation = ctx.pages.generation(&ctx.app.store, size);
    let key = Key {
        collection: request.collection.key,
        scope: request.scope.clone(),
        filter: request.filter_digest,
        start: request.start,
        limit: request.limit,
        foreign: caller.reader.party() != &ctx.app.party,
        told: request.told,
        coding,
    };
    if let Some(kept) = ctx.pages.get(&key, generation, ctx.app.clock.monotonic()) {
        return Ok(kept);
    }
    let (worker, reader, asked, wanted) = (
        Arc::clone(ctx),
        Arc::clone(&caller.reader),
        request.clone(),
        key.clone(),
    );
    let (kept, redacted) = reading(ctx, request.is_long(), move || {
        let app = &worker.app;
        // of a crowd that wants one page, the first builds it while the others wait for their turn
        if let Some(kept) = worker.pages.get(&wanted, generation, app.clock.monotonic()) {
            return Ok((kept, true));
        }
        let page = page::build(app, &reader, &asked)?;
        let redacted = page.redacted;
        Ok((pack(page, coding)?, redacted))
    })
    .await?;
    // one with parts left out is this reader's alone
    if !redacted {
        ctx.pages.keep(key, generation, kept.clone());
    }
    Ok(kept)
}

/// Compresses a page, if the client reads that and it is worth it.
fn pack(page: Page, coding: Coding) -> Result<Kept> {
    let coding = if page.body.len() < COMPRESS_FROM_OCTETS {
        Coding::Identity
    } else {
        coding
    };
    let body = match coding {
        Coding::Identity => page.body,
        coding => coding.compress(&page.body).map_err(Error::internal)?.into(),
    };
    Ok(Kept {
        body,
        coding,
        added: page.added,
        released: page.released,
    })
}
