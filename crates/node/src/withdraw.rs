//! Withdrawing a record: a last version that says `revoked` (STIX 2.1 sections 3.2 and 3.6), under the same label and in the
//! same collections, so that whoever has the record learns of it. Revoking is final.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use comity_access::{Action, PrincipalId, Resource};
use comity_stix::finding::Position;
use comity_store::{Record, Which, Withdrawal, WithdrawalAct};
use serde_json::value::RawValue;

use crate::app::App;
use crate::handling::{Carried, Handling, Source};
use crate::intake::{self, Incoming, Verdict};
use crate::sequencer::SubmitError;

/// Why a record was not withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// Nobody of that name can act.
    #[error(
        "`{0}` is not an account that can act\n  help: a record is withdrawn by a person: `--by NAME`, and `comity user list` shows who there is"
    )]
    Actor(String),
    /// There is none, or not for this person.
    #[error("there is no record `{0}`")]
    Unknown(String),
    /// Nothing to withdraw.
    #[error("`{0}` is withdrawn already")]
    Already(String),
    /// It has no versions.
    #[error(
        "`{0}` has no `modified`, so it cannot have a last version\n  help: observables and markings are deleted, not revoked"
    )]
    Unversioned(String),
    /// Release said no.
    #[error("{0}")]
    Refused(String),
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] comity_store::ReadError),
    /// The register took nothing.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The last version could not be made.
    #[error("the last version could not be made: {0}")]
    Splice(String),
}

/// Withdraws the record `id` in the name of `actor`.
///
/// # Errors
/// See [`WithdrawError`].
pub fn withdraw(
    app: &Arc<App>,
    actor: &str,
    id: &str,
    reason: &str,
) -> Result<Verdict, WithdrawError> {
    let reader = app
        .reader(actor)
        .ok_or_else(|| WithdrawError::Actor(actor.to_owned()))?;
    let scope = app.release.register_scope(&reader)?;
    let record = app
        .store
        .get(id, &Which::Last, &scope)?
        .ok_or_else(|| WithdrawError::Unknown(id.to_owned()))?;
    if record.revoked {
        return Err(WithdrawError::Already(id.to_owned()));
    }
    let label = app.release.label(record.label_set)?;
    let author = record
        .author
        .as_deref()
        .and_then(|author| PrincipalId::parse(author).ok());
    let resource = Resource::record(&label);
    let resource = author
        .as_ref()
        .map_or(resource, |author| resource.by(author));
    let decision = app
        .release
        .access()
        .decide(&reader, Action::Withdraw, resource);
    if !decision.permitted {
        return Err(WithdrawError::Refused(decision.text()));
    }
    let (bytes, modified) = revoked(&record, app.clock.now_micros())?;
    let collections: Vec<_> = app
        .store
        .memberships(record.seq)?
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let key = comity_stix::timestamp::Timestamp::parse(&modified)
        .map_err(|error| WithdrawError::Splice(error.to_string()))?
        .key()
        .to_owned();
    let carried = Carried {
        label: (*label).clone(),
        leaf: [0; 32],
    };
    let handling = Handling {
        by_record: BTreeMap::from([((record.id.clone(), key), carried)]),
        withdrawal: Some(Withdrawal {
            party: app.party.as_str().to_owned(),
            reason: reason.to_owned(),
            act: WithdrawalAct::Own,
        }),
        ..Handling::default()
    };
    let source = Source {
        party: app.party.clone(),
        principal: actor.to_owned(),
        reader,
        action: Action::Publish,
        claims: false,
    };
    let position = Position {
        offset: 0,
        line: 1,
        column: 1,
        pointer: String::new(),
    };
    let checked = intake::check(&Incoming { bytes, position }, &intake::options());
    let verdicts = intake::accept_blocking(app, vec![checked], &collections, &source, &handling)?;
    verdicts
        .into_iter()
        .next()
        .ok_or_else(|| WithdrawError::Splice("no verdict".to_owned()))
}

/// The record once more, revoked, with a later `modified`; every other value keeps its very text.
fn revoked(record: &Record, now_micros: i64) -> Result<(Vec<u8>, String), WithdrawError> {
    let splice = |error: serde_json::Error| WithdrawError::Splice(error.to_string());
    // names may be written with escapes, which cannot be borrowed
    let mut members: BTreeMap<Cow<'_, str>, &RawValue> =
        serde_json::from_slice(&record.bytes).map_err(splice)?;
    if !members.contains_key("modified") {
        return Err(WithdrawError::Unversioned(record.id.clone()));
    }
    let modified = later(&record.version, now_micros);
    let modified_raw = serde_json::value::to_raw_value(&modified).map_err(splice)?;
    let revoked_raw = serde_json::value::to_raw_value(&true).map_err(splice)?;
    members.insert(Cow::Borrowed("modified"), &modified_raw);
    members.insert(Cow::Borrowed("revoked"), &revoked_raw);
    Ok((serde_json::to_vec(&members).map_err(splice)?, modified))
}

/// Now, or a millisecond after the version that is there if a clock was ahead; with three fraction digits (section 3.2).
fn later(version: &str, now_micros: i64) -> String {
    let before = comity_stix::timestamp::Timestamp::parse(version).map_or(0, |at| at.unix_micros());
    let at = now_micros.max(before.saturating_add(1_000));
    let text = crate::clock::micros_to_text(at);
    // six digits down to three could fall back onto the version that is there, so it is rounded up
    match jiff::Timestamp::from_microsecond(at.saturating_add(999) / 1_000 * 1_000) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::later;

    #[test]
    fn the_last_version_is_later_than_the_one_before() {
        assert_eq!(
            later("2021-06-03T00:00:00.000Z", 1_622_678_400_000_001),
            "2021-06-03T00:00:00.001Z"
        );
        assert_eq!(
            later("2021-06-03T00:00:00.000Z", 1_622_678_400_123_456),
            "2021-06-03T00:00:00.124Z"
        );
        // our clock is behind the record's
        assert_eq!(
            later("2031-01-01T00:00:00.000Z", 1_622_678_400_000_000),
            "2031-01-01T00:00:00.001Z"
        );
    }
}
