//! GET /{root}/status/{id}/ (TAXII 2.1 section 4.3), and the statuses that POST makes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::response::Response;
use comity_store::{CollectionKey, Op, Progress, Status};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::{api_root, respond};
use crate::app::App;
use crate::clock::micros_to_text;
use crate::http::auth::Caller;
use crate::http::context::Ctx;
use crate::http::error::{Error, Result};
use crate::intake::{STABLE_TEXT, Verdict};
use crate::limits::STATUS_KEPT;

/// Section 4.3.1. The lists are as long as their counts, and the counts sum to the total: taxii2-client checks both.
#[derive(Serialize)]
pub struct Resource {
    id: String,
    status: &'static str,
    request_timestamp: String,
    total_count: usize,
    success_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    successes: Vec<Detail>,
    failure_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Detail>,
    pending_count: usize,
}

/// A status-details object.
#[derive(Serialize)]
struct Detail {
    /// The STIX identifier; the JSON pointer into the envelope for what has none that can be read.
    id: String,
    /// `modified`, else `created`, else the text kept for objects with neither.
    version: String,
    message: String,
}

impl Resource {
    /// The status of a request whose objects met `verdicts`; nothing is ever pending here.
    ///
    /// # Errors
    /// 500 without randomness for its id.
    pub fn new(
        app: &App,
        requested_micros: i64,
        verdicts: &[Verdict],
        pointers: &[String],
    ) -> Result<Self> {
        let (mut successes, mut failures) = (Vec::new(), Vec::new());
        for (index, verdict) in verdicts.iter().enumerate() {
            let list = if verdict.fate.is_success() {
                &mut successes
            } else {
                &mut failures
            };
            list.push(detail(
                verdict,
                pointers.get(index).map_or("", String::as_str),
            ));
        }
        Ok(Self {
            // section 2: identifiers are UUIDv4
            id: crate::entropy::uuid_v4(&*app.entropy)
                .map_err(Error::internal)?
                .to_string(),
            status: "complete",
            request_timestamp: micros_to_text(requested_micros),
            total_count: verdicts.len(),
            success_count: successes.len(),
            successes,
            failure_count: failures.len(),
            failures,
            pending_count: 0,
        })
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn detail(verdict: &Verdict, pointer: &str) -> Detail {
    let or = |text: &str, other: &str| {
        if text.is_empty() {
            other.to_owned()
        } else {
            text.to_owned()
        }
    };
    Detail {
        id: or(&verdict.id, pointer),
        version: or(&verdict.version, STABLE_TEXT),
        message: verdict.fate.text(),
    }
}

/// Statuses of a moment ago: the 202 does not wait for theirs to be written, and they can be asked for at once.
#[derive(Default)]
pub struct Recent {
    inner: Mutex<RecentInner>,
}

#[derive(Default)]
struct RecentInner {
    by_id: HashMap<String, Status>,
    order: VecDeque<String>,
    octets: usize,
}

/// Octets of statuses kept in memory.
const RECENT_OCTETS_MAX: usize = 4 << 20;

impl Recent {
    /// Keeps a status for its principal: here at once, in the register shortly after. One lost to a crash in between costs
    /// nothing that was accepted.
    pub fn keep(
        &self,
        app: &Arc<App>,
        caller: &Caller,
        collection: CollectionKey,
        id: &str,
        body: String,
    ) {
        let created = app.clock.now_micros();
        let kept = i64::try_from(STATUS_KEPT.as_micros()).unwrap_or(i64::MAX);
        let status = Status {
            id: id.to_owned(),
            principal: caller.name().to_owned(),
            collection,
            created,
            expires: created.saturating_add(kept),
            body,
        };
        self.remember(status.clone());
        let app = Arc::clone(app);
        tokio::spawn(async move {
            if let Err(error) = app
                .sequencer
                .submit(vec![Op::Progress(Progress::Status(status))])
                .await
            {
                tracing::warn!(%error, "a TAXII status was not kept");
            }
        });
    }

    fn remember(&self, status: Status) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.octets += status.body.len();
        inner.order.push_back(status.id.clone());
        inner.by_id.insert(status.id.clone(), status);
        while inner.octets > RECENT_OCTETS_MAX {
            let Some(oldest) = inner.order.pop_front() else {
                break;
            };
            let size = inner
                .by_id
                .remove(&oldest)
                .map_or(0, |status| status.body.len());
            inner.octets = inner.octets.saturating_sub(size);
        }
    }

    /// One that has not expired by `now`, microseconds.
    fn get(&self, id: &str, now: i64) -> Option<Status> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let status = inner.by_id.get(id)?;
        (status.expires > now).then(|| status.clone())
    }
}

/// The status of an earlier POST, for 24 hours, for the account that made it.
///
/// # Errors
/// 401, 404 (also for another's), 406.
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    api_root::check(&ctx, &root)?;
    respond::negotiate(&headers)?;
    let unknown = || Error::not_found("there is no such status");
    let now = ctx.app.clock.now_micros();
    let kept = match ctx.statuses.get(&id, now) {
        Some(status) => Some(status),
        None => ctx.app.store.status(&id, now)?,
    };
    let status = kept.ok_or_else(unknown)?;
    if status.principal != caller.name() {
        return Err(unknown());
    }
    Ok(respond::body(StatusCode::OK, status.body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_3_a_status_expires_in_memory_as_well() {
        let recent = Recent::default();
        recent.remember(Status {
            id: "one".to_owned(),
            principal: "olena@ua".to_owned(),
            collection: CollectionKey(1),
            created: 0,
            expires: 100,
            body: "{}".to_owned(),
        });
        assert!(recent.get("one", 99).is_some());
        assert!(recent.get("one", 100).is_none());
    }
}
