//! GET /metrics: counters for Prometheus, for the machine itself, administrators and auditors.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use comity_access::Role;
use http::HeaderMap;
use http::header::FORWARDED;

use crate::http::auth::Caller;
use crate::http::connection::Connection;
use crate::http::{Ctx, Error, Result};

/// The counters in Prometheus' text format.
///
/// # Errors
/// 401 or 403 for callers from elsewhere without the role.
#[utoipa::path(
    get, path = "/metrics", tag = "node",
    responses(
        (status = 200, description = "Counters in Prometheus' text format", body = String, content_type = "text/plain"),
        (status = 403, description = "Not from this machine, and neither administrator nor auditor")
    )
)]
pub async fn get(
    State(ctx): State<Ctx>,
    Extension(connection): Extension<Arc<Connection>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
) -> Result<Response> {
    // behind a proxy on this machine everybody comes from loopback: what was forwarded is from elsewhere
    let forwarded = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    if forwarded || !connection.address.ip().is_loopback() {
        let Some(Extension(caller)) = caller else {
            return Err(Error::unauthenticated());
        };
        if !matches!(caller.reader.role(), Role::Administrator | Role::Auditor) {
            return Err(Error::forbidden(
                "counters are for administrators and auditors",
            ));
        }
    }
    let text = ctx.app.metrics.text().map_err(Error::internal)?;
    Ok(super::typed("text/plain; version=0.0.4", text))
}
