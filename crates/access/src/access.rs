//! The one place decisions come from.

use crate::action::{Action, Resource};
use crate::decision::{Decision, Permitted, Reason};
use crate::label::LabelSet;
use crate::party::PartyId;
use crate::reader::{Place, Reader};

/// Policies or schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The schema does not parse.
    #[error("access schema: {0}")]
    Schema(String),
    /// A policy file does not parse.
    #[error("access policies in {file}: {message}")]
    Parse {
        /// The file.
        file: String,
        /// What is wrong, with its place.
        message: String,
    },
    /// The policies contradict the schema.
    #[error("access policies against their schema: {0}")]
    Invalid(String),
}

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
}

impl Access {
    /// The built-in policies, deciding for the node of party `own`.
    ///
    /// # Errors
    /// [`PolicyError`] if the policies do not fit their schema; the tests make sure they do.
    pub fn new(own: PartyId) -> Result<Self, PolicyError> {
        Ok(Self { own })
    }

    /// The party whose node this is.
    #[must_use]
    pub fn own(&self) -> &PartyId {
        &self.own
    }

    /// May `reader` do `action` to `resource`, and why?
    #[must_use]
    pub fn decide(&self, _reader: &Reader, _action: Action, _resource: Resource<'_>) -> Decision {
        Decision {
            permitted: false,
            reasons: vec![Reason {
                code: "access.unfinished".into(),
                text: "no policy yet".into(),
                policy: None,
            }],
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

    /// The marking definitions whose parts of a record must be left out for `reader`, who may read the rest.
    ///
    /// Empty for most labels. Asks release only, not `place`: where the record may be read at all is decided before.
    #[must_use]
    pub fn redactions<'a>(&self, _reader: &Reader, label: &'a LabelSet) -> Vec<&'a str> {
        label
            .granular()
            .iter()
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
    #[must_use]
    pub fn explain(&self, reader: &Reader, action: Action, resource: Resource<'_>) -> Vec<String> {
        vec![self.decide(reader, action, resource).text()]
    }
}
