//! What would become of objects, without keeping them: for `import --dry-run`.
//!
//! The register is asked what it holds; what earlier objects of the same run would have added is remembered here. Rules are
//! those of the store's `put`, in the same order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use comity_stix::defaults::same_content;
use comity_stix::related::{Facts, succession};
use comity_store::{Put, ReadError, Record, Which};

use super::{
    AFTER_REVOKED, CONFLICT, Checked, Draft, Fate, Verdict, draft, meanings, translations,
};
use crate::app::App;
use crate::handling::{Handling, Source};

/// What a run would have added so far.
#[derive(Debug, Default)]
pub struct Foresight {
    planned: HashMap<String, Vec<Planned>>,
    labels: HashSet<Arc<str>>,
}

/// A version that would have been added. About 300 octets: a dry run over millions of objects takes memory for each.
#[derive(Debug)]
struct Planned {
    version_key: String,
    content_sha256: comity_ledger::Hash,
    fingerprint: u64,
    facts: Facts,
    label: Arc<str>,
}

impl Foresight {
    /// What would become of `objects` after those of earlier calls.
    pub fn foresee(
        &mut self,
        app: &App,
        objects: Vec<Checked>,
        source: &Source,
        handling: &Handling,
    ) -> Vec<Verdict> {
        let objects = translations::hold(app, source, objects);
        let meanings = meanings::of(app, &objects);
        objects
            .into_iter()
            .map(|checked| {
                let planned = checked
                    .object()
                    .map(|object| (Facts::of(object), object.fingerprint()));
                match draft(checked, source, handling, &meanings) {
                    Draft::Refused(verdict, _) => verdict,
                    Draft::Put(verdict, put) => {
                        match super::of_its_originator(app, source, verdict, put) {
                            Ok(Draft::Put(verdict, put)) => {
                                let fate = planned
                                    .map_or_else(
                                        || Ok(refused("register", "it cannot be read again")),
                                        |(facts, fingerprint)| {
                                            self.one(app, &put, facts, fingerprint)
                                        },
                                    )
                                    .unwrap_or_else(|error| {
                                        refused("register", &error.to_string())
                                    });
                                Verdict { fate, ..verdict }
                            }
                            Ok(Draft::Refused(verdict, _)) => verdict,
                            Err(error) => unread(&error.to_string()),
                        }
                    }
                }
            })
            .collect()
    }

    fn one(
        &mut self,
        app: &App,
        put: &Put,
        facts: Facts,
        fingerprint: u64,
    ) -> Result<Fate, ReadError> {
        let scope = app.release.everything()?;
        let planned = self.planned.get(&put.id).map_or(&[][..], Vec::as_slice);
        if let Some(same) = planned
            .iter()
            .find(|one| one.version_key == put.version_key)
        {
            let known =
                same.content_sha256 == put.content_sha256 || same.fingerprint == fingerprint;
            return Ok(match known {
                true => foreseen(
                    "known",
                    "would be known: it stands in this input before",
                    *same.label != *put.label_set,
                ),
                false => foreseen("conflict", CONFLICT, false),
            });
        }
        let which = Which::Key(put.version_key.clone());
        if let Some(here) = app.store.get(&put.id, &which, &scope)? {
            return same_version(app, put, &here);
        }
        let last = app.store.get(&put.id, &Which::Last, &scope)?;
        let kept = last.as_ref().and_then(|last| Facts::read(&last.bytes));
        let others: Vec<&Facts> = kept
            .iter()
            .chain(planned.iter().map(|one| &one.facts))
            .collect();
        if others
            .iter()
            .any(|other| other.revoked && other.version < facts.version)
        {
            return Ok(refused("revoked", AFTER_REVOKED));
        }
        let wrong = others.first().and_then(|other| {
            succession(other, &facts)
                .into_iter()
                .find(|finding| finding.code != comity_stix::codes::VERSION_REVOKED.code)
        });
        if let Some(finding) = wrong {
            return Ok(refused(
                "versions",
                &format!("{} ({})", finding.message, finding.clause),
            ));
        }
        let first = last.is_none() && planned.is_empty();
        let label = self.label(&put.label_set);
        self.planned
            .entry(put.id.clone())
            .or_default()
            .push(Planned {
                version_key: put.version_key.clone(),
                content_sha256: put.content_sha256,
                fingerprint,
                facts,
                label,
            });
        Ok(match first {
            true => foreseen("new", "would be accepted", false),
            false => foreseen("new version", "would be accepted as a new version", false),
        })
    }

    /// Labels are few: each is kept once.
    fn label(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.labels.get(text) {
            return Arc::clone(known);
        }
        let label: Arc<str> = text.into();
        self.labels.insert(Arc::clone(&label));
        label
    }
}

fn same_version(app: &App, put: &Put, here: &Record) -> Result<Fate, ReadError> {
    let same = here.content_sha256 == put.content_sha256 || same_content(&here.bytes, &put.bytes);
    if !same {
        return Ok(foreseen("conflict", CONFLICT, false));
    }
    let differs = app.release.label(here.label_set)?.to_json() != put.label_set;
    let stands = if differs {
        "; the label it has would stand, not the one given now"
    } else {
        ""
    };
    let text = format!("is here already, log entry {}{stands}", here.entry_index);
    Ok(foreseen("known", &text, differs))
}

fn foreseen(word: &'static str, text: &str, label_differs: bool) -> Fate {
    Fate::Foreseen {
        word,
        text: text.to_owned(),
        label_differs,
    }
}

fn refused(code: &'static str, reason: &str) -> Fate {
    Fate::Refused {
        code,
        reason: reason.to_owned(),
    }
}

fn unread(reason: &str) -> Verdict {
    Verdict {
        id: String::new(),
        version: String::new(),
        fate: refused("register", reason),
        findings: Vec::new(),
    }
}
