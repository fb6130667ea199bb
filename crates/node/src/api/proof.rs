//! GET /api/v1/records/{id}/proof: a file that proves to a third person, offline, that a record is in the log
//! (C2SP tlog-proof; `comity log verify` and `docs/LOG.md` check it). The header `comity-witnesses` says `quorum`, `pending`
//! (ask again in some seconds, or take it as it is) or `none`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::HeaderValue;

use super::record::{Parameters, find};
use super::records::{parameters, place};
use crate::http::auth::Caller;
use crate::http::context::reading;
use crate::http::{Ctx, Error, Result};
use crate::proof::proof_for;
use crate::release::{Visible, visible};

/// The proof of one record, with the salt for those who read it whole.
///
/// # Errors
/// 400, 401, 403, 404.
#[utoipa::path(
    get, path = "/api/v1/records/{id}/proof", tag = "records",
    params(("id" = String, Path, description = "STIX identifier"), Parameters),
    responses(
        (status = 200, description = "A C2SP tlog-proof", body = String, content_type = "text/plain",
            headers(("comity-witnesses" = String, description = "`quorum`, `pending` (ask again in some seconds) or `none`"))),
        (status = 400, description = "Not understood"),
        (status = 404, description = "Not there for you")
    )
)]
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let parameters: Parameters = parameters(query.as_deref())?;
    let (scope, collection) = place(&ctx, &caller, parameters.collection.as_deref())?;
    let worker = (Arc::clone(&ctx), caller);
    let (proof, witnesses) = reading(&ctx, true, move || {
        let (ctx, caller) = worker;
        let record = find(&ctx, &id, parameters.version.as_deref(), &scope, collection)?;
        let salt = match visible(
            &ctx.app.release,
            &caller.reader,
            record.label_set,
            record.granular,
            &record.bytes,
        )? {
            Visible::Whole(_) => Some(record.salt),
            // the salt would let the hidden parts be guessed
            Visible::Redacted(_) => None,
            Visible::Withheld => return Err(Error::not_found("there is no such record")),
        };
        let has_witnesses = ctx.app.witnesses().is_some();
        Ok(proof_for(
            &ctx.app.store,
            has_witnesses,
            record.entry_index,
            salt,
        )?)
    })
    .await?;
    let mut response = super::typed("text/plain; charset=utf-8", proof.to_string());
    response
        .headers_mut()
        .insert(WITNESSES_HEADER, HeaderValue::from_static(witnesses.word()));
    Ok(response)
}

/// Says how far the head under which a proof is made is witnessed.
const WITNESSES_HEADER: &str = "comity-witnesses";
