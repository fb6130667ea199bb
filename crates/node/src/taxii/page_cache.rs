//! Pages that were given before, as the bytes that leave. A page changes only when records do, so it is kept under the state
//! of the register it was read at. Many slow readers of one page share its memory.
//!
//! What a reader may see is part of the key: a page never reaches another scope. Bounded in octets, emptied when idle.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use comity_store::{CollectionKey, EntryKind, Scope, Store};

use super::page::Released;
use crate::http::encoding::Coding;

/// All kept pages together, octets.
const OCTETS_MAX: usize = 44 << 20;
/// Pages untouched for this long are let go, so that an idle node is small.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);

/// What a page depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which collection.
    pub collection: CollectionKey,
    /// What the caller may see.
    pub scope: Scope,
    /// Digest of the match fields.
    pub filter: [u8; 32],
    /// Where it begins.
    pub start: Option<i64>,
    /// Rows at most.
    pub limit: usize,
    /// Whether the reader belongs to another party (then disclosures are noted).
    pub foreign: bool,
    /// Whether the reader learns labels, so that records are in it that keep silent about theirs.
    pub told: bool,
    /// How it is compressed.
    pub coding: Coding,
}

/// A page as it leaves.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Compressed as the key says.
    pub body: Bytes,
    /// Its coding in fact (small ones stay as they are).
    pub coding: Coding,
    /// Date added of its first and last object.
    pub added: Option<(i64, i64)>,
    /// What it hands out.
    pub released: Released,
}

/// The pages.
#[derive(Default)]
pub struct PageCache {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Log size up to which `generation` is right.
    seen: u64,
    /// Changes with every change of records.
    generation: u64,
    pages: HashMap<Key, Entry>,
    octets: usize,
    /// Counts uses, for throwing out what was not used longest.
    uses: u64,
    last_used: Duration,
}

struct Entry {
    kept: Kept,
    generation: u64,
    used: u64,
}

impl PageCache {
    /// The state of the records when the log has `size` entries. Take it before reading a page, give it to [`Self::keep`].
    ///
    /// Disclosures, refusals and administration grow the log without changing records; they leave it as it is.
    #[must_use]
    pub fn generation(&self, store: &Store, size: u64) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if size != inner.seen {
            let grown = usize::try_from(size.saturating_sub(inner.seen)).unwrap_or(usize::MAX);
            let quiet = size > inner.seen
                && inner.seen > 0
                && grown <= GROWTH_READ_MAX
                && unchanged(store, inner.seen, grown);
            inner.seen = size;
            if !quiet {
                inner.generation += 1;
                inner.pages.clear();
                inner.octets = 0;
            }
        }
        inner.generation
    }

    /// A page kept at `generation`.
    #[must_use]
    pub fn get(&self, key: &Key, generation: u64, now: Duration) -> Option<Kept> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.uses += 1;
        inner.last_used = now;
        let uses = inner.uses;
        let entry = inner
            .pages
            .get_mut(key)
            .filter(|entry| entry.generation == generation)?;
        entry.used = uses;
        Some(entry.kept.clone())
    }

    /// Keeps a page that was read while the records were at `generation`.
    pub fn keep(&self, key: Key, generation: u64, kept: Kept) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let size = weight(&kept);
        if inner.generation != generation || size > OCTETS_MAX / 4 {
            return;
        }
        while inner.octets + size > OCTETS_MAX {
            let Some(oldest) = inner
                .pages
                .iter()
                .min_by_key(|(_, entry)| entry.used)
                .map(|(key, _)| key.clone())
            else {
                break;
            };
            if let Some(gone) = inner.pages.remove(&oldest) {
                inner.octets = inner.octets.saturating_sub(weight(&gone.kept));
            }
        }
        inner.uses += 1;
        let used = inner.uses;
        inner.octets += size;
        if let Some(replaced) = inner.pages.insert(
            key,
            Entry {
                kept,
                generation,
                used,
            },
        ) {
            inner.octets = inner.octets.saturating_sub(weight(&replaced.kept));
        }
    }

    /// Lets all pages go when none was asked for lately.
    pub fn forget_idle(&self, now: Duration) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(inner.last_used) >= IDLE_TIME_MAX {
            inner.pages = HashMap::new();
            inner.octets = 0;
        }
    }
}

/// What a page counts for: its octets, what it hands out, and its key.
fn weight(kept: &Kept) -> usize {
    kept.body.len() + kept.released.len() * 16 + 512
}

/// Entries looked through to see whether records changed; more than that and they are taken to have.
const GROWTH_READ_MAX: usize = 256;

fn unchanged(store: &Store, from: u64, count: usize) -> bool {
    let quiet = |kind: &EntryKind| {
        matches!(
            kind,
            EntryKind::Disclosure
                | EntryKind::Refusal
                | EntryKind::Administration
                | EntryKind::Alarm
        )
    };
    store.changes(from, count).is_ok_and(|changes| {
        changes.len() == count && changes.iter().all(|change| quiet(&change.kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use comity_store::LabelSetId;

    fn key(start: i64, scope: i64) -> Key {
        Key {
            collection: CollectionKey(1),
            scope: Scope::new(vec![LabelSetId(scope)]),
            filter: [0; 32],
            start: Some(start),
            limit: 10,
            foreign: false,
            told: true,
            coding: Coding::Identity,
        }
    }

    fn kept(size: usize) -> Kept {
        Kept {
            body: vec![b'x'; size].into(),
            coding: Coding::Identity,
            added: Some((1, 2)),
            released: [].into(),
        }
    }

    #[test]
    fn a_page_belongs_to_one_scope_and_one_state() {
        let cache = PageCache::default();
        cache.keep(key(1, 1), 0, kept(10));
        assert!(cache.get(&key(1, 1), 0, Duration::ZERO).is_some());
        assert!(cache.get(&key(1, 2), 0, Duration::ZERO).is_none());
        assert!(cache.get(&key(1, 1), 1, Duration::ZERO).is_none());
        cache.keep(key(2, 1), 7, kept(10));
        assert!(
            cache.get(&key(2, 1), 7, Duration::ZERO).is_none(),
            "read before a change, kept after it"
        );
    }

    #[test]
    fn it_stays_within_its_bound_and_empties() {
        let cache = PageCache::default();
        for start in 0..100 {
            cache.keep(key(start, 1), 0, kept(1 << 20));
        }
        assert!(cache.inner.lock().unwrap().octets <= OCTETS_MAX);
        assert!(cache.get(&key(99, 1), 0, Duration::ZERO).is_some());
        assert!(cache.get(&key(0, 1), 0, Duration::ZERO).is_none());
        cache.forget_idle(IDLE_TIME_MAX);
        assert_eq!(cache.inner.lock().unwrap().octets, 0);
    }
}
