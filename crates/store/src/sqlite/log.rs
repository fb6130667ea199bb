//! Reading the log.

use comity_ledger::{
    entry::Entry,
    salt::LabelOpening,
    tree::{TileSource, leaf_hash},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Store, deliveries::limit_i64, tx::kind_of};
use crate::{
    Change, Disclosure, EntryDetail, Hash, Head, LabelSetId, ProofMaterial, ReadError, Scope, Seq,
};

/// Entries given at once at most.
const ENTRIES_MAX: u64 = 65_536;

/// The log.
impl Store {
    /// The tree head.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn head(&self) -> Result<Head, ReadError> {
        self.with(head)
    }

    /// The first `width` hashes of a tile (C2SP tlog-tiles).
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] if the tree does not reach that far.
    pub fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, ReadError> {
        let range = || ReadError::OutOfRange(format!("tile {level}/{index} of width {width}"));
        let number = i64::try_from(index).map_err(|_| range())?;
        self.with(|connection| {
            let hashes: Option<Vec<Hash>> = connection
                .prepare_cached(
                    "SELECT substr(hashes, 1, ?3) FROM tile WHERE level = ?1 AND idx = ?2",
                )?
                .query_row(params![level, number, u32::from(width) * 32], |row| {
                    Ok(row.get_ref(0)?.as_blob()?.as_chunks::<32>().0.to_vec())
                })
                .optional()?;
            hashes
                .filter(|hashes| hashes.len() == usize::from(width))
                .ok_or_else(range)
        })
    }

    /// Encoded entries `from..to`, at most those there are and 65,536.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn entries(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let to = to.min(from.saturating_add(ENTRIES_MAX));
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT bytes FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
            )?;
            let rows = statement.query_map([signed(from), signed(to)], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Leaf hash of an entry.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] if there is no such entry.
    pub fn leaf(&self, entry_index: u64) -> Result<Hash, ReadError> {
        let entries = self.entries(entry_index, entry_index.saturating_add(1))?;
        let entry = entries.first();
        entry
            .map(|bytes| leaf_hash(bytes))
            .ok_or_else(|| ReadError::OutOfRange(format!("entry {entry_index}")))
    }

    /// What a proof for this record is made from.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn proof_material(
        &self,
        id: &str,
        version_key: &str,
        scope: &Scope,
    ) -> Result<Option<ProofMaterial>, ReadError> {
        self.with(|connection| {
            let found = connection
                .prepare_cached(
                    "SELECT r.seq, r.entry_index, e.bytes, r.content_sha256, r.salt, r.label_set, r.granular, l.text, s.seed, c.text
                     FROM object o JOIN record r ON r.object = o.key JOIN entry e ON e.idx = r.entry_index
                       JOIN label_set l ON l.id = r.label_set LEFT JOIN seed s ON s.idx = r.entry_index
                       LEFT JOIN circumstances c ON c.id = s.circumstances
                     WHERE o.id = ?1 AND r.version_key = ?2",
                )?
                .query_row([id, version_key], |row| {
                    let salt = row.get(4)?;
                    let label: String = row.get(7)?;
                    let opening = row
                        .get::<_, Option<[u8; 32]>>(8)?
                        .zip(row.get::<_, Option<String>>(9)?)
                        .map(|(seed, circumstances)| LabelOpening::new(&seed, &circumstances))
                        .filter(|opening| opening.salt(&label) == salt);
                    let material = ProofMaterial {
                        seq: Seq(row.get(0)?),
                        entry_index: row.get(1)?,
                        entry: row.get(2)?,
                        content_sha256: row.get(3)?,
                        salt,
                        granular: row.get(6)?,
                        label: opening.map(|opening| (label, opening)),
                    };
                    Ok((material, LabelSetId(row.get(5)?)))
                })
                .optional()?;
            Ok(found.filter(|(_, label_set)| scope.contains(*label_set)).map(|(material, _)| material))
        })
    }

    /// The content of an entry that is not a record's.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn entry_detail(&self, entry_index: u64) -> Result<Option<EntryDetail>, ReadError> {
        self.with(|connection| {
            let sql = format!("{DETAIL} WHERE e.idx = ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([signed(entry_index)])?;
            rows.next()?.map(detail).transpose()
        })
    }

    /// Refusals, newest first, before entry `before`.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn refusals(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<EntryDetail>, ReadError> {
        self.with(|connection| {
            let sql =
                format!("{DETAIL} WHERE e.kind = 6 AND e.idx < ?1 ORDER BY e.idx DESC LIMIT ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([before.map_or(i64::MAX, signed), limit_i64(limit)])?;
            let mut details = Vec::new();
            while let Some(row) = rows.next()? {
                details.push(detail(row)?);
            }
            Ok(details)
        })
    }

    /// Entries from index `from` on, for followers.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn changes(&self, from: u64, limit: usize) -> Result<Vec<Change>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT e.idx, e.kind, e.bytes, e.seq, r.label_set, r.origin, r.type
                 FROM entry e LEFT JOIN record r ON r.seq = e.seq WHERE e.idx >= ?1 ORDER BY e.idx LIMIT ?2",
            )?;
            let mut rows = statement.query([signed(from), limit_i64(limit)])?;
            let mut changes = Vec::new();
            while let Some(row) = rows.next()? {
                let entry = decode(row, 2)?;
                changes.push(Change {
                    entry_index: row.get(0)?,
                    kind: kind(row, 1)?,
                    event: entry.event,
                    time_micros: signed(entry.time_micros),
                    seq: row.get::<_, Option<i64>>(3)?.map(Seq),
                    label_set: row.get::<_, Option<i64>>(4)?.map(LabelSetId),
                    origin: row.get(5)?,
                    object_type: row.get(6)?,
                });
            }
            Ok(changes)
        })
    }

    /// The next entry a follower wants; 0 if it never ran.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn position(&self, follower: &str) -> Result<u64, ReadError> {
        self.with(|connection| position(connection, follower))
    }

    /// To whom a record was handed out, oldest first; also for a record deleted since.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn disclosures(&self, seq: Seq) -> Result<Vec<Disclosure>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(include_str!("sql/disclosures.sql"))?;
            let mut rows = statement.query([seq.0])?;
            let mut disclosures = Vec::new();
            while let Some(row) = rows.next()? {
                disclosures.push(Disclosure {
                    entry_index: row.get(0)?,
                    party: row.get(1)?,
                    principal: row.get(2)?,
                    time_micros: signed(decode(row, 3)?.time_micros),
                });
            }
            Ok(disclosures)
        })
    }
}

/// Proofs are made straight from the store.
impl TileSource for Store {
    type Error = ReadError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, ReadError> {
        Self::tile(self, level, index, width)
    }
}

const DETAIL: &str = "SELECT e.idx, e.kind, e.bytes, e.seq, d.content, d.content_sha256, d.salt
  FROM entry e JOIN entry_detail d ON d.idx = e.idx";

fn detail(row: &Row<'_>) -> Result<EntryDetail, ReadError> {
    let entry = decode(row, 2)?;
    Ok(EntryDetail {
        entry_index: row.get(0)?,
        kind: kind(row, 1)?,
        event: entry.event,
        time_micros: signed(entry.time_micros),
        seq: row.get::<_, Option<i64>>(3)?.map(Seq),
        content: row.get(4)?,
        content_sha256: row.get(5)?,
        salt: row.get(6)?,
    })
}

pub(super) fn head(connection: &Connection) -> Result<Head, ReadError> {
    Ok(connection
        .prepare_cached("SELECT size, root, note, database_id, origin FROM register WHERE one = 1")?
        .query_row([], |row| {
            Ok(Head {
                size: row.get(0)?,
                root: row.get(1)?,
                note: row.get(2)?,
                database_id: row.get(3)?,
                origin: row.get(4)?,
            })
        })?)
}

pub(super) fn position(connection: &Connection, follower: &str) -> Result<u64, ReadError> {
    let position: Option<u64> = connection
        .prepare_cached("SELECT next_entry FROM position WHERE follower = ?1")?
        .query_row([follower], |row| row.get(0))
        .optional()?;
    Ok(position.unwrap_or(0))
}

fn decode(row: &Row<'_>, column: usize) -> Result<Entry, ReadError> {
    let bytes = row
        .get_ref(column)?
        .as_blob()
        .map_err(rusqlite::Error::from)?;
    Entry::decode(bytes).map_err(|error| ReadError::Damaged(error.to_string()))
}

fn kind(row: &Row<'_>, column: usize) -> Result<crate::EntryKind, ReadError> {
    let code: i64 = row.get(column)?;
    kind_of(code).ok_or_else(|| ReadError::Damaged(format!("entry kind {code}")))
}

/// Indexes and times fit a signed column; beyond them is nothing.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
