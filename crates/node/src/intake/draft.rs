//! From a checked object to what the register is asked: labelled, held against its sender's proof, and decided.

use comity_access::LabelSet;
use comity_ledger::entry::Event;
use comity_stix::finding::Finding;
use comity_stix::object::Object;
use comity_store::{
    CollectionKey, Consigned, Kept, Op, Put, ReadError, Refuse, Terms, Withdrawal, WithdrawalAct,
};

use super::admission::{Admission, NEUTRAL, Told};
use super::labels::NewLabels;
use super::proved::{cut, proved};
use super::{Checked, Fate, Verdict, markings, translations};
use crate::app::App;
use crate::handling::{self, Handling, Meanings, Source};
use crate::peers::delivery::Delivery;
use crate::sequencer::SubmitError;

/// What is to become of one object.
pub(super) enum Draft {
    Put(Box<Ready>),
    Refused(Box<Refused>),
}

/// Checked and labelled, and what is here already.
pub(super) struct Ready {
    pub(super) verdict: Verdict,
    pub(super) put: Put,
    pub(super) label: LabelSet,
    pub(super) kept: Kept,
    pub(super) told: Told,
}

/// Not taken.
pub(super) struct Refused {
    /// With what the sender is told.
    pub(super) verdict: Verdict,
    /// The true reason, for the log.
    pub(super) reason: String,
    pub(super) content_sha256: comity_ledger::Hash,
    /// The sender's leaf, when a receipt is owed for it.
    pub(super) consigned: Option<Consigned>,
}

/// A verdict that waits for the register.
pub(super) struct Pending {
    pub(super) verdict: Verdict,
    pub(super) told: Told,
}

/// The version of objects that have neither `modified` nor `created`: TAXII 2.1 section 5.3.1 leaves it to the server,
/// which must keep it stable. The epoch is the same on every node and orders before every real version.
pub const STABLE_TEXT: &str = "1970-01-01T00:00:00.000Z";
/// [`STABLE_TEXT`] as a version key.
pub const STABLE_KEY: &str = "1970-01-01T00:00:00";

/// The operations, and the verdicts that wait for the last of them, one each.
pub(super) fn prepare(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<(Vec<Op>, Vec<Pending>), SubmitError> {
    let objects = translations::hold(app, source, objects);
    let drafts = admit(app, objects, collections, source, handling).map_err(unread)?;
    let mut ops = Vec::with_capacity(drafts.len() + 1);
    // the cross-link stands before what rests on it
    ops.extend(handling.delivery.as_ref().and_then(Delivery::first));
    let mut pending = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let seed = app.salt()?;
        match draft {
            Draft::Put(ready) => {
                let mut put = ready.put;
                put.seed = seed;
                put.event = event(app, source, &put);
                if ready.told == Told::AsIfNew {
                    put.terms.refused_as = Some(NEUTRAL.to_owned());
                }
                ops.push(Op::Put(Box::new(put)));
                pending.push(Pending {
                    verdict: ready.verdict,
                    told: ready.told,
                });
            }
            Draft::Refused(refused) => {
                let told = refused.verdict.fate.text();
                ops.push(Op::Refuse(Refuse {
                    event: Event::SubmissionRejection,
                    what: serde_json::json!({ "id": refused.verdict.id }).to_string(),
                    who: source.principal.clone(),
                    told: (told != refused.reason).then(|| cut(told)),
                    reason: cut(refused.reason),
                    content_sha256: refused.content_sha256,
                    consigned: refused.consigned,
                    seed,
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

fn event(app: &App, source: &Source, put: &Put) -> Event {
    match &put.withdrawal {
        Some(Withdrawal {
            act: WithdrawalAct::Own,
            ..
        }) => Event::Withdrawal,
        _ if source.party == app.party => Event::SubmissionAcceptance,
        _ => Event::ContentConsignment,
    }
}

pub(super) fn unread(error: ReadError) -> SubmitError {
    SubmitError::Batch(error.to_string().into())
}

/// Labels the objects and decides what each may do to what is here.
pub(super) fn admit(
    app: &App,
    objects: Vec<Checked>,
    collections: &[CollectionKey],
    source: &Source,
    handling: &Handling,
) -> Result<Vec<Draft>, ReadError> {
    let meanings = markings::meanings(app, &objects);
    let mut drafts: Vec<Draft> = objects
        .into_iter()
        .map(|checked| proved(handling, draft(checked, source, handling, &meanings)))
        .collect();
    let wanted: Vec<(&str, &str)> = drafts
        .iter()
        .filter_map(|draft| match draft {
            Draft::Put(ready) => Some((ready.put.id.as_str(), ready.put.version_key.as_str())),
            Draft::Refused(_) => None,
        })
        .collect();
    let mut kept = app.store.kept(&wanted)?.into_iter();
    let mut admission = Admission::new(app, source);
    let mut labels = NewLabels::new(app, source);
    for draft in &mut drafts {
        let Draft::Put(ready) = draft else { continue };
        ready.kept = kept.next().unwrap_or_default();
        let decided = match labels.take(&ready.put.label_set)? {
            Ok(()) => admission.decide(&mut ready.put, &ready.label, collections, &ready.kept)?,
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
                    consigned: ready.put.consigned.take(),
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
        refused: beside,
        position: _,
    } = checked;
    let refused = |code, reason: String, id, findings| {
        Draft::Refused(Box::new(Refused {
            reason: reason.clone(),
            verdict: Verdict {
                id,
                version: String::new(),
                fate: Fate::Refused { code, reason },
                findings,
            },
            content_sha256,
            consigned: None,
        }))
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
