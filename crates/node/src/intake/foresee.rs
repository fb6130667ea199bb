//! What would become of objects, without keeping them: for `import --dry-run`.
//!
//! The register is asked what it holds; what earlier objects of the same run would have added is remembered here. Rules are
//! those of the store's `put`, in the same order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use comity_stix::defaults::same_content;
use comity_stix::related::{Facts, succession};
use comity_store::{CollectionKey, Put, ReadError, Record, Which};

use super::draft::{Draft, Ready, admit};
use super::fate::{AFTER_REVOKED, CONFLICT};
use super::{Checked, Fate, Verdict, translations};
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
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn foresee(
        &mut self,
        app: &App,
        objects: Vec<Checked>,
        collections: &[CollectionKey],
        source: &Source,
        handling: &Handling,
    ) -> Result<Vec<Verdict>, ReadError> {
        let objects = translations::hold(app, source, objects);
        let facts: Vec<Option<(Facts, u64)>> = objects
            .iter()
            .map(|checked| {
                let object = checked.object()?;
                Some((Facts::of(object), object.fingerprint()))
            })
            .collect();
        let drafts = admit(app, objects, collections, source, handling)?;
        let mut verdicts = Vec::with_capacity(drafts.len());
        for (draft, facts) in drafts.into_iter().zip(facts) {
            verdicts.push(match draft {
                Draft::Refused(refused) => refused.verdict,
                Draft::Put(ready) => Verdict {
                    fate: match facts {
                        Some((facts, fingerprint)) => self.one(app, &ready, facts, fingerprint)?,
                        None => refused("register", "it cannot be read again"),
                    },
                    ..ready.verdict
                },
            });
        }
        Ok(verdicts)
    }

    fn one(
        &mut self,
        app: &App,
        ready: &Ready,
        facts: Facts,
        fingerprint: u64,
    ) -> Result<Fate, ReadError> {
        let put = &ready.put;
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
        if let Some(here) = app.store.get(&put.id, &which, &scope)?
            && let Some(fate) = same_version(app, put, &here)?
        {
            return Ok(fate);
        }
        let last = app.store.get(&put.id, &Which::Last, &scope)?;
        let kept = last.as_ref().and_then(|last| Facts::read(&last.bytes));
        let others: Vec<&Facts> = kept
            .iter()
            .chain(planned.iter().map(|one| &one.facts))
            .collect();
        let revoked = planned
            .iter()
            .any(|one| one.facts.revoked && one.facts.version < facts.version);
        let revoked = revoked || !(ready.kept.revoked.is_empty() || put.terms.past_revocation);
        if revoked {
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
        let replaces = ready.kept.exact.is_some();
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
        Ok(match (first, replaces) {
            (true, _) => foreseen("new", "would be accepted", false),
            (false, true) => foreseen(
                "new version",
                "would take the place of what is here under this version, which would be erased",
                false,
            ),
            (false, false) => foreseen("new version", "would be accepted as a new version", false),
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

/// What becomes of it when this version is here; `None` when it takes its place.
fn same_version(app: &App, put: &Put, here: &Record) -> Result<Option<Fate>, ReadError> {
    let same = here.content_sha256 == put.content_sha256 || same_content(&here.bytes, &put.bytes);
    if !same {
        let stands = put.terms.replace.is_none();
        return Ok(stands.then(|| foreseen("conflict", CONFLICT, false)));
    }
    let differs = app.release.label(here.label_set)?.to_json() != put.label_set;
    let label = match (differs, put.terms.relabel.is_some()) {
        (true, true) => "; it would come under the label given now",
        (true, false) => "; the label it has would stand, not the one given now",
        (false, _) => "",
    };
    let text = format!("is here already, log entry {}{label}", here.entry_index);
    let differs = differs && put.terms.relabel.is_none();
    Ok(Some(foreseen("known", &text, differs)))
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
