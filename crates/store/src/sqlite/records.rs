//! Records by name or number, and what belongs to them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Store, walk::object_key};
use crate::{
    CollectionKey, Edge, LabelSetId, Latest, ReadError, Record, Scope, Seq, Tombstone, VersionRow,
    Which,
};

const RECORD: &str = "SELECT seq, id, type, spec_version, version_key, version_text, content_sha256, salt, label_set, origin, author,
  created_by, revoked, granular, entry_index, received, bytes FROM record";

/// Records.
impl Store {
    /// Label sets interned after `after` (`LabelSetId(0)` for all), ascending.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn label_sets(&self, after: LabelSetId) -> Result<Vec<(LabelSetId, String)>, ReadError> {
        self.with(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, text FROM label_set WHERE id > ?1 ORDER BY id")?;
            let rows =
                statement.query_map([after.0], |row| Ok((LabelSetId(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One record anywhere in the register.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn get(&self, id: &str, which: &Which, scope: &Scope) -> Result<Option<Record>, ReadError> {
        let (only, order) = match which {
            Which::Last => (None, "DESC"),
            Which::First => (None, "ASC"),
            Which::Key(key) => (Some(key), "ASC"),
        };
        self.snapshot(|connection| {
            let Some(object) = object_key(connection, id)? else { return Ok(None) };
            // the label set is looked at before the record is: see `record_version` for the order
            let sql = format!(
                "SELECT seq, label_set FROM record WHERE object = ?1 AND (?2 IS NULL OR version_key = ?2) ORDER BY version_key {order}"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![object, only])?;
            while let Some(row) = rows.next()? {
                if scope.contains(LabelSetId(row.get(1)?)) {
                    return fetch(connection, row.get(0)?);
                }
            }
            Ok(None)
        })
    }

    /// The latest version of an object, whatever its label, without its bytes: for the node's own intake.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn latest(&self, id: &str) -> Result<Option<Latest>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT r.seq, r.version_key, r.label_set FROM object o JOIN record r ON r.object = o.key
                     WHERE o.id = ?1 ORDER BY r.version_key DESC LIMIT 1",
                )?
                .query_row([id], |row| {
                    Ok(Latest {
                        seq: Seq(row.get(0)?),
                        version_key: row.get(1)?,
                        label_set: LabelSetId(row.get(2)?),
                    })
                })
                .optional()?)
        })
    }

    /// One record by number, whatever its label: for the node's own followers, who decide release themselves.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn record(&self, seq: Seq) -> Result<Option<Record>, ReadError> {
        self.with(|connection| fetch(connection, seq.0))
    }

    /// Several records by number, in the order asked for; those that are gone are left out.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn records(&self, seqs: &[Seq], each: &mut dyn FnMut(&Record)) -> Result<(), ReadError> {
        self.snapshot(|connection| {
            for seq in seqs {
                if let Some(record) = fetch(connection, seq.0)? {
                    each(&record);
                }
            }
            Ok(())
        })
    }

    /// All versions of one object that this scope may read, in any collection or none, by version. `added` is the time
    /// of acceptance.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn history(&self, id: &str, scope: &Scope) -> Result<Vec<VersionRow>, ReadError> {
        self.snapshot(|connection| {
            let Some(object) = object_key(connection, id)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(
                "SELECT label_set, received, seq, version_text, version_key, spec_version FROM record
                 WHERE object = ?1 ORDER BY version_key",
            )?;
            let mut rows = statement.query([object])?;
            let mut versions = Vec::new();
            while let Some(row) = rows.next()? {
                if scope.contains(LabelSetId(row.get(0)?)) {
                    versions.push(VersionRow {
                        added: row.get(1)?,
                        seq: Seq(row.get(2)?),
                        version: row.get(3)?,
                        version_key: row.get(4)?,
                        spec_version: row.get(5)?,
                    });
                }
            }
            Ok(versions)
        })
    }

    /// Collections a record is a member of, with its `added` there.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn memberships(&self, seq: Seq) -> Result<Vec<(CollectionKey, i64)>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT collection, added FROM member WHERE seq = ?1 ORDER BY collection",
            )?;
            let rows = statement
                .query_map([seq.0], |row| Ok((CollectionKey(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What stays of deleted versions of an object.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn tombstones(&self, id: &str) -> Result<Vec<Tombstone>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT t.seq, o.id, t.version_key, t.content_sha256, t.entry_index, t.deletion_index, t.reason,
                   t.deleted_by, t.deleted
                 FROM object o JOIN tombstone t ON t.object = o.key WHERE o.id = ?1 ORDER BY t.deletion_index",
            )?;
            let rows = statement.query_map([id], |row| {
                Ok(Tombstone {
                    seq: Seq(row.get(0)?),
                    id: row.get(1)?,
                    version_key: row.get(2)?,
                    content_sha256: row.get(3)?,
                    entry_index: row.get(4)?,
                    deletion_index: row.get(5)?,
                    reason: row.get(6)?,
                    by: row.get(7)?,
                    deleted: row.get(8)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Records in this scope that refer to `target`, newest first.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn referrers(
        &self,
        target: &str,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<Edge>, ReadError> {
        self.snapshot(|connection| {
            let Some(object) = object_key(connection, target)? else { return Ok(Vec::new()) };
            let mut statement = connection.prepare_cached(
                "SELECT r.label_set, e.seq, r.id, e.property, r.granular FROM edge e JOIN record r ON r.seq = e.seq
                 WHERE e.target = ?1 ORDER BY e.seq DESC, e.property",
            )?;
            let mut rows = statement.query([object])?;
            let mut edges = Vec::new();
            while let Some(row) = rows.next()? {
                if edges.len() >= limit {
                    break;
                }
                if scope.contains(LabelSetId(row.get(0)?)) {
                    edges.push(Edge {
                        seq: Seq(row.get(1)?),
                        source: row.get(2)?,
                        property: row.get(3)?,
                        target: target.to_owned(),
                        granular: row.get(4)?,
                    });
                }
            }
            Ok(edges)
        })
    }

    /// Records this scope may read: memberships of one collection, or records of the register.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn count(
        &self,
        scope: &Scope,
        collection: Option<CollectionKey>,
    ) -> Result<u64, ReadError> {
        self.with(|connection| {
            let (sql, key) = match collection {
                Some(key) => (
                    "SELECT label_set, members FROM shelf WHERE collection = ?1",
                    key.0,
                ),
                None => ("SELECT id, records FROM label_set WHERE id > ?1", 0),
            };
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![key])?;
            let mut count: u64 = 0;
            while let Some(row) = rows.next()? {
                if scope.contains(LabelSetId(row.get(0)?)) {
                    count = count.saturating_add(row.get(1)?);
                }
            }
            Ok(count)
        })
    }

    /// Bytes of the database file and its write-ahead log.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let wal = self.inner.path.with_extension("db-wal");
        [&self.inner.path, &wal]
            .into_iter()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|metadata| metadata.len())
            .sum()
    }
}

pub(super) fn fetch(connection: &Connection, seq: i64) -> Result<Option<Record>, ReadError> {
    let sql = format!("{RECORD} WHERE seq = ?1");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([seq], record)
        .optional()?)
}

fn record(row: &Row<'_>) -> Result<Record, rusqlite::Error> {
    Ok(Record {
        seq: Seq(row.get(0)?),
        id: row.get(1)?,
        object_type: row.get(2)?,
        spec_version: row.get(3)?,
        version_key: row.get(4)?,
        version: row.get(5)?,
        content_sha256: row.get(6)?,
        salt: row.get(7)?,
        label_set: LabelSetId(row.get(8)?),
        origin: row.get(9)?,
        author: row.get(10)?,
        created_by: row.get(11)?,
        revoked: row.get(12)?,
        granular: row.get(13)?,
        entry_index: row.get(14)?,
        received: row.get(15)?,
        bytes: row.get(16)?,
    })
}
