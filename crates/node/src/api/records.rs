//! GET /api/v1/records: search among the records the caller may read.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use comity_store::{CollectionKey, ReadError, Scope, SearchQuery, Seq};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::disclosure::disclose;
use crate::http::auth::Caller;
use crate::http::context::reading;
use crate::http::{Context, Ctx, Error, Result};
use crate::search;
use crate::taxii::rights;

/// What to search for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Words that all occur; `word*` for a beginning, "words" for a phrase.
    q: Option<String>,
    /// An identifier, or its type and at least four digits.
    id: Option<String>,
    /// Only this STIX type; several by comma.
    r#type: Option<String>,
    /// Only in this collection, by id or alias. Readers of other parties must name one.
    collection: Option<String>,
    /// Only records this party gave.
    origin: Option<String>,
    /// Hits at most, up to 500.
    limit: Option<usize>,
    /// `next` of the page before.
    next: Option<i64>,
}

/// A page of hits, newest first.
#[derive(Serialize, ToSchema)]
pub struct Hits {
    /// The hits.
    records: Vec<Hit>,
    /// Give it as `next` for the page after; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// One hit.
#[derive(Serialize, ToSchema)]
pub struct Hit {
    id: String,
    version: String,
    /// The TLP it is under.
    tlp: String,
    /// The party it came from.
    origin: String,
    /// The object as the caller may see it.
    #[schema(value_type = Object)]
    object: Box<RawValue>,
}

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;
const TEXT_BYTES_MAX: usize = 1_024;

/// Searches.
///
/// # Errors
/// 400 for a search that cannot be understood, 401, 403, 404.
#[utoipa::path(
    get, path = "/api/v1/records", tag = "records", params(Parameters),
    responses(
        (status = 200, description = "Hits, newest first", body = Hits),
        (status = 400, description = "Not understood"),
        (status = 404, description = "No such collection for you")
    )
)]
pub async fn search(
    State(ctx): State<Ctx>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let parameters: Parameters = parameters(query.as_deref())?;
    let (scope, collection) = place(&ctx, &caller, parameters.collection.as_deref())?;
    if parameters.q.is_none() && parameters.id.is_none() {
        return Err(Error::malformed("search", "give `q` or `id`"));
    }
    for text in [&parameters.q, &parameters.id].into_iter().flatten() {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Error::malformed(
                "search",
                format!("a search has at most {TEXT_BYTES_MAX} octets"),
            ));
        }
    }
    if parameters.id.as_deref().is_some_and(|id| !is_narrow(id)) {
        return Err(Error::malformed(
            "search",
            format!("an identifier is searched for by its type and at least {DIGITS_MIN} digits"),
        ));
    }
    let limit = parameters
        .limit
        .unwrap_or(LIMIT_DEFAULT)
        .clamp(1, LIMIT_MAX);
    let types = parameters.r#type.as_deref().unwrap_or_default();
    let question = SearchQuery {
        scope,
        text: parameters.q,
        identifier: parameters.id,
        types: types
            .split(',')
            .filter(|kind| !kind.is_empty())
            .map(str::to_owned)
            .collect(),
        collection,
        origin: parameters.origin,
        last_only: true,
        limit,
        cursor: parameters.next.map(Seq),
    };
    let (app, reader) = (Arc::clone(&ctx.app), Arc::clone(&caller.reader));
    let (hits, released) = reading(&ctx, true, move || {
        let found = search::search(&app, &reader, question).map_err(|error| match error {
            ReadError::BadSearch(_) | ReadError::TooBroad => {
                Error::malformed("search", error.to_string())
            }
            other => other.into(),
        })?;
        let mut hits = Hits {
            records: Vec::new(),
            next: found.next.map(|seq| seq.0),
        };
        let mut released = Vec::new();
        for (hit, bytes) in found.hits {
            released.push((hit.seq, hit.label_set));
            let tlp = app.release.label(hit.label_set)?.tlp().to_string();
            hits.records.push(Hit {
                id: hit.id,
                version: hit.version,
                tlp,
                origin: hit.origin,
                object: raw(&bytes)?,
            });
        }
        Ok((hits, released))
    })
    .await?;
    disclose(&ctx.app, &caller.reader, &released, false).await?;
    super::json(&hits)
}

/// A beginning of so many identifiers would go through the whole register.
const DIGITS_MIN: usize = 4;

fn is_narrow(id: &str) -> bool {
    id.trim().split_once("--").is_some_and(|(kind, rest)| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        comity_stix::id::is_type_name(kind) && digits >= DIGITS_MIN
    })
}

/// What the caller may see: in one collection, or, for the party's own staff, in the whole register.
///
/// # Errors
/// 404, 403.
pub fn place(
    ctx: &Context,
    caller: &Caller,
    collection: Option<&str>,
) -> Result<(Scope, Option<CollectionKey>)> {
    let Some(name) = collection else {
        return Ok((ctx.app.release.register_scope(&caller.reader)?, None));
    };
    let catalog = ctx.app.catalog();
    let row = catalog.collection(name).ok_or_else(rights::unknown)?;
    ctx.rights.of(&ctx.app, caller, row).to_read()?;
    Ok((
        ctx.app.release.scope(&caller.reader, row.key)?,
        Some(row.key),
    ))
}

/// Reads a query string into parameters; unknown ones are refused, so that a typing error is not a wider search.
///
/// # Errors
/// 400.
pub fn parameters<T: serde::de::DeserializeOwned>(query: Option<&str>) -> Result<T> {
    let uri = format!("/?{}", query.unwrap_or_default());
    let uri: http::Uri = uri
        .parse()
        .map_err(|_| Error::malformed("query", "the query string is malformed"))?;
    axum::extract::Query::<T>::try_from_uri(&uri)
        .map(|axum::extract::Query(parameters)| parameters)
        .map_err(|rejection| Error::malformed("query", rejection.body_text()))
}

/// An object's own bytes inside JSON.
///
/// # Errors
/// 500 when the register holds no JSON.
pub fn raw(bytes: &[u8]) -> Result<Box<RawValue>> {
    serde_json::from_slice(bytes).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::is_narrow;

    #[test]
    fn an_identifier_is_searched_for_by_type_and_digits() {
        assert!(is_narrow("indicator--8e2e") && is_narrow("x-own--00000000-0000"));
        for broad in [
            "i",
            "indicator",
            "indicator--",
            "indicator--8e2",
            "--8e2e2d2b",
            "a--zzzz",
        ] {
            assert!(!is_narrow(broad), "{broad}");
        }
    }
}
