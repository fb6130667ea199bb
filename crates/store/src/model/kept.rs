//! What the register holds under an identifier, for whoever decides what a further delivery may do; and that decision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Hash, LabelSetId, Seq};

/// What is here under one identifier, seen from one version of it. Nothing at all for an identifier never seen.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The very version asked about.
    pub exact: Option<KeptVersion>,
    /// The latest version.
    pub last: Option<KeptVersion>,
    /// Versions before the one asked about that say the object is revoked.
    pub revoked: Vec<KeptVersion>,
    /// What all versions of the object have in common.
    pub object: Arc<KeptObject>,
}

/// One version here, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVersion {
    /// The record.
    pub seq: Seq,
    /// Its version.
    pub version_key: String,
    /// SHA-256 of the canonical form.
    pub content_sha256: Hash,
    /// Its label set.
    pub label_set: LabelSetId,
    /// The party that gave it to us.
    pub origin: String,
    /// Its log entry.
    pub entry_index: u64,
}

/// What is known of an object whichever version is asked about.
#[derive(Clone, Debug, Default)]
pub struct KeptObject {
    /// Each label set its versions have, with the party that gave them.
    pub given: BTreeSet<(LabelSetId, String)>,
    /// Versions that were erased, by version key.
    pub erased: BTreeMap<String, Vec<Erased>>,
}

/// A version whose bytes are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// SHA-256 of the canonical form it had.
    pub content_sha256: Hash,
    /// The principal who deleted it.
    pub by: String,
    /// The party that had given it to us; `None` for deletions from before this was noted.
    pub origin: Option<String>,
}

/// On what a [`super::Put`] was decided, and what it may do beyond adding a record. The default is unconditional and may
/// do nothing beyond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What was here when it was decided. If a record of another origin came in between, the decision is void.
    pub seen: Option<Seen>,
    /// The same content is here: the record comes under the label given now, and counts as given by this origin. Why.
    pub relabel: Option<String>,
    /// The same version is here with other content: that record is erased for this one. Why.
    pub replace: Option<String>,
    /// The same content is here: note that this origin gave it too, once, and give that entry for an answer.
    pub noted: bool,
    /// A revocation that is here does not stand in the way.
    pub past_revocation: bool,
    /// If it is refused because of what is here: the reason its sender is given, where the true one is not for it to know.
    pub refused_as: Option<String>,
}

/// The records a decision was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The same version.
    pub exact: Option<Seq>,
    /// The latest version of the object.
    pub last: Option<Seq>,
}
