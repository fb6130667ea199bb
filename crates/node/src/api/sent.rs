//! GET /api/v1/records/{id}/sent: who got a record, and what each recipient signed about it.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use comity_access::{Action, Resource};
use serde::Serialize;
use utoipa::ToSchema;

use super::record::{Parameters, find};
use super::records::{parameters, place};
use crate::http::auth::Caller;
use crate::http::context::reading;
use crate::http::{Ctx, Error, Result};
use crate::sent::{Recipient, recipients};

/// Where a record went.
#[derive(Serialize, ToSchema)]
pub struct SentView {
    id: String,
    version: String,
    /// Index of its entry in our log.
    entry_index: u64,
    /// Everybody who got it or is to get it.
    recipients: Vec<Recipient>,
}

/// Where a record went, and what recipients made of it; for the party's own staff.
///
/// # Errors
/// 400, 401, 403, 404 (also for what the caller may not see).
#[utoipa::path(
    get, path = "/api/v1/records/{id}/sent", tag = "records",
    params(("id" = String, Path, description = "STIX identifier"), Parameters),
    responses(
        (status = 200, description = "Each recipient with its state and receipts", body = SentView),
        (status = 400, description = "Not understood"),
        (status = 403, description = "Only for the party's own staff"),
        (status = 404, description = "Not there for you")
    )
)]
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    // who else has a record is nobody's business outside
    if *caller.reader.party() != ctx.app.party {
        return Err(Error::forbidden(
            "only the party's own staff sees where records went",
        ));
    }
    let parameters: Parameters = parameters(query.as_deref())?;
    let (scope, collection) = place(&ctx, &caller, parameters.collection.as_deref())?;
    let worker = (Arc::clone(&ctx), caller);
    let view = reading(&ctx, true, move || {
        let (ctx, caller) = worker;
        let record = find(&ctx, &id, parameters.version.as_deref(), &scope, collection)?;
        let label = ctx.app.release.label(record.label_set)?;
        let resource = Resource::record(&label);
        let access = ctx.app.release.access();
        let decision = access.decide(&caller.reader, Action::Explain, resource);
        if !decision.permitted {
            return Err(Error::forbidden(decision.text()));
        }
        Ok(SentView {
            recipients: recipients(&ctx.app, record.seq)?,
            id: record.id,
            version: record.version,
            entry_index: record.entry_index,
        })
    })
    .await?;
    super::json(&view)
}
