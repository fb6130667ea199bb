//! Questions and answers about records.

use std::sync::Arc;

use serde::Serialize;

use super::{CollectionKey, Hash, LabelSetId, Seq};

/// What one reader may see. INVARIANT: sorted, without repeats.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    label_sets: Arc<[LabelSetId]>,
}

impl Scope {
    /// Sorts and removes repeats. An empty scope sees nothing.
    #[must_use]
    pub fn new(mut label_sets: Vec<LabelSetId>) -> Self {
        label_sets.sort_unstable();
        label_sets.dedup();
        Self {
            label_sets: label_sets.into(),
        }
    }

    /// The label sets, sorted.
    #[must_use]
    pub fn label_sets(&self) -> &[LabelSetId] {
        &self.label_sets
    }

    /// Whether this scope may see that label set.
    #[must_use]
    pub fn contains(&self, label_set: LabelSetId) -> bool {
        self.label_sets.binary_search(&label_set).is_ok()
    }
}

/// The TAXII match fields (3.4.1). Empty lists match everything; different fields are ANDed, values ORed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `match[id]`.
    pub ids: Vec<String>,
    /// `match[type]`.
    pub types: Vec<String>,
    /// `match[spec_version]`.
    pub spec_versions: Vec<String>,
    /// `match[version]`.
    pub version: VersionFilter,
}

/// `match[version]`. Nothing set means `last`, as TAXII 3.4.1 says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionFilter {
    /// The latest version this scope may read.
    pub last: bool,
    /// The earliest version this scope may read.
    pub first: bool,
    /// Every version.
    pub all: bool,
    /// These version keys.
    pub exact: Vec<String>,
}

impl VersionFilter {
    /// Every version.
    #[must_use]
    pub fn all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }
}

/// One page of a collection.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Which collection.
    pub collection: CollectionKey,
    /// Who asks.
    pub scope: Scope,
    /// What for.
    pub filter: Filter,
    /// Exclusive.
    pub added_after: Option<i64>,
    /// The `last_added` of the page before; exclusive.
    pub cursor: Option<i64>,
    /// Rows at most; at least 1.
    pub limit: usize,
    /// Object bytes at most; the first row comes whatever its size.
    pub bytes_max: usize,
}

impl PageQuery {
    /// The first page with default filters.
    #[must_use]
    pub fn new(collection: CollectionKey, scope: Scope, limit: usize) -> Self {
        Self {
            collection,
            scope,
            filter: Filter::default(),
            added_after: None,
            cursor: None,
            limit,
            bytes_max: usize::MAX,
        }
    }
}

/// One record of a page; borrows from the database's page.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Membership time, microseconds; strictly increasing along a walk.
    pub added: i64,
    /// The record.
    pub seq: Seq,
    /// STIX identifier.
    pub id: &'a str,
    /// Version as written.
    pub version: &'a str,
    /// `2.1`.
    pub spec_version: &'a str,
    /// Its label set.
    pub label_set: LabelSetId,
    /// Some properties are marked apart.
    pub granular: bool,
    /// The object's own text.
    pub bytes: &'a [u8],
}

/// One line of a manifest.
#[derive(Clone, Copy, Debug)]
pub struct ManifestRow<'a> {
    /// Membership time, microseconds.
    pub added: i64,
    /// The record.
    pub seq: Seq,
    /// STIX identifier.
    pub id: &'a str,
    /// Version as written.
    pub version: &'a str,
    /// `2.1`.
    pub spec_version: &'a str,
    /// Its label set.
    pub label_set: LabelSetId,
}

/// How a page ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PageEnd {
    /// More rows match.
    pub more: bool,
    /// `added` of the first row given.
    pub first_added: Option<i64>,
    /// `added` of the last row given: the cursor of the next page.
    pub last_added: Option<i64>,
    /// Rows given.
    pub rows: usize,
}

/// One version of an object in a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionRow {
    /// Membership time, microseconds.
    pub added: i64,
    /// The record.
    pub seq: Seq,
    /// Version as written.
    pub version: String,
    /// Orders as the version does.
    pub version_key: String,
    /// `2.1`.
    pub spec_version: String,
}

/// Which version [`crate::Store::get`] fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The latest this scope may read.
    Last,
    /// The earliest this scope may read.
    First,
    /// This version key.
    Key(String),
}

/// A whole record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The record.
    pub seq: Seq,
    /// STIX identifier.
    pub id: String,
    /// STIX type.
    pub object_type: String,
    /// `2.1`.
    pub spec_version: String,
    /// Orders as the version does.
    pub version_key: String,
    /// Version as written.
    pub version: String,
    /// SHA-256 of the canonical form.
    pub content_sha256: Hash,
    /// Salt of the commitment: goes only to readers of the record.
    pub salt: [u8; 32],
    /// Its label set.
    pub label_set: LabelSetId,
    /// The party that gave it to us.
    pub origin: String,
    /// The principal who published it.
    pub author: Option<String>,
    /// `created_by_ref`.
    pub created_by: Option<String>,
    /// The object says it is revoked.
    pub revoked: bool,
    /// Some properties are marked apart.
    pub granular: bool,
    /// Its log entry.
    pub entry_index: u64,
    /// When it was taken in, microseconds.
    pub received: i64,
    /// The object's own text.
    pub bytes: Vec<u8>,
}

/// What is asked of a record before another version is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The record.
    pub seq: Seq,
    /// Orders as the version does.
    pub version_key: String,
    /// Its label set.
    pub label_set: LabelSetId,
}

/// A record that is no more: what stays of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// The record.
    pub seq: Seq,
    /// STIX identifier.
    pub id: String,
    /// Orders as the version did.
    pub version_key: String,
    /// SHA-256 of the canonical form it had.
    pub content_sha256: Hash,
    /// Entry of its acceptance.
    pub entry_index: u64,
    /// Entry of its deletion.
    pub deletion_index: u64,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When, microseconds.
    pub deleted: i64,
}

/// A search. At least one of `text` and `identifier` is set; both are ANDed.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// Who asks.
    pub scope: Scope,
    /// Words, all of which occur; a word ending in `*` is a prefix; "quoted words" are a phrase.
    pub text: Option<String>,
    /// A whole identifier or its beginning.
    pub identifier: Option<String>,
    /// Only these types; empty for all.
    pub types: Vec<String>,
    /// Only in this collection.
    pub collection: Option<CollectionKey>,
    /// Only records from this party.
    pub origin: Option<String>,
    /// Only the latest version this scope may read of each object.
    pub last_only: bool,
    /// Hits at most.
    pub limit: usize,
    /// The `seq` of the last hit of the page before; hits come newest first.
    pub cursor: Option<Seq>,
}

/// One hit of a search, newest record first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchHit {
    /// The record.
    pub seq: Seq,
    /// STIX identifier.
    pub id: String,
    /// STIX type.
    pub object_type: String,
    /// Version as written.
    pub version: String,
    /// Its label set.
    pub label_set: LabelSetId,
    /// The party that gave it to us.
    pub origin: String,
    /// Some properties are marked apart: redact before showing.
    pub granular: bool,
    /// The object's own text.
    pub bytes: Vec<u8>,
}

/// A reference from one record to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The record that refers.
    pub seq: Seq,
    /// Its identifier.
    pub source: String,
    /// Which property of it.
    pub property: String,
    /// The identifier it refers to.
    pub target: String,
    /// Some properties of the record are marked apart: this one may be among them.
    pub granular: bool,
}
