//! The database of a witness: one file `witness.db` in a directory of its own.
//!
//! Its one promise: the size of a log is compared and the newer checkpoint stored in the same transaction, on disk before
//! [`WitnessDb::judge`] returns. Two requests at once are one after the other, and what was answered is never taken back, also
//! by a process that was killed (C2SP tlog-witness, "the following race can occur").
//!
//! It decides nothing: the caller says what becomes of a checkpoint, inside the transaction.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};
use sha2::{Digest as _, Sha256};

use crate::{Faults, Hash};

/// Name of the database in the witness's directory.
pub const FILE: &str = "witness.db";
const LOCK: &str = "witness.lock";
const VERSION: i64 = 1;
/// Refused checkpoints kept of one log. The first is proof enough; whoever holds the log's key must not fill the disk.
const EVIDENCE_PER_LOG: i64 = 256;

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessDbError {
    /// Nothing there.
    #[error("no witness in `{}`\n  help: `comity witness init --dir DIR` makes one", .0.display())]
    Missing(PathBuf),
    /// Something there.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// Another process serves it.
    #[error("another process serves the witness in `{}`", .0.display())]
    Locked(PathBuf),
    /// Of another program or version.
    #[error(
        "the witness's database has version {0}, this program knows {VERSION}; use a newer program"
    )]
    Version(i64),
    /// A log that is not known here.
    #[error("the witness does not know the log `{0}`")]
    UnknownLog(String),
    /// A number beyond what a row holds.
    #[error("{0} is out of range")]
    Range(u64),
    /// Of the file system.
    #[error("the witness's database: {0}")]
    Io(#[from] std::io::Error),
    /// Of SQLite.
    #[error("the witness's database: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// A log the witness knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessLog {
    /// Its origin line.
    pub origin: String,
    /// Its keys as vkeys, of which one must have signed.
    pub keys: Vec<String>,
    /// When it was added, microseconds.
    pub added: i64,
    /// The newest checkpoint cosigned; `None` if none was yet.
    pub latest: Option<Latest>,
}

/// The newest checkpoint cosigned of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// Entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
    /// The note with the log's signatures and the witness's cosignatures.
    pub note: String,
    /// When it was cosigned, seconds.
    pub cosigned: u64,
}

/// A checkpoint that was refused although the log signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which log.
    pub origin: String,
    /// Entries it claims.
    pub size: u64,
    /// Root it claims.
    pub root: Hash,
    /// Why it was refused.
    pub reason: String,
    /// The note.
    pub note: String,
    /// The note it was compared with; empty if none was cosigned yet.
    pub known: String,
    /// When, microseconds.
    pub received: i64,
}

/// What becomes of a checkpoint that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing changes.
    Nothing,
    /// It is the newest from now on.
    Latest(Latest),
    /// It is kept as evidence.
    Evidence(Evidence),
}

/// A witness's database.
pub struct WitnessDb {
    connection: Mutex<Connection>,
    faults: Option<Faults>,
    /// Locked while this lives, for the one process that serves.
    _lock: Option<File>,
}

impl WitnessDb {
    /// Makes the database in `dir` (which is made if missing).
    ///
    /// # Errors
    /// [`WitnessDbError::Exists`] if there is one.
    pub fn create(dir: &Path) -> Result<(), WitnessDbError> {
        fs::create_dir_all(dir)?;
        let path = dir.join(FILE);
        if path.exists() {
            return Err(WitnessDbError::Exists(path));
        }
        // made under another name first: a crash here leaves no half database behind
        let unfinished = dir.join("witness.db.new");
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let connection = Connection::open(&unfinished)?;
        connection.execute_batch(include_str!("v1.sql"))?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.close().map_err(|(_, error)| error)?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(dir)?.sync_all()?;
        Ok(())
    }

    /// Opens it beside a process that may serve it: to add logs and to look.
    ///
    /// # Errors
    /// [`WitnessDbError::Missing`], [`WitnessDbError::Version`]
    pub fn open(dir: &Path) -> Result<Self, WitnessDbError> {
        Self::connect(dir, None, None)
    }

    /// Opens it for the one process that serves.
    ///
    /// # Errors
    /// As [`Self::open`]; [`WitnessDbError::Locked`] if another process serves it.
    pub fn serve(dir: &Path, faults: Option<Faults>) -> Result<Self, WitnessDbError> {
        if !dir.join(FILE).is_file() {
            return Err(WitnessDbError::Missing(dir.to_owned()));
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Self::connect(dir, Some(lock), faults),
            Err(TryLockError::WouldBlock) => Err(WitnessDbError::Locked(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn connect(
        dir: &Path,
        lock: Option<File>,
        faults: Option<Faults>,
    ) -> Result<Self, WitnessDbError> {
        let path = dir.join(FILE);
        if !path.is_file() {
            return Err(WitnessDbError::Missing(dir.to_owned()));
        }
        let connection = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // INVARIANT: what was answered is on disk ("The witness MUST persist the new checkpoint before responding")
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version != VERSION {
            return Err(WitnessDbError::Version(version));
        }
        Ok(Self {
            connection: Mutex::new(connection),
            faults,
            _lock: lock,
        })
    }

    /// Adds a log, or one more key to a log that is known. False if both were known.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn add_log(&self, origin: &str, vkey: &str, now: i64) -> Result<bool, WitnessDbError> {
        self.write("witness.add-log", |connection| {
            let digest: Hash = Sha256::digest(origin.as_bytes()).into();
            connection.execute(
                "INSERT OR IGNORE INTO log (origin, origin_sha256, added) VALUES (?1, ?2, ?3)",
                params![origin, digest, now],
            )?;
            let added = connection.execute(
                "INSERT OR IGNORE INTO log_key (origin, vkey, added) VALUES (?1, ?2, ?3)",
                params![origin, vkey, now],
            )?;
            Ok(added == 1)
        })
    }

    /// Looks at a checkpoint of `origin` and keeps what `judge` says, in ONE transaction, on disk before this returns.
    /// `judge` gets the log as it is now; no other request comes between.
    ///
    /// Durability: an `Ok` is on disk. Atomicity: the state `judge` saw is the state that is replaced. Retry: after an error
    /// the checkpoint may or may not be kept; asking again is safe, for the same checkpoint is then the latest.
    ///
    /// # Errors
    /// [`WitnessDbError::UnknownLog`]; what SQLite says.
    pub fn judge<T>(
        &self,
        origin: &str,
        judge: impl FnOnce(&WitnessLog) -> (T, Keep),
    ) -> Result<T, WitnessDbError> {
        self.write("witness.judge", |connection| {
            let log = log(connection, origin)?
                .ok_or_else(|| WitnessDbError::UnknownLog(origin.to_owned()))?;
            let (answer, keep) = judge(&log);
            match keep {
                Keep::Nothing => {}
                Keep::Latest(latest) => set_latest(connection, origin, &latest)?,
                Keep::Evidence(evidence) => keep_evidence(connection, &evidence)?,
            }
            Ok(answer)
        })
    }

    /// All logs by origin.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn logs(&self) -> Result<Vec<WitnessLog>, WitnessDbError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT origin FROM log ORDER BY origin")?;
        let origins: Vec<String> = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let logs = origins.iter().map(|origin| log(&connection, origin));
        Ok(logs
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// One log.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn log(&self, origin: &str) -> Result<Option<WitnessLog>, WitnessDbError> {
        log(&self.lock(), origin)
    }

    /// The newest checkpoint of the log with this SHA-256 of its origin.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn latest(&self, origin_sha256: &Hash) -> Result<Option<Latest>, WitnessDbError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT size, root, note, cosigned FROM latest JOIN log USING (origin) WHERE origin_sha256 = ?1",
        )?;
        Ok(statement.query_row([origin_sha256], latest).optional()?)
    }

    /// What was refused although the log signed it, newest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn evidence(&self) -> Result<Vec<Evidence>, WitnessDbError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT origin, size, root, reason, note, known, received FROM evidence ORDER BY id DESC",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Evidence {
                origin: row.get(0)?,
                size: row.get(1)?,
                root: row.get(2)?,
                reason: row.get(3)?,
                note: row.get(4)?,
                known: row.get(5)?,
                received: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn write<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, WitnessDbError>,
    ) -> Result<T, WitnessDbError> {
        let _span = tracing::debug_span!("tx", name).entered();
        let fault = |point: &str| self.faults.as_ref().map_or(Ok(()), |faults| faults(point));
        let connection = self.lock();
        fault("begin")?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = work(&connection).and_then(|value| {
            fault("before commit")?;
            // crash point: before this returns nothing is durable, and no cosignature has left
            connection.execute_batch("COMMIT")?;
            Ok(value)
        });
        if done.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        // crash point: durable, not answered. The log asks again with the size it knew, is told 409 with the new one, and
        // asks for that
        fault("after commit")?;
        done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(connection: &Connection, origin: &str) -> Result<Option<WitnessLog>, WitnessDbError> {
    let Some(added) = connection
        .prepare_cached("SELECT added FROM log WHERE origin = ?1")?
        .query_row([origin], |row| row.get(0))
        .optional()?
    else {
        return Ok(None);
    };
    let keys = connection
        .prepare_cached("SELECT vkey FROM log_key WHERE origin = ?1 ORDER BY added, vkey")?
        .query_map([origin], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let latest = connection
        .prepare_cached("SELECT size, root, note, cosigned FROM latest WHERE origin = ?1")?
        .query_row([origin], latest)
        .optional()?;
    Ok(Some(WitnessLog {
        origin: origin.to_owned(),
        keys,
        added,
        latest,
    }))
}

fn latest(row: &Row<'_>) -> Result<Latest, rusqlite::Error> {
    Ok(Latest {
        size: row.get(0)?,
        root: row.get(1)?,
        note: row.get(2)?,
        cosigned: row.get(3)?,
    })
}

fn set_latest(
    connection: &Connection,
    origin: &str,
    latest: &Latest,
) -> Result<(), WitnessDbError> {
    connection
        .prepare_cached(
            "INSERT INTO latest (origin, size, root, note, cosigned, count) VALUES (?1, ?2, ?3, ?4, ?5, 1)
             ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note,
               cosigned = excluded.cosigned, count = count + 1",
        )?
        .execute(params![
            origin,
            signed(latest.size)?,
            latest.root,
            latest.note,
            signed(latest.cosigned)?
        ])?;
    Ok(())
}

fn keep_evidence(connection: &Connection, evidence: &Evidence) -> Result<(), WitnessDbError> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO evidence (origin, size, root, reason, note, known, received)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
             WHERE (SELECT count(*) FROM evidence WHERE origin = ?1) < ?8",
        )?
        .execute(params![
            evidence.origin,
            signed(evidence.size)?,
            evidence.root,
            evidence.reason,
            evidence.note,
            evidence.known,
            evidence.received,
            EVIDENCE_PER_LOG
        ])?;
    Ok(())
}

fn signed(number: u64) -> Result<i64, WitnessDbError> {
    i64::try_from(number).map_err(|_| WitnessDbError::Range(number))
}
