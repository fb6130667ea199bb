//! The transparency log: head, entries, proofs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_ledger::verify;
use comity_store::{EntryKind, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::user::hex;
use super::{ControlError, Output, show, witness};
use crate::app::App;
use crate::clock::micros_to_text;
use crate::proof::Prover;
use crate::witnesses::proof::WitnessState;

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
    /// Take this text as the policy of witnesses; with none, show the one in force.
    Policy {
        /// C2SP tlog-policy.
        text: Option<String>,
    },
    /// One more witness in the policy that these commands write.
    AddWitness {
        /// Its name in the policy.
        name: String,
        /// Its cosigner keys (vkeys).
        keys: Vec<String>,
        /// Its submission prefix.
        url: String,
        /// SHA-256 of its certificate.
        fingerprint: Option<String>,
    },
    /// How it goes with each witness, as rows.
    Witnesses,
}

/// Most entries shown at once.
const ENTRIES_MAX: usize = 100_000;

pub(super) fn execute(
    app: &App,
    actor: &str,
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
        Log::Policy { text: None } => witness::policy(app),
        Log::Policy { text: Some(text) } => witness::set(app, actor, text.as_bytes()),
        Log::AddWitness {
            name,
            keys,
            url,
            fingerprint,
        } => witness::add(app, actor, &name, &keys, &url, fingerprint.as_deref()),
        Log::Witnesses => witness::list(app, output),
    }
}

fn head(app: &App) -> Result<Value, ControlError> {
    let head = app.store.head()?;
    let signed = if head.size == 0 {
        Value::Null
    } else {
        verify::checkpoint(&app.own_log, head.note.as_bytes())
            .is_ok()
            .into()
    };
    Ok(json!({
        "origin": head.origin,
        "size": head.size,
        "root": hex(&head.root),
        "signature_valid": signed,
        "key": app.log_key,
        "database": hex(&head.database_id),
        "checkpoint": head.note,
        "witnessed": app.store.witnessed_head(true)?.map(|head| json!({
            "size": head.size, "cosigned": micros_to_text(head.cosigned), "checkpoint": head.note,
        })),
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
            // the text of the checkpoint: origin, size, root
            (Some(detail), _) if detail.kind == EntryKind::PeerHead => {
                let mut lines = detail.content.lines();
                json!({ "what": "head", "origin": lines.next(), "size": lines.next(), "root": lines.next() })
            }
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
    let has_witnesses = app.witnesses().is_some();
    let mut prover = Prover::witnessed(&app.store, has_witnesses, material.entry_index)?;
    let salt = whole.then_some(material.salt);
    let proof = prover.proof(material.entry_index, &material.entry, salt)?;
    let text = proof.to_string();
    if !whole {
        return Ok(json!({
            "entry": material.entry_index,
            "log_size": prover.size(),
            "witnesses": prover.witnesses(),
            "problem": "parts are left out, so the content cannot be checked against the log",
            "text": text,
        }));
    }
    let checked = match (prover.witnesses(), app.witnesses()) {
        // as a third person with the same policy would
        (WitnessState::Quorum, Some(witnesses)) => {
            verify::record_under(&witnesses.policy, text.as_bytes(), &material.content_sha256)
                .map(|_| ())
        }
        _ => verify::record(&app.own_log, text.as_bytes(), &material.content_sha256).map(|_| ()),
    };
    Ok(json!({
        "entry": material.entry_index,
        "log_size": prover.size(),
        "witnesses": prover.witnesses(),
        "content_sha256": hex(&material.content_sha256),
        "valid": checked.is_ok(),
        "problem": checked.err().map(|error| error.to_string()),
        "text": text,
        "label": material.label.as_ref().map(|(label, _)| label),
        "label_opening": material.label.as_ref().map(|(_, opening)| STANDARD.encode(opening.to_bytes())),
    }))
}

/// What the node is and how it does.
pub(super) fn status(app: &App) -> Result<Value, ControlError> {
    let head = app.store.head()?;
    let catalog = app.catalog();
    Ok(json!({
        "party": app.party.as_str(),
        "name": app.config.name(),
        "log_size": head.size,
        "halted": app.sequencer.halted(),
        "alarms": catalog.alarms().len(),
        "records": app.store.count(&app.release.everything()?, None)?,
        "users": catalog.principals().len(),
        "collections": catalog.collections().len(),
        "peers": catalog.peers().iter().map(|peer| json!({ "name": peer.key, "url": peer.url, "state": peer.state })).collect::<Value>(),
    }))
}
