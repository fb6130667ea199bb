//! The way in: bytes are checked, labelled, permitted, committed. Every object gets a verdict; nothing is refused silently.

mod foresee;
mod meanings;
mod translations;

pub use foresee::Foresight;

use std::sync::Arc;

use comity_ledger::entry::Event;
use comity_stix::finding::{Finding, Position};
use comity_stix::object::{Object, Valid};
use comity_stix::validate::{self, Options};
use comity_store::{CollectionKey, Op, Outcome, Put, Refuse, Stored, Which};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::handling::{self, Handling, Meanings, Source};
use crate::sequencer::SubmitError;

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
}

/// What happened to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Accepted: the first version seen here.
    New {
        /// Its log entry.
        entry_index: u64,
    },
    /// Accepted: another version of a known object.
    NewVersion {
        /// Its log entry.
        entry_index: u64,
    },
    /// Already here with the same content.
    Known {
        /// Its log entry.
        entry_index: u64,
        /// It is new in at least one of the collections.
        added: bool,
        /// The label given now is another than the one kept; the one kept stands.
        label_differs: bool,
    },
    /// Same identifier and version, other content: refused, the first one stands (STIX 2.1 section 3.6).
    Conflict,
    /// Refused for another reason.
    Refused {
        /// Stable code.
        code: &'static str,
        /// For the sender.
        reason: String,
    },
    /// What would become of it; nothing was done.
    Foreseen {
        /// The word of the fate it would meet.
        word: &'static str,
        /// A sentence about it.
        text: String,
        /// The label given is another than the one kept.
        label_differs: bool,
    },
}

impl Fate {
    /// Whether the record is in the register now.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(
            self,
            Self::New { .. } | Self::NewVersion { .. } | Self::Known { .. }
        )
    }

    /// One word for tables and metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::NewVersion { .. } => "new version",
            Self::Known { .. } => "known",
            Self::Conflict => "conflict",
            Self::Refused { .. } => "refused",
            Self::Foreseen { word, .. } => word,
        }
    }

    /// A sentence for the sender.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::New { entry_index } => format!("accepted as log entry {entry_index}"),
            Self::NewVersion { entry_index } => {
                format!("accepted as a new version, log entry {entry_index}")
            }
            Self::Known {
                entry_index,
                label_differs: false,
                ..
            } => format!("already here, log entry {entry_index}"),
            Self::Known {
                entry_index,
                label_differs: true,
                ..
            } => {
                format!(
                    "already here, log entry {entry_index}; the label it has stands, not the one given now"
                )
            }
            Self::Conflict => CONFLICT.to_owned(),
            Self::Refused { reason, .. } | Self::Foreseen { text: reason, .. } => reason.clone(),
        }
    }
}

const CONFLICT: &str = "another content is kept under this identifier and version: give the change a later `modified` \
                        (STIX 2.1 section 3.6)";
const AFTER_REVOKED: &str =
    "a later version of an object that was revoked: revoking is final (STIX 2.1 section 3.2)";

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
            content_sha256: Sha256::digest(&incoming.bytes).into(),
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
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<Vec<Verdict>, SubmitError> {
    let (ops, verdicts) = prepare(app, objects, collections, source, handling)?;
    let outcomes = app.sequencer.submit(ops).await?;
    Ok(judge(app, verdicts, outcomes))
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
    let outcomes = app.sequencer.submit_blocking(ops)?;
    Ok(judge(app, verdicts, outcomes))
}

enum Draft {
    Put(Verdict, Box<Put>),
    Refused(Verdict, comity_ledger::Hash),
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
    let mut ops = Vec::with_capacity(objects.len());
    let mut verdicts = Vec::with_capacity(objects.len());
    for checked in objects {
        let salt = app.salt()?;
        let drafted = match draft(checked, source, handling, &meanings) {
            Draft::Put(verdict, put) => of_its_originator(app, source, verdict, put)?,
            refused => refused,
        };
        match drafted {
            Draft::Put(verdict, mut put) => {
                put.salt = salt;
                put.collections = collections.to_vec();
                put.event = if source.party == app.party {
                    Event::SubmissionAcceptance
                } else {
                    Event::ContentConsignment
                };
                ops.push(Op::Put(put));
                verdicts.push(verdict);
            }
            Draft::Refused(verdict, content_sha256) => {
                ops.push(Op::Refuse(Refuse {
                    event: Event::SubmissionRejection,
                    what: serde_json::json!({ "id": verdict.id }).to_string(),
                    who: source.principal.clone(),
                    reason: verdict.fate.text(),
                    content_sha256,
                    salt,
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
    let scope = app.release.everything().map_err(unread)?;
    let here = app
        .store
        .get(&put.id, &Which::Last, &scope)
        .map_err(unread)?;
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
    let content_sha256 = put.content_sha256;
    Ok(Draft::Refused(Verdict { fate, ..verdict }, content_sha256))
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
            },
            content_sha256,
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
        salt: [0; 32],
        granular: !label.granular().is_empty(),
        label_set: label.to_json(),
        collections: Vec::new(),
        origin: source.party.as_str().to_owned(),
        author: Some(source.principal.clone()),
        references: references(&object),
        event: Event::SubmissionAcceptance,
        link: carried.map_or([0; 32], |carried| carried.leaf),
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

fn judge(app: &App, verdicts: Vec<Verdict>, outcomes: Vec<Outcome>) -> Vec<Verdict> {
    let judged: Vec<Verdict> = verdicts
        .into_iter()
        .zip(outcomes)
        .map(|(verdict, outcome)| match outcome {
            Outcome::Put(stored) => Verdict {
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
    }
}

/// Checks many objects on the runtime's blocking threads, a slice each.
///
/// # Errors
/// When a check died, which would be a defect of ours; nothing was taken then.
pub async fn check_all(
    objects: Vec<Incoming>,
    options: Arc<Options>,
) -> Result<Vec<Checked>, SubmitError> {
    const SLICE: usize = 128;
    if objects.len() <= 16 {
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
