//! An officer's answers: refusing a record, deciding about a withdrawal.

use comity_ledger::entry::Event;
use comity_store::{Outcome, Record, Which};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::person;
use super::{ControlError, ErrorKind, Output, show};
use crate::app::App;
use crate::clock::micros_to_text;
use crate::handling::REASON_BYTES_MAX;
use crate::opening::{self, OfficerError};

/// Which record is refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refuse {
    /// STIX identifier.
    pub id: String,
    /// Version (`modified`); the latest when not given.
    pub version: Option<String>,
    /// Why; the sender is told.
    pub reason: String,
    /// Its bytes go, too.
    pub delete: bool,
}

/// Withdrawals of other parties.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Withdrawal {
    /// Those that wait for a decision, or all.
    List {
        /// Decided ones, too.
        all: bool,
    },
    /// Remove what came before.
    Remove {
        /// STIX identifier.
        id: String,
    },
    /// Keep what came before.
    Keep {
        /// STIX identifier.
        id: String,
        /// Why; the sender is told.
        reason: String,
    },
}

/// Rows shown at most.
const ROWS_MAX: usize = 1_000;

pub(super) fn refuse(app: &App, actor: &str, command: &Refuse) -> Result<Value, ControlError> {
    let officer = person::known(app, actor)?;
    let reason = checked(&command.reason)?;
    let scope = app.release.register_scope(&officer)?;
    let Some(record) = show::find(app, &command.id, command.version.as_deref(), &scope)? else {
        return Err(ControlError::not_found("record", &command.id));
    };
    let ops = opening::refusal(app, &record, &officer, reason, command.delete)?;
    let outcomes = app.sequencer.submit_blocking(ops)?;
    let entries: Vec<u64> = outcomes
        .iter()
        .flat_map(|outcome| match outcome {
            Outcome::Answered { entries } => entries.clone(),
            _ => Vec::new(),
        })
        .collect();
    Ok(json!({
        "id": record.id,
        "version": record.version,
        "result": "refused",
        "entries": entries,
        "deleted": command.delete,
        "told": app.store.answers(record.seq)?.iter()
            .filter(|answer| answer.event == Event::ConsignmentRejection)
            .map(|answer| answer.party.clone()).collect::<Vec<_>>(),
    }))
}

pub(super) fn withdrawal(
    app: &App,
    actor: &str,
    command: &Withdrawal,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Withdrawal::List { all } => {
            let rows = app.store.withdrawals(!all, ROWS_MAX)?;
            for row in &rows {
                output.row(json!({
                    "id": row.id,
                    "asked_by": row.party,
                    "reason": row.reason,
                    "asked": micros_to_text(row.asked),
                    "decision": row.decision,
                    "decided": row.decided.map(micros_to_text),
                    "by": row.by,
                    "words": row.words,
                }))?;
            }
            Ok(json!({ "withdrawals": rows.len() }))
        }
        Withdrawal::Remove { id } => decide(app, actor, id, true, None),
        Withdrawal::Keep { id, reason } => decide(app, actor, id, false, Some(checked(reason)?)),
    }
}

fn decide(
    app: &App,
    actor: &str,
    id: &str,
    remove: bool,
    reason: Option<&str>,
) -> Result<Value, ControlError> {
    let officer = person::known(app, actor)?;
    let scope = app.release.register_scope(&officer)?;
    let record = waiting(app, id, &scope)?;
    let op = opening::decision(app, &record, &officer, remove, reason)?;
    let outcome = app.sequencer.submit_blocking(vec![op])?.into_iter().next();
    match outcome {
        Some(Outcome::Deleted { records, entries }) => Ok(json!({
            "id": record.id,
            "result": if remove { "removed" } else { "kept" },
            "versions_removed": records.len(),
            "entries": entries,
        })),
        Some(Outcome::Rejected(fault)) => {
            Err(ControlError::new(ErrorKind::NotFound, fault.to_string())
                .help("`comity withdrawal list` shows those that wait"))
        }
        other => Err(ControlError::internal(format!("{other:?}"))),
    }
}

fn waiting(app: &App, id: &str, scope: &comity_store::Scope) -> Result<Record, ControlError> {
    let record = app.store.get(id, &Which::Last, scope)?;
    record.ok_or_else(|| {
        ControlError::not_found("withdrawal of", id)
            .help("`comity withdrawal list` shows those that wait")
    })
}

/// A reason that can stand in a receipt.
fn checked(reason: &str) -> Result<&str, ControlError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        return Err(ControlError::usage(format!(
            "a reason has from 1 to {REASON_BYTES_MAX} octets"
        )));
    }
    Ok(reason)
}

impl From<OfficerError> for ControlError {
    fn from(error: OfficerError) -> Self {
        match error {
            OfficerError::Forbidden(text) => Self::forbidden(text),
            OfficerError::Read(error) => error.into(),
            OfficerError::Submit(error) => error.into(),
            OfficerError::Nobody(_) | OfficerError::Already(_) => Self::usage(error.to_string()),
        }
    }
}
