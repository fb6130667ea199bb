//! Contents that come piece by piece from elsewhere: staged, hashed as they are written, gone on with after a break.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use comity_evidence::{ExhibitId, Hash, Hex};
use sha2::{Digest as _, Sha256};

use super::buffer::{Buffer, CHUNK};
use super::copy::{Piece, Writer};
use super::error::VaultError;
use super::group::{Group, Staged};
use super::journal::Record;
use super::session::Session;
use super::{Began, Vault};

/// Contents of one exhibit on their way in.
pub struct Receiving {
    vault: Vault,
    session: Mutex<Session>,
    folder: PathBuf,
}

/// One item on its way in.
pub struct Incoming {
    vault: Vault,
    file: File,
    path: PathBuf,
    name: String,
    size: u64,
    hasher: Sha256,
    buffer: Buffer,
    filled: usize,
    /// Octets hashed and written.
    offset: u64,
    direct: bool,
}

/// An item that is whole and synced, and waits for its name.
pub struct Whole(Staged);

impl Vault {
    /// Begins to take in what `transfer` names, or goes on with it.
    ///
    /// # Errors
    /// [`VaultError::Busy`]; what the file system says.
    pub fn receive(&self, transfer: &Hash, exhibit: &ExhibitId) -> Result<Receiving, VaultError> {
        let name = Hex(transfer).to_string();
        let name = format!("receive-{}", name.get(..16).unwrap_or_default());
        let session = self.begin_in(&name, Vec::new(), exhibit, Began::Resume)?;
        Ok(Receiving {
            vault: self.clone(),
            folder: session.folder.clone(),
            session: Mutex::new(session),
        })
    }
}

impl Receiving {
    /// The object is here, whole: nothing must be fetched.
    #[must_use]
    pub fn has(&self, sha256: &Hash, size: u64) -> bool {
        // INVARIANT: an object has its name only after its contents were synced (`group.rs`)
        self.vault
            .open_object(sha256)
            .is_ok_and(|object| object.size() == size)
    }

    /// Begins item `number`, or goes on with it: what is staged of it is read again and hashed, because only whole items are
    /// in the journal.
    ///
    /// # Errors
    /// What the file system says.
    pub fn item(&self, number: u64, size: u64) -> Result<Incoming, VaultError> {
        let name = number.to_string();
        let path = self.folder.join(&name);
        // whole, and the program ended before it had its name: it is read and hashed again like any other
        if path.exists() {
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))
                .map_err(VaultError::io("open", &path))?;
        }
        self.vault
            .point("vault.create")
            .map_err(VaultError::io("make", &path))?;
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(VaultError::io("make", &path))?;
        let mut incoming = Incoming {
            vault: self.vault.clone(),
            file,
            path,
            name,
            size,
            hasher: Sha256::new(),
            buffer: Buffer::new(),
            filled: 0,
            offset: 0,
            direct: false,
        };
        incoming
            .read_again()
            .map_err(VaultError::io("read", &incoming.path))?;
        Ok(incoming)
    }

    /// Gives whole items their names, durably, in one go.
    ///
    /// # Errors
    /// What the file system says; they are fetched again then.
    pub fn keep(&self, items: Vec<Whole>) -> Result<(), VaultError> {
        let staged: Vec<Staged> = items.into_iter().map(|whole| whole.0).collect();
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut group = Group::new(&self.vault, self.folder.clone())?;
        group.commit(&staged, &mut session.journal)?;
        group.sync_folders()
    }

    /// Clears away, once the register has the exhibit.
    ///
    /// # Errors
    /// What the file system says; the exhibit is safe.
    pub fn finish(self) -> Result<(), VaultError> {
        self.session
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .finish()
    }
}

impl Incoming {
    /// Octets that need not come again.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset + self.filled as u64
    }

    /// Whether all has come.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.offset() >= self.size
    }

    /// Hashes what an earlier run has written, whole pieces of it.
    fn read_again(&mut self) -> io::Result<()> {
        let there = self.file.metadata()?.len().min(self.size);
        let whole = there - there % CHUNK as u64;
        self.file.set_len(whole)?;
        while self.offset < whole {
            let room = self.buffer.room(0, CHUNK);
            self.file.read_exact_at(room, self.offset)?;
            self.hasher.update(self.buffer.first(CHUNK));
            self.offset += CHUNK as u64;
        }
        Ok(())
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// What the file system says, and when there are more than announced.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), VaultError> {
        if bytes.len() as u64 > self.size.saturating_sub(self.offset()) {
            return Err(self.fail(io::Error::other("more octets came than were announced")));
        }
        while !bytes.is_empty() {
            let take = bytes.len().min(CHUNK - self.filled);
            let (now, rest) = bytes.split_at_checked(take).unwrap_or((bytes, &[]));
            self.buffer
                .room(self.filled, self.filled + take)
                .copy_from_slice(now);
            self.filled += take;
            bytes = rest;
            if self.filled == CHUNK {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), VaultError> {
        let bytes = self.buffer.first(self.filled);
        self.hasher.update(bytes);
        // zeros take no space here either
        let piece = if bytes.iter().all(|byte| *byte == 0) {
            Piece::Hole(self.filled as u64)
        } else {
            Piece::Data(self.offset, self.filled)
        };
        let point = self.vault.point("vault.write");
        point.map_err(|error| self.fail(error))?;
        let mut writer = Writer::going_on(&self.file, self.offset, self.size, self.direct);
        let written = writer.write(&piece, &self.buffer);
        self.direct = writer.direct();
        written.map_err(|error| self.fail(error))?;
        self.offset += self.filled as u64;
        self.filled = 0;
        Ok(())
    }

    /// All has come: it is what it should be, and on disk.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it is something else; it is thrown away then.
    pub fn finish(mut self, sha256: &Hash) -> Result<Whole, VaultError> {
        if self.filled > 0 {
            self.flush()?;
        }
        let found: Hash = self.hasher.clone().finalize().into();
        if found != *sha256 || self.offset != self.size {
            let what = format!("{} octets came, which hash to {}", self.offset, Hex(&found));
            let _gone = std::fs::remove_file(&self.path);
            return Err(VaultError::Damaged {
                sha256: Hex(sha256).to_string(),
                what,
            });
        }
        let synced = self
            .file
            .set_len(self.size)
            .and_then(|()| self.file.set_permissions(Permissions::from_mode(0o400)))
            .and_then(|()| self.vault.point("vault.sync"))
            .and_then(|()| self.file.sync_all());
        synced.map_err(|error| self.fail(error))?;
        Ok(Whole(Staged {
            file: self.name,
            synced: true,
            sha256: *sha256,
            record: Record::of_list(sha256, self.size),
        }))
    }

    fn fail(&self, error: io::Error) -> VaultError {
        VaultError::io("write", &self.path)(error)
    }
}
