//! The way in: bytes are checked, labelled, permitted, committed. Every object gets a verdict; nothing is refused silently.

mod fate;
mod foresee;
mod meanings;
mod proved;
mod translations;

pub use fate::Fate;
pub use foresee::Foresight;

use std::sync::Arc;

use comity_ledger::entry::Event;
use comity_stix::finding::{Finding, Position};
use comity_stix::object::{Object, Valid};
use comity_stix::validate::{self, Options};
use comity_store::{
    CollectionKey, Consigned, LabelSetId, Op, Outcome, Put, Refuse, Seq, Stored, Withdrawal,
    WithdrawalAct,
};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::handling::{self, Handling, Meanings, Source};
use crate::peers::delivery::Delivery;

use crate::sequencer::SubmitError;
use fate::AFTER_REVOKED;
use proved::{cut, digest, proved};

/// One object as it came.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The object's own text.
    pub bytes: Vec<u8>,
    /// Where it stood in what was sent.
    pub position: Position,
}

/// What became of one object.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The object's identifier; empty when it has none that can be read.
    pub id: String,
    /// The version: `modified`, else `created`, else the one kept for it (TAXII 2.1 section 4.3.1).
    pub version: String,
    /// What happened.
    pub fate: Fate,
    /// Warnings, and the errors of a refused object.
    pub findings: Vec<Finding>,
    /// The record that is here under the identifier: the one accepted, the one it was all along, or the one in the way.
    pub stands: Option<Stands>,
    /// Set for a sender who may not see that record: it must not learn of it from the answer.
    pub hidden: bool,
}

/// A record that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    /// The record.
    pub seq: Seq,
    /// Its label set.
    pub label_set: LabelSetId,
}

impl Verdict {
    /// A sentence for the sender. Whoever may not see the record that stands is told the same whether there is one or not, as
    /// far as that can be: what is taken in is *accepted*, and every refusal because of what is here has the same words.
    #[must_use]
    pub fn text(&self) -> String {
        match (&self.fate, self.hidden) {
            (fate, true) if fate.is_success() => "accepted".to_owned(),
            (Fate::Conflict | Fate::Refused { .. }, true) => {
                "this version of this identifier is not taken from you".to_owned()
            }
            (fate, _) => fate.text(),
        }
    }
}

/// An object that passed the checks and waits for the sequencer.
pub struct Checked {
    object: Option<Valid<Object>>,
    content_sha256: comity_ledger::Hash,
    findings: Vec<Finding>,
    id: String,
    position: Position,
    /// Refused for something beside the object itself.
    refused: Option<(&'static str, String)>,
}

impl Checked {
    /// The checked object; `None` when it did not pass.
    #[must_use]
    pub fn object(&self) -> Option<&Object> {
        self.object.as_deref()
    }

    /// Adds what was found about it beside others. Findings have a pointer into the object and no other place.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.findings.push(finding.at(b"", 0, 0, &self.position));
        }
    }

    /// Refuses it for a reason that lies beside the object.
    pub fn refuse(&mut self, code: &'static str, reason: impl Into<String>) {
        self.refused = Some((code, reason.into()));
    }
}

/// How objects are checked on their way in.
#[must_use]
pub fn options() -> Options {
    Options::default()
}

/// Checks one object; pure and CPU-bound, so that callers spread it over threads.
#[must_use]
pub fn check(incoming: &Incoming, options: &Options) -> Checked {
    let checked = validate::check_at(&incoming.bytes, &incoming.position, options);
    match checked.object {
        Some(object) => Checked {
            content_sha256: Sha256::digest(object.canonical()).into(),
            id: object.id().as_str().to_owned(),
            object: Some(object),
            findings: checked.findings,
            position: incoming.position.clone(),
            refused: None,
        },
        None => Checked {
            object: None,
            content_sha256: digest(&incoming.bytes),
            id: readable_id(&incoming.bytes),
            findings: checked.findings,
            position: incoming.position.clone(),
            refused: None,
        },
    }
}

/// Labels, logs and keeps checked objects in `collections`, and answers with the fate of each, in order.
/// When this returns `Ok`, everything accepted is on disk.
///
/// # Errors
/// When the sequencer took nothing; see [`SubmitError`].
pub async fn accept(
    app: &Arc<App>,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: Handling,
) -> Result<Vec<Verdict>, SubmitError> {
    let (ops, verdicts) = if objects.len() <= INLINE_OBJECTS_MAX {
        prepare(app, objects, collections, source, &handling)?
    } else {
        // each object may cost a look into the register: not on a thread that others wait for
        let (app, source) = (Arc::clone(app), source.clone());
        let collections = collections.to_vec();
        tokio::task::spawn_blocking(move || {
            prepare(&app, objects, &collections, &source, &handling)
        })
        .await
        .map_err(|error| SubmitError::Batch(error.to_string().into()))??
    };
    let first = ops.len() - verdicts.len();
    let outcomes = app.sequencer.submit(ops).await?;
    Ok(judge(app, verdicts, outcomes.into_iter().skip(first)))
}

/// [`accept`] for threads outside the runtime.
///
/// # Errors
/// When the sequencer took nothing; see [`SubmitError`].
pub fn accept_blocking(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<Vec<Verdict>, SubmitError> {
    let (ops, verdicts) = prepare(app, objects, collections, source, handling)?;
    let first = ops.len() - verdicts.len();
    let outcomes = app.sequencer.submit_blocking(ops)?;
    Ok(judge(app, verdicts, outcomes.into_iter().skip(first)))
}

/// Labels checked objects for an act that commits them together with rows of its own.
///
/// # Errors
/// When there is no randomness; inside, the verdict on the first that cannot be taken.
pub fn puts(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<Result<Vec<Put>, Box<Verdict>>, SubmitError> {
    let (ops, verdicts) = prepare(app, objects, collections, source, handling)?;
    let puts = ops.into_iter().zip(verdicts).map(|(op, verdict)| match op {
        Op::Put(put) => Ok(*put),
        _ => Err(Box::new(verdict)),
    });
    Ok(puts.collect())
}

enum Draft {
    Put(Verdict, Box<Put>),
    Refused(Verdict, comity_ledger::Hash, Option<Consigned>),
}

fn prepare(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<(Vec<Op>, Vec<Verdict>), SubmitError> {
    let objects = translations::hold(app, source, objects);
    let meanings = meanings::of(app, &objects);
    let mut ops = Vec::with_capacity(objects.len() + 1);
    // the cross-link stands before what rests on it
    ops.extend(handling.delivery.as_ref().and_then(Delivery::first));
    let mut verdicts = Vec::with_capacity(objects.len());
    for checked in objects {
        let seed = app.salt()?;
        let drafted = match proved(handling, draft(checked, source, handling, &meanings)) {
            Draft::Put(verdict, put) => of_its_originator(app, source, verdict, put)?,
            refused => refused,
        };
        match drafted {
            Draft::Put(verdict, mut put) => {
                put.seed = seed;
                put.collections = collections.to_vec();
                // what was deleted here does not come back with another party's next delivery
                put.revive = source.party == app.party;
                put.event = match &put.withdrawal {
                    Some(Withdrawal {
                        act: WithdrawalAct::Own,
                        ..
                    }) => Event::Withdrawal,
                    _ if source.party == app.party => Event::SubmissionAcceptance,
                    _ => Event::ContentConsignment,
                };
                ops.push(Op::Put(put));
                verdicts.push(verdict);
            }
            Draft::Refused(verdict, content_sha256, consigned) => {
                ops.push(Op::Refuse(Refuse {
                    event: Event::SubmissionRejection,
                    what: serde_json::json!({ "id": verdict.id }).to_string(),
                    who: source.principal.clone(),
                    reason: cut(verdict.fate.text()),
                    content_sha256,
                    consigned,
                    seed,
                }));
                verdicts.push(verdict);
            }
        }
    }
    Ok((ops, verdicts))
}

/// STIX 2.1 section 3.6: only the creator gives an object new versions. What comes from another party must not revoke or
/// change a record of ours, nor of a third party.
fn of_its_originator(
    app: &App,
    source: &Source,
    verdict: Verdict,
    put: Box<Put>,
) -> Result<Draft, SubmitError> {
    if source.party == app.party {
        return Ok(Draft::Put(verdict, put));
    }
    let unread = |error: comity_store::ReadError| SubmitError::Batch(error.to_string().into());
    let here = app.store.latest(&put.id).map_err(unread)?;
    // the same version again is the register's matter: known, or in conflict
    let Some(here) = here.filter(|here| here.version_key != put.version_key) else {
        return Ok(Draft::Put(verdict, put));
    };
    let label = app.release.label(here.label_set).map_err(unread)?;
    let same = comity_access::LabelSet::from_json(&put.label_set)
        .is_ok_and(|given| given.originator() == label.originator());
    if same {
        return Ok(Draft::Put(verdict, put));
    }
    let fate = Fate::Refused {
        code: "originator",
        reason: "another party's record is kept under this identifier: only its originator gives it new versions \
                 (STIX 2.1 section 3.6)"
            .to_owned(),
    };
    let stands = Some(Stands {
        seq: here.seq,
        label_set: here.label_set,
    });
    let content_sha256 = put.content_sha256;
    let verdict = Verdict {
        fate,
        stands,
        ..verdict
    };
    Ok(Draft::Refused(verdict, content_sha256, put.consigned))
}

fn draft(checked: Checked, source: &Source, handling: &Handling, meanings: &Meanings) -> Draft {
    let Checked {
        object,
        content_sha256,
        findings,
        id,
        refused: beside,
        position: _,
    } = checked;
    let refused = |code, reason, id, findings| {
        Draft::Refused(
            Verdict {
                id,
                version: String::new(),
                fate: Fate::Refused { code, reason },
                findings,
                stands: None,
                hidden: false,
            },
            content_sha256,
            None,
        )
    };
    if let Some((code, reason)) = beside {
        return refused(code, reason, id, findings);
    }
    let Some(object) = object.filter(|_| !findings.iter().any(Finding::is_error)) else {
        let reason = findings
            .iter()
            .find(|finding| finding.is_error())
            .map_or_else(String::new, Finding::to_string);
        return refused("invalid", reason, id, findings);
    };
    // an object without `modified` and `created` has one version for ever; the text sorts before all real ones
    let (version_key, version_text) = object.version().map_or_else(
        || (STABLE_KEY.to_owned(), STABLE_TEXT.to_owned()),
        |at| (at.key().to_owned(), at.as_str().to_owned()),
    );
    let carried = handling.by_record.get(&(id.clone(), version_key.clone()));
    let label = match carried {
        Some(carried) => handling::carried(&object, carried, meanings),
        None => handling::label(&object, source, handling, meanings),
    };
    let label = match label {
        Ok(label) => label,
        Err(error) => return refused("label", error.to_string(), id, findings),
    };
    let put = Put {
        object_type: object.object_type().to_owned(),
        spec_version: object.spec_version().to_owned(),
        version_key,
        version_text: version_text.clone(),
        created_by: object.created_by_ref().map(|by| by.as_str().to_owned()),
        revoked: object.revoked(),
        bytes: object.bytes().to_vec(),
        content_sha256,
        seed: [0; 32],
        granular: !label.granular().is_empty(),
        label_set: label.to_json(),
        collections: Vec::new(),
        origin: source.party.as_str().to_owned(),
        author: Some(source.principal.clone()),
        references: references(&object),
        event: Event::SubmissionAcceptance,
        link: carried.map_or([0; 32], |carried| carried.leaf),
        consigned: None,
        withdrawal: handling.withdrawal.clone(),
        revive: false,
        id: id.clone(),
    };
    let fate = Fate::Refused {
        code: "pending",
        reason: String::new(),
    };
    Draft::Put(
        Verdict {
            id,
            version: version_text,
            fate,
            findings,
            stands: None,
            hidden: false,
        },
        Box::new(put),
    )
}

/// The version of objects that have neither `modified` nor `created`: TAXII 2.1 section 5.3.1 leaves it to the server,
/// which must keep it stable. The epoch is the same on every node and orders before every real version.
pub const STABLE_TEXT: &str = "1970-01-01T00:00:00.000Z";
/// [`STABLE_TEXT`] as a version key.
pub const STABLE_KEY: &str = "1970-01-01T00:00:00";

fn references(object: &Object) -> Vec<(String, String)> {
    object
        .references()
        .iter()
        .map(|reference| {
            (
                reference.pointer.clone(),
                reference.target.as_str().to_owned(),
            )
        })
        .collect()
}

/// The identifier of an object that did not pass the checks, as far as it can be read, for the sender's eyes.
fn readable_id(bytes: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Named {
        id: Option<String>,
    }
    let id = serde_json::from_slice::<Named>(bytes)
        .ok()
        .and_then(|named| named.id)
        .unwrap_or_default();
    if id.len() <= 300 { id } else { String::new() }
}

fn judge(
    app: &App,
    verdicts: Vec<Verdict>,
    outcomes: impl Iterator<Item = Outcome>,
) -> Vec<Verdict> {
    let judged: Vec<Verdict> = verdicts
        .into_iter()
        .zip(outcomes)
        .map(|(verdict, outcome)| match outcome {
            Outcome::Put(stored) => Verdict {
                stands: stands(&stored),
                fate: fate(stored),
                ..verdict
            },
            Outcome::Rejected(fault) => Verdict {
                fate: Fate::Refused {
                    code: "register",
                    reason: fault.to_string(),
                },
                ..verdict
            },
            _ => verdict,
        })
        .collect();
    for verdict in &judged {
        app.metrics
            .objects_total
            .with_label_values(&[verdict.fate.word()])
            .inc();
    }
    judged
}

fn stands(stored: &Stored) -> Option<Stands> {
    match *stored {
        Stored::New { seq, label_set, .. }
        | Stored::NewVersion { seq, label_set, .. }
        | Stored::Known { seq, label_set, .. }
        | Stored::Conflict { seq, label_set, .. }
        | Stored::AfterRevoked { seq, label_set, .. }
        | Stored::NotSuccessor { seq, label_set, .. } => Some(Stands { seq, label_set }),
        Stored::Deleted { .. } => None,
    }
}

fn fate(stored: Stored) -> Fate {
    match stored {
        Stored::New { entry_index, .. } => Fate::New { entry_index },
        Stored::NewVersion { entry_index, .. } => Fate::NewVersion { entry_index },
        Stored::Known {
            entry_index,
            added_to,
            label_differs,
            ..
        } => Fate::Known {
            entry_index,
            added: added_to > 0,
            label_differs,
        },
        Stored::Conflict { .. } => Fate::Conflict,
        Stored::NotSuccessor { reason, .. } => Fate::Refused {
            code: "versions",
            reason,
        },
        Stored::AfterRevoked { .. } => Fate::Refused {
            code: "revoked",
            reason: AFTER_REVOKED.to_owned(),
        },
        Stored::Deleted { .. } => Fate::Refused {
            code: "deleted",
            reason: "this version was deleted here and is not taken again".to_owned(),
        },
    }
}

/// So few objects, and so small, are worked on at once, without another thread: a millisecond.
const INLINE_OBJECTS_MAX: usize = 16;
const INLINE_OCTETS_MAX: usize = 64 << 10;

/// Checks many objects on the runtime's blocking threads, a slice each.
///
/// # Errors
/// When a check died, which would be a defect of ours; nothing was taken then.
pub async fn check_all(
    objects: Vec<Incoming>,
    options: Arc<Options>,
) -> Result<Vec<Checked>, SubmitError> {
    const SLICE: usize = 128;
    let octets: usize = objects.iter().map(|incoming| incoming.bytes.len()).sum();
    if objects.len() <= INLINE_OBJECTS_MAX && octets <= INLINE_OCTETS_MAX {
        return Ok(objects
            .iter()
            .map(|incoming| check(incoming, &options))
            .collect());
    }
    let mut tasks = Vec::new();
    let mut rest = objects;
    while !rest.is_empty() {
        let tail = rest.split_off(rest.len().min(SLICE));
        let slice = std::mem::replace(&mut rest, tail);
        let options = Arc::clone(&options);
        tasks.push(tokio::task::spawn_blocking(move || {
            slice
                .iter()
                .map(|incoming| check(incoming, &options))
                .collect::<Vec<_>>()
        }));
    }
    let mut checked = Vec::new();
    for task in tasks {
        checked.extend(
            task.await
                .map_err(|error| SubmitError::Batch(error.to_string().into()))?,
        );
    }
    Ok(checked)
}
