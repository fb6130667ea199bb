//! What is here under an identifier: read for many at once, without bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::{Store, walk::object_key};
use crate::{Erased, Kept, KeptObject, KeptVersion, LabelSetId, ReadError, Seq};

const VERSION: &str =
    "SELECT seq, version_key, content_sha256, label_set, origin, entry_index FROM record";

impl Store {
    /// For each (identifier, version key) what the register holds, whatever its label: for the node's own decisions, never
    /// for an answer.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn kept(&self, versions: &[(&str, &str)]) -> Result<Vec<Kept>, ReadError> {
        self.snapshot(|connection| {
            let mut objects: HashMap<i64, Arc<KeptObject>> = HashMap::new();
            let mut all = Vec::with_capacity(versions.len());
            for (id, version_key) in versions {
                let Some(key) = object_key(connection, id)? else {
                    all.push(Kept::default());
                    continue;
                };
                // many versions of one object in one delivery share what is the same for all
                let object = match objects.get(&key) {
                    Some(object) => Arc::clone(object),
                    None => {
                        let object = Arc::new(object(connection, key)?);
                        objects.insert(key, Arc::clone(&object));
                        object
                    }
                };
                all.push(Kept {
                    exact: one(
                        connection,
                        "WHERE object = ?1 AND version_key = ?2",
                        params![key, version_key],
                    )?,
                    last: one(
                        connection,
                        "WHERE object = ?1 ORDER BY version_key DESC LIMIT 1",
                        params![key],
                    )?,
                    revoked: revoked(connection, key, version_key)?,
                    object,
                });
            }
            Ok(all)
        })
    }

    /// The entry in which it was noted that `origin` gave a record we had from elsewhere; see [`crate::Terms::noted`].
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn given_again(&self, seq: Seq, origin: &str) -> Result<Option<u64>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT f.idx FROM refused_version f JOIN record r ON r.seq = f.seq
                     WHERE f.seq = ?1 AND f.origin = ?2 AND f.content_sha256 = r.content_sha256",
                )?
                .query_row(params![seq.0, origin], |row| row.get(0))
                .optional()?)
        })
    }
}

fn one(
    connection: &Connection,
    clause: &str,
    values: impl Params,
) -> Result<Option<KeptVersion>, ReadError> {
    Ok(connection
        .prepare_cached(&format!("{VERSION} {clause}"))?
        .query_row(values, version)
        .optional()?)
}

fn revoked(
    connection: &Connection,
    object: i64,
    version_key: &str,
) -> Result<Vec<KeptVersion>, ReadError> {
    let sql = format!("{VERSION} WHERE object = ?1 AND revoked = 1 AND version_key < ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![object, version_key], version)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn object(connection: &Connection, key: i64) -> Result<KeptObject, ReadError> {
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT label_set, origin FROM record WHERE object = ?1")?;
    let rows = statement.query_map([key], |row| Ok((LabelSetId(row.get(0)?), row.get(1)?)))?;
    let given: BTreeSet<(LabelSetId, String)> = rows.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT t.version_key, t.content_sha256, t.deleted_by, json_extract(d.content, '$.origin')
         FROM tombstone t LEFT JOIN entry_detail d ON d.idx = t.deletion_index WHERE t.object = ?1",
    )?;
    let mut rows = statement.query([key])?;
    let mut erased: BTreeMap<String, Vec<Erased>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        erased.entry(row.get(0)?).or_default().push(Erased {
            content_sha256: row.get(1)?,
            by: row.get(2)?,
            origin: row.get(3)?,
        });
    }
    Ok(KeptObject { given, erased })
}

fn version(row: &Row<'_>) -> Result<KeptVersion, rusqlite::Error> {
    Ok(KeptVersion {
        seq: Seq(row.get(0)?),
        version_key: row.get(1)?,
        content_sha256: row.get(2)?,
        label_set: LabelSetId(row.get(3)?),
        origin: row.get(4)?,
        entry_index: row.get(5)?,
    })
}
