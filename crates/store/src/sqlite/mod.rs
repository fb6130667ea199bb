//! The SQLite backend: one file `register.db` in the node's data directory.

mod acts;
mod admin;
mod answers;
mod append;
mod awaited;
mod backup;
mod delete;
mod deliveries;
mod erase;
mod evidence;
mod exchange;
mod exhibits;
mod fsck;
mod heads;
mod kept;
mod log;
mod migrate;
mod open;
mod page;
mod people;
mod pool;
mod put;
mod records;
mod search;
mod shelves;
mod standing;
mod stands;
mod tx;
mod walk;

use std::{fs::File, io, path::PathBuf, sync::Arc};

use rusqlite::Connection;

use crate::{BoxError, Hash, ReadError};

pub use backup::restore;
pub use erase::Erasure;
pub use fsck::fsck;
pub use open::{create, open, open_read_only};

/// Called at every named point of a write where a crash or a failing disk would matter. Tests make it fail.
pub type Faults = Arc<dyn Fn(&str) -> Result<(), io::Error> + Send + Sync>;

/// Signs a checkpoint: (size, root) to the whole signed note.
pub type SignFn<'a> = dyn Fn(u64, &Hash) -> Result<String, BoxError> + 'a;

/// How to open a register.
#[derive(Clone)]
pub struct Options {
    /// Connections that read at the same time; a further reader waits.
    pub readers: usize,
    /// Page cache of each reader, KiB.
    pub reader_cache_kib: u32,
    /// Start of the file each reader maps into memory, MiB: spares a copy, but counts as resident once read. 0 maps nothing.
    pub reader_mmap_mib: u32,
    /// Page cache of the writer, KiB. The allocator keeps what was once used, so this is what an idle node weighs.
    pub writer_cache_kib: u32,
    /// Pages the file may grow to; `None` for no limit. A full disk, for tests and quotas.
    pub pages_max: Option<u32>,
    /// Rows a page may look at in vain before it goes on by merging index ranges: enough to notice that nothing is new.
    pub vain_rows: usize,
    /// Fault injection, tests only.
    pub faults: Option<Faults>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            reader_cache_kib: 8192,
            reader_mmap_mib: 0,
            writer_cache_kib: 24_576,
            pages_max: None,
            vain_rows: 64,
            faults: None,
        }
    }
}

/// Every read. Cheap to clone; connections are pooled.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    pool: pool::Pool,
    shelves: shelves::Cache,
    vain_rows: usize,
}

impl Store {
    /// Gives the page caches of idle readers back; to be called when nothing was asked for a while.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn release_memory(&self) -> Result<(), ReadError> {
        self.inner.pool.shrink()
    }

    /// Whether a read would find a connection at once. A hint: another may be faster.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.inner.pool.has_room()
    }

    /// Runs `read` on a pooled connection.
    fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.inner.pool.with(read)
    }

    /// Runs `read` on a pooled connection, every statement on the same state of the database.
    fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.inner.pool.with(|connection| {
            connection.prepare_cached("BEGIN")?.execute([])?;
            let result = read(connection);
            connection.prepare_cached("COMMIT")?.execute([])?;
            result
        })
    }
}

/// The one writer of a database. Dropping it releases the lock.
pub struct Writer {
    connection: Connection,
    /// Which database was opened: a file that was put in its place since is not written to.
    database_id: [u8; 16],
    state: Option<append::State>,
    faults: Option<Faults>,
    broken: bool,
    /// The search index is being merged since something was erased.
    merging: bool,
    /// Locked while this lives; the operating system lets go of it however the process ends.
    _lock: File,
}
