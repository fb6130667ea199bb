//! A seal under way, which survives the program: its folder, its journal, and the identifier the exhibit will have.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use comity_evidence::{ExhibitId, Hash, Hex, sha256};
use rustix::fs::FlockOperation;

use super::error::VaultError;
use super::journal::{Journal, Record, read as read_journal};
use super::{Vault, VaultLock, make_folder, sync_folder};

/// How to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Began {
    /// Anew; refused when an interrupted seal of the same files is there.
    New,
    /// Go on with an interrupted one.
    Resume,
    /// Anew, forgetting an interrupted one.
    Restart,
}

/// A seal under way.
pub struct Session {
    pub(super) folder: PathBuf,
    /// Absolute paths.
    pub(super) paths: Vec<PathBuf>,
    pub(super) journal: Journal,
    /// What is sealed already, by name.
    pub(super) done: HashMap<String, Record>,
    exhibit: ExhibitId,
    _own: File,
    _lock: VaultLock,
}

impl Vault {
    /// Begins a seal of `paths` or goes on with one. `exhibit` is the identifier a new one gets.
    ///
    /// # Errors
    /// [`VaultError::Interrupted`], [`VaultError::NoSession`], [`VaultError::Busy`]; what the file system says.
    pub fn begin(
        &self,
        paths: &[PathBuf],
        exhibit: &ExhibitId,
        how: Began,
    ) -> Result<Session, VaultError> {
        let paths = paths
            .iter()
            .map(|path| std::path::absolute(path).map_err(VaultError::io("find", path)))
            .collect::<Result<Vec<_>, _>>()?;
        let name = format!("seal-{}", key(&paths));
        if how == Began::Resume && !self.staging().join(&name).is_dir() {
            return Err(VaultError::NoSession);
        }
        self.begin_in(&name, paths, exhibit, how)
    }

    pub(super) fn begin_in(
        &self,
        name: &str,
        paths: Vec<PathBuf>,
        exhibit: &ExhibitId,
        how: Began,
    ) -> Result<Session, VaultError> {
        let lock = self.lock_for_sealing()?;
        let folder = self.staging().join(name);
        let there = folder.is_dir();
        make_folder(&folder)?;
        let own = lock_session(&folder)?;
        let mut done = HashMap::new();
        let journal = Journal::open(&folder.join("journal.jsonl"), |record| {
            if !record.name.is_empty() {
                done.insert(record.name.clone(), record);
            }
        })?;
        if how == Began::New && there && !done.is_empty() {
            return Err(VaultError::Interrupted {
                items: done.len() as u64,
            });
        }
        if how == Began::Restart {
            // the journal stays: it says which objects are in the vault and wait for an exhibit
            done.clear();
            match std::fs::remove_file(folder.join("exhibit")) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(VaultError::io("replace", &folder)(error));
                }
                _ => {}
            }
        }
        let exhibit = keep_identifier(&folder, exhibit)?;
        Ok(Session {
            folder,
            paths,
            journal,
            done,
            exhibit,
            _own: own,
            _lock: lock,
        })
    }
}

impl Vault {
    /// Objects that seals under way, or interrupted, have put into the vault.
    #[must_use]
    pub fn pending_objects(&self) -> HashSet<Hash> {
        let mut pending = HashSet::new();
        let sessions = std::fs::read_dir(self.staging()).into_iter().flatten();
        for session in sessions.flatten() {
            // being written by another process: what can be read of it is enough
            let _unreadable = read_journal(&session.path().join("journal.jsonl"), |record| {
                pending.extend(record.sha256());
            });
        }
        pending
    }
}

impl Session {
    /// The identifier of the exhibit: the same after an interruption, so that a seal which was committed and not cleared
    /// away is known again.
    #[must_use]
    pub fn exhibit(&self) -> &ExhibitId {
        &self.exhibit
    }

    /// Removes staged files: those that were whole are objects of the vault under other names.
    pub(super) fn drop_unfinished(&self) -> Result<(), VaultError> {
        let numbered = |name: &std::ffi::OsStr| name.as_bytes().iter().all(u8::is_ascii_digit);
        remove(&self.folder, &numbered)
    }

    /// Clears the session away, once the register has the exhibit. The vault's lock is held until then.
    ///
    /// # Errors
    /// What the file system says; the exhibit is safe.
    pub fn finish(self) -> Result<(), VaultError> {
        // CRASH POINT: a session left behind names an exhibit the register has; `--resume` then only clears it away
        clear(&self.folder)?;
        std::fs::remove_file(self.folder.join("lock"))
            .and_then(|()| std::fs::remove_dir(&self.folder))
            .map_err(VaultError::io("clear away", &self.folder))
    }
}

/// Names the session of these paths: whoever says the same paths again means the same seal.
fn key(paths: &[PathBuf]) -> String {
    let mut text = Vec::new();
    for path in paths {
        text.extend_from_slice(path.as_os_str().as_bytes());
        text.push(0);
    }
    let hash = Hex(&sha256(&text)).to_string();
    hash.get(..16).unwrap_or_default().to_owned()
}

fn lock_session(folder: &Path) -> Result<File, VaultError> {
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(VaultError::io("open", &path))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(VaultError::Busy("the same files are being sealed"))
        }
        Err(error) => Err(VaultError::io("lock", &path)(error.into())),
    }
}

fn keep_identifier(folder: &Path, exhibit: &ExhibitId) -> Result<ExhibitId, VaultError> {
    let path = folder.join("exhibit");
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            if let Ok(kept) = ExhibitId::parse(text.trim_end()) {
                return Ok(kept);
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(VaultError::io("read", &path)(error)),
    }
    let staged = folder.join("exhibit.new");
    std::fs::write(&staged, format!("{exhibit}\n"))
        .and_then(|()| File::open(&staged)?.sync_all())
        .and_then(|()| std::fs::rename(&staged, &path))
        .map_err(VaultError::io("write", &path))?;
    sync_folder(folder)?;
    Ok(exhibit.clone())
}

/// Removes everything in a session's folder but its lock.
fn clear(folder: &Path) -> Result<(), VaultError> {
    remove(folder, &|name| name != "lock")
}

fn remove(folder: &Path, which: &dyn Fn(&std::ffi::OsStr) -> bool) -> Result<(), VaultError> {
    let removed = (|| {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if which(&entry.file_name()) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    })();
    removed.map_err(VaultError::io("clear away", folder))
}
