//! The transparency log: head, entries, proofs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_ledger::Hash;
use comity_ledger::note::{SignedNote, VerifierKey};
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::{TileSource, inclusion_proof};
use comity_ledger::verify::{self, TrustedLog};
use comity_store::{Scope, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::user::hex;
use super::{ControlError, Output, show};
use crate::app::App;
use crate::clock::micros_to_text;

/// What to see of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Log {
    /// The signed head.
    Head,
    /// Entries, as rows.
    Entries {
        /// The first; the last `limit` when not given.
        from: Option<u64>,
        /// So many.
        limit: usize,
    },
    /// The proof that a record is in the log.
    Prove {
        /// STIX identifier.
        id: String,
        /// Version; the latest when not given.
        version: Option<String>,
    },
}

/// Most entries shown at once.
const ENTRIES_MAX: usize = 100_000;

pub(super) fn execute(
    app: &App,
    command: Log,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Log::Head => head(app),
        Log::Entries { from, limit } => entries(app, from, limit.clamp(1, ENTRIES_MAX), output),
        Log::Prove { id, version } => {
            let scope = app.release.everything()?;
            let Some(record) = show::find(app, &id, version.as_deref(), &scope)? else {
                return Err(ControlError::not_found("record", &id));
            };
            prove(app, &record.id, &record.version_key, &scope, true)
        }
    }
}

fn head(app: &App) -> Result<Value, ControlError> {
    let head = app.store.head()?;
    let signed = if head.size == 0 {
        Value::Null
    } else {
        let checked = trusted(app).and_then(|log| {
            verify::checkpoint(&log, head.note.as_bytes()).map_err(ControlError::internal)
        });
        checked.is_ok().into()
    };
    Ok(json!({
        "origin": head.origin,
        "size": head.size,
        "root": hex(&head.root),
        "signature_valid": signed,
        "key": app.log_key,
        "database": hex(&head.database_id),
        "checkpoint": head.note,
    }))
}

fn entries(
    app: &App,
    from: Option<u64>,
    limit: usize,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let size = app.store.head()?.size;
    let start = from.unwrap_or_else(|| size.saturating_sub(limit as u64));
    let changes = app.store.changes(start, limit)?;
    let count = changes.len();
    for change in changes {
        let detail = app.store.entry_detail(change.entry_index)?;
        let about = match (&detail, change.seq) {
            (Some(detail), _) => serde_json::from_str(&detail.content).unwrap_or(Value::Null),
            (None, Some(seq)) => match app.store.record(seq)? {
                Some(record) => json!({ "id": record.id, "version": record.version }),
                None => Value::Null,
            },
            (None, None) => Value::Null,
        };
        output.row(json!({
            "entry": change.entry_index,
            "time": micros_to_text(change.time_micros),
            "kind": change.kind,
            "event": change.event.name(),
            "from": change.origin,
            "about": about,
        }))?;
    }
    Ok(json!({ "size": size, "shown": count }))
}

/// The proof for one record as text, checked by the verifier an outsider would use; null for a record without one. Without
/// salt and hash, and unchecked, for who may not see it `whole`: they would let the hidden parts be guessed.
pub(super) fn prove(
    app: &App,
    id: &str,
    version_key: &str,
    scope: &Scope,
    whole: bool,
) -> Result<Value, ControlError> {
    let Some(material) = app.store.proof_material(id, version_key, scope)? else {
        return Ok(Value::Null);
    };
    let head = app.store.head()?;
    let path = inclusion_proof(&Tiles(&app.store), material.entry_index, head.size)
        .map_err(ControlError::internal)?;
    let entry = material
        .entry
        .as_slice()
        .try_into()
        .map_err(|_| ControlError::internal("the entry has not its length"))?;
    let opening = Opening {
        entry,
        salt: whole.then_some(material.salt),
    };
    let note = SignedNote::parse(head.note.as_bytes()).map_err(ControlError::internal)?;
    let proof = Proof::new(material.entry_index, path, note, Some(opening.to_bytes()))
        .map_err(ControlError::internal)?;
    let text = proof.to_string();
    if !whole {
        return Ok(json!({
            "entry": material.entry_index,
            "log_size": head.size,
            "problem": "parts are left out, so the content cannot be checked against the log",
            "text": text,
        }));
    }
    let checked = verify::record(&trusted(app)?, text.as_bytes(), &material.content_sha256);
    Ok(json!({
        "entry": material.entry_index,
        "log_size": head.size,
        "content_sha256": hex(&material.content_sha256),
        "valid": checked.is_ok(),
        "problem": checked.err().map(|error| error.to_string()),
        "text": text,
        "label": material.label.as_ref().map(|(label, _)| label),
        "label_opening": material.label.as_ref().map(|(_, opening)| STANDARD.encode(opening.to_bytes())),
    }))
}

fn trusted(app: &App) -> Result<TrustedLog, ControlError> {
    let key = VerifierKey::parse(&app.log_key).map_err(ControlError::internal)?;
    Ok(TrustedLog {
        origin: key.name().as_str().to_owned(),
        keys: vec![key],
    })
}

struct Tiles<'a>(&'a Store);

impl TileSource for Tiles<'_> {
    type Error = comity_store::ReadError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        self.0.tile(level, index, width)
    }
}

/// What the node is and how it does.
pub(super) fn status(app: &App) -> Result<Value, ControlError> {
    let head = app.store.head()?;
    let catalog = app.catalog();
    Ok(json!({
        "party": app.party.as_str(),
        "name": app.config.name(),
        "log_size": head.size,
        "records": app.store.count(&app.release.everything()?, None)?,
        "users": catalog.principals().len(),
        "collections": catalog.collections().len(),
        "peers": catalog.peers().iter().map(|peer| json!({ "name": peer.key, "url": peer.url, "state": peer.state })).collect::<Value>(),
    }))
}
