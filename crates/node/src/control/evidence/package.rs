//! Packages of evidence: what they are made from, and the entry that commits to their seal.

use std::sync::Arc;

use comity_evidence::Hex;
use comity_evidence::package::Seal;
use comity_ledger::note::{SignedNote, VerifierKey};
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::{TileSource, inclusion_proof};
use comity_store::{Hash, Op, Outcome, Package, Store};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{ControlError, ErrorKind, find};
use crate::app::App;
use crate::evidence::commit;
use crate::witnesses::proof::{ProofHead, WitnessState, head_for};
use crate::witnesses::submit::{PERIOD, Submitter};

/// Exhibits with their custody, keys, policy.
pub(super) fn gather(app: &App, exhibits: &[String]) -> Result<Value, ControlError> {
    let mut gathered: Vec<Value> = Vec::with_capacity(exhibits.len());
    let mut signers: Vec<String> = Vec::new();
    for name in exhibits {
        let row = find(app, name)?;
        if row.destroyed.is_some() {
            return Err(ControlError::usage(format!(
                "the contents of `{}` were destroyed",
                row.number
            )));
        }
        if gathered.iter().any(|other| other["id"] == row.id.as_str()) {
            return Err(ControlError::usage(format!("`{name}` is named twice")));
        }
        let lines = commit::lines(app, &row)?;
        for line in &lines {
            let named = line.signatures();
            let names = named.iter().filter_map(|text| text.split(' ').nth(1));
            signers.extend(names.map(str::to_owned));
        }
        gathered.push(json!({
            "id": row.id,
            "number": row.number,
            "title": row.title,
            "items": row.items,
            "size": row.size,
            "items_sha256": Hex(&row.items_sha256).to_string(),
            "custody": lines.iter().map(comity_evidence::custody::Line::to_line).collect::<Vec<_>>(),
        }));
    }
    let keys: Vec<String> = commit::authority_keys(app)
        .iter()
        .filter(|key| signers.iter().any(|name| name == key.name().as_str()))
        .map(ToString::to_string)
        .collect();
    Ok(json!({
        "party": app.party.as_str(),
        "now": app.clock.now_micros(),
        "exhibits": gathered,
        "keys": keys,
        "policy": policy(app)?,
    }))
}

/// The node's witnesses with its log, which `witness.policy` leaves out; without witnesses, the log alone.
fn policy(app: &App) -> Result<String, ControlError> {
    match app.witnesses() {
        Some(witnesses) => {
            String::from_utf8(witnesses.policy.to_bytes()).map_err(ControlError::internal)
        }
        None => Ok(format!("log {}\nquorum none\n", app.log_key)),
    }
}

/// Commits to a seal, and proves it under a head that the quorum of witnesses cosigned, if there are witnesses.
pub(super) fn commit(app: &Arc<App>, seal: String) -> Result<Value, ControlError> {
    let parsed = Seal::parse(seal.as_bytes())
        .map_err(|error| ControlError::usage(format!("the seal: {error}")))?;
    if parsed.parties.first().map(String::as_str) != Some(app.party.as_str()) {
        return Err(ControlError::usage(
            "the seal is of another party than this node's",
        ));
    }
    let salt = app.salt()?;
    let op = Op::Package(Package { seal, salt });
    let outcome = app.sequencer.submit_blocking(vec![op])?.into_iter().next();
    let Some(Outcome::Logged { entry_index }) = outcome else {
        return Err(ControlError::internal("the seal was not logged"));
    };
    let head = covering(app, entry_index)?;
    let path = inclusion_proof(&Tiles(&app.store), entry_index, head.size)
        .map_err(ControlError::internal)?;
    let entries = app.store.entries(entry_index, entry_index + 1)?;
    let entry = entries
        .first()
        .and_then(|bytes| bytes.as_slice().try_into().ok())
        .ok_or_else(|| ControlError::internal("the entry is not there"))?;
    let opening = Opening {
        entry,
        salt: Some(salt),
    };
    let note = SignedNote::parse(head.note.as_bytes()).map_err(ControlError::internal)?;
    let proof = Proof::new(entry_index, path, note, Some(opening.to_bytes()))
        .map_err(ControlError::internal)?;
    let key = VerifierKey::parse(&app.log_key).map_err(ControlError::internal)?;
    Ok(json!({
        "entry": entry_index,
        "log_size": head.size,
        "origin": key.name().as_str(),
        "witnesses": head.witnesses.word(),
        "proof": proof.to_string(),
    }))
}

/// So often witnesses are asked, about a second apart.
const ROUNDS_MAX: usize = 10;

/// A head for the entry. A package is checked far from here and for years, so that it waits for the quorum: what its own
/// policy does not accept proves nothing there. Witnesses are asked at once and from here, for there may be no running node.
fn covering(app: &Arc<App>, entry_index: u64) -> Result<ProofHead, ControlError> {
    let asks_for_quorum = app
        .witnesses()
        .is_some_and(|witnesses| witnesses.policy.quorum().is_some());
    let wait = Handle::try_current().map_err(ControlError::internal)?;
    let mut submitter = Submitter::default();
    for round in 0..=ROUNDS_MAX {
        let head = head_for(&app.store, asks_for_quorum, entry_index)?;
        if head.witnesses != WitnessState::Pending {
            return Ok(head);
        }
        if round < ROUNDS_MAX && !wait.block_on(submitter.round(app)).quorum {
            wait.block_on(tokio::time::sleep(PERIOD));
        }
    }
    Err(ControlError::new(
        ErrorKind::Unreachable,
        "no quorum of witnesses has cosigned the head that covers the package, so it was not written",
    )
    .help("`comity log witness list` shows how it goes with each; the same command tries again"))
}

struct Tiles<'a>(&'a Store);

impl TileSource for Tiles<'_> {
    type Error = comity_store::ReadError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        self.0.tile(level, index, width)
    }
}
