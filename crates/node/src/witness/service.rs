//! HTTP of a witness: two resources of tlog-witness, `/healthz`, `/metrics`.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use comity_ledger::witness::{ADD_CHECKPOINT_BYTES_MAX, CONFLICT_CONTENT_TYPE};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use prometheus::{Encoder as _, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

use super::Witness;
use super::add_checkpoint::{self, Answer};
use crate::http::Handler;
use crate::http::body::{Bodies, drain};
use crate::http::connection::Connection;
use crate::http::rate::Rate;
use crate::http::service::headers_octets;
use crate::limits::{HEADER_BYTES_MAX, QUERY_BYTES_MAX};

/// Answers requests to a witness; cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    witness: Witness,
    rate: Rate,
    bodies: Bodies,
    metrics: Metrics,
}

struct Metrics {
    registry: Registry,
    requests_total: IntCounterVec,
    connections_open: IntGauge,
    logs: IntGauge,
    evidence: IntGauge,
}

const TEXT: &str = "text/plain; charset=utf-8";

impl Service {
    /// Serves `witness`, to each source so often.
    ///
    /// # Errors
    /// Only when two metrics have one name, which a test excludes.
    pub fn new(witness: Witness, requests_per_second: u32) -> Result<Self, prometheus::Error> {
        Ok(Self {
            inner: Arc::new(Inner {
                witness,
                rate: Rate::new(requests_per_second),
                bodies: Bodies::default(),
                metrics: Metrics::new()?,
            }),
        })
    }

    /// The witness behind it.
    #[must_use]
    pub fn witness(&self) -> &Witness {
        &self.inner.witness
    }

    async fn dispatch(&self, connection: &Connection, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let refusal = if !self.inner.rate.allows(connection.source()) {
            let mut response = text(
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests from this source",
            );
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            Some(response)
        } else if headers_octets(&parts.headers) > HEADER_BYTES_MAX {
            Some(text(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "the headers are too large",
            ))
        } else if path.len() > QUERY_BYTES_MAX {
            Some(text(StatusCode::URI_TOO_LONG, "the address is too long"))
        } else {
            None
        };
        if let Some(response) = refusal {
            drain(&parts.headers, body).await;
            return response;
        }
        match (path, monitored(path)) {
            // "The request MUST be an HTTP POST."
            ("/add-checkpoint", _) if parts.method == Method::POST => {
                self.add_checkpoint(&parts.headers, body).await
            }
            ("/add-checkpoint", _) => wrong_method("POST"),
            ("/healthz" | "/metrics", _) | (_, Some(_)) if !reads(&parts.method) => {
                wrong_method("GET")
            }
            ("/healthz", _) => self.health().await,
            ("/metrics", _) => self.metrics(connection, &parts.headers),
            (_, Some(origin)) => self.latest(origin).await,
            _ => text(StatusCode::NOT_FOUND, "nothing is here"),
        }
    }

    async fn add_checkpoint(&self, headers: &HeaderMap, body: Body) -> Response {
        let read = self
            .inner
            .bodies
            .read(headers, body, ADD_CHECKPOINT_BYTES_MAX)
            .await;
        let whole = match read {
            Ok(whole) => whole,
            Err(error) => return text(error.status(), &error.to_string()),
        };
        let inner = Arc::clone(&self.inner);
        let answered = tokio::task::spawn_blocking(move || {
            add_checkpoint::answer(&inner.witness, &whole.bytes)
        });
        match answered
            .await
            .unwrap_or_else(|error| Answer::Failed(error.to_string()))
        {
            Answer::Cosigned(lines) => typed(StatusCode::OK, TEXT, lines),
            Answer::Conflict(size) => typed(StatusCode::CONFLICT, CONFLICT_CONTENT_TYPE, size),
            Answer::Refused { status, text: why } => text(
                StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
                &why,
            ),
            Answer::NotNow(why) => {
                tracing::error!("{why}");
                let mut response = text(StatusCode::SERVICE_UNAVAILABLE, &why);
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("60"));
                response
            }
            Answer::Failed(cause) => failed(&cause),
        }
    }

    /// "A witness SHOULD serve a recent checkpoint for each log it cosigned."
    async fn latest(&self, origin_sha256: [u8; 32]) -> Response {
        let inner = Arc::clone(&self.inner);
        let read = tokio::task::spawn_blocking(move || inner.witness.db.latest(&origin_sha256));
        match read.await {
            Ok(Ok(Some(latest))) => typed(StatusCode::OK, TEXT, latest.note),
            Ok(Ok(None)) => text(
                StatusCode::NOT_FOUND,
                "no checkpoint of this log was cosigned here",
            ),
            Ok(Err(error)) => failed(&error),
            Err(error) => failed(&error),
        }
    }

    async fn health(&self) -> Response {
        let inner = Arc::clone(&self.inner);
        let read = tokio::task::spawn_blocking(move || inner.witness.db.logs());
        match read.await {
            Ok(Ok(logs)) => typed(
                StatusCode::OK,
                "application/json",
                format!(r#"{{"status":"ok","logs":{}}}"#, logs.len()),
            ),
            Ok(Err(error)) => failed(&error),
            Err(error) => failed(&error),
        }
    }

    /// For the machine itself: there are no accounts here.
    fn metrics(&self, connection: &Connection, headers: &HeaderMap) -> Response {
        let forwarded = headers.contains_key(http::header::FORWARDED)
            || headers.contains_key("x-forwarded-for");
        if forwarded || !connection.address.ip().is_loopback() {
            return text(
                StatusCode::FORBIDDEN,
                "counters are for this machine itself",
            );
        }
        let db = &self.inner.witness.db;
        let counted = db
            .logs()
            .and_then(|logs| Ok((logs.len(), db.evidence()?.len())));
        match counted.map(|(logs, evidence)| self.inner.metrics.text(logs, evidence)) {
            Ok(Ok(body)) => typed(StatusCode::OK, "text/plain; version=0.0.4", body),
            Ok(Err(error)) => failed(&error),
            Err(error) => failed(&error),
        }
    }
}

impl Handler for Service {
    async fn answer(&self, connection: Arc<Connection>, request: Request<Body>) -> Response {
        let clock = &self.inner.witness.clock;
        let started = clock.monotonic();
        let route = route(request.uri().path());
        let method = request.method().clone();
        let mut response = self.dispatch(&connection, request).await;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let status = response.status();
        self.inner
            .metrics
            .requests_total
            .with_label_values(&[route, status.as_str()])
            .inc();
        let took = clock.monotonic().saturating_sub(started);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(target: "comity_node::requests", %method, route, status = status.as_u16(), micros, "request");
        response
    }

    fn connections_open(&self) -> &IntGauge {
        &self.inner.metrics.connections_open
    }

    fn quiet(&self) {
        self.inner.rate.forget_quiet();
    }
}

impl Metrics {
    fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("comity_witness".to_owned()), None)?;
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            Ok(metric)
        };
        let requests_total = IntCounterVec::new(
            Opts::new("requests_total", "requests answered"),
            &["route", "status"],
        )?;
        registry.register(Box::new(requests_total.clone()))?;
        Ok(Self {
            requests_total,
            connections_open: gauge("connections_open", "open connections")?,
            logs: gauge("logs", "logs this witness knows")?,
            evidence: gauge(
                "evidence",
                "refused checkpoints that a log had signed, kept as evidence",
            )?,
            registry,
        })
    }

    fn text(&self, logs: usize, evidence: usize) -> Result<String, prometheus::Error> {
        self.logs.set(i64::try_from(logs).unwrap_or(i64::MAX));
        self.evidence
            .set(i64::try_from(evidence).unwrap_or(i64::MAX));
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer).into_owned())
    }
}

/// `/<origin hash>/checkpoint`: "the SHA-256 hash of the log's origin, hex encoded, in lowercase".
fn monitored(path: &str) -> Option<[u8; 32]> {
    let hash = path.strip_prefix('/')?.strip_suffix("/checkpoint")?;
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if hash.len() != 64 || !hash.bytes().all(lower) {
        return None;
    }
    crate::peers::pin::parse_fingerprint(hash)
}

fn route(path: &str) -> &'static str {
    match path {
        "/add-checkpoint" => "add_checkpoint",
        "/healthz" => "healthz",
        "/metrics" => "metrics",
        _ if monitored(path).is_some() => "checkpoint",
        _ => "unknown",
    }
}

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn text(status: StatusCode, why: &str) -> Response {
    typed(status, TEXT, format!("{why}\n"))
}

fn wrong_method(allowed: &'static str) -> Response {
    let mut response = text(
        StatusCode::METHOD_NOT_ALLOWED,
        "this method does not exist here",
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn failed(cause: &(impl std::fmt::Display + ?Sized)) -> Response {
    tracing::error!(%cause, "request failed");
    text(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the witness failed to answer",
    )
}
