//! GET /api/v1/records/{id}/proof: a file that proves to a third person, offline, that a record is in the log
//! (C2SP tlog-proof; `comity log verify` and `docs/LOG.md` check it).

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use comity_ledger::note::SignedNote;
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::inclusion_proof;
use comity_store::Record;

use super::record::{Parameters, find};
use super::records::{parameters, place};
use crate::http::auth::Caller;
use crate::http::context::reading;
use crate::http::{Ctx, Error, Result};
use crate::release::{Visible, visible};

/// The proof of one record, with the salt for those who read it whole.
///
/// # Errors
/// 400, 401, 403, 404.
#[utoipa::path(
    get, path = "/api/v1/records/{id}/proof", tag = "records",
    params(("id" = String, Path, description = "STIX identifier"), Parameters),
    responses((status = 200, description = "A C2SP tlog-proof", body = String, content_type = "text/plain"), (status = 404, description = "Not there for you"))
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
    let proof = reading(true, move || {
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
        prove(&ctx, &record, salt)
    })
    .await?;
    Ok(super::typed("text/plain; charset=utf-8", proof.to_string()))
}

fn prove(ctx: &Ctx, record: &Record, salt: Option<[u8; 32]>) -> Result<Proof> {
    let store = &ctx.app.store;
    let head = store.head()?;
    let entry = store
        .entries(record.entry_index, record.entry_index + 1)?
        .pop();
    let entry = entry
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Error::internal("the log has no such entry"))?;
    let path = inclusion_proof(store, record.entry_index, head.size).map_err(Error::internal)?;
    let checkpoint = SignedNote::parse(head.note.as_bytes()).map_err(Error::internal)?;
    Proof::new(
        record.entry_index,
        path,
        checkpoint,
        Some(Opening { entry, salt }.to_bytes()),
    )
    .map_err(Error::internal)
}
