//! What every operation of a batch works with: the open transaction, the numbers it hands out, the leaves it collects.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
};

use comity_ledger::{
    entry::{Entry, Event, LINK_NONE, commitment},
    salt::LabelOpening,
    tree::leaf_hash,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{BoxError, EntryKind, Hash};

/// Why a batch is given up. What is the caller's fault is a [`crate::Fault`] instead.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Sign(BoxError),
    #[error("{0}")]
    Damaged(String),
}

/// What the writer remembers of the database between batches. Thrown away whenever a batch fails.
#[derive(Default)]
pub(super) struct Interned {
    pub(super) label_sets: HashMap<String, i64>,
    pub(super) collections: HashSet<i64>,
    /// Read when first met.
    circumstances: HashMap<String, i64>,
    /// By type, then (collection, label set, class).
    pub(super) shelves: HashMap<String, HashMap<(i64, i64, i64), i64>>,
    shelf_next: i64,
}

impl Interned {
    pub(super) fn load(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let mut interned = Self::default();
        let mut statement = connection.prepare("SELECT id, text FROM label_set")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            interned.label_sets.insert(row.get(1)?, row.get(0)?);
        }
        interned.reload_collections(connection)?;
        let mut statement =
            connection.prepare("SELECT id, collection, type, label_set, class FROM shelf")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            interned.shelf_next = interned.shelf_next.max(id);
            interned
                .shelves
                .entry(row.get(2)?)
                .or_default()
                .insert((row.get(1)?, row.get(3)?, row.get(4)?), id);
        }
        Ok(interned)
    }

    pub(super) fn reload_collections(
        &mut self,
        connection: &Connection,
    ) -> Result<(), rusqlite::Error> {
        let mut statement = connection.prepare_cached("SELECT key FROM collection")?;
        self.collections = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(())
    }
}

pub(super) struct Tx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) interned: &'a mut Interned,
    pub(super) now: i64,
    /// Entries before this batch.
    pub(super) size: u64,
    pub(super) added_last: i64,
    pub(super) seq_next: i64,
    pub(super) leaves: Vec<Hash>,
    pub(super) shelves_changed: bool,
    pub(super) admin_changed: bool,
    pub(super) members_delta: BTreeMap<i64, i64>,
    pub(super) records_delta: BTreeMap<i64, i64>,
}

/// An entry that was written.
pub(super) struct Logged {
    pub(super) index: u64,
    pub(super) leaf: Hash,
}

impl Tx<'_> {
    /// The next `added`: above every one before, whatever the clock does.
    pub(super) fn next_added(&mut self) -> i64 {
        self.added_last = self.now.max(self.added_last.saturating_add(1));
        self.added_last
    }

    /// Writes one log entry.
    pub(super) fn log(
        &mut self,
        kind: EntryKind,
        seq: Option<i64>,
        event: Event,
        commitment: Hash,
        link: Hash,
    ) -> Result<Logged, Failure> {
        let entry = Entry {
            event,
            time_micros: u64::try_from(self.now).unwrap_or(0),
            commitment,
            link,
        };
        let bytes = entry
            .encode()
            .map_err(|error| Failure::Damaged(error.to_string()))?;
        let index = self.size.saturating_add(self.leaves.len() as u64);
        let leaf = leaf_hash(&bytes);
        self.connection
            .prepare_cached("INSERT INTO entry (idx, kind, seq, bytes) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![to_i64(index)?, kind_code(kind), seq, bytes])?;
        self.leaves.push(leaf);
        Ok(Logged { index, leaf })
    }

    /// The first entry of a register from before salts committed to labels: says that from here on they do. Without it, whoever
    /// can write the file could say so of any entry and take its label away.
    pub(super) fn seal_from(&mut self, index: u64, root: &Hash) -> Result<(), Failure> {
        let content = json!({
            "what": "administration", "by": "comity", "change": { "sealed_from": index },
        });
        // nothing in it is to be hidden
        let kind = EntryKind::Administration;
        self.log_detail(kind, None, Event::Administration, &content, root, LINK_NONE)?;
        Ok(())
    }

    /// Keeps what opens the salt of an entry.
    pub(super) fn keep_seed(
        &self,
        index: u64,
        seed: &[u8; 32],
        circumstances: Option<i64>,
    ) -> Result<(), Failure> {
        self.connection
            .prepare_cached("INSERT INTO seed (idx, seed, circumstances) VALUES (?1, ?2, ?3)")?
            .execute(params![to_i64(index)?, seed, circumstances])?;
        Ok(())
    }

    /// Number of a text of circumstances.
    pub(super) fn circumstances(&mut self, text: &str) -> Result<i64, Failure> {
        if let Some(id) = self.interned.circumstances.get(text) {
            return Ok(*id);
        }
        let known: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM circumstances WHERE text = ?1")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                self.connection
                    .prepare_cached("INSERT INTO circumstances (text) VALUES (?1)")?
                    .execute([text])?;
                self.connection.last_insert_rowid()
            }
        };
        self.interned.circumstances.insert(text.to_owned(), id);
        Ok(id)
    }

    /// Writes one log entry whose content is kept beside it, as text.
    pub(super) fn log_detail(
        &mut self,
        kind: EntryKind,
        seq: Option<i64>,
        event: Event,
        content: &Value,
        salt: &[u8; 32],
        link: Hash,
    ) -> Result<Logged, Failure> {
        let text = canonical_text(content);
        let digest: Hash = Sha256::digest(text.as_bytes()).into();
        self.log_with(kind, seq, event, &text, digest, salt, link)
    }

    /// A refusal or an answer: its entry commits to the digest of what was offered; its salt, made from `seed`, to the text that
    /// says who offered it and what became of it. Gives that salt too: who gets a receipt gets it.
    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    pub(super) fn log_sealed(
        &mut self,
        kind: EntryKind,
        seq: Option<i64>,
        event: Event,
        content: &Value,
        offered_sha256: Hash,
        seed: &[u8; 32],
        link: Hash,
    ) -> Result<(Logged, [u8; 32]), Failure> {
        let text = canonical_text(content);
        let salt = LabelOpening::new(seed, "").salt(&text);
        let logged = self.log_with(kind, seq, event, &text, offered_sha256, &salt, link)?;
        self.keep_seed(logged.index, seed, None)?;
        Ok((logged, salt))
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    pub(super) fn log_with(
        &mut self,
        kind: EntryKind,
        seq: Option<i64>,
        event: Event,
        text: &str,
        content_sha256: Hash,
        salt: &[u8; 32],
        link: Hash,
    ) -> Result<Logged, Failure> {
        let logged = self.log(kind, seq, event, commitment(salt, &content_sha256), link)?;
        self.connection
            .prepare_cached(
                "INSERT INTO entry_detail (idx, content, content_sha256, salt) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![to_i64(logged.index)?, text, content_sha256, salt])?;
        Ok(logged)
    }

    /// Leaf hash of an entry.
    pub(super) fn leaf(&self, index: i64) -> Result<Hash, Failure> {
        let bytes: Vec<u8> = self
            .connection
            .prepare_cached("SELECT bytes FROM entry WHERE idx = ?1")?
            .query_row([index], |row| row.get(0))?;
        Ok(leaf_hash(&bytes))
    }

    pub(super) fn label_set(&mut self, text: &str) -> Result<i64, Failure> {
        if let Some(id) = self.interned.label_sets.get(text) {
            return Ok(*id);
        }
        self.connection
            .prepare_cached("INSERT INTO label_set (text, records) VALUES (?1, 0)")?
            .execute([text])?;
        let id = self.connection.last_insert_rowid();
        self.interned.label_sets.insert(text.to_owned(), id);
        self.shelves_changed = true;
        Ok(id)
    }

    pub(super) fn shelf(
        &mut self,
        collection: i64,
        object_type: &str,
        label_set: i64,
        class: i64,
    ) -> Result<i64, Failure> {
        let key = (collection, label_set, class);
        if let Some(id) = self
            .interned
            .shelves
            .get(object_type)
            .and_then(|keys| keys.get(&key))
        {
            return Ok(*id);
        }
        self.interned.shelf_next += 1;
        let id = self.interned.shelf_next;
        self.connection
            .prepare_cached(
                "INSERT INTO shelf (id, collection, type, label_set, class, members) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            )?
            .execute(params![id, collection, object_type, label_set, class])?;
        self.interned
            .shelves
            .entry(object_type.to_owned())
            .or_default()
            .insert(key, id);
        self.shelves_changed = true;
        Ok(id)
    }

    /// Number of a STIX identifier, and whether it is new here.
    pub(super) fn object(&self, id: &str) -> Result<(i64, bool), Failure> {
        match self.known_object(id)? {
            Some(key) => Ok((key, false)),
            None => {
                self.connection
                    .prepare_cached("INSERT INTO object (id) VALUES (?1)")?
                    .execute([id])?;
                Ok((self.connection.last_insert_rowid(), true))
            }
        }
    }

    pub(super) fn known_object(&self, id: &str) -> Result<Option<i64>, Failure> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT key FROM object WHERE id = ?1")?;
        Ok(statement.query_row([id], |row| row.get(0)).optional()?)
    }

    /// Brings the kept counts up to date.
    pub(super) fn write_counts(&mut self) -> Result<(), Failure> {
        let mut shelf = self
            .connection
            .prepare_cached("UPDATE shelf SET members = members + ?2 WHERE id = ?1")?;
        for (id, delta) in self.members_delta.iter().filter(|(_, delta)| **delta != 0) {
            shelf.execute([id, delta])?;
        }
        let mut label_set = self
            .connection
            .prepare_cached("UPDATE label_set SET records = records + ?2 WHERE id = ?1")?;
        for (id, delta) in self.records_delta.iter().filter(|(_, delta)| **delta != 0) {
            label_set.execute([id, delta])?;
        }
        Ok(())
    }
}

pub(super) fn to_i64(number: u64) -> Result<i64, Failure> {
    i64::try_from(number).map_err(|_| Failure::Damaged(format!("{number} is out of range")))
}

pub(super) fn kind_code(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Record => 0,
        EntryKind::Membership => 1,
        EntryKind::Deletion => 2,
        EntryKind::Relabel => 3,
        EntryKind::Disclosure => 4,
        EntryKind::Administration => 5,
        EntryKind::Refusal => 6,
        EntryKind::Answer => 7,
        EntryKind::PeerHead => 8,
        EntryKind::Expiry => 9,
        EntryKind::Alarm => 10,
    }
}

pub(super) fn kind_of(code: i64) -> Option<EntryKind> {
    Some(match code {
        0 => EntryKind::Record,
        1 => EntryKind::Membership,
        2 => EntryKind::Deletion,
        3 => EntryKind::Relabel,
        4 => EntryKind::Disclosure,
        5 => EntryKind::Administration,
        6 => EntryKind::Refusal,
        7 => EntryKind::Answer,
        8 => EntryKind::PeerHead,
        9 => EntryKind::Expiry,
        10 => EntryKind::Alarm,
        _ => return None,
    })
}

/// JSON with sorted keys, whatever features `serde_json` is built with: equal content gives equal text.
pub(super) fn canonical_text(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let parts: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| {
                    format!("{}:{}", Value::String(key.clone()), canonical_text(value))
                })
                .collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(canonical_text).collect();
            format!("[{}]", parts.join(","))
        }
        other => other.to_string(),
    }
}
