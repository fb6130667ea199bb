//! The way in: bytes are checked, labelled, permitted, committed. Every object gets a verdict; nothing is refused silently.

use std::sync::Arc;

use comity_access::LabelSet;
use comity_ledger::entry::Event;
use comity_stix::finding::{Finding, Position};
use comity_stix::object::{Object, Valid};
use comity_stix::validate::{self, Options};
use comity_store::{CollectionKey, Kept, Op, Outcome, Put, Refuse, Terms};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::handling::{self, Handling, Meanings, Source};
use crate::sequencer::SubmitError;
use admission::{Admission, Told};
use fate::{as_told, fate, revoked};
use labels::NewLabels;
use markings::meanings;

mod admission;
mod fate;
mod labels;
mod markings;

pub use fate::Fate;
pub use labels::Introduced;
pub use markings::awaits;

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

/// An object that passed the checks and waits for the sequencer.
pub struct Checked {
    object: Option<Valid<Object>>,
    content_sha256: comity_ledger::Hash,
    findings: Vec<Finding>,
    id: String,
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
        },
        None => Checked {
            object: None,
            content_sha256: Sha256::digest(&incoming.bytes).into(),
            id: readable_id(&incoming.bytes),
            findings: checked.findings,
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
    /// What is decided on the thread that serves connections, objects: well below a millisecond.
    const INLINE_OBJECTS_MAX: usize = 8;
    if objects.len() <= INLINE_OBJECTS_MAX && app.store.has_room() {
        let (ops, pending) = prepare(app, objects, collections, source, &handling)?;
        let outcomes = app.sequencer.submit(ops).await?;
        return Ok(judge(app, pending, outcomes));
    }
    // it reads the register and asks the policies: not on a thread that serves connections
    let (worker, keys, sender) = (Arc::clone(app), collections.to_vec(), source.clone());
    let work = move || prepare(&worker, objects, &keys, &sender, &handling);
    let (ops, pending) = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| SubmitError::Batch(error.to_string().into()))??;
    let outcomes = app.sequencer.submit(ops).await?;
    Ok(judge(app, pending, outcomes))
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
    let (ops, pending) = prepare(app, objects, collections, source, handling)?;
    let outcomes = app.sequencer.submit_blocking(ops)?;
    Ok(judge(app, pending, outcomes))
}

/// What would become of the objects, without keeping them: for `import --dry-run`.
///
/// # Errors
/// When the register cannot be read.
pub fn foresee(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<Vec<Verdict>, SubmitError> {
    let drafts = admit(app, objects, collections, source, handling)?;
    let foreseen = drafts.into_iter().map(|draft| match draft {
        Draft::Refused(refused) => refused.verdict,
        Draft::Put(ready) => {
            let fate = foresee_one(&ready);
            Verdict {
                fate,
                ..ready.verdict
            }
        }
    });
    Ok(foreseen.collect())
}

fn foresee_one(ready: &Ready) -> Fate {
    let Ready { put, kept, .. } = ready;
    match &kept.exact {
        Some(exact) if exact.content_sha256 == put.content_sha256 => Fate::Known {
            entry_index: exact.entry_index,
            added: false,
            label_differs: false,
            relabelled: put.terms.relabel.is_some(),
        },
        Some(_) if put.terms.replace.is_none() => Fate::Conflict,
        _ if !kept.revoked.is_empty() && !put.terms.past_revocation => revoked(),
        _ if kept.last.is_some() => Fate::NewVersion { entry_index: 0 },
        _ => Fate::New { entry_index: 0 },
    }
}

enum Draft {
    Put(Box<Ready>),
    Refused(Box<Refused>),
}

/// Checked and labelled, and what is here already.
struct Ready {
    verdict: Verdict,
    put: Put,
    label: LabelSet,
    kept: Kept,
    told: Told,
}

/// Not taken.
struct Refused {
    /// With what the sender is told.
    verdict: Verdict,
    /// The true reason, for the log.
    reason: String,
    content_sha256: comity_ledger::Hash,
}

/// A verdict that waits for the register.
struct Pending {
    verdict: Verdict,
    told: Told,
}

fn prepare(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<(Vec<Op>, Vec<Pending>), SubmitError> {
    let drafts = admit(app, objects, collections, source, handling)?;
    let mut ops = Vec::with_capacity(drafts.len());
    let mut pending = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let salt = app.salt()?;
        match draft {
            Draft::Put(ready) => {
                let mut put = ready.put;
                put.salt = salt;
                put.event = if source.party == app.party {
                    Event::SubmissionAcceptance
                } else {
                    Event::ContentConsignment
                };
                ops.push(Op::Put(Box::new(put)));
                pending.push(Pending {
                    verdict: ready.verdict,
                    told: ready.told,
                });
            }
            Draft::Refused(refused) => {
                ops.push(Op::Refuse(Refuse {
                    event: Event::SubmissionRejection,
                    what: serde_json::json!({ "id": refused.verdict.id }).to_string(),
                    who: source.principal.clone(),
                    reason: refused.reason,
                    content_sha256: refused.content_sha256,
                    salt,
                }));
                pending.push(Pending {
                    verdict: refused.verdict,
                    told: Told::Plainly,
                });
            }
        }
    }
    Ok((ops, pending))
}

/// Labels the objects and decides what each may do to what is here.
fn admit(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<Vec<Draft>, SubmitError> {
    let unread = |error: comity_store::ReadError| SubmitError::Batch(error.to_string().into());
    let meanings = meanings(app, &objects);
    let mut drafts: Vec<Draft> = objects
        .into_iter()
        .map(|checked| draft(checked, source, handling, &meanings))
        .collect();
    let wanted: Vec<(&str, &str)> = drafts
        .iter()
        .filter_map(|draft| match draft {
            Draft::Put(ready) => Some((ready.put.id.as_str(), ready.put.version_key.as_str())),
            Draft::Refused(_) => None,
        })
        .collect();
    let mut kept = app.store.kept(&wanted).map_err(unread)?.into_iter();
    let mut admission = Admission::new(app, source);
    let mut labels = NewLabels::new(app, source);
    for draft in &mut drafts {
        let Draft::Put(ready) = draft else { continue };
        ready.kept = kept.next().unwrap_or_default();
        let decided = match labels.take(&ready.put.label_set).map_err(unread)? {
            Ok(()) => admission
                .decide(&mut ready.put, &ready.label, collections, &ready.kept)
                .map_err(unread)?,
            Err(denied) => Err(denied),
        };
        match decided {
            Ok(told) => ready.told = told,
            Err(denied) => {
                *draft = Draft::Refused(Box::new(Refused {
                    verdict: Verdict {
                        fate: Fate::Refused {
                            code: denied.code,
                            reason: denied.told,
                        },
                        ..ready.verdict.clone()
                    },
                    reason: denied.reason,
                    content_sha256: ready.put.content_sha256,
                }));
            }
        }
    }
    Ok(drafts)
}

fn draft(checked: Checked, source: &Source, handling: &Handling, meanings: &Meanings) -> Draft {
    let Checked {
        object,
        content_sha256,
        findings,
        id,
    } = checked;
    let refused = |code, reason, id, findings| {
        Draft::Refused(Box::new(Refused {
            reason: String::clone(&reason),
            verdict: Verdict {
                id,
                version: String::new(),
                fate: Fate::Refused { code, reason },
                findings,
            },
            content_sha256,
        }))
    };
    let Some(object) = object else {
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
        terms: Terms::default(),
        id: id.clone(),
    };
    let fate = Fate::Refused {
        code: "pending",
        reason: String::new(),
    };
    Draft::Put(Box::new(Ready {
        verdict: Verdict {
            id,
            version: version_text,
            fate,
            findings,
        },
        put,
        label,
        kept: Kept::default(),
        told: Told::Plainly,
    }))
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

fn judge(app: &App, pending: Vec<Pending>, outcomes: Vec<Outcome>) -> Vec<Verdict> {
    let judged: Vec<Verdict> = pending
        .into_iter()
        .zip(outcomes)
        .map(|(Pending { verdict, told }, outcome)| match outcome {
            Outcome::Put(stored) => Verdict {
                fate: as_told(fate(stored), told),
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

/// Checks many objects on the runtime's blocking threads, a slice each.
///
/// # Errors
/// When a check died, which would be a defect of ours; nothing was taken then.
pub async fn check_all(
    objects: Vec<Incoming>,
    options: Arc<Options>,
) -> Result<Vec<Checked>, SubmitError> {
    const SLICE: usize = 128;
    /// What is checked on the thread that serves connections, octets: well below a millisecond.
    const INLINE_OCTETS_MAX: usize = 32 << 10;
    let octets: usize = objects.iter().map(|incoming| incoming.bytes.len()).sum();
    if octets <= INLINE_OCTETS_MAX {
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
