//! The node's own interface at `/api/v1`: what TAXII has no words for (search, proofs, the log, why a record may be seen).
//! One file per resource. `GET /api/v1/openapi.json` describes it.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use comity_access::{Action, Resource};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::http::auth::Caller;
use crate::http::{Context, Ctx, Error, Result};

pub mod card;
pub mod events;
pub mod evidence;
pub mod health;
pub mod log;
pub mod metrics;
pub mod openapi;
pub mod proof;
pub mod receipts;
pub mod record;
pub mod records;
pub mod sent;

/// Adds its routes.
pub fn routes(router: Router<Ctx>) -> Router<Ctx> {
    table()
        .into_iter()
        .fold(router, |router, (path, route)| router.route(path, route))
}

/// Every route, so that a test can hold the description to it.
fn table() -> [(&'static str, MethodRouter<Ctx>); 14] {
    [
        ("/healthz", get(health::get)),
        ("/metrics", get(metrics::get)),
        ("/api/v1/card", get(card::get)),
        ("/api/v1/openapi.json", get(openapi::get)),
        ("/api/v1/records", get(records::search)),
        ("/api/v1/records/{id}", get(record::get)),
        ("/api/v1/records/{id}/proof", get(proof::get)),
        ("/api/v1/records/{id}/sent", get(sent::get)),
        ("/api/v1/receipts", get(receipts::get).post(receipts::post)),
        ("/api/v1/log/{*path}", get(log::get)),
        ("/api/v1/events", get(events::get)),
        ("/api/v1/evidence/{exhibit}", get(evidence::offer)),
        ("/api/v1/evidence/{exhibit}/answer", post(evidence::answer)),
        ("/api/v1/evidence/{exhibit}/{item}", get(evidence::item)),
    ]
}

/// A JSON answer.
///
/// # Errors
/// 500 when it cannot be written, which its type excludes.
pub fn json(value: &impl Serialize) -> Result<Response> {
    let bytes = serde_json::to_vec(value).map_err(Error::internal)?;
    Ok(typed("application/json", bytes))
}

/// An answer of another kind.
#[must_use]
pub fn typed(content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Whether the caller may see the log: hashes, times, signatures, never contents.
///
/// # Errors
/// 403 with the rule's words.
pub fn may_see_entries(ctx: &Context, caller: &Caller) -> Result<()> {
    let decision =
        ctx.app
            .release
            .access()
            .decide(&caller.reader, Action::SeeEntry, Resource::Node);
    if decision.permitted {
        Ok(())
    } else {
        Err(Error::forbidden(decision.text()))
    }
}
