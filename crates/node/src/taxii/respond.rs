//! TAXII answers: media type, the two date headers, negotiation.

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::clock::micros_to_text;
use crate::http::accept::{TAXII, acceptable};
use crate::http::error::{Error, Result};

/// Date added of the first object of a page (3.2).
pub const FIRST: HeaderName = HeaderName::from_static("x-taxii-date-added-first");
/// Date added of the last one.
pub const LAST: HeaderName = HeaderName::from_static("x-taxii-date-added-last");

/// Refuses clients that cannot read TAXII 2.1 (3.1).
///
/// # Errors
/// 406.
pub fn negotiate(headers: &HeaderMap) -> Result<()> {
    let mut given = headers.get_all(ACCEPT).iter();
    let first = given.next();
    // several lines are one list (RFC 9110 section 5.3); bytes that are no text name no type we know
    let good = match (first, given.next()) {
        (first, None) => acceptable(first.map(|value| value.to_str().unwrap_or("?"))),
        _ => headers
            .get_all(ACCEPT)
            .iter()
            .any(|value| acceptable(Some(value.to_str().unwrap_or("?")))),
    };
    if good {
        Ok(())
    } else {
        Err(Error::not_acceptable())
    }
}

/// A body that is written already.
#[must_use]
pub fn body(status: StatusCode, bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(TAXII));
    response
}

/// A resource as JSON.
///
/// # Errors
/// 500 when it cannot be written, which its type excludes.
pub fn resource(status: StatusCode, resource: &impl Serialize) -> Result<Response> {
    Ok(body(
        status,
        serde_json::to_vec(resource).map_err(Error::internal)?,
    ))
}

/// Puts both date headers on a page.
pub fn date_headers(response: &mut Response, first: i64, last: i64) {
    for (name, micros) in [(FIRST, first), (LAST, last)] {
        if let Ok(value) = HeaderValue::from_str(&micros_to_text(micros)) {
            response.headers_mut().insert(name, value);
        }
    }
}
