//! One record and all the node knows about it.

use comity_access::Reader;
use comity_stix::timestamp::Timestamp;
use comity_store::{Edge, Record, Scope, Which};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::person::Eyes;
use super::user::hex;
use super::{ControlError, collection, log, search};
use crate::app::App;
use crate::catalog::audience_text;
use crate::clock::micros_to_text;
use crate::opening::opening;
use crate::release::{Visible, visible};

/// Which record.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Show {
    /// STIX identifier.
    pub id: String,
    /// Version (`modified`); the latest when not given.
    pub version: Option<String>,
    /// As whom; the local officer when not given.
    pub reader: Option<String>,
    /// It is shown to a person: when an officer first opens another party's record so, its sender is told.
    #[serde(default)]
    pub opens: bool,
}

pub(super) fn execute(app: &App, actor: &str, command: &Show) -> Result<Value, ControlError> {
    let eyes = Eyes::of(app, actor, command.reader.as_deref())?;
    let scope = eyes.scope(app, None)?;
    let Some(record) = find(app, &command.id, command.version.as_deref(), &scope)? else {
        return Err(missing(app, command, &scope)?);
    };
    let (object, redacted) = match visible(
        &app.release,
        &eyes.reader,
        record.label_set,
        record.granular,
        &record.bytes,
    )? {
        Visible::Whole(bytes) => (bytes.to_vec(), false),
        Visible::Redacted(bytes) => (bytes, true),
        Visible::Withheld => return Err(ControlError::not_found("record", &command.id)),
    };
    if command.opens
        && command.reader.is_none()
        && let Some(op) = opening(app, &record, &eyes.reader)?
    {
        // durable before the contents are shown
        app.sequencer.submit_blocking(vec![op])?;
    }
    let text = String::from_utf8(object).map_err(ControlError::internal)?;
    let label = app.release.label(record.label_set)?;
    let proof = log::prove(app, &record.id, &record.version_key, &scope, !redacted)?;
    let versions = app.store.history(&record.id, &scope)?;
    Ok(json!({
        "id": record.id,
        "type": record.object_type,
        "version": record.version,
        "summary": search::summary(text.as_bytes()),
        "revoked": record.revoked,
        "redacted": redacted,
        "label": {
            "tlp": label.tlp().to_string(),
            "assumed": label.assumed(),
            "pap": label.pap().map(|pap| pap.to_string()),
            "originator": label.originator().as_str(),
            "audience": audience_text(label.audience()),
            "exercise": label.exercise(),
            "parts": label.granular().iter().map(|part| json!({ "marking": part.marking_ref, "tlp": part.tlp.to_string() })).collect::<Value>(),
        },
        "from": record.origin,
        "author": record.author,
        "received": micros_to_text(record.received),
        "collections": memberships(app, &record)?,
        "versions": versions.iter().map(|row| json!({ "version": row.version, "added": micros_to_text(row.added) })).collect::<Value>(),
        "entry": record.entry_index,
        "content_sha256": (!redacted).then(|| hex(&record.content_sha256)),
        "proof": proof,
        "disclosures": disclosures(app, &record)?,
        "deliveries": deliveries(app, &record)?,
        "answers": answers(app, &record)?,
        "referred_to_by": referrers(app, &eyes.reader, &record.id, &scope)?,
        "object": text,
    }))
}

/// Referring records shown.
const REFERRERS_MAX: usize = 50;

/// Who refers to `id`, as far as this reader may see that they do.
fn referrers(app: &App, reader: &Reader, id: &str, scope: &Scope) -> Result<Value, ControlError> {
    let mut shown = Vec::new();
    for edge in app.store.referrers(id, scope, REFERRERS_MAX)? {
        if !(edge.granular && hides(app, reader, &edge)?) {
            shown.push(json!({ "id": edge.source, "property": edge.property }));
        }
    }
    Ok(shown.into())
}

/// Whether the reference is in a part left out for this reader.
fn hides(app: &App, reader: &Reader, edge: &Edge) -> Result<bool, ControlError> {
    let Some(record) = app.store.record(edge.seq)? else {
        return Ok(true);
    };
    let left = visible(
        &app.release,
        reader,
        record.label_set,
        record.granular,
        &record.bytes,
    )?;
    let target = edge.target.as_bytes();
    let says = |bytes: &[u8]| bytes.windows(target.len()).any(|window| window == target);
    Ok(match left {
        Visible::Whole(_) => false,
        Visible::Redacted(bytes) => !says(&bytes),
        Visible::Withheld => true,
    })
}

/// A record by identifier and version as people write it.
pub(super) fn find(
    app: &App,
    id: &str,
    version: Option<&str>,
    scope: &Scope,
) -> Result<Option<Record>, ControlError> {
    let which = match version {
        None => Which::Last,
        Some(text) => {
            let at = Timestamp::parse(text).map_err(|error| {
                ControlError::usage(format!("`{text}` is not a version: {error}"))
            })?;
            Which::Key(at.key().to_owned())
        }
    };
    Ok(app.store.get(id, &which, scope)?)
}

fn missing(app: &App, command: &Show, scope: &Scope) -> Result<ControlError, ControlError> {
    let id = &command.id;
    if let Some(version) = &command.version
        && app.store.get(id, &Which::Last, scope)?.is_some()
    {
        return Ok(ControlError::not_found("version", version)
            .help(format!("`comity show {id} --versions` shows them")));
    }
    // only the local officer hears of what was deleted
    if command.reader.is_none()
        && let Some(stone) = app.store.tombstones(id)?.last()
    {
        let at = micros_to_text(stone.deleted);
        let what = format!(
            "`{id}` was deleted at {at} by `{}`: {} (log entry {})",
            stone.by, stone.reason, stone.deletion_index
        );
        return Ok(ControlError::new(super::ErrorKind::NotFound, what));
    }
    Ok(ControlError::not_found("record", id).help("`comity search WORDS` finds records"))
}

fn memberships(app: &App, record: &Record) -> Result<Value, ControlError> {
    let rows = app.store.memberships(record.seq)?;
    Ok(rows
        .into_iter()
        .map(|(key, added)| json!({ "collection": collection::name_of(app, key), "added": micros_to_text(added) }))
        .collect())
}

fn disclosures(app: &App, record: &Record) -> Result<Value, ControlError> {
    let rows = app.store.disclosures(record.seq)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            json!({ "party": row.party, "by": row.principal, "at": micros_to_text(row.time_micros), "entry": row.entry_index })
        })
        .collect())
}

/// What this node answered to those who sent it the record.
fn answers(app: &App, record: &Record) -> Result<Value, ControlError> {
    let rows = app.store.answers(record.seq)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            json!({
                "party": row.party, "event": row.event.name(), "entry": row.entry_index, "reason": row.reason,
                "taken": row.taken.map(micros_to_text), "refused": row.refused,
            })
        })
        .collect())
}

fn deliveries(app: &App, record: &Record) -> Result<Value, ControlError> {
    let rows = app.store.deliveries(record.seq)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            json!({
                "peer": row.peer,
                "state": row.state,
                "reason": row.reason,
                "receipt": row.receipt.is_some(),
                "attempts": row.attempts,
                "changed": micros_to_text(row.changed),
            })
        })
        .collect())
}
