//! Writes a finished package to disk: a directory or a tar file, whole or not at all.
//!
//! Contents come from wherever `open` takes them, by their SHA-256 (the vault). What is written is hashed on the way
//! (evidence-log E.20): an object that is not what its name says ends the work, and nothing is left under the package's name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use comity_evidence::package::{Finished, Payload, tar};
use comity_evidence::{Hash, Hex};
use sha2::{Digest as _, Sha256};

/// Octets copied at once.
const PIECE_BYTES: usize = 256 << 10;

/// Where a package goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// A directory that is not there yet.
    Directory(PathBuf),
    /// A tar file that is not there yet; the package lies in it in a folder of the file's name.
    Tar(PathBuf),
}

/// Gives the contents with a SHA-256.
pub type Open<'a> = dyn Fn(&Hash) -> io::Result<Box<dyn Read>> + 'a;

/// Why a package was not written. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Something is there.
    #[error("`{}` exists already\n  help: a package is never written over anything; choose another name", .0.display())]
    Exists(PathBuf),
    /// A name no package can have.
    #[error("`{}` cannot be a package's name: letters, digits and `._-`, at most {max}", .0.display(), max = tar::BASE_BYTES_MAX)]
    Name(PathBuf),
    /// The file system.
    #[error("cannot write `{}`: {error}", path.display())]
    Write {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The contents are not there.
    #[error(
        "the object {sha256} of the vault cannot be read: {error}\n  help: `comity fsck` looks at the whole vault"
    )]
    Read {
        /// Which.
        sha256: String,
        /// Why.
        error: io::Error,
    },
    /// The contents are not what was sealed.
    #[error(
        "the object {0} of the vault is damaged\n  help: `comity fsck` looks at the whole vault; nothing was handed over"
    )]
    Damaged(String),
}

impl Out {
    /// A tar file if the name ends in `.tar`, else a directory.
    ///
    /// # Errors
    /// When the name cannot be a package's.
    pub fn new(path: &Path) -> Result<Self, PackageError> {
        let out = if path.extension().is_some_and(|it| it == "tar") {
            Self::Tar(path.to_owned())
        } else {
            Self::Directory(path.to_owned())
        };
        match out.base() {
            Some(_) => Ok(out),
            None => Err(PackageError::Name(path.to_owned())),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::Tar(path) => path,
        }
    }

    /// The name of the folder a package lies in.
    fn base(&self) -> Option<&str> {
        let name = match self {
            Self::Directory(path) => path.file_name(),
            Self::Tar(path) => path.file_stem(),
        };
        name.and_then(std::ffi::OsStr::to_str)
            .filter(|base| tar::is_base(base))
    }
}

/// Writes it. `progress` is told how many octets of contents were copied.
///
/// # Errors
/// See [`PackageError`].
pub fn write(
    finished: &Finished,
    open: &Open<'_>,
    out: &Out,
    progress: &dyn Fn(u64),
) -> Result<(), PackageError> {
    let target = out.path();
    if fs::symlink_metadata(target).is_ok() {
        return Err(PackageError::Exists(target.to_owned()));
    }
    let base = out
        .base()
        .ok_or_else(|| PackageError::Name(target.to_owned()))?;
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let partial = folder.join(format!(".{base}.partial"));
    let work = Work {
        finished,
        open,
        progress,
    };
    let written = match out {
        Out::Directory(_) => work.directory(&partial),
        Out::Tar(_) => work.tar(&partial, base),
    };
    // CRASH POINT: what is there is called `.NAME.partial`; no package has this name, and the next attempt replaces it
    let named = written.and_then(|()| {
        fs::rename(&partial, target)
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(failed(target))
    });
    if named.is_err() {
        // best effort: the error to tell is the first one
        let _left = remove(&partial);
    }
    named
}

struct Work<'a> {
    finished: &'a Finished,
    open: &'a Open<'a>,
    progress: &'a dyn Fn(u64),
}

impl Work<'_> {
    fn directory(&self, to: &Path) -> Result<(), PackageError> {
        remove(to).map_err(failed(to))?;
        for folder in ["data", "seal", "seal/receipts", "verify"] {
            let receipts = self.finished.files.keys();
            if folder == "seal/receipts"
                && !receipts
                    .map(ToString::to_string)
                    .any(|name| name.starts_with(folder))
            {
                continue;
            }
            let folder = to.join(folder);
            fs::create_dir_all(&folder).map_err(failed(&folder))?;
        }
        for (name, bytes) in &self.finished.files {
            let path = to.join(name.to_string());
            let mut file = create(&path)?;
            let written = file.write_all(bytes).and_then(|()| file.sync_all());
            written.map_err(failed(&path))?;
        }
        for payload in &self.finished.payload {
            let path = to.join(payload.name.to_string());
            let mut file = create(&path)?;
            self.copy(payload, &mut file, &path)?;
            file.sync_all().map_err(failed(&path))?;
        }
        for folder in ["data", "seal", "verify", "."] {
            let folder = to.join(folder);
            let synced = File::open(&folder).and_then(|it| it.sync_all());
            synced.map_err(failed(&folder))?;
        }
        Ok(())
    }

    /// The lists first, so that a reader of the stream knows what to expect.
    fn tar(&self, to: &Path, base: &str) -> Result<(), PackageError> {
        remove(to).map_err(failed(to))?;
        let mut file = BufWriter::with_capacity(PIECE_BYTES, create(to)?);
        let mut written = 0_u64;
        let mut head = |file: &mut dyn Write, name, size: u64| {
            let header = tar::header(base, name, size, self.finished.created);
            let header = header.ok_or_else(|| PackageError::Name(to.to_owned()))?;
            file.write_all(&header).map_err(failed(to))?;
            written += (tar::BLOCK_BYTES + tar::padding(size)) as u64 + size;
            Ok(())
        };
        for (name, bytes) in &self.finished.files {
            head(&mut file, *name, bytes.len() as u64)?;
            let padding = vec![0; tar::padding(bytes.len() as u64)];
            let put = file
                .write_all(bytes)
                .and_then(|()| file.write_all(&padding));
            put.map_err(failed(to))?;
        }
        for payload in &self.finished.payload {
            head(&mut file, payload.name, payload.size)?;
            self.copy(payload, &mut file, to)?;
            let padding = vec![0; tar::padding(payload.size)];
            file.write_all(&padding).map_err(failed(to))?;
        }
        let end = vec![0; tar::end(written)];
        file.write_all(&end)
            .and_then(|()| file.into_inner().map_err(io::IntoInnerError::into_error))
            .and_then(|file| file.sync_all())
            .map_err(failed(to))
    }

    fn copy(&self, payload: &Payload, to: &mut dyn Write, path: &Path) -> Result<(), PackageError> {
        let sha256 = || Hex(&payload.sha256).to_string();
        let unreadable = |error| PackageError::Read {
            sha256: sha256(),
            error,
        };
        let mut from = (self.open)(&payload.sha256).map_err(unreadable)?;
        let mut buffer = vec![0; PIECE_BYTES];
        let mut hasher = Sha256::new();
        let mut size = 0;
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(error)),
            };
            let piece = buffer.get(..count).unwrap_or_default();
            size += count as u64;
            if size > payload.size {
                break;
            }
            hasher.update(piece);
            to.write_all(piece).map_err(failed(path))?;
            (self.progress)(count as u64);
        }
        let is: Hash = hasher.finalize().into();
        if size == payload.size && is == payload.sha256 {
            Ok(())
        } else {
            Err(PackageError::Damaged(sha256()))
        }
    }
}

fn create(path: &Path) -> Result<File, PackageError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed(path))
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> PackageError {
    let path = path.to_owned();
    move |error| PackageError::Write { path, error }
}
