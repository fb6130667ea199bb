//! Exhibits and their custody, as rows and as changes.

use serde::Serialize;

use super::{Hash, Put};

/// An exhibit this node has or had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExhibitRow {
    /// `comity-exhibit--...`
    pub id: String,
    /// What people call it; unique among those of its origin.
    pub number: String,
    /// The party that gave it its number.
    pub origin: String,
    /// What it is.
    pub title: String,
    /// Number of items.
    pub items: u64,
    /// Octets of all items.
    pub size: u64,
    /// The list of items, an object of the vault.
    pub items_sha256: Hash,
    /// When it was sealed or received here, microseconds.
    pub taken_in: i64,
    /// Hash of its last custody event.
    pub last: Hash,
    /// Not to be destroyed before, microseconds.
    pub retention_until: Option<i64>,
    /// Why it must not be destroyed at all.
    pub hold: Option<String>,
    /// What it may be used for.
    pub use_limits: Option<String>,
    /// When its contents were destroyed here, microseconds.
    pub destroyed: Option<i64>,
}

/// One custody event of an exhibit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyRow {
    /// Hash of the event.
    pub hash: Hash,
    /// Kind of event.
    pub kind: String,
    /// Identifier of the record that carries it.
    pub record: String,
    /// The line of `custody.jsonl`, with its line feed.
    pub line: String,
}

/// A public key of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonKey {
    /// The key, as a C2SP vkey.
    pub vkey: String,
    /// Whose.
    pub principal: String,
    /// Since when, microseconds.
    pub added: i64,
    /// Until when, microseconds.
    pub retired: Option<i64>,
}

/// A change of evidence: its records and its rows, together or not at all.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The records that go with it.
    pub records: Vec<Put>,
    /// What changes.
    pub change: EvidenceChange,
}

/// What changes.
#[derive(Clone, Debug)]
pub enum EvidenceChange {
    /// An exhibit is here now: sealed, or received.
    TakeIn {
        /// The exhibit. `last`, `taken_in` and `destroyed` are the store's.
        exhibit: Box<ExhibitRow>,
        /// Its items' objects and their sizes, in order.
        objects: Vec<(Hash, u64)>,
        /// Octets of the list of items.
        list_size: u64,
        /// Its custody so far, in order; at least one.
        custody: Vec<CustodyRow>,
    },
    /// More happened to it.
    Continue {
        /// Which exhibit.
        exhibit: String,
        /// Hash of the last event the caller saw: compared and swapped, so that two who act at once do not fork the chain.
        after: Hash,
        /// What happened, in order; at least one.
        custody: Vec<CustodyRow>,
        /// The last event before these with more signatures on it: a hand-over that is answered.
        countersigned: Option<CustodyRow>,
        /// The contents go: objects no other exhibit has are doomed.
        destroy: bool,
    },
    /// How long it is kept, and what it may be used for.
    Keep {
        /// Which exhibit.
        exhibit: String,
        /// Not to be destroyed before, microseconds.
        retention_until: Option<i64>,
        /// Why it must not be destroyed.
        hold: Option<String>,
        /// What it may be used for.
        use_limits: Option<String>,
    },
    /// Objects that were doomed are gone.
    Removed(Vec<Hash>),
}
