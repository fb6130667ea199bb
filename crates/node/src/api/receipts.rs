//! /api/v1/receipts: another node posts the receipts it owes us, or fetches those we owe it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use comity_store::{Op, Peer, Progress};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use super::records::parameters;
use crate::http::auth::Caller;
use crate::http::body::drain;
use crate::http::{Ctx, Error, Result};
use crate::limits::{RECEIPTS_BYTES_MAX, RECEIPTS_MAX};
use crate::peers::head::told;
use crate::peers::inbound::comity_peer;
use crate::peers::receipts::give::batch;
use crate::peers::receipts::take::{TakeError, take};
use crate::peers::receipts::{Answer, Batch};

/// Takes receipts of another node for records of ours.
///
/// # Errors
/// 401; 403 for everybody but the account of a Comity node that is a peer; 400, 409 (the head of its log), 413, 422.
#[utoipa::path(
    post, path = "/api/v1/receipts", tag = "receipts", request_body = Batch,
    params(("comity-head" = Option<u64>, Header, description = "Entries of our log the caller knows")),
    responses(
        (status = 200, description = "What became of each", body = Answer),
        (status = 400, description = "Not understood"),
        (status = 403, description = "Only for the accounts of Comity nodes that are peers"),
        (status = 408, description = "The body did not arrive in time"),
        (status = 409, description = "The head of the caller's log does not show that it continues the one known here",
            headers(("comity-head" = u64, description = "Entries of the caller's log that are known here; absent where its log contradicts them"))),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "A content coding that is not read"),
        (status = 422, description = "The head is not signed by the caller's log, or the batch is not of the right shape")
    )
)]
pub async fn post(
    State(ctx): State<Ctx>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let peer = match admitted(&ctx, &caller) {
        Ok(peer) => peer,
        Err(error) => {
            drain(&headers, body).await;
            return Err(error);
        }
    };
    let whole = ctx.bodies.read(&headers, body, RECEIPTS_BYTES_MAX).await?;
    let batch: Batch = serde_json::from_slice(&whole.bytes)
        .map_err(|error| Error::malformed("receipts.body", error.to_string()))?;
    let answer = take(&ctx.app, peer, batch, told(&headers)).await?;
    super::json(&answer)
}

/// Which receipts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Only those of later entries of our log; what came before counts as taken.
    pub after: Option<u64>,
}

/// Receipts of ours for the calling node, in order of their entries, 200 at most.
///
/// # Errors
/// 400, 401, 403.
#[utoipa::path(
    get, path = "/api/v1/receipts", tag = "receipts",
    params(Parameters, ("comity-head" = Option<u64>, Header, description = "Entries of our log the caller knows")),
    responses(
        (status = 200, description = "Receipts for records the caller sent", body = Batch),
        (status = 400, description = "Not understood"),
        (status = 403, description = "Only for the accounts of Comity nodes that are peers")
    )
)]
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let peer = admitted(&ctx, &caller)?;
    let parameters: Parameters = parameters(query.as_deref())?;
    if let Some(last) = parameters.after {
        let taken = Progress::SettleTo {
            party: peer.party.clone(),
            last,
        };
        ctx.app.sequencer.submit(vec![Op::Progress(taken)]).await?;
    }
    let known = told(&headers);
    let app = Arc::clone(&ctx.app);
    let page = tokio::task::spawn_blocking(move || -> Result<Batch> {
        let mut answers = app
            .store
            .answers_after(&peer.party, parameters.after, RECEIPTS_MAX)?;
        // erased since, and taken long ago
        answers.retain(|answer| answer.salt.is_some());
        if answers.is_empty() {
            return Ok(Batch::default());
        }
        Ok(batch(&app, &answers, known)?.0)
    })
    .await
    .map_err(Error::internal)??;
    super::json(&page)
}

/// Only the accounts of nodes that are peers; everybody else has nothing to do here.
fn admitted(ctx: &Ctx, caller: &Caller) -> Result<Arc<Peer>> {
    comity_peer(&ctx.app, &caller.reader)
        .ok_or_else(|| Error::forbidden("receipts pass between nodes that are peers"))
}

/// What the other side is told; which alarm it is, its people are told by voice.
const PAUSED: &str =
    "nothing is taken from this node: an alarm about it is open, and an officer has to look at it";

impl From<TakeError> for Error {
    fn from(error: TakeError) -> Self {
        let text = error.to_string();
        match error {
            TakeError::Head(error) => error.into(),
            TakeError::Read(error) => error.into(),
            TakeError::Submit(error) => error.into(),
            TakeError::Admin(error) => Self::internal(error),
            TakeError::Paused(_) => Self::unavailable("peer.alarm", PAUSED),
            TakeError::Shape(_) => Self::unprocessable("receipts.batch", text),
            TakeError::Key(..) => Self::unavailable("receipts.key", text),
            TakeError::Client(_) => Self::internal(text),
        }
    }
}
