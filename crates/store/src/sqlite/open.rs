//! Making and opening the database file.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, params};

use super::{Inner, Options, Store, Writer, migrate, pool::Pool, shelves};
use crate::{Genesis, OpenError};

/// Name of the database in the node's data directory.
pub(super) const FILE: &str = "register.db";
const LOCK: &str = "register.lock";
/// A record of 1.4 kB fits five times; whole rows up to 8 kB stay in one page, so a page of TAXII reads few of these.
const PAGE_BYTES: u32 = 8192;
/// The write-ahead log is folded in after this many pages (32 MiB): fewer syncs of the main file during an import.
const CHECKPOINT_PAGES: u32 = 4096;
const STATEMENTS_MAX: usize = 128;
/// How long a statement waits for another connection's lock.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(30);

/// Makes a register in `dir` (which is made if missing).
///
/// # Errors
/// [`OpenError::Exists`] if there is one; what SQLite and the file system say.
pub fn create(dir: &Path, genesis: &Genesis) -> Result<(), OpenError> {
    fs::create_dir_all(dir)?;
    let path = vacant(&dir.join(FILE))?;
    // made under another name first: a crash here leaves no half register behind
    let unfinished = dir.join("register.db.new");
    clear(&unfinished)?;
    let connection = Connection::open(&unfinished)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    configure_writer(&connection, &Options::default())?;
    migrate::forward(&connection, genesis.created_micros)?;
    connection.execute(
        include_str!("sql/genesis.sql"),
        params![
            genesis.database_id,
            genesis.origin,
            genesis.created_micros,
            comity_ledger::tree::empty_root()
        ],
    )?;
    connection.close().map_err(|(_, error)| error)?;
    fs::rename(&unfinished, &path)?;
    sync_directory(dir)?;
    Ok(())
}

/// Opens the register in `dir` for the node: takes the writer's lock, migrates forward.
///
/// # Errors
/// [`OpenError::Missing`], [`OpenError::Locked`], [`OpenError::Newer`]; what SQLite and the file system say.
pub fn open(dir: &Path, options: &Options) -> Result<(Store, Writer), OpenError> {
    let path = existing(dir)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(path)),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let connection = Connection::open_with_flags(
        &path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    configure_writer(&connection, options)?;
    migrate::forward(&connection, 0)?;
    check_register(&connection)?;
    let database_id = connection.query_row(
        "SELECT database_id FROM register WHERE one = 1",
        [],
        |row| row.get(0),
    )?;
    let writer = Writer {
        connection,
        database_id,
        state: None,
        faults: options.faults.clone(),
        broken: false,
        merging: false,
        _lock: lock,
    };
    Ok((store(path, options), writer))
}

/// Opens the register in `dir` for reading beside a running node; never migrates.
///
/// # Errors
/// As [`open`]; also when the file has an older schema version than this program.
pub fn open_read_only(dir: &Path, options: &Options) -> Result<Store, OpenError> {
    let path = existing(dir)?;
    let connection = reader_connection(&path, options)?;
    migrate::require_current(&connection)?;
    check_register(&connection)?;
    Ok(store(path, options))
}

fn store(path: PathBuf, options: &Options) -> Store {
    let pool = Pool::new(path.clone(), options.clone());
    Store {
        inner: Arc::new(Inner {
            path,
            pool,
            shelves: shelves::Cache::default(),
            vain_rows: options.vain_rows,
        }),
    }
}

pub(super) fn existing(dir: &Path) -> Result<PathBuf, OpenError> {
    let path = dir.join(FILE);
    if path.is_file() {
        Ok(path)
    } else {
        Err(OpenError::Missing(dir.to_owned()))
    }
}

/// `path`, if a database can get this name: neither it nor a file that SQLite would read as a part of it is there. A
/// write-ahead log left behind by another database would be replayed into this one.
pub(super) fn vacant(path: &Path) -> Result<PathBuf, OpenError> {
    if path.exists() {
        return Err(OpenError::Exists(path.to_owned()));
    }
    alone(path)?;
    Ok(path.to_owned())
}

/// Refuses a database with a write-ahead log or journal beside it.
pub(super) fn alone(path: &Path) -> Result<(), OpenError> {
    match beside(path).into_iter().find(|part| part.exists()) {
        Some(part) => Err(OpenError::Leftover(part)),
        None => Ok(()),
    }
}

/// Removes a half-made database of ours with all its parts.
pub(super) fn clear(path: &Path) -> Result<(), std::io::Error> {
    for part in beside(path).into_iter().chain([path.to_owned()]) {
        match fs::remove_file(part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What SQLite keeps beside a database.
fn beside(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

fn check_register(connection: &Connection) -> Result<(), OpenError> {
    let rows: i64 = connection.query_row("SELECT count(*) FROM register", [], |row| row.get(0))?;
    if rows == 1 {
        Ok(())
    } else {
        Err(OpenError::Damaged("it has no identity row".into()))
    }
}

fn configure_writer(connection: &Connection, options: &Options) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // INVARIANT: a commit that returned is on disk (design invariant 1); NORMAL would not give that in WAL mode
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // what is deleted is overwritten: erasure must not leave bytes or salts in free pages
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "cache_size", cache(options.writer_cache_kib))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if let Some(pages) = options.pages_max {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

pub(super) fn reader_connection(
    path: &Path,
    options: &Options,
) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", cache(options.reader_cache_kib))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if options.reader_mmap_mib > 0 {
        connection.pragma_update(None, "mmap_size", i64::from(options.reader_mmap_mib) << 20)?;
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

/// SQLite takes a negative number as KiB.
fn cache(kib: u32) -> i64 {
    -i64::from(kib)
}

pub(super) fn sync_directory(dir: &Path) -> Result<(), std::io::Error> {
    File::open(dir)?.sync_all()
}
