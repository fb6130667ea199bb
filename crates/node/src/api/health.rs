//! GET /healthz: whether the node lives, for supervisors and load balancers. Tells nothing about anybody's records.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::context::Insider;
use crate::http::{Ctx, Result};

/// What `/healthz` answers.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`: the register can be read.
    status: &'static str,
    /// Seconds since the last log entry, for accounts and the machine itself; absent for an empty log.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_commit_age_seconds: Option<i64>,
}

/// Reads the register's head: a node that cannot do that is not well.
///
/// # Errors
/// 500 when the register cannot be read.
#[utoipa::path(
    get, path = "/healthz", tag = "node",
    responses((status = 200, description = "The node lives", body = Health))
)]
pub async fn get(State(ctx): State<Ctx>, Insider(insider): Insider) -> Result<Response> {
    let size = ctx.app.store.head()?.size;
    let last = match size.checked_sub(1) {
        // when records come in is nothing for strangers
        Some(last) if insider => ctx.app.store.changes(last, 1)?.pop(),
        _ => None,
    };
    let age = last.map(|entry| (ctx.app.clock.now_micros() - entry.time_micros).max(0) / 1_000_000);
    super::json(&Health {
        status: "ok",
        last_commit_age_seconds: age,
    })
}
