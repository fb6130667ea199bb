//! The vault: contents of exhibits, each under its SHA-256, beside the register.
//!
//! ```text
//! <dir>/vault/objects/<first two hex>/<64 hex>   whole objects, readable by their owner, never changed
//! <dir>/vault/staging/<session>/                 a seal under way: staged files, journal, list of items
//! <dir>/vault/lock                               held shared by seals, exclusively while objects are removed
//! ```
//!
//! [`Vault::seal`] takes files in: one pass, hashing the very octets it writes. [`Vault::open_object`] gives them out again.
//! The register refers to an object only after it is here and synced; what is here and not referred to is harmless, found by
//! `fsck`, and goes with the next sweep.
//!
//! **Architecture Invariant:** no path from outside is ever opened for writing. Objects and staged files have names made
//! here; original names are metadata in the list of items.

mod buffer;
mod copy;
mod duplicate;
mod error;
mod exhibit;
mod group;
mod incoming;
mod journal;
mod object;
mod seal;
mod session;
mod source;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use comity_evidence::{Hash, Hex};
use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::Faults;

pub use duplicate::Duplicated;
pub use error::VaultError;
pub use exhibit::{Names, Rehashed};
pub use incoming::{Incoming, Receiving, Whole};
pub use object::{ObjectReader, Stray};
pub use seal::{Sealed, Sealing};
pub use session::{Began, Session};
pub use source::{LeftOut, Survey};

/// The vault of one node.
#[derive(Clone)]
pub struct Vault {
    dir: PathBuf,
    faults: Option<Faults>,
}

/// Keeps objects from being removed while a seal has put them here and the register does not refer to them yet.
#[derive(Debug)]
pub struct VaultLock {
    _file: File,
}

impl Vault {
    /// The vault below the node's directory `dir`; its folders are made when something is put into it.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.join("vault"),
            faults: None,
        }
    }

    /// The same vault, failing where `faults` says. Tests only.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Passes a named point where a crash or a failing disk would matter.
    pub(super) fn point(&self, name: &str) -> Result<(), std::io::Error> {
        self.faults.as_ref().map_or(Ok(()), |faults| faults(name))
    }

    fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    fn staging(&self) -> PathBuf {
        self.dir.join("staging")
    }

    /// Held by seals: nobody removes objects meanwhile.
    ///
    /// # Errors
    /// [`VaultError::Busy`] while objects are being removed; what the file system says.
    pub fn lock_for_sealing(&self) -> Result<VaultLock, VaultError> {
        self.lock(
            FlockOperation::NonBlockingLockShared,
            "objects are being removed",
        )
    }

    /// Held while objects are removed: no seal is under way.
    ///
    /// # Errors
    /// [`VaultError::Busy`] while something is sealed; what the file system says.
    pub fn lock_for_removal(&self) -> Result<VaultLock, VaultError> {
        self.lock(
            FlockOperation::NonBlockingLockExclusive,
            "something is being sealed or received",
        )
    }

    fn lock(&self, how: FlockOperation, busy: &'static str) -> Result<VaultLock, VaultError> {
        make_folder(&self.dir)?;
        let path = self.dir.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(VaultError::io("open", &path))?;
        match rustix::fs::flock(&file, how) {
            Ok(()) => Ok(VaultLock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(VaultError::Busy(busy)),
            Err(error) => Err(VaultError::io("lock", &path)(error.into())),
        }
    }

    /// Octets that can still be written.
    ///
    /// # Errors
    /// What the file system says.
    pub fn free_bytes(&self) -> Result<u64, VaultError> {
        make_folder(&self.dir)?;
        let stat = rustix::fs::statvfs(&self.dir)
            .map_err(|error| VaultError::io("ask for space in", &self.dir)(error.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// The name of an object: folder and file.
pub(super) fn place(sha256: &Hash) -> (String, String) {
    let name = Hex(sha256).to_string();
    (name.get(..2).unwrap_or_default().to_owned(), name)
}

/// Makes a folder that only its owner may enter, and makes that durable.
fn make_folder(path: &Path) -> Result<(), VaultError> {
    use std::os::unix::fs::DirBuilderExt as _;
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        if !parent.is_dir() {
            make_folder(parent)?;
        }
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(VaultError::io("make the folder", path)(error));
            }
            _ => {}
        }
        sync_folder(parent)?;
    }
    Ok(())
}

fn sync_folder(path: &Path) -> Result<(), VaultError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(VaultError::io("sync the folder", path))
}

fn open_folder(path: &Path) -> Result<OwnedFd, VaultError> {
    rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| VaultError::io("open the folder", path)(error.into()))
}
