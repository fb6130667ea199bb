//! What an officer says about another party's record: opened, refused, kept or removed. Each is an entry, and whoever sent the
//! record is owed a receipt for it.

use comity_access::{Action, Reader, Resource, Role};
use comity_ledger::entry::Event;
use comity_store::{Answer, Decide, Delete, Op, ReadError, Record};

use crate::app::App;
use crate::peers::push::account_name;
use crate::sequencer::SubmitError;

/// Why an officer's word was not taken.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// The policies say no.
    #[error("{0}")]
    Forbidden(String),
    /// The record did not come in a way that can be answered.
    #[error(
        "`{0}` did not come from a Comity node with a proof, so there is nobody to answer\n  help: it can be deleted over TAXII"
    )]
    Nobody(String),
    /// It was answered so before.
    #[error("the sender of `{0}` was told that already")]
    Already(String),
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register cannot be written.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

/// What must be committed before `reader` is shown a record: the first time an officer of this party opens what another party
/// sent, the sender is told. Nothing for anybody else, and nothing across the border of an exercise.
///
/// # Errors
/// When the register cannot be read.
pub fn opening(app: &App, record: &Record, reader: &Reader) -> Result<Option<Op>, ReadError> {
    if *reader.party() != app.party || reader.role() != Role::Officer {
        return Ok(None);
    }
    if !app
        .store
        .answer_missing(record.seq, Event::ContentHandover)?
    {
        return Ok(None);
    }
    let label = app.release.label(record.label_set)?;
    if let Some(exercise) = label.exercise() {
        let catalog = app.catalog();
        let answers = app.store.answers(record.seq)?;
        let within = answers.iter().all(|answer| {
            let peer = catalog
                .peers()
                .iter()
                .find(|peer| peer.party == answer.party);
            peer.and_then(|peer| app.reader(&account_name(peer)))
                .is_some_and(|account| account.exercise() == Some(exercise))
        });
        if reader.exercise() != Some(exercise) || !within {
            return Ok(None);
        }
    }
    Ok(Some(Op::Answer(Answer {
        seq: record.seq,
        event: Event::ContentHandover,
        reason: None,
        by: reader.principal().as_str().to_owned(),
        salt: app
            .salt()
            .map_err(|error| ReadError::Damaged(error.to_string()))?,
    })))
}

/// Refuses a record in the name of `officer`, and removes it with `delete`. What must be committed.
///
/// # Errors
/// See [`OfficerError`].
pub fn refusal(
    app: &App,
    record: &Record,
    officer: &Reader,
    reason: &str,
    delete: bool,
) -> Result<Vec<Op>, OfficerError> {
    allowed(app, record, officer, Action::Answer)?;
    let received = app.store.answers(record.seq)?;
    if received.is_empty() && !delete {
        return Err(OfficerError::Nobody(record.id.clone()));
    }
    if !received.is_empty()
        && !delete
        && !app
            .store
            .answer_missing(record.seq, Event::ConsignmentRejection)?
    {
        return Err(OfficerError::Already(record.id.clone()));
    }
    let by = officer.principal().as_str().to_owned();
    let mut ops = vec![Op::Answer(Answer {
        seq: record.seq,
        event: Event::ConsignmentRejection,
        reason: Some(reason.to_owned()),
        by: by.clone(),
        salt: app.salt()?,
    })];
    if delete {
        allowed(app, record, officer, Action::Delete)?;
        ops.push(Op::Delete(Delete {
            id: record.id.clone(),
            version: Some(record.version_key.clone()),
            collection: None,
            scope: None,
            reason: format!("refused: {reason}"),
            by,
            erase: true,
            salt: app.salt()?,
        }));
    }
    Ok(ops)
}

/// Decides about a withdrawal that waits. What must be committed.
///
/// # Errors
/// See [`OfficerError`].
pub fn decision(
    app: &App,
    record: &Record,
    officer: &Reader,
    remove: bool,
    reason: Option<&str>,
) -> Result<Op, OfficerError> {
    allowed(app, record, officer, Action::Answer)?;
    if remove {
        allowed(app, record, officer, Action::Delete)?;
    }
    Ok(Op::Decide(Decide {
        seq: record.seq,
        remove,
        reason: reason.map(str::to_owned),
        by: officer.principal().as_str().to_owned(),
        salt: app.salt()?,
    }))
}

fn allowed(
    app: &App,
    record: &Record,
    officer: &Reader,
    action: Action,
) -> Result<(), OfficerError> {
    let label = app.release.label(record.label_set)?;
    let decision = app
        .release
        .access()
        .decide(officer, action, Resource::record(&label));
    if decision.permitted {
        Ok(())
    } else {
        Err(OfficerError::Forbidden(decision.text()))
    }
}
