//! What a delivery may do to what is here: whether a version is taken, into which collections, under which label, and what
//! its sender is told. Everything is decided on what the register holds without bytes, before the sequencer is asked; if
//! something else came in between, the register says so and the decision is void.
//!
//! Two rules lead. Only the originator of a record speaks for it (STIX 2.1 section 3.6), and who merely passed it on does so
//! until the originator speaks itself. And a sender learns from the answer nothing about records it may not see.

use std::collections::HashMap;
use std::sync::Arc;

use comity_access::{Action, LabelSet, PartyId, Resource, Role};
use comity_stix::defaults::same_content;
use comity_store::{
    CollectionKey, Kept, KeptVersion, LabelSetId, Put, ReadError, Scope, Seen, Which,
};

use crate::app::App;
use crate::handling::Source;

/// Why a version is not taken.
#[derive(Clone, Debug)]
pub(super) struct Denied {
    /// Stable code, for the log and the node's own people.
    pub(super) code: &'static str,
    /// The true reason, for the log.
    pub(super) reason: String,
    /// What the sender is told.
    pub(super) told: String,
}

/// What the sender may be told about what is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The truth.
    Plainly,
    /// What would be said if nothing were here: it may not see what is.
    AsIfNew,
    /// What would be said if only what it gave itself before were here.
    AsIfItsOwn,
}

/// The one answer to everything that is refused because of a record the sender may not see.
pub(super) const NEUTRAL: &str = "it cannot be taken under this identifier";

/// The policies' answers by label.
type Answers = HashMap<String, Result<(), String>>;

/// Decides for one sender.
pub(super) struct Admission<'a> {
    app: &'a App,
    source: &'a Source,
    /// By place and whether it is new, then by label.
    asked: HashMap<(Option<CollectionKey>, bool), Answers>,
    scopes: HashMap<Option<CollectionKey>, Scope>,
}

type Decided = Result<Result<Told, Denied>, ReadError>;

impl<'a> Admission<'a> {
    pub(super) fn new(app: &'a App, source: &'a Source) -> Self {
        Self {
            app,
            source,
            asked: HashMap::new(),
            scopes: HashMap::new(),
        }
    }

    /// Decides about `put`, which would come under `given`, and writes into it the collections and terms it is taken with.
    pub(super) fn decide(
        &mut self,
        put: &mut Put,
        given: &LabelSet,
        collections: &[CollectionKey],
        kept: &Kept,
    ) -> Decided {
        put.terms.seen = Some(Seen {
            exact: kept.exact.as_ref().map(|exact| exact.seq),
            last: kept.last.as_ref().map(|last| last.seq),
        });
        let same = match &kept.exact {
            Some(exact) => self.is_same(put, exact)?,
            None => false,
        };
        // first, so that the answer to what may not come in at all does not depend on what is here
        if let Err(denied) = self.fresh(put, given, collections) {
            let is_seen = match kept.exact.as_ref().filter(|_| same) {
                Some(exact) => self.told(exact)? == Told::Plainly,
                None => false,
            };
            if !is_seen {
                return Ok(Err(denied));
            }
        }
        if let Some(exact) = &kept.exact {
            return if same {
                self.known(put, given, collections, exact)
            } else {
                self.conflict(put, given, exact)
            };
        }
        let told = match &kept.last {
            Some(last) => self.told(last)?,
            None => Told::Plainly,
        };
        if let Err(denied) = self.another_version(given, kept, told)? {
            return Ok(Err(denied));
        }
        if let Err(denied) = self.after_erasure(put, kept) {
            return Ok(Err(denied));
        }
        // what is deleted between now and the commit does not come back by it, unless it is our own
        let mut erased = kept
            .object
            .erased
            .get(&put.version_key)
            .into_iter()
            .flatten();
        put.revive = self.own() || erased.any(|erased| erased.content_sha256 == put.content_sha256);
        put.terms.past_revocation = self.past_revocation(given, kept)?;
        Ok(Ok(told))
    }

    fn own(&self) -> bool {
        self.source.party == self.app.party
    }

    /// As the register sees it: the same content, or the same but for defaults that are left out (STIX 2.1 section 3.6).
    fn is_same(&self, put: &Put, exact: &KeptVersion) -> Result<bool, ReadError> {
        if exact.content_sha256 == put.content_sha256 {
            return Ok(true);
        }
        let which = Which::Key(exact.version_key.clone());
        let everything = self.app.release.everything()?;
        let here = self.app.store.get(&put.id, &which, &everything)?;
        Ok(here.is_some_and(|here| same_content(&here.bytes, &put.bytes)))
    }

    /// The same content is here: it may come into more collections, and under the label of who really speaks for it.
    fn known(
        &mut self,
        put: &mut Put,
        given: &LabelSet,
        collections: &[CollectionKey],
        exact: &KeptVersion,
    ) -> Decided {
        let label = self.app.release.label(exact.label_set)?;
        let sees = self.sees(exact, &label)?;
        put.terms.relabel = self.relabels(given, &label, exact, sees).map(str::to_owned);
        if put.terms.relabel.is_some() {
            return Ok(self.fresh(put, given, collections).map(|()| Told::Plainly));
        }
        if !sees {
            // taken, for it is here; what is done with it is not for this sender to say or to know
            put.collections.clear();
            put.terms.noted = true;
            return Ok(Ok(if self.gave_before(exact)? {
                Told::AsIfItsOwn
            } else {
                Told::AsIfNew
            }));
        }
        let gave = exact.origin == self.source.party.as_str();
        let text = label.to_json();
        let may_move = self.own() || gave || *label.originator() == self.source.party;
        put.collections = collections
            .iter()
            .copied()
            .filter(|key| may_move && self.ask(&label, &text, Some(*key), false).is_ok())
            .collect();
        Ok(Ok(Told::Plainly))
    }

    /// Why a delivery of the same content brings its own label, if it does.
    fn relabels(
        &self,
        given: &LabelSet,
        label: &LabelSet,
        exact: &KeptVersion,
        sees: bool,
    ) -> Option<&'static str> {
        if !self.own() {
            let speaks = self.speaks_itself(given, label, exact);
            return speaks.then_some("its originator delivered it");
        }
        // what is real does not become an exercise's by being played with
        let unreal = label.exercise().is_some() && given.exercise().is_none();
        if label.exercise() != given.exercise() && !unreal {
            return None;
        }
        if *label.originator() == self.app.party && !unreal {
            return None;
        }
        if self.source.claims {
            return Some("an officer says that this party has it from elsewhere");
        }
        // who cannot read the record here cannot have it from here
        (!sees).then_some("this party has it from elsewhere")
    }

    /// The sender is the originator itself, and so far others passed the record on for it.
    fn speaks_itself(&self, given: &LabelSet, label: &LabelSet, exact: &KeptVersion) -> bool {
        let party = &self.source.party;
        !self.own()
            && label.originator() == party
            && given.originator() == party
            && exact.origin != party.as_str()
    }

    /// Other content under the same version: the first one stands, unless an officer says that the identifier is ours.
    fn conflict(&mut self, put: &mut Put, given: &LabelSet, exact: &KeptVersion) -> Decided {
        let label = self.app.release.label(exact.label_set)?;
        if self.own() && self.source.claims && *label.originator() != self.app.party {
            put.terms.replace = Some(format!(
                "an officer says that the identifier is this party's own, not `{}`'s",
                exact.origin
            ));
            put.terms.past_revocation = true;
            return Ok(Ok(Told::Plainly));
        }
        if self.speaks_itself(given, &label, exact) {
            put.terms.replace = Some(format!(
                "its originator delivered other content than `{}` had passed on",
                exact.origin
            ));
            return Ok(Ok(Told::Plainly));
        }
        // the register refuses it and logs why
        let told = self.told(exact)?;
        Ok(Ok(if told == Told::AsIfNew && self.gave_before(exact)? {
            Told::Plainly
        } else {
            told
        }))
    }

    /// Who may give an object a version when others are here.
    fn another_version(
        &self,
        given: &LabelSet,
        kept: &Kept,
        told: Told,
    ) -> Result<Result<(), Denied>, ReadError> {
        let Some(last) = &kept.last else {
            return Ok(Ok(()));
        };
        let originator = |id: LabelSetId| -> Result<PartyId, ReadError> {
            Ok(self.app.release.label(id)?.originator().clone())
        };
        let of_last = originator(last.label_set)?;
        let exercise = self
            .app
            .release
            .label(last.label_set)?
            .exercise()
            .map(str::to_owned);
        if given.exercise().is_some() && given.exercise() != exercise.as_deref() {
            let reason = "a record that is not of this exercise is kept under this identifier";
            return Ok(Err(denied("exercise", reason.to_owned(), told)));
        }
        if self.own() {
            if of_last == self.app.party || self.source.claims {
                return Ok(Ok(()));
            }
            let reason = format!(
                "this is a record of `{of_last}`: only its originator gives it new versions (STIX 2.1 section 3.6). Make an \
                 object of your own with a relationship `derived-from` to it, or a `note`"
            );
            return Ok(Err(denied("originator", reason, told)));
        }
        let party = &self.source.party;
        let mut direct = Vec::new();
        for (label_set, origin) in &kept.object.given {
            let originator = originator(*label_set)?;
            if originator == self.app.party || originator.as_str() == origin {
                direct.push(originator);
            }
        }
        let allowed = if direct.is_empty() {
            // so far others passed it on: who did goes on, until the originator itself speaks
            let goes_on = last.origin == party.as_str() && *given.originator() == of_last;
            goes_on || (of_last == *party && given.originator() == party)
        } else {
            given.originator() == party
                && direct.contains(party)
                && !direct.contains(&self.app.party)
        };
        if allowed {
            return Ok(Ok(()));
        }
        let reason = "another party's record is kept under this identifier: only its originator gives it new versions \
                      (STIX 2.1 section 3.6)";
        Ok(Err(denied("originator", reason.to_owned(), told)))
    }

    /// What was erased here does not come back from outside, and nobody else takes its identifier.
    fn after_erasure(&self, put: &Put, kept: &Kept) -> Result<(), Denied> {
        let erased = &kept.object.erased;
        if self.own() || erased.is_empty() {
            return Ok(());
        }
        let party = self.source.party.as_str();
        let by_itself = |by: &str| by.rsplit_once('@').is_some_and(|(_, of)| of == party);
        let gave = |origin: &Option<String>| origin.as_deref() == Some(party);
        let mut same = erased.get(&put.version_key).into_iter().flatten();
        let same = same.find(|erased| erased.content_sha256 == put.content_sha256);
        if let Some(erased) = same
            // who took it back itself may give it again: TAXII clients expect POST after DELETE to work
            && !by_itself(&erased.by)
        {
            let told = if gave(&erased.origin) {
                Told::Plainly
            } else {
                Told::AsIfNew
            };
            let reason = "this record was deleted here and is not taken again".to_owned();
            return Err(denied("deleted", reason, told));
        }
        let mut all = erased.values().flatten();
        if kept.last.is_none() && !all.any(|erased| gave(&erased.origin) || by_itself(&erased.by)) {
            let reason = "another party's record was deleted under this identifier: it does not pass to anybody else";
            return Err(denied("deleted", reason.to_owned(), Told::AsIfNew));
        }
        Ok(())
    }

    /// Revoking is final (STIX 2.1 section 3.2) if the originator said it, or who gives this version. Somebody else's
    /// word blocks nobody.
    fn past_revocation(&self, given: &LabelSet, kept: &Kept) -> Result<bool, ReadError> {
        for revoked in &kept.revoked {
            let label = self.app.release.label(revoked.label_set)?;
            let originator = label.originator();
            let by_originator =
                revoked.origin == originator.as_str() && originator == given.originator();
            let speaks = by_originator || revoked.origin == self.source.party.as_str();
            if speaks && label.exercise() == given.exercise() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A record that comes in under its own label must be allowed in each of its collections.
    fn fresh(
        &mut self,
        put: &mut Put,
        given: &LabelSet,
        collections: &[CollectionKey],
    ) -> Result<(), Denied> {
        for key in collections {
            self.ask(given, &put.label_set, Some(*key), true)
                .map_err(|reason| denied("not-permitted", reason, Told::Plainly))?;
        }
        put.collections = collections.to_vec();
        Ok(())
    }

    /// Asks the policies, each question once.
    fn ask(
        &mut self,
        label: &LabelSet,
        text: &str,
        place: Option<CollectionKey>,
        new: bool,
    ) -> Result<(), String> {
        let place = place.filter(|_| self.source.action == Action::Write);
        let asked = self.asked.entry((place, new)).or_default();
        if let Some(answer) = asked.get(text) {
            return answer.clone();
        }
        let place_text = place.map(|key| key.0.to_string());
        let resource = match &place_text {
            Some(key) => Resource::record_in(label, key),
            None => Resource::record(label),
        };
        let reader = &self.source.reader;
        // what one's own people and constituents add is published in their party's name as well
        let publishes = new && self.source.action == Action::Write && reader.role() != Role::Peer;
        let actions = [self.source.action, Action::Publish];
        let questions = if publishes {
            &actions[..]
        } else {
            &actions[..1]
        };
        let no = questions.iter().find_map(|action| {
            let decision = self.app.release.access().decide(reader, *action, resource);
            (!decision.permitted).then(|| decision.text())
        });
        let answer = no.map_or(Ok(()), Err);
        asked.insert(text.to_owned(), answer.clone());
        answer
    }

    fn told(&mut self, version: &KeptVersion) -> Result<Told, ReadError> {
        let label = self.app.release.label(version.label_set)?;
        Ok(if self.sees(version, &label)? {
            Told::Plainly
        } else {
            Told::AsIfNew
        })
    }

    /// Whether the sender knows of the record: it gave it, it is its own, or it may read it somewhere.
    fn sees(&mut self, version: &KeptVersion, label: &Arc<LabelSet>) -> Result<bool, ReadError> {
        let party = self.source.party.as_str();
        let reader = &self.source.reader;
        if version.origin == party && !self.own() {
            return Ok(true);
        }
        if label.originator().as_str() == party && !self.own() {
            return Ok(true);
        }
        if self.scope(None)?.contains(version.label_set) {
            return Ok(true);
        }
        let granted = reader.grants().read.clone();
        for (key, _) in self.app.store.memberships(version.seq)? {
            if granted.contains(&key.0.to_string())
                && self.scope(Some(key))?.contains(version.label_set)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The sender gave the record, too, without seeing that it was here.
    fn gave_before(&self, version: &KeptVersion) -> Result<bool, ReadError> {
        let party = self.source.party.as_str();
        Ok(self.app.store.given_again(version.seq, party)?.is_some())
    }

    fn scope(&mut self, place: Option<CollectionKey>) -> Result<Scope, ReadError> {
        if let Some(scope) = self.scopes.get(&place) {
            return Ok(scope.clone());
        }
        let release = &self.app.release;
        let scope = match place {
            Some(key) => release.scope(&self.source.reader, key)?,
            None => release.register_scope(&self.source.reader)?,
        };
        self.scopes.insert(place, scope.clone());
        Ok(scope)
    }
}

fn denied(code: &'static str, reason: String, told: Told) -> Denied {
    let told = match told {
        Told::Plainly => reason.clone(),
        Told::AsIfNew | Told::AsIfItsOwn => NEUTRAL.to_owned(),
    };
    Denied { code, reason, told }
}
