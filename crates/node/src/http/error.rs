//! Every refusal of the node over HTTP: a TAXII error message (section 3.6.1) with a stable code, and what only the log gets.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::accept::TAXII;
use crate::peers::head::{HEAD_HEADER, HeadError};

/// An answer that is not a success. The client gets status, code, title and description; the log gets the cause too.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {title}")]
pub struct Error {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    description: Option<String>,
    /// Only for the log: may hold what the client must not see.
    cause: Option<String>,
    retry_after_seconds: Option<u64>,
    /// Entries of the caller's log that are known here.
    known_head: Option<u64>,
}

/// A full disk is seen to by people.
const FULL_RETRY_SECONDS: u64 = 60;
/// A node that failed is started again by its supervisor.
const FAILED_RETRY_SECONDS: u64 = 10;

/// What a handler gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// TAXII 2.1 section 3.6.1. `http_status` is a string there.
#[derive(Serialize)]
struct Message<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    error_code: &'a str,
    http_status: &'a str,
}

impl Error {
    fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            status,
            code,
            title,
            description: None,
            cause: None,
            retry_after_seconds: None,
            known_head: None,
        }
    }

    /// The same error with words for the client; they must hold nothing it may not know.
    #[must_use]
    pub fn because(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// 400: a parameter, header or body that cannot be understood.
    #[must_use]
    pub fn malformed(code: &'static str, description: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            code,
            "the request cannot be understood",
        )
        .because(description)
    }

    /// 401: no credentials, or wrong ones; both look the same.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "auth.required",
            "valid credentials are needed",
        )
    }

    /// 403: the caller knows the thing exists and may not do this with it.
    #[must_use]
    pub fn forbidden(description: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "auth.forbidden",
            "this is not permitted",
        )
        .because(description)
    }

    /// 404: not there, or not for this caller; both look the same.
    #[must_use]
    pub fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "not found").because(what)
    }

    /// 405; the router adds the methods that exist.
    #[must_use]
    pub fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "this method does not exist here",
        )
    }

    /// 406: the client reads nothing the node writes.
    #[must_use]
    pub fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "accept",
            "none of the accepted media types can be given",
        )
        .because(format!("this resource is `{TAXII}`"))
    }

    /// 413: the body is larger than `max_content_length`.
    #[must_use]
    pub fn too_large(octets_max: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body.size",
            "the body is too large",
        )
        .because(format!(
            "at most {octets_max} octets are read, counted after decompression"
        ))
    }

    /// 414: the address is too long.
    #[must_use]
    pub fn uri_too_long(octets_max: usize) -> Self {
        Self::new(
            StatusCode::URI_TOO_LONG,
            "uri.length",
            "the address is too long",
        )
        .because(format!("at most {octets_max} octets are read"))
    }

    /// 431: the headers are too long together.
    #[must_use]
    pub fn headers_too_large(octets_max: usize) -> Self {
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers.size",
            "the headers are too large",
        )
        .because(format!("at most {octets_max} octets are read"))
    }

    /// 415: a body or a content coding the node does not read.
    #[must_use]
    pub fn unsupported_media_type(description: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "body.type",
            "this kind of body is not read",
        )
        .because(description)
    }

    /// 422: understood, but not something this node takes.
    #[must_use]
    pub fn unprocessable(code: &'static str, description: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            code,
            "the content cannot be processed",
        )
        .because(description)
    }

    /// 429: too many requests or failed log-ins from this source.
    #[must_use]
    pub fn too_many(code: &'static str, retry_after_seconds: u64) -> Self {
        let mut error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            code,
            "too many requests from this source",
        );
        error.retry_after_seconds = Some(retry_after_seconds.max(1));
        error
    }

    /// 409: a head of the caller's log that does not show that it continues the one known here.
    #[must_use]
    pub fn head(code: &'static str, description: impl Into<String>, known: Option<u64>) -> Self {
        let mut error = Self::new(
            StatusCode::CONFLICT,
            code,
            "the log's head cannot be taken as it is",
        )
        .because(description);
        error.known_head = known;
        error
    }

    /// 416: what is asked for lies beyond its end.
    #[must_use]
    pub fn beyond(octets: u64) -> Self {
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range.beyond",
            "there are no such octets",
        )
        .because(format!("it has {octets} octets"))
    }

    /// 408: the body did not arrive in time.
    #[must_use]
    pub fn timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "body.time",
            "the body did not arrive in time",
        )
    }

    /// 503: try again later.
    #[must_use]
    pub fn unavailable(code: &'static str, description: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "try again later")
            .because(description);
        error.retry_after_seconds = Some(2);
        error
    }

    /// 500: the node's own fault. The client learns only that; the log gets the cause.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the node failed to answer",
        );
        error.cause = Some(cause.to_string());
        error
    }

    fn after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    fn caused_by(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The status it will have.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client is told beside the title.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl From<comity_store::ReadError> for Error {
    fn from(error: comity_store::ReadError) -> Self {
        Self::internal(error)
    }
}

impl From<crate::sequencer::SubmitError> for Error {
    fn from(error: crate::sequencer::SubmitError) -> Self {
        use crate::sequencer::SubmitError as E;
        match error {
            E::Busy | E::Stopping => Self::unavailable("busy", error.to_string()),
            // why is for the operator alone
            E::Halted(_) => Self::unavailable("log.halted", "the node signs nothing at the moment"),
            // what the system said of it is for the log
            E::Full(cause) => Self::unavailable("register.full", "the node's disk is full")
                .after(FULL_RETRY_SECONDS)
                .caused_by(cause),
            E::Failed(cause) => {
                Self::unavailable("register.failed", "the node is about to start anew")
                    .after(FAILED_RETRY_SECONDS)
                    .caused_by(cause)
            }
            E::Batch(_) => Self::internal(error),
        }
    }
}

impl From<crate::disclosure::DisclosureError> for Error {
    fn from(error: crate::disclosure::DisclosureError) -> Self {
        use crate::disclosure::DisclosureError as E;
        match error {
            E::Submit(error) => error.into(),
            E::Read(error) => error.into(),
            E::Rejected(_) => Self::internal(error),
        }
    }
}

impl From<HeadError> for Error {
    fn from(error: HeadError) -> Self {
        let text = error.to_string();
        match error {
            HeadError::Behind { kept, .. } => Self::head("head.behind", text, Some(kept)),
            HeadError::Unproved { kept, .. } => Self::head("head.unproved", text, Some(kept)),
            HeadError::Rollback { .. } => Self::head("head.rollback", text, None),
            HeadError::Split { .. } => Self::head("head.split", text, None),
            HeadError::Head { .. } | HeadError::NoLog(_) => {
                Self::unprocessable("head.signature", text)
            }
            HeadError::Read(error) => error.into(),
            HeadError::Submit(error) => error.into(),
            HeadError::Admin(_) | HeadError::Client(_) | HeadError::Target(_) => {
                Self::internal(text)
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            tracing::error!(code = self.code, %cause, "request failed");
        }
        let message = Message {
            title: self.title,
            description: self.description.as_deref(),
            error_code: self.code,
            http_status: self.status.as_str(),
        };
        let body = serde_json::to_vec(&message).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(TAXII));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            // TAXII 2.1 section 1.6.9: at least Basic; both schemes are offered, one header each (RFC 9110 section 11.6.1)
            headers.append(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(r#"Basic realm="comity", charset="UTF-8""#),
            );
            headers.append(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(r#"Bearer realm="comity""#),
            );
        }
        if let Some(known) = self.known_head {
            headers.insert(HEAD_HEADER, HeaderValue::from(known));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn s3_6_1_title_and_text_status() {
        let response = Error::not_found("no such collection").into_response();
        assert_eq!(response.headers()[CONTENT_TYPE], TAXII);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["title"], "not found");
        assert_eq!(json["http_status"], "404");
    }

    #[tokio::test]
    async fn causes_stay_inside() {
        let response = Error::internal("secret path").into_response();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }

    #[test]
    fn s1_6_9_challenges() {
        let response = Error::unauthenticated().into_response();
        assert_eq!(
            response.headers().get_all(WWW_AUTHENTICATE).iter().count(),
            2
        );
    }
}
