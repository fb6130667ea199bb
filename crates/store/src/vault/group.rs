//! Makes staged files durable together and gives them their names: one sync of the file system for thousands of small files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use comity_evidence::Hash;
use rustix::fs::{Mode, OFlags};

use super::error::VaultError;
use super::journal::{Journal, Record};
use super::{Vault, make_folder, open_folder, place, sync_folder};

/// Up to so many files are synced one by one; more of them by one sync of the whole file system, which also waits for what
/// others have written there.
const SINGLY_MAX: usize = 16;

/// A staged file.
pub(super) struct Staged {
    /// Its name in the session's folder.
    pub(super) file: String,
    /// It was synced by who wrote it.
    pub(super) synced: bool,
    pub(super) sha256: Hash,
    pub(super) record: Record,
}

/// The folders of the vault, for one session.
pub(super) struct Group<'v> {
    vault: &'v Vault,
    session: PathBuf,
    session_fd: OwnedFd,
    objects_fd: OwnedFd,
    /// Folders of objects that got new names since they were synced.
    touched: BTreeSet<String>,
    made: BTreeSet<String>,
}

impl<'v> Group<'v> {
    pub(super) fn new(vault: &'v Vault, session: PathBuf) -> Result<Self, VaultError> {
        make_folder(&vault.objects())?;
        Ok(Self {
            vault,
            session_fd: open_folder(&session)?,
            objects_fd: open_folder(&vault.objects())?,
            session,
            touched: BTreeSet::new(),
            made: BTreeSet::new(),
        })
    }

    /// Syncs the staged files, writes them into the journal, and names them.
    pub(super) fn commit(
        &mut self,
        staged: &[Staged],
        journal: &mut Journal,
    ) -> Result<(), VaultError> {
        let session = self.session.clone();
        let io = |what| VaultError::io(what, &session);
        let unsynced: Vec<_> = staged.iter().filter(|one| !one.synced).collect();
        self.vault.point("vault.sync").map_err(io("sync"))?;
        if unsynced.len() <= SINGLY_MAX {
            for one in unsynced {
                let path = self.session.join(&one.file);
                File::open(&path)
                    .and_then(|file| file.sync_all())
                    .map_err(VaultError::io("sync", &path))?;
            }
        } else {
            // Linux 5.8 and later: says if any write since the descriptor was opened failed
            rustix::fs::syncfs(&self.session_fd)
                .map_err(|error| VaultError::io("sync", &self.session)(error.into()))?;
        }
        // CRASH POINT: contents are on disk under staged names; the next run finds no line for them and reads the sources again
        let records: Vec<Record> = staged.iter().map(|one| one.record.clone()).collect();
        self.vault
            .point("vault.journal")
            .map_err(io("write the journal in"))?;
        journal.add(&records).map_err(io("write the journal in"))?;
        // CRASH POINT: in the journal, some or all not named; a line counts only if its object is there, so these are read again.
        // The line comes first so that no object is ever in the vault which neither the register nor a journal knows
        for one in staged {
            self.vault.point("vault.rename").map_err(io("name"))?;
            self.name(&one.file, &one.sha256)?;
        }
        Ok(())
        // CRASH POINT: named, the folders not synced; an object that is gone after a power cut is read again
    }

    /// Remembers that an object of an earlier run must be durable under its name too.
    pub(super) fn touch(&mut self, sha256: &Hash) {
        self.touched.insert(place(sha256).0);
    }

    /// Gives a staged file its name. One that is there already is replaced by the same octets, freshly written: if it had
    /// rotted, it is whole again.
    pub(super) fn name(&mut self, staged: &str, sha256: &Hash) -> Result<(), VaultError> {
        let (folder, name) = place(sha256);
        let path = self.vault.objects().join(&folder);
        let fail =
            |error: rustix::io::Errno| VaultError::io("name an object in", &path)(error.into());
        if self.made.insert(folder.clone()) {
            make_folder(&path)?;
        }
        let flags =
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::PATH;
        let into = rustix::fs::openat(&self.objects_fd, OsStr::new(&folder), flags, Mode::empty())
            .map_err(fail)?;
        rustix::fs::renameat(&self.session_fd, staged, &into, name.as_str()).map_err(fail)?;
        self.touched.insert(folder);
        Ok(())
    }

    /// Makes the names durable.
    pub(super) fn sync_folders(&mut self) -> Result<(), VaultError> {
        self.vault
            .point("vault.folder")
            .map_err(VaultError::io("sync the folders of", &self.session))?;
        if self.touched.len() > SINGLY_MAX {
            rustix::fs::syncfs(&self.objects_fd)
                .map_err(|error| VaultError::io("sync", &self.vault.objects())(error.into()))?;
        } else {
            for folder in &self.touched {
                sync_folder(&self.vault.objects().join(folder))?;
            }
        }
        self.touched.clear();
        Ok(())
    }
}
