//! Which shelves a query may take from: release, `match[type]` and `match[version]` in one choice.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;

use crate::{LabelSetId, PageQuery, ReadError};

/// Reload when this many entries came since, for better guesses. Which shelves there are is always exact.
const STALE_ENTRIES: i64 = 4096;

pub(super) struct Shelf {
    id: i64,
    object_type: String,
    label_set: LabelSetId,
    class: i64,
    /// Members when loaded: only a guess for planning.
    members: i64,
}

pub(super) struct Shelves {
    generation: i64,
    size: i64,
    by_collection: HashMap<i64, Vec<Shelf>>,
}

/// Shared by all readers. INVARIANT: used only for a snapshot of the same generation.
#[derive(Default)]
pub(super) struct Cache(Mutex<Option<Arc<Shelves>>>);

impl Cache {
    /// The shelves as of the snapshot `connection` is in. A shelf missing here would lose rows for good behind a cursor,
    /// so the number that counts their changes is read in the same snapshot.
    pub(super) fn of(&self, connection: &Connection) -> Result<Arc<Shelves>, ReadError> {
        let (generation, size): (i64, i64) = connection
            .prepare_cached("SELECT shelf_generation, size FROM register WHERE one = 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let cached = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(shelves) = cached
            && shelves.generation == generation
            && size - shelves.size < STALE_ENTRIES + shelves.size / 8
        {
            return Ok(shelves);
        }
        let shelves = Arc::new(load(connection, generation, size)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&shelves));
        Ok(shelves)
    }
}

fn load(connection: &Connection, generation: i64, size: i64) -> Result<Shelves, ReadError> {
    let mut by_collection: HashMap<i64, Vec<Shelf>> = HashMap::new();
    let mut statement = connection
        .prepare_cached("SELECT id, collection, type, label_set, class, members FROM shelf")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        by_collection.entry(row.get(1)?).or_default().push(Shelf {
            id: row.get(0)?,
            object_type: row.get(2)?,
            label_set: LabelSetId(row.get(3)?),
            class: row.get(4)?,
            members: row.get(5)?,
        });
    }
    Ok(Shelves {
        generation,
        size,
        by_collection,
    })
}

/// The shelves one query may take from.
pub(super) struct Allowed {
    pub(super) ids: Vec<i64>,
    bits: Vec<u64>,
    /// Members on them, and in the collection at all; guesses.
    pub(super) members: i64,
    pub(super) total: i64,
}

impl Allowed {
    pub(super) fn of(shelves: &Shelves, query: &PageQuery) -> Self {
        let mut allowed = Self {
            ids: Vec::new(),
            bits: Vec::new(),
            members: 0,
            total: 0,
        };
        let version = &query.filter.version;
        let types = &query.filter.types;
        for shelf in shelves
            .by_collection
            .get(&query.collection.0)
            .into_iter()
            .flatten()
        {
            allowed.total += shelf.members;
            let class = if version.all || !version.exact.is_empty() {
                true
            } else {
                let last = version.last || !version.first;
                (last && shelf.class & 1 != 0) || (version.first && shelf.class & 2 != 0)
            };
            if class
                && (types.is_empty() || types.contains(&shelf.object_type))
                && query.scope.contains(shelf.label_set)
            {
                allowed.add(shelf);
            }
        }
        allowed
    }

    fn add(&mut self, shelf: &Shelf) {
        self.ids.push(shelf.id);
        self.members += shelf.members;
        let (word, bit) = place(shelf.id);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= bit;
        }
    }

    pub(super) fn contains(&self, shelf: i64) -> bool {
        let (word, bit) = place(shelf);
        self.bits.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

/// INVARIANT: shelf numbers count up from 1 without gaps worth mention.
fn place(shelf: i64) -> (usize, u64) {
    let number = usize::try_from(shelf).unwrap_or(0);
    (number / 64, 1 << (number % 64))
}
