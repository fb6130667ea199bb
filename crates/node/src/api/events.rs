//! GET /api/v1/events: a line each time the log has grown, as server-sent events. It carries the size alone: peers fetch what
//! is theirs by TAXII, observers the checkpoint.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use crate::http::auth::Caller;
use crate::http::{Ctx, Result};

/// Events come at most this often: growth in between is one event.
const PAUSE: Duration = Duration::from_millis(20);

/// Follows the log's growth until the client goes away.
///
/// # Errors
/// 401, 403.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "log",
    responses((status = 200, description = "One `log` event per growth, with the new size", body = String, content_type = "text/event-stream"))
)]
pub async fn get(State(ctx): State<Ctx>, caller: Caller) -> Result<Response> {
    super::may_see_entries(&ctx, &caller)?;
    let stopping = ctx.stopping.clone();
    let mut size = ctx.app.sequencer.size();
    // the first event says where the log is
    size.mark_changed();
    let events = stream::unfold((size, stopping), |(mut size, mut stopping)| async move {
        tokio::select! {
            changed = size.changed() => changed.ok()?,
            _ = stopping.wait_for(|stop| *stop) => return None,
        }
        let now = *size.borrow_and_update();
        let event = Event::default()
            .event("log")
            .data(format!(r#"{{"size":{now}}}"#));
        tokio::time::sleep(PAUSE).await;
        Some((Ok::<_, Infallible>(event), (size, stopping)))
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response())
}
