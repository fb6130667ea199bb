//! Numbered migrations. A database says which it has seen and with which text; this program knows a list.

use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use crate::{Hash, OpenError};

/// Every version this program can come from, in order; the last is the current one. Texts never change once released:
/// a database remembers their hash.
pub(super) const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("sql/v1.sql")),
    (2, include_str!("sql/v2.sql")),
    (3, include_str!("sql/v3.sql")),
    (4, include_str!("sql/v4.sql")),
    (5, include_str!("sql/v5.sql")),
];

/// Brings the database to the current version, one transaction per step.
pub(super) fn forward(connection: &Connection, now_micros: i64) -> Result<(), OpenError> {
    forward_by(MIGRATIONS, connection, now_micros)
}

fn forward_by(
    migrations: &[(i64, &str)],
    connection: &Connection,
    now_micros: i64,
) -> Result<(), OpenError> {
    let found = version(connection)?;
    check(migrations, connection, found)?;
    for (number, text) in migrations.iter().filter(|(number, _)| *number > found) {
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
    check(MIGRATIONS, connection, found)?;
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

fn check(migrations: &[(i64, &str)], connection: &Connection, found: i64) -> Result<(), OpenError> {
    let known = migrations.last().map_or(0, |(number, _)| *number);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for (number, text) in migrations.iter().filter(|(number, _)| *number <= found) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The step after the current one, whatever it will be.
    fn with(next: &str) -> Vec<(i64, &str)> {
        let mut all = MIGRATIONS.to_vec();
        all.push((current() + 1, next));
        all
    }

    fn tables(connection: &Connection, name: &str) -> i64 {
        connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = ?1",
                [name],
                |row| row.get(0),
            )
            .unwrap()
    }

    #[test]
    fn the_next_version_comes_whole_or_not_at_all() {
        let connection = Connection::open_in_memory().unwrap();
        forward(&connection, 1).unwrap();
        let broken = with("CREATE TABLE later (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);");
        for _ in 0..2 {
            assert!(forward_by(&broken, &connection, 2).is_err());
            assert_eq!(version(&connection).unwrap(), current());
            assert_eq!(tables(&connection, "later"), 0, "the half of a step");
        }
        let sound = with("CREATE TABLE later (x INTEGER) STRICT;");
        forward_by(&sound, &connection, 3).unwrap();
        forward_by(&sound, &connection, 4).unwrap();
        assert_eq!(
            (version(&connection).unwrap(), tables(&connection, "later")),
            (current() + 1, 1)
        );
        let applied: i64 = connection
            .query_row("SELECT max(applied) FROM migration", [], |row| row.get(0))
            .unwrap();
        assert_eq!(applied, 3, "once");
        // the program of before does not touch it
        assert!(matches!(
            forward(&connection, 5),
            Err(OpenError::Newer { .. })
        ));
        // nor one that has another text under this number
        let other = with("CREATE TABLE other (x INTEGER) STRICT;");
        assert!(matches!(
            forward_by(&other, &connection, 6),
            Err(OpenError::MigrationChanged { .. })
        ));
    }

    #[test]
    fn every_older_version_comes_to_the_current_one() {
        for (count, (from, _)) in MIGRATIONS.iter().enumerate() {
            let connection = Connection::open_in_memory().unwrap();
            let older = MIGRATIONS.get(..=count).unwrap();
            forward_by(older, &connection, 1).unwrap();
            assert_eq!(version(&connection).unwrap(), *from);
            forward(&connection, 2).unwrap();
            assert_eq!(version(&connection).unwrap(), current());
        }
    }
}
