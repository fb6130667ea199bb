//! Files that are still there after a power cut: written whole under another name, synced, then named, and the folder synced,
//! with every folder that had to be made. The one way in which the node and its commands write files that matter.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} `{}`: {source}", path.display())]
pub struct FileError {
    /// What was tried.
    pub what: &'static str,
    /// On which file.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// Writes a file that only its owner may read; refuses to replace one.
///
/// # Errors
/// When it exists already or cannot be written; then there is no file of this name.
pub fn put_new(path: &Path, content: &[u8]) -> Result<(), FileError> {
    if path.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(failed("create", path)(source));
    }
    put(path, content)
}

/// Writes a file that only its owner may read, in place of one that may be there.
///
/// # Errors
/// When it cannot be written; then the file of before is there as it was.
pub fn put(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    make_folder(folder)?;
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".new");
    let staged = PathBuf::from(name);
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&staged)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(failed("write", &staged))?;
    // CRASH POINT: until this rename the old file, or none, has the name
    std::fs::rename(&staged, path).map_err(failed("name", path))?;
    sync_folder(folder)
}

/// Makes a folder for its owner only, with the folders above it; each is in its parent on disk when this returns.
///
/// # Errors
/// When one cannot be made or synced.
pub fn make_folder(path: &Path) -> Result<(), FileError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    make_folder(parent)?;
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(failed("make the folder", path)(error));
        }
        _ => {}
    }
    sync_folder(parent)
}

/// What was made, named or removed in a folder is so on disk when this returns.
///
/// # Errors
/// When it cannot be synced.
pub fn sync_folder(path: &Path) -> Result<(), FileError> {
    std::fs::File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync the folder", path))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn failed(what: &'static str, path: &Path) -> impl Fn(std::io::Error) -> FileError + use<> {
    let path = path.to_owned();
    move |source| FileError {
        what,
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_private_whole_and_replaced_only_on_request() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/secret.seed");
        put_new(&path, b"one").unwrap();
        assert!(put_new(&path, b"two").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        put(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&dir.path().join("a"))), (0o600, 0o700));
        let names = std::fs::read_dir(dir.path().join("a/b")).unwrap().count();
        assert_eq!(names, 1, "nothing staged is left");
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        put(&path, b"one").unwrap();
        // a folder stands where the staged file would go
        std::fs::create_dir(dir.path().join("file.new")).unwrap();
        let error = put(&path, b"two").unwrap_err();
        assert!(error.to_string().contains("cannot write"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
    }
}
