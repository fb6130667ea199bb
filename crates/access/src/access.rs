//! The one place decisions come from.

use crate::action::{Action, Resource};
use crate::decision::{Decision, Permitted, Reason};
use crate::engine::{Engine, Rule, Verdict};
use crate::explain::{self, Question};
use crate::label::LabelSet;
use crate::party::PartyId;
use crate::policies::{PolicyError, Sources};
use crate::reader::{Place, Reader};

/// What an account may do with a collection as such (TAXII `can_read`, `can_write`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectionRights {
    /// May read from it; which records, the labels say.
    pub can_read: bool,
    /// May add to it.
    pub can_write: bool,
}

/// The policies, ready to decide. Cheap to share behind an `Arc`, needs no lock.
#[derive(Debug)]
pub struct Access {
    own: PartyId,
    engine: Engine,
}

impl Access {
    /// The built-in policies, deciding for the node of party `own`.
    ///
    /// # Errors
    /// [`PolicyError`] if the policies do not fit their schema; the tests make sure they do.
    pub fn new(own: PartyId) -> Result<Self, PolicyError> {
        Self::with(own, &Sources::built_in())
    }

    /// Other policies, deciding for the node of party `own`.
    ///
    /// # Errors
    /// [`PolicyError`] if they do not parse, do not fit the schema strictly, or lack `@id`, `@code` or `@text`.
    pub fn with(own: PartyId, sources: &Sources<'_>) -> Result<Self, PolicyError> {
        Ok(Self {
            own,
            engine: Engine::new(sources)?,
        })
    }

    /// The party whose node this is.
    #[must_use]
    pub fn own(&self) -> &PartyId {
        &self.own
    }

    /// May `reader` do `action` to `resource`, and why?
    #[must_use]
    pub fn decide(&self, reader: &Reader, action: Action, resource: Resource<'_>) -> Decision {
        if action.kind() != resource.kind() {
            return no(Reason {
                code: "access.mismatch".into(),
                text: format!("`{action}` cannot be asked of this kind of thing").into(),
                policy: None,
            });
        }
        match self.engine.ask(&self.own, reader, action, resource) {
            Verdict::Permit(rules) => Decision {
                permitted: true,
                reasons: reasons(&rules),
            },
            Verdict::Forbid(rules) => Decision {
                permitted: false,
                reasons: reasons(&rules),
            },
            Verdict::Silent => no(explain::unpermitted(reader, action, resource)),
            Verdict::Failed(message) => no(Reason {
                code: "access.failed".into(),
                text: format!("the policies could not decide: {message}").into(),
                policy: None,
            }),
        }
    }

    /// The same, handing `value` through as [`Permitted`] on a yes.
    ///
    /// # Errors
    /// The [`Decision`] itself when it is a no.
    pub fn permit<T>(
        &self,
        reader: &Reader,
        action: Action,
        resource: Resource<'_>,
        value: T,
    ) -> Result<Permitted<T>, Decision> {
        let decision = self.decide(reader, action, resource);
        if decision.permitted {
            Ok(Permitted::new(value, decision.reasons))
        } else {
            Err(decision)
        }
    }

    /// Of the given labels those whose records `reader` may read at `place`, in the order given.
    ///
    /// The caller caches by ([`Reader::class`] of `place`, label id).
    #[must_use]
    pub fn scope<'a>(
        &self,
        reader: &Reader,
        place: Place<'_>,
        sets: impl IntoIterator<Item = (i64, &'a LabelSet)>,
    ) -> Vec<i64> {
        sets.into_iter()
            .filter(|(_, label)| {
                self.decide(
                    reader,
                    Action::Read,
                    Resource::Record {
                        label,
                        place,
                        author: None,
                    },
                )
                .permitted
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// The marking definitions whose parts of a record must be left out when `reader` does `action`, which the rest of
    /// the record allows. Empty for most labels, and for anything but a record.
    ///
    /// For a page: [`Action::Read`] in its collection; for a push to a peer: [`Action::Receive`].
    #[must_use]
    pub fn redactions<'a>(
        &self,
        reader: &Reader,
        action: Action,
        resource: Resource<'a>,
    ) -> Vec<&'a str> {
        let Resource::Record {
            label,
            place,
            author,
        } = resource
        else {
            return Vec::new();
        };
        let hidden = |tlp| {
            let label = &label.with_tlp(tlp);
            !self
                .decide(
                    reader,
                    action,
                    Resource::Record {
                        label,
                        place,
                        author,
                    },
                )
                .permitted
        };
        label
            .granular()
            .iter()
            .filter(|part| hidden(part.tlp))
            .map(|part| part.marking_ref.as_str())
            .collect()
    }

    /// May a record with this label go from this node to `to` (originator control)? `to` is the peer's account, or a
    /// person's. Who gives the order is a second question: [`Action::PassOn`].
    #[must_use]
    pub fn may_pass_on(&self, label: &LabelSet, to: &Reader) -> Decision {
        self.decide(to, Action::Receive, Resource::record(label))
    }

    /// What `reader` may do with a collection as such.
    #[must_use]
    pub fn collection(&self, reader: &Reader, key: &str) -> CollectionRights {
        let may = |action| {
            self.decide(reader, action, Resource::Collection(key))
                .permitted
        };
        CollectionRights {
            can_read: may(Action::ReadCollection),
            can_write: may(Action::WriteCollection),
        }
    }

    /// Plain sentences for an officer: whether `reader` may do it, why, and what would have to change.
    ///
    /// What would have to change is found by asking the policies again with the change made, so it always holds.
    #[must_use]
    pub fn explain(&self, reader: &Reader, action: Action, resource: Resource<'_>) -> Vec<String> {
        explain::explain(
            self,
            &Question {
                reader,
                action,
                resource,
            },
        )
    }

    /// The rules in force, sorted by id.
    #[must_use]
    pub fn rules(&self) -> Vec<&Rule> {
        self.engine.rules()
    }
}

fn no(reason: Reason) -> Decision {
    Decision {
        permitted: false,
        reasons: vec![reason],
    }
}

fn reasons(rules: &[&Rule]) -> Vec<Reason> {
    rules
        .iter()
        .map(|rule| Reason {
            code: rule.code.clone().into(),
            text: rule.text.clone().into(),
            policy: Some(rule.id.clone()),
        })
        .collect()
}
