//! Objects as they lie in the vault: reading, checking, removing, listing.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use comity_evidence::{Hash, Hex, parse_hex};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest as _, Sha256};

use super::buffer::{Buffer, CHUNK};
use super::error::VaultError;
use super::{Vault, open_folder, place, sync_folder};

/// An object, open for reading at any place.
#[derive(Debug)]
pub struct ObjectReader {
    file: File,
    size: u64,
}

impl ObjectReader {
    /// Octets.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Octets it takes on disk.
    pub(super) fn allocated(&self) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        self.file
            .metadata()
            .map_or(self.size, |data| data.blocks().saturating_mul(512))
    }

    /// Reads from `offset`; 0 at the end.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

/// A file of the vault that should not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its path below the vault, printable.
    pub path: String,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Vault {
    /// Opens an object. Only a regular file under exactly its name is opened.
    ///
    /// # Errors
    /// [`VaultError::Missing`]; what the file system says.
    pub fn open_object(&self, sha256: &Hash) -> Result<ObjectReader, VaultError> {
        let (folder, name) = place(sha256);
        let path = self.objects().join(&folder);
        let missing = || VaultError::Missing(name.clone());
        let fail = |error: rustix::io::Errno| match error {
            rustix::io::Errno::NOENT | rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => {
                missing()
            }
            error => VaultError::io("read an object in", &path)(error.into()),
        };
        if !self.objects().is_dir() {
            return Err(missing());
        }
        let objects = open_folder(&self.objects())?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(
            &objects,
            OsStr::new(&folder),
            flags | OFlags::DIRECTORY,
            Mode::empty(),
        )
        .map_err(fail)?;
        let file = rustix::fs::openat(
            &folder,
            OsStr::new(&name),
            flags | OFlags::NONBLOCK | OFlags::NOCTTY,
            Mode::empty(),
        )
        .map_err(fail)?;
        let file = File::from(file);
        let data = file.metadata().map_err(VaultError::io("read", &path))?;
        if !data.is_file() {
            return Err(missing());
        }
        Ok(ObjectReader {
            size: data.len(),
            file,
        })
    }

    /// Hashes an object again; `done` is told how many octets were read. Gives its size.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it is not what its name says, [`VaultError::Missing`].
    pub fn check_object(
        &self,
        sha256: &Hash,
        done: &mut dyn FnMut(u64),
    ) -> Result<u64, VaultError> {
        let (size, found) = self.digest_object(sha256, done)?;
        if found == *sha256 {
            Ok(size)
        } else {
            Err(VaultError::Damaged {
                sha256: Hex(sha256).to_string(),
                what: format!("its contents hash to {}", Hex(&found)),
            })
        }
    }

    /// Size and hash of an object as it is now.
    pub(super) fn digest_object(
        &self,
        sha256: &Hash,
        done: &mut dyn FnMut(u64),
    ) -> Result<(u64, Hash), VaultError> {
        let mut object = self.open_object(sha256)?;
        let name = Hex(sha256).to_string();
        let mut hasher = Sha256::new();
        let mut buffer = Buffer::new();
        loop {
            let read = match object.read(buffer.room(0, CHUNK)) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(VaultError::Damaged {
                        sha256: name,
                        what: format!("it cannot be read: {error}"),
                    });
                }
            };
            hasher.update(buffer.first(read));
            done(read as u64);
        }
        Ok((object.size(), hasher.finalize().into()))
    }

    /// Removes an object for good. Removing one that is gone already is no error: a removal cut off by a crash is done again.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remove_object(&self, sha256: &Hash) -> Result<(), VaultError> {
        let (folder, name) = place(sha256);
        let folder = self.objects().join(folder);
        let path = folder.join(name);
        self.point("vault.remove")
            .map_err(VaultError::io("remove", &path))?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(VaultError::io("remove", &path)(error)),
            Ok(()) => sync_folder(&folder),
        }
    }

    /// Tells every object with its size, and everything in the objects' folders that is none.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn each_object(
        &self,
        object: &mut dyn FnMut(Hash, u64),
        stray: &mut dyn FnMut(Stray),
    ) -> Result<(), VaultError> {
        let objects = self.objects();
        if !objects.is_dir() {
            return Ok(());
        }
        let list = |path: &std::path::Path| {
            std::fs::read_dir(path)
                .and_then(Iterator::collect::<io::Result<Vec<_>>>)
                .map_err(VaultError::io("list", path))
        };
        let mut tell = |path: &std::path::Path, what| {
            stray(Stray {
                path: super::error::printable(path.strip_prefix(&self.dir).unwrap_or(path)),
                what,
            });
        };
        for folder in list(&objects)? {
            let path = folder.path();
            if !path.symlink_metadata().is_ok_and(|data| data.is_dir()) {
                tell(&path, "it is no folder of objects");
                continue;
            }
            for entry in list(&path)? {
                let (path, name) = (entry.path(), entry.file_name());
                let hash = name.to_str().and_then(parse_hex);
                let data = path.symlink_metadata();
                match (hash, data) {
                    (Some(hash), Ok(data))
                        if data.is_file() && place(&hash).0.as_str() == folder.file_name() =>
                    {
                        object(hash, data.len());
                    }
                    (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {}
                    _ => tell(&path, "it is no object"),
                }
            }
        }
        Ok(())
    }
}
