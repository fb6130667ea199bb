//! The way of every request: limits, who asks, the route, and what every answer carries.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use tower::ServiceExt as _;

use super::body::drain;
use super::connection::Connection;
use super::context::Ctx;
use super::encoding::{COMPRESS_FROM_OCTETS, Coding};
use super::error::Error;
use crate::limits::{HEADER_BYTES_MAX, QUERY_BYTES_MAX};

/// Answers requests; cheap to clone, one for all connections.
#[derive(Clone)]
pub struct Front {
    ctx: Ctx,
    router: Router,
}

impl Front {
    /// All routes over `ctx`.
    #[must_use]
    pub fn new(ctx: Ctx) -> Self {
        let router = super::router::router(Arc::clone(&ctx));
        Self { ctx, router }
    }

    /// What it works with.
    #[must_use]
    pub fn context(&self) -> &Ctx {
        &self.ctx
    }

    /// Answers one request.
    ///
    /// # Errors
    /// Never; the type is what hyper asks for.
    pub async fn answer(
        &self,
        connection: Arc<Connection>,
        request: Request<Body>,
    ) -> Result<Response, Infallible> {
        let clock = &self.ctx.app.clock;
        let started = clock.monotonic();
        let route = route(request.uri().path());
        let method = request.method().clone();
        let coding = Coding::choose(request.headers().get(header::ACCEPT_ENCODING));
        let mut principal = None;
        let tls = connection.tls;
        let response = match self.dispatch(connection, request, &mut principal).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
        let mut response = compress(response, coding).await;
        finish(&mut response, tls);
        let (status, took) = (response.status(), clock.monotonic().saturating_sub(started));
        let metrics = &self.ctx.app.metrics;
        metrics
            .requests_total
            .with_label_values(&[route, status_class(status)])
            .inc();
        metrics
            .request_seconds
            .with_label_values(&[route])
            .observe(took.as_secs_f64());
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(target: "comity_node::requests", %method, route, status = status.as_u16(), micros, principal, "request");
        Ok(response)
    }

    async fn dispatch(
        &self,
        connection: Arc<Connection>,
        mut request: Request<Body>,
        principal: &mut Option<String>,
    ) -> Result<Response, Error> {
        let refused = match self.admit(&connection, &request) {
            Err(error) => Some(error),
            Ok(()) => match self
                .ctx
                .auth
                .identify(&self.ctx.app, &connection, request.headers())
                .await
            {
                Ok(caller) => {
                    if let Some(caller) = caller {
                        *principal = Some(caller.name().to_owned());
                        request.extensions_mut().insert(caller);
                    }
                    None
                }
                Err(error) => Some(error),
            },
        };
        if let Some(error) = refused {
            let (parts, body) = request.into_parts();
            drain(&parts.headers, body).await;
            return Err(error);
        }
        request.extensions_mut().insert(connection);
        single_slashes(&mut request);
        match self.router.clone().oneshot(request).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }

    fn admit(&self, connection: &Connection, request: &Request<Body>) -> Result<(), Error> {
        if !self.ctx.rate.allows(connection.source()) {
            return Err(Error::too_many("rate", 1));
        }
        if request
            .uri()
            .path_and_query()
            .map_or(0, |path| path.as_str().len())
            > QUERY_BYTES_MAX
        {
            return Err(Error::uri_too_long(QUERY_BYTES_MAX));
        }
        if headers_octets(request.headers()) > HEADER_BYTES_MAX {
            return Err(Error::headers_too_large(HEADER_BYTES_MAX));
        }
        Ok(())
    }
}

/// Clients that put a base and a path together with a slash each send two (MISP). No name here is empty, so they mean one.
fn single_slashes(request: &mut Request<Body>) {
    let path = request.uri().path();
    if !path.contains("//") {
        return;
    }
    let mut single = String::with_capacity(path.len());
    for letter in path.chars() {
        if !(letter == '/' && single.ends_with('/')) {
            single.push(letter);
        }
    }
    if let Some(query) = request.uri().query() {
        single.push('?');
        single.push_str(query);
    }
    // the rest of a URI that was read stays one; if not, the path is answered as it came
    if let Ok(uri) = single.parse() {
        *request.uri_mut() = uri;
    }
}

fn headers_octets(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum()
}

/// The name of a route in logs and metrics: a fixed word, so that no path a stranger makes up becomes a label.
fn route(path: &str) -> &'static str {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (first, second, third) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    match (first, second, third) {
        ("", None, None) => "status_page",
        ("healthz", None, None) => "healthz",
        ("metrics", None, None) => "metrics",
        ("taxii2", None, None) => "taxii_discovery",
        ("api", Some("v1"), Some("records")) => "api_records",
        ("api", Some("v1"), Some("log")) => "api_log",
        ("api", Some("v1"), Some("events")) => "api_events",
        ("api", ..) => "api",
        (_, None, None) => "taxii_api_root",
        (_, Some("status"), _) => "taxii_status",
        (_, Some("collections"), None) => "taxii_collections",
        (_, Some("collections"), Some(_)) => match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => "taxii_collection",
            (Some("objects"), None, None) => "taxii_objects",
            (Some("objects"), Some(_), None) => "taxii_object",
            (Some("objects"), Some(_), Some("versions")) => "taxii_versions",
            (Some("manifest"), None, None) => "taxii_manifest",
            _ => "unknown",
        },
        _ => "unknown",
    }
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// Compresses an answer the handler left as it is, when the client reads that and it is worth it.
async fn compress(response: Response, coding: Coding) -> Response {
    let size = response.body().size_hint().exact().unwrap_or(0);
    let headers = response.headers();
    if coding == Coding::Identity
        || size < COMPRESS_FROM_OCTETS as u64
        || headers.contains_key(header::CONTENT_ENCODING)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await else {
        return Error::internal("an answer broke off").into_response();
    };
    let whole = whole.to_bytes();
    let compressed = if size > 64 << 10 {
        let plain = whole.clone();
        tokio::task::spawn_blocking(move || coding.compress(&plain))
            .await
            .ok()
            .and_then(Result::ok)
    } else {
        coding.compress(&whole).ok()
    };
    let body = match (compressed, coding.header()) {
        (Some(compressed), Some(name)) => {
            parts.headers.insert(header::CONTENT_ENCODING, name);
            parts.headers.remove(header::CONTENT_LENGTH);
            Body::from(compressed)
        }
        _ => Body::from(whole),
    };
    Response::from_parts(parts, body)
}

/// What every answer carries. Nothing the node says is for caches on the way: what one reader may see, another may not.
fn finish(response: &mut Response, tls: bool) {
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    default(header::CACHE_CONTROL, "no-store");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::VARY, "accept, accept-encoding, authorization");
    if tls {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_have_fixed_names() {
        for (path, expected) in [
            ("/", "status_page"),
            ("/taxii2/", "taxii_discovery"),
            ("/ua/", "taxii_api_root"),
            ("/ua/collections/x/objects/", "taxii_objects"),
            ("/ua/collections/x/objects/y/versions/", "taxii_versions"),
            ("/ua/collections/x/manifest", "taxii_manifest"),
            ("/ua/status/1/", "taxii_status"),
            ("/api/v1/records/x/proof", "api_records"),
            ("/ua/x/y/z", "unknown"),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}
