//! What a batch may ask for, and what comes back per operation.

use comity_ledger::entry::Event;

use super::{Admin, CollectionKey, Hash, Head, Progress, Seq, Terms};

/// Operations that become durable together, in order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Microseconds since 1970 UTC. May stand still or go back: `added` times still rise.
    pub now_micros: i64,
    /// In order; each gets one [`Outcome`].
    pub ops: Vec<Op>,
}

/// One operation of a batch.
#[derive(Clone, Debug)]
pub enum Op {
    /// Take in one version of one object.
    Put(Box<Put>),
    /// Remove records from one collection or from everywhere.
    Delete(Delete),
    /// Give a record another label set (only ever by an explicit act).
    Relabel(Relabel),
    /// Note that a page was handed to another party.
    Disclose(Disclose),
    /// Note that something was refused.
    Refuse(Refuse),
    /// Change principals, tokens, collections or peers.
    Admin(Administer),
    /// Positions, delivery states, TAXII statuses: no log entry.
    Progress(Progress),
}

/// One version of one object, already checked and permitted.
#[derive(Clone, Debug)]
pub struct Put {
    /// STIX identifier.
    pub id: String,
    /// STIX type, the part of `id` before `--`.
    pub object_type: String,
    /// `2.1`, `2.0`.
    pub spec_version: String,
    /// Orders and equals as the version does (`modified`, else `created`, else one the node keeps stable).
    pub version_key: String,
    /// The version as written in the object.
    pub version_text: String,
    /// `created_by_ref`.
    pub created_by: Option<String>,
    /// The object says it is revoked: no later version is taken (STIX 3.6).
    pub revoked: bool,
    /// The object's own text, kept as it came.
    pub bytes: Vec<u8>,
    /// SHA-256 of the RFC 8785 canonical form.
    pub content_sha256: Hash,
    /// Hides guessable contents in the commitment.
    pub salt: [u8; 32],
    /// Canonical JSON of the label set; interned here.
    pub label_set: String,
    /// Some properties are marked apart: a page must look at the object again.
    pub granular: bool,
    /// Collections it becomes a member of. May be empty.
    pub collections: Vec<CollectionKey>,
    /// The party that gave it to us.
    pub origin: String,
    /// The principal who published it, if one of ours.
    pub author: Option<String>,
    /// (property, target identifier).
    pub references: Vec<(String, String)>,
    /// Event code of the log entry.
    pub event: Event,
    /// Leaf this entry refers to (the sender's leaf for a relayed record), zero if none.
    pub link: Hash,
    /// On what it was decided, and what it may do to what is here.
    pub terms: Terms,
}

/// Remove records. Leaf hash, content hash and reason stay; bytes, salt and search rows go when no collection holds the
/// record any more, or at once with `erase`. The same version may be put again later: it becomes a new record with a new
/// leaf, as TAXII clients expect of POST after DELETE.
#[derive(Clone, Debug)]
pub struct Delete {
    /// STIX identifier.
    pub id: String,
    /// Version key; `None` for all versions.
    pub version: Option<String>,
    /// `None` for everywhere.
    pub collection: Option<CollectionKey>,
    /// Only records with one of these label sets (what the caller may see); `None` for any.
    pub scope: Option<super::Scope>,
    /// Kept in the log entry's content.
    pub reason: String,
    /// The principal.
    pub by: String,
    /// Bytes and salt go now, even if other collections hold the record.
    pub erase: bool,
    /// Salt of the deletion's own entries (one per record, derived from it).
    pub salt: [u8; 32],
}

/// Give a record another label set.
#[derive(Clone, Debug)]
pub struct Relabel {
    /// Which record.
    pub seq: Seq,
    /// Canonical JSON of the new label set.
    pub label_set: String,
    /// Why.
    pub reason: String,
    /// The principal.
    pub by: String,
    /// Salt of the entry.
    pub salt: [u8; 32],
}

/// Records handed to another party; one entry per page.
#[derive(Clone, Debug)]
pub struct Disclose {
    /// The party they went to.
    pub reader_party: String,
    /// The principal who read them.
    pub principal: String,
    /// Which records.
    pub records: Vec<Seq>,
    /// Salt of the entry. Its content is made here: party, principal and the leaf indexes as runs.
    pub salt: [u8; 32],
}

/// Something was refused; nothing is refused silently.
#[derive(Clone, Debug)]
pub struct Refuse {
    /// Code of the refusal.
    pub event: Event,
    /// JSON: what was offered (id, version, collection), never its contents.
    pub what: String,
    /// Who offered it.
    pub who: String,
    /// Why it was refused, in words for the sender.
    pub reason: String,
    /// SHA-256 of the canonical form of what was offered, or of `what`.
    pub content_sha256: Hash,
    /// Salt of the entry.
    pub salt: [u8; 32],
}

/// An administrative change and who made it.
#[derive(Clone, Debug)]
pub struct Administer {
    /// What changes.
    pub change: Admin,
    /// The principal.
    pub by: String,
    /// Salt of the entry. Its content is the change as JSON, secrets left out.
    pub salt: [u8; 32],
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Of a [`Put`].
    Put(Stored),
    /// Of a [`Delete`]; zero records if nothing matched.
    Deleted {
        /// Records that left the collection (or the register).
        records: Vec<Seq>,
        /// Entry of each.
        entries: Vec<u64>,
    },
    /// One entry was written: relabel, disclosure, refusal.
    Logged {
        /// Index of the entry.
        entry_index: u64,
    },
    /// Of an [`Administer`].
    Administered {
        /// Index of the entry.
        entry_index: u64,
        /// Key of a collection that was made or changed.
        collection: Option<CollectionKey>,
    },
    /// Of a [`Progress`].
    Progressed,
    /// The caller's fault; the rest of the batch stands.
    Rejected(Fault),
}

/// What became of a [`Put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// First version of this object here.
    New {
        /// The record.
        seq: Seq,
        /// Its log entry.
        entry_index: u64,
        /// Leaf hash of that entry.
        leaf: Hash,
        /// `added` in its first collection.
        added: Option<i64>,
    },
    /// Another version of an object already here.
    NewVersion {
        /// The record.
        seq: Seq,
        /// Its log entry.
        entry_index: u64,
        /// Leaf hash of that entry.
        leaf: Hash,
        /// `added` in its first collection.
        added: Option<i64>,
    },
    /// Same id, version and content: nothing changed, except perhaps new memberships.
    Known {
        /// The record.
        seq: Seq,
        /// The entry of its first acceptance, or the one that notes this delivery ([`Terms::noted`]).
        entry_index: u64,
        /// How many collections it was added to now. If any, that is one more log entry.
        added_to: u32,
        /// The label set given now is another than the one kept. The one kept stands; see [`Relabel`].
        label_differs: bool,
        /// It came under the label set given now, by [`Terms::relabel`].
        relabelled: bool,
    },
    /// Same id and version, other content: refused, both hashes kept.
    Conflict {
        /// Content hash of the record here.
        existing: Hash,
        /// The record here.
        seq: Seq,
        /// Entry of the refusal.
        entry_index: u64,
    },
    /// A later version of a revoked object: refused (STIX 3.6).
    AfterRevoked {
        /// The record that revoked it.
        seq: Seq,
        /// Entry of the refusal.
        entry_index: u64,
    },
}

/// An operation that could not be done through the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No such collection.
    #[error("no collection with key {}", .0.0)]
    UnknownCollection(CollectionKey),
    /// No such record.
    #[error("no record {}", .0.0)]
    UnknownRecord(Seq),
    /// Between the decision and the write, another origin's record came in its way; see [`Terms::seen`].
    #[error("another delivery of the same object came in at the same moment: send it again")]
    Overtaken,
    /// No such principal, token, peer...
    #[error("no {what} `{key}`")]
    Unknown {
        /// Kind of row.
        what: &'static str,
        /// What was asked for.
        key: String,
    },
    /// Another row has this key already.
    #[error("{what} `{key}` is taken")]
    Taken {
        /// Kind of row.
        what: &'static str,
        /// What was asked for.
        key: String,
    },
    /// A value outside its limits.
    #[error("{what} is not acceptable: {why}")]
    Invalid {
        /// Which field.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// A committed batch.
#[derive(Clone, Debug)]
pub struct Appended {
    /// One per operation, in order.
    pub outcomes: Vec<Outcome>,
    /// The head that covers them.
    pub head: Head,
}
