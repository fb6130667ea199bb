//! Objects into another vault and back: for backups.

use std::fs::{File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

use comity_evidence::{Hash, Hex};
use sha2::{Digest as _, Sha256};

use super::buffer::{Buffer, CHUNK};
use super::error::VaultError;
use super::{Vault, make_folder, place, sync_folder};

/// How an object got into the other vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicated {
    /// It was there.
    There,
    /// A second name for the same file: no space, and no second copy if the disk fails.
    Linked,
    /// Copied, and hashed on the way.
    Copied,
}

impl Vault {
    /// Takes an object of `other` in, on the same file system by a hard link (objects never change), else by a copy that is hashed
    /// as it is written. A cut leaves nothing that has an object's name and is none.
    ///
    /// # Errors
    /// [`VaultError::Missing`] and [`VaultError::Damaged`] are about `other`; the rest is what the file system says.
    pub fn take_from(&self, other: &Self, sha256: &Hash) -> Result<Duplicated, VaultError> {
        let source = other.open_object(sha256)?;
        let there = self.open_object(sha256);
        if there.is_ok_and(|there| there.size() == source.size()) {
            return Ok(Duplicated::There);
        }
        let (folder, name) = place(sha256);
        let from = other.objects().join(&folder).join(&name);
        let folder = self.objects().join(folder);
        make_folder(&folder)?;
        let to = folder.join(&name);
        self.point("vault.link")
            .map_err(VaultError::io("name", &to))?;
        match std::fs::hard_link(&from, &to) {
            Ok(()) => {
                sync_folder(&folder)?;
                return Ok(Duplicated::Linked);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let what = "another file has its name".to_owned();
                return Err(VaultError::Damaged {
                    sha256: Hex(sha256).to_string(),
                    what,
                });
            }
            // another file system, or one without links
            Err(_) => {}
        }
        make_folder(&self.staging())?;
        let staged = self.staging().join(format!("copy-{name}"));
        let copied = self.copy_object(source, sha256, &staged);
        if copied.is_err() {
            let _gone = std::fs::remove_file(&staged);
        }
        copied?;
        // CRASH POINT: staged and synced, without its name; the next backup writes it again
        std::fs::rename(&staged, &to).map_err(VaultError::io("name", &to))?;
        sync_folder(&folder)?;
        Ok(Duplicated::Copied)
    }

    fn copy_object(
        &self,
        mut source: super::ObjectReader,
        sha256: &Hash,
        staged: &std::path::Path,
    ) -> Result<(), VaultError> {
        let write = VaultError::io("write", staged);
        let mut to = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(staged)
            .map_err(VaultError::io("make", staged))?;
        let (mut buffer, mut hasher) = (Buffer::new(), Sha256::new());
        loop {
            let read = source
                .read(buffer.room(0, CHUNK))
                .map_err(VaultError::io("read", staged))?;
            if read == 0 {
                break;
            }
            hasher.update(buffer.first(read));
            let written = self.point("vault.write");
            written
                .and_then(|()| to.write_all(buffer.first(read)))
                .map_err(VaultError::io("write", staged))?;
        }
        let found: Hash = hasher.finalize().into();
        if found != *sha256 {
            return Err(VaultError::Damaged {
                sha256: Hex(sha256).to_string(),
                what: format!("its contents hash to {}", Hex(&found)),
            });
        }
        to.set_permissions(Permissions::from_mode(0o400))
            .and_then(|()| to.sync_all())
            .map_err(write)
    }
}
