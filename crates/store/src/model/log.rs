//! The transparency log as rows.

use comity_ledger::entry::Event;
use serde::{Deserialize, Serialize};

use super::{Hash, LabelSetId, Seq};

/// What a database is, for life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Random; binds every head to this database.
    pub database_id: [u8; 16],
    /// Origin line of checkpoints.
    pub origin: String,
    /// Microseconds.
    pub created_micros: i64,
}

/// The tree head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
    /// The signed checkpoint; empty only for a log without entries.
    pub note: String,
    /// Which database.
    pub database_id: [u8; 16],
    /// Origin line of checkpoints.
    pub origin: String,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A record was taken in.
    Record,
    /// A known record came into more collections.
    Membership,
    /// A record was deleted.
    Deletion,
    /// A record has another label set.
    Relabel,
    /// Records were handed out.
    Disclosure,
    /// Something was refused.
    Refusal,
    /// Administration.
    Administration,
    /// Another party's leaf was answered, apart from the entry the record came in with.
    Answer,
    /// A head of another party's log was acted on.
    PeerHead,
    /// No receipt came in time.
    Expiry,
    /// Something that somebody must look at.
    Alarm,
}

/// One entry, for followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Index of the entry.
    pub entry_index: u64,
    /// What it is about.
    pub kind: EntryKind,
    /// Event code.
    pub event: Event,
    /// Microseconds.
    pub time_micros: i64,
    /// The record, if about one.
    pub seq: Option<Seq>,
    /// Label set of that record; `None` if it was deleted since.
    pub label_set: Option<LabelSetId>,
    /// The party that gave us that record.
    pub origin: Option<String>,
    /// Type of that record.
    pub object_type: Option<String>,
}

/// The content of an entry that is not about a record's own bytes: disclosure, refusal, deletion, administration, answers,
/// expiries, alarms; the text of a checkpoint for a head of another log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDetail {
    /// Index of the entry.
    pub entry_index: u64,
    /// What it is about.
    pub kind: EntryKind,
    /// Event code.
    pub event: Event,
    /// Microseconds.
    pub time_micros: i64,
    /// The record, if about one.
    pub seq: Option<Seq>,
    /// Canonical JSON; the checkpoint's text for [`EntryKind::PeerHead`].
    pub content: String,
    /// What the commitment is over.
    pub content_sha256: Hash,
    /// Salt of the commitment.
    pub salt: [u8; 32],
}

/// What a proof for one record is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofMaterial {
    /// The record.
    pub seq: Seq,
    /// Its entry.
    pub entry_index: u64,
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// SHA-256 of the canonical form.
    pub content_sha256: Hash,
    /// Salt of the commitment. Not for a reader from whom a part of the record is kept: with it, the part could be guessed.
    pub salt: [u8; 32],
    /// Some properties are marked apart.
    pub granular: bool,
}

/// One hand-over of a record to another party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    /// Entry that says so.
    pub entry_index: u64,
    /// The party.
    pub party: String,
    /// The principal.
    pub principal: String,
    /// Microseconds.
    pub time_micros: i64,
}
