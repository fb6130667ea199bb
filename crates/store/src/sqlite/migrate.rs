//! Numbered migrations. A database says which it has seen and with which text; this program knows a list.

use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use crate::{Hash, OpenError};

/// Every version this program can come from, in order; the last is the current one. Texts never change once released:
/// a database remembers their hash.
pub(super) const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("sql/v1.sql")),
    (5, include_str!("sql/v5.sql")),
];

/// Brings the database to the current version, one transaction per step.
pub(super) fn forward(connection: &Connection, now_micros: i64) -> Result<(), OpenError> {
    let found = version(connection)?;
    check(connection, found)?;
    for (number, text) in MIGRATIONS.iter().filter(|(number, _)| *number > found) {
        let _span =
            tracing::info_span!("tx", name = "register.migrate", version = number).entered();
        let tx = connection.unchecked_transaction()?;
        tx.execute_batch(text)?;
        tx.execute(
            "INSERT INTO migration (version, sha256, applied) VALUES (?1, ?2, ?3)",
            params![number, hash(text), now_micros],
        )?;
        tx.pragma_update(None, "user_version", number)?;
        tx.commit()?;
    }
    Ok(())
}

/// For those who only read: nothing is changed, so the version must fit already.
pub(super) fn require_current(connection: &Connection) -> Result<(), OpenError> {
    let found = version(connection)?;
    check(connection, found)?;
    if found == current() {
        Ok(())
    } else {
        Err(OpenError::Damaged(format!(
            "it has schema version {found}, older than {}; start the node once to migrate it",
            current()
        )))
    }
}

pub(super) fn current() -> i64 {
    MIGRATIONS.last().map_or(0, |(number, _)| *number)
}

fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn check(connection: &Connection, found: i64) -> Result<(), OpenError> {
    if found > current() {
        return Err(OpenError::Newer {
            found,
            known: current(),
        });
    }
    for (number, text) in MIGRATIONS.iter().filter(|(number, _)| *number <= found) {
        let applied: Option<Hash> = connection
            .query_row(
                "SELECT sha256 FROM migration WHERE version = ?1",
                [number],
                |row| row.get(0),
            )
            .optional()?;
        if applied != Some(hash(text)) {
            return Err(OpenError::MigrationChanged { version: *number });
        }
    }
    Ok(())
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}
