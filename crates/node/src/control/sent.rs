//! Where records went, and what recipients made of them.

use comity_store::Record;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::person::Eyes;
use super::user::hex;
use super::{ControlError, Output, log, show};
use crate::app::App;
use crate::clock::micros_to_text;
use crate::sent;

/// Of which record; of all in numbers when not given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sent {
    /// STIX identifier.
    pub id: Option<String>,
    /// Version (`modified`); the latest when not given.
    pub version: Option<String>,
}

/// Records without receipt shown per party in the overview.
const SHOWN_MAX: usize = 20;

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: &Sent,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let eyes = Eyes::of(app, actor, None)?;
    let Some(id) = &command.id else {
        return overview(app, output);
    };
    let scope = eyes.scope(app, None)?;
    let record = show::find(app, id, command.version.as_deref(), &scope)?.ok_or_else(|| {
        ControlError::not_found("record", id).help("`comity search WORDS` finds records")
    })?;
    for recipient in sent::recipients(app, record.seq)? {
        output.row(serde_json::to_value(recipient).map_err(ControlError::internal)?)?;
    }
    let proof = log::prove(app, &record.id, &record.version_key, &scope, true)?;
    Ok(json!({
        "id": record.id,
        "version": record.version,
        "entry": record.entry_index,
        "content_sha256": hex(&record.content_sha256),
        "revoked": record.revoked,
        "asks_removal": asks(app, &record)?,
        "proof": proof.get("text"),
        "log_key": app.log_key,
        "keys": keys(app),
        "object": String::from_utf8_lossy(&record.bytes),
    }))
}

/// Whether this version asks everybody to remove the ones before, and why.
fn asks(app: &App, record: &Record) -> Result<Option<String>, ControlError> {
    Ok(app.store.withdrawal(record.seq)?.map(|row| row.reason))
}

/// The keys by which others' receipts are checked, by party.
fn keys(app: &App) -> Value {
    let catalog = app.catalog();
    let keys = catalog.peers().iter().filter_map(|peer| {
        let keys = json!({ "receipts": peer.receipt_key.as_ref()?, "log": peer.log_key.as_ref()? });
        Some((peer.party.clone(), keys))
    });
    Value::Object(keys.collect())
}

fn overview(app: &App, output: &mut dyn Output) -> Result<Value, ControlError> {
    let mut without = Vec::new();
    for party in app.store.receipt_parties()? {
        let counts = app.store.receipt_counts(&party)?;
        for open in app.store.awaited_open(&party, SHOWN_MAX)? {
            let id = app.store.record(open.seq)?.map(|record| record.id);
            without.push(json!({
                "party": party,
                "id": id,
                "sent": micros_to_text(open.since),
                "due": micros_to_text(open.due),
                "expired": open.expiry.is_some(),
                "expiry_entry": open.expiry,
            }));
        }
        output.row(json!({
            "party": party,
            "received": counts.received,
            "awaited": counts.awaited,
            "expired": counts.expired,
            "oldest": counts.oldest.map(micros_to_text),
            "owed": counts.owed,
            "given": counts.given,
            "refused": counts.refused,
        }))?;
    }
    Ok(json!({ "without_receipt": without, "alarms": app.catalog().alarms().len() }))
}
