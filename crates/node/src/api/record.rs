//! GET /api/v1/records/{id}: one record with its label, and why the caller may see it.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use comity_access::{Action, Place, Resource};
use comity_stix::timestamp::Timestamp;
use comity_store::{Record, Scope, Which};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::records::{parameters, place, raw};
use crate::clock::micros_to_text;
use crate::disclosure::disclose;
use crate::http::auth::Caller;
use crate::http::context::{hex, reading};
use crate::http::{Ctx, Error, Result};
use crate::opening::opening;
use crate::release::{Visible, visible};

/// Which record.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// A STIX timestamp; without it the latest version the caller may read.
    pub version: Option<String>,
    /// The collection to look in, by id or alias. Readers of other parties must name one.
    pub collection: Option<String>,
}

/// One record.
#[derive(Serialize, ToSchema)]
pub struct RecordView {
    id: String,
    r#type: String,
    version: String,
    /// The TLP it is under.
    tlp: String,
    /// No label was found on it, and TLP:AMBER was taken.
    label_assumed: bool,
    /// The whole label, audience included, for those who may know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    label: Option<Box<RawValue>>,
    /// Why the caller may see it, in sentences.
    why: Vec<String>,
    /// The party it came from.
    origin: String,
    /// Who published it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    /// Index of its entry in the log.
    entry_index: u64,
    /// SHA-256 of its canonical form (RFC 8785), hexadecimal; absent when parts are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_sha256: Option<String>,
    /// When it was taken in.
    received: String,
    /// Parts of it are left out for this caller.
    redacted: bool,
    /// The object.
    #[schema(value_type = Object)]
    object: Box<RawValue>,
}

/// One record.
///
/// # Errors
/// 400, 401, 403, 404 (also for what the caller may not see).
#[utoipa::path(
    get, path = "/api/v1/records/{id}", tag = "records",
    params(("id" = String, Path, description = "STIX identifier"), Parameters),
    responses(
        (status = 200, description = "The record", body = RecordView),
        (status = 400, description = "Not understood"),
        (status = 404, description = "Not there for you")
    )
)]
pub async fn get(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let parameters: Parameters = parameters(query.as_deref())?;
    let (scope, collection) = place(&ctx, &caller, parameters.collection.as_deref())?;
    let key = collection.map(|key| key.0.to_string());
    let worker = (Arc::clone(&ctx), caller.clone());
    let (view, released, opened) = reading(&ctx, false, move || {
        let (ctx, caller) = worker;
        let record = find(&ctx, &id, parameters.version.as_deref(), &scope, collection)?;
        let place = key.as_deref().map_or(Place::Register, Place::Collection);
        let released = [(record.seq, record.label_set)];
        let opened = opening(&ctx.app, &record, &caller.reader)?;
        Ok((view(&ctx, &caller, record, place)?, released, opened))
    })
    .await?;
    if let Some(op) = opened {
        // the sender is told; durable before the contents are shown
        ctx.app.sequencer.submit(vec![op]).await?;
    }
    disclose(&ctx.app, &caller.reader, &released, false).await?;
    super::json(&view)
}

/// The record, if it is there for this scope and collection.
///
/// # Errors
/// 404, 400.
pub fn find(
    ctx: &Ctx,
    id: &str,
    version: Option<&str>,
    scope: &Scope,
    collection: Option<comity_store::CollectionKey>,
) -> Result<Record> {
    let unknown = || Error::not_found("there is no such record");
    let which = match version {
        None => Which::Last,
        Some(text) => Which::Key(
            Timestamp::parse(text)
                .map_err(|error| Error::malformed("query.version", error.to_string()))?
                .key()
                .to_owned(),
        ),
    };
    let store = &ctx.app.store;
    let Some(collection) = collection else {
        return store.get(id, &which, scope)?.ok_or_else(unknown);
    };
    // the last version there, not the last anywhere
    for row in store.history(id, scope)?.into_iter().rev() {
        let asked = match &which {
            Which::Key(key) => *key == row.version_key,
            _ => true,
        };
        let there = |(key, _): &(_, i64)| *key == collection;
        if asked && store.memberships(row.seq)?.iter().any(there) {
            return store.record(row.seq)?.ok_or_else(unknown);
        }
    }
    Err(unknown())
}

fn view(ctx: &Ctx, caller: &Caller, record: Record, place: Place<'_>) -> Result<RecordView> {
    let release = &ctx.app.release;
    let label = release.label(record.label_set)?;
    let (redacted, object) = match visible(
        release,
        &caller.reader,
        record.label_set,
        record.granular,
        &record.bytes,
    )? {
        Visible::Whole(bytes) => (false, raw(bytes)?),
        Visible::Redacted(bytes) => (true, raw(&bytes)?),
        Visible::Withheld => return Err(Error::not_found("there is no such record")),
    };
    let resource = Resource::Record {
        label: &label,
        place,
        author: None,
    };
    let access = release.access();
    let explained = access
        .decide(&caller.reader, Action::Explain, resource)
        .permitted;
    Ok(RecordView {
        tlp: label.tlp().to_string(),
        label_assumed: label.assumed(),
        label: if explained {
            Some(raw(label.to_json().as_bytes())?)
        } else {
            None
        },
        why: if explained {
            access.explain(&caller.reader, Action::Read, resource)
        } else {
            Vec::new()
        },
        id: record.id,
        r#type: record.object_type,
        version: record.version,
        origin: record.origin,
        author: record.author.filter(|_| explained),
        entry_index: record.entry_index,
        // with parts hidden it would let their contents be guessed
        content_sha256: (!redacted).then(|| hex(record.content_sha256)),
        received: micros_to_text(record.received),
        redacted,
        object,
    })
}
