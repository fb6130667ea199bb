//! Reading exhibits, their custody, and the keys of persons.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Store, log::signed};
use crate::{CustodyRow, ExhibitRow, Hash, PersonKey, ReadError};

const EXHIBIT: &str = "SELECT id, number, origin, title, items, size, items_sha256, taken_in, last, retention_until, hold,
  use_limits, destroyed FROM exhibit";

/// Evidence.
impl Store {
    /// All exhibits, in the order they came.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn exhibits(&self) -> Result<Vec<ExhibitRow>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&format!("{EXHIBIT} ORDER BY key"))?;
            Ok(statement
                .query_map([], exhibit)?
                .collect::<Result<_, _>>()?)
        })
    }

    /// The exhibit with this identifier, or this number; a number two parties have given is nobody's.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn exhibit(&self, id_or_number: &str) -> Result<Option<ExhibitRow>, ReadError> {
        self.with(|connection| {
            let mut statement = connection
                .prepare_cached(&format!("{EXHIBIT} WHERE id = ?1 OR number = ?1 LIMIT 2"))?;
            let mut found: Vec<ExhibitRow> = statement
                .query_map([id_or_number], exhibit)?
                .collect::<Result<_, _>>()?;
            Ok(if found.len() == 1 { found.pop() } else { None })
        })
    }

    /// Custody of an exhibit, in order.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn custody(&self, exhibit: &str) -> Result<Vec<CustodyRow>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT c.hash, c.kind, c.record, c.line FROM custody c JOIN exhibit e ON e.key = c.exhibit
                 WHERE e.id = ?1 ORDER BY c.place",
            )?;
            let rows = statement.query_map([exhibit], |row| {
                Ok(CustodyRow {
                    hash: row.get(0)?,
                    kind: row.get(1)?,
                    record: row.get(2)?,
                    line: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One item of an exhibit: its object and size, if the contents are still here.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn exhibit_item(&self, exhibit: &str, item: u64) -> Result<Option<(Hash, u64)>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT i.sha256, o.size FROM exhibit e JOIN exhibit_item i ON i.exhibit = e.key
                     JOIN vault_object o ON o.sha256 = i.sha256
                     WHERE e.id = ?1 AND i.item = ?2 AND e.destroyed IS NULL",
                )?
                .query_row(params![exhibit, signed(item)], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?)
        })
    }

    /// Numbers of exhibits of `origin` that begin with `prefix`, for giving the next one.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn exhibit_numbers(&self, origin: &str, prefix: &str) -> Result<Vec<String>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT number FROM exhibit WHERE origin = ?1 AND substr(number, 1, length(?2)) = ?2",
            )?;
            Ok(statement
                .query_map([origin, prefix], |row| row.get(0))?
                .collect::<Result<_, _>>()?)
        })
    }

    /// Whether the register knows this object and has not said that it is gone.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn is_vault_object(&self, sha256: &Hash) -> Result<bool, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached("SELECT 1 FROM vault_object WHERE sha256 = ?1 AND state < 2")?
                .exists([sha256])?)
        })
    }

    /// Objects that exhibits have: hash and octets of each.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn vault_objects(&self) -> Result<Vec<(Hash, u64)>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sha256, size FROM vault_object WHERE state = 0 ORDER BY sha256",
            )?;
            Ok(statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?)
        })
    }

    /// Objects whose removal a crash may have cut off.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn doomed_objects(&self) -> Result<Vec<Hash>, ReadError> {
        self.with(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT sha256 FROM vault_object WHERE state = 1")?;
            Ok(statement
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?)
        })
    }

    /// Keys of one person, or of all, the latest last.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn person_keys(&self, principal: Option<&str>) -> Result<Vec<PersonKey>, ReadError> {
        self.with(|connection| {
            let sql = format!(
                "{PERSON_KEY} WHERE ?1 IS NULL OR principal = ?1 ORDER BY principal, added, vkey"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([principal], person_key)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) const PERSON_KEY: &str = "SELECT vkey, principal, added, retired FROM person_key";

pub(super) fn person_key(row: &Row<'_>) -> Result<PersonKey, rusqlite::Error> {
    Ok(PersonKey {
        vkey: row.get(0)?,
        principal: row.get(1)?,
        added: row.get(2)?,
        retired: row.get(3)?,
    })
}

fn exhibit(row: &Row<'_>) -> Result<ExhibitRow, rusqlite::Error> {
    Ok(ExhibitRow {
        id: row.get(0)?,
        number: row.get(1)?,
        origin: row.get(2)?,
        title: row.get(3)?,
        items: row.get(4)?,
        size: row.get(5)?,
        items_sha256: row.get(6)?,
        taken_in: row.get(7)?,
        last: row.get(8)?,
        retention_until: row.get(9)?,
        hold: row.get(10)?,
        use_limits: row.get(11)?,
        destroyed: row.get(12)?,
    })
}
