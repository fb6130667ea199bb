//! What a batch may ask for, and what comes back per operation.

use comity_ledger::entry::Event;

use super::{
    Admin, Answer, CollectionKey, Consigned, Decide, Evidence, Expire, Hash, Head, LabelSetId,
    NewReceipt, Progress, SeenHead, Seq, Terms, Withdrawal,
};

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
    /// Answer whoever gave us a record: opened, refused.
    Answer(Answer),
    /// Remove or keep what another party asked to remove.
    Decide(Decide),
    /// Note that a head of another party's log was acted on. Stands before what rests on it.
    SeeHead(SeenHead),
    /// Keep another party's receipt.
    Receipt(Box<NewReceipt>),
    /// Note that no receipt came in time.
    Expire(Expire),
    /// Change principals, tokens, collections or peers.
    Admin(Administer),
    /// Exhibits and custody, with the records that carry them.
    Evidence(Box<Evidence>),
    /// Commit to the seal of a package of evidence.
    Package(Package),
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
    /// Random. The salt of the entry is made from it, the label set, and the circumstances (`origin`, `author`, `collections`),
    /// so that the entry proves these too; see [`comity_ledger::salt`]. What hides guessable contents is that salt.
    pub seed: [u8; 32],
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
    /// The sender's leaf, when a receipt is owed for it. INVARIANT: its leaf is `link`.
    pub consigned: Option<Consigned>,
    /// This version asks to remove what came before.
    pub withdrawal: Option<Withdrawal>,
    /// May bring back a version that was deleted here. Without it, the same content of that version is refused.
    pub revive: bool,
    /// On what it was decided, and what it may do to what is here.
    pub terms: Terms,
}

/// Remove records. Leaf hash, content hash and reason stay; bytes, salt and search rows go when no collection holds the
/// record any more, or at once with `erase`. The same version may be put again later with [`Put::revive`]: it becomes a new record
/// with a new leaf, as TAXII clients expect of POST after DELETE.
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
    /// For which of them a receipt is awaited from that party, and until when (microseconds).
    pub awaited: Option<(Vec<Seq>, i64)>,
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
    /// Why it was refused.
    pub reason: String,
    /// What the sender is told instead, where the reason is not for it to know.
    pub told: Option<String>,
    /// SHA-256 of the canonical form of what was offered, or of `what`.
    pub content_sha256: Hash,
    /// The sender's leaf, when a receipt is owed for it.
    pub consigned: Option<Consigned>,
    /// Random. The salt of the entry is made from it and the text of the refusal, so that the entry proves that too.
    pub seed: [u8; 32],
}

/// A package of evidence that leaves: the entry commits to its seal, byte for byte, and the text is kept with the entry.
#[derive(Clone, Debug)]
pub struct Package {
    /// `seal/seal.json`.
    pub seal: String,
    /// Salt of the entry; goes into the package.
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
    /// Of an [`Answer`].
    Answered {
        /// One entry for each sender that had not been told.
        entries: Vec<u64>,
    },
    /// Of a [`NewReceipt`].
    Receipt {
        /// It was not here before.
        fresh: bool,
        /// Its expiry was logged already.
        late: bool,
    },
    /// Of a [`Delete`] or a [`Decide`]; zero records if nothing matched.
    Deleted {
        /// Records that left the collection (or the register).
        records: Vec<Seq>,
        /// Entry of each; of a [`Decide`] also those of the answers.
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
    /// Of an [`Evidence`].
    Evidence {
        /// Entry of each record.
        entries: Vec<u64>,
        /// Objects of the vault that must be removed now.
        doomed: Vec<Hash>,
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
        /// Its label set.
        label_set: LabelSetId,
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
        /// Its label set.
        label_set: LabelSetId,
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
        /// Its label set, which stands.
        label_set: LabelSetId,
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
        /// Its label set.
        label_set: LabelSetId,
        /// Entry of the refusal.
        entry_index: u64,
    },
    /// Another version that changes what no version changes: refused (STIX 3.5, 3.6).
    NotSuccessor {
        /// The version here that it contradicts.
        seq: Seq,
        /// Its label set.
        label_set: LabelSetId,
        /// Entry of the refusal.
        entry_index: u64,
        /// What it changes.
        reason: String,
    },
    /// A later version of a revoked object: refused (STIX 3.6).
    AfterRevoked {
        /// The record that revoked it.
        seq: Seq,
        /// Its label set.
        label_set: LabelSetId,
        /// Entry of the refusal.
        entry_index: u64,
    },
    /// This very content was here under this version and was deleted: refused, see [`Put::revive`].
    Deleted {
        /// The record that was.
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
