//! The way in: bytes are checked, labelled, permitted, committed. Every object gets a verdict; nothing is refused silently.

mod admission;
mod draft;
mod fate;
mod foresee;
mod labels;
mod markings;
mod proved;
mod translations;

pub use draft::{STABLE_KEY, STABLE_TEXT};
pub use fate::Fate;
pub use foresee::Foresight;
pub use labels::Introduced;
pub use markings::awaits;

use std::sync::Arc;

use comity_stix::bundle::Envelope;
use comity_stix::finding::{Finding, Position};
use comity_stix::object::{Object, Valid};
use comity_stix::validate::{self, Options};
use comity_store::{CollectionKey, Op, Outcome, Put};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::handling::{Handling, Source};
use crate::sequencer::SubmitError;
use draft::{Pending, prepare};
use fate::{as_told, fate};
use proved::digest;

/// One object as it came.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The object's own text.
    pub bytes: Vec<u8>,
    /// Where it stood in what was sent.
    pub position: Position,
}

impl Incoming {
    /// The objects of an envelope.
    #[must_use]
    pub fn all(envelope: &Envelope<'_>) -> Vec<Self> {
        let objects = envelope.objects.iter().enumerate();
        objects
            .map(|(index, raw)| Self {
                bytes: raw.bytes.to_vec(),
                position: Position {
                    offset: raw.offset,
                    line: raw.line,
                    column: raw.column,
                    pointer: format!("/objects/{index}"),
                },
            })
            .collect()
    }
}

/// What became of one object, as its sender may know it.
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

    /// Its identifier, as far as it can be read.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
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
    let (ops, pending) = if objects.len() <= INLINE_OBJECTS_MAX && app.store.has_room() {
        prepare(app, objects, collections, source, &handling)?
    } else {
        // it reads the register and asks the policies: not on a thread that serves connections
        let (worker, sender) = (Arc::clone(app), source.clone());
        let keys = collections.to_vec();
        tokio::task::spawn_blocking(move || prepare(&worker, objects, &keys, &sender, &handling))
            .await
            .map_err(|error| SubmitError::Batch(error.to_string().into()))??
    };
    let first = ops.len() - pending.len();
    let outcomes = app.sequencer.submit(ops).await?;
    Ok(judge(app, pending, outcomes.into_iter().skip(first)))
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
    let first = ops.len() - pending.len();
    let outcomes = app.sequencer.submit_blocking(ops)?;
    Ok(judge(app, pending, outcomes.into_iter().skip(first)))
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
    let (ops, pending) = prepare(app, objects, collections, source, handling)?;
    let puts = ops.into_iter().zip(pending).map(|(op, pending)| match op {
        Op::Put(put) => Ok(*put),
        _ => Err(Box::new(pending.verdict)),
    });
    Ok(puts.collect())
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
    pending: Vec<Pending>,
    outcomes: impl Iterator<Item = Outcome>,
) -> Vec<Verdict> {
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
