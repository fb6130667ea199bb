//! Finds the files to seal: folder by folder in order of their names, without following any link.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use comity_evidence::ItemName;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};

use super::error::{VaultError, printable};

/// Folders within folders: each holds a descriptor while it is walked.
pub(super) const DEPTH_MAX: usize = 200;
/// Things left out that are named in the event; the rest is counted.
const NAMED_MAX: usize = 20;

/// What there is to seal, found without reading any contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Files.
    pub files: u64,
    /// Octets of them.
    pub bytes: u64,
    /// Octets they take on disk where that is less: holes are not copied.
    pub allocated: u64,
    /// Links and special files among them.
    pub left_out: LeftOut,
}

/// Links and special files that are no items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many.
    pub count: u64,
    /// The first of them, by encoded name and kind.
    pub first: Vec<(String, &'static str)>,
}

impl LeftOut {
    fn add(&mut self, name: &[u8], kind: &'static str) {
        self.count += 1;
        if self.first.len() < NAMED_MAX {
            let name =
                ItemName::encode(name).map_or_else(|_| "?".to_owned(), |name| name.to_string());
            self.first.push((name, kind));
        }
    }
}

/// A regular file that was found.
pub(super) struct Found {
    /// Its folder.
    folder: Arc<OwnedFd>,
    /// Its name there.
    file: Vec<u8>,
    /// Its path below what was named: the item's name.
    pub(super) name: Vec<u8>,
    /// For messages.
    pub(super) shown: PathBuf,
    pub(super) stat: Stat,
}

impl Found {
    /// Opens the very file that was found: not through a link, not another one that took its place.
    pub(super) fn open(&self) -> Result<(File, Stat), VaultError> {
        let fail = |what| {
            let shown = self.shown.clone();
            move |error: rustix::io::Errno| VaultError::io(what, &shown)(error.into())
        };
        let changed = |what| VaultError::Changed {
            path: printable(&self.shown),
            what,
        };
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match rustix::fs::openat(
            &*self.folder,
            OsStr::from_bytes(&self.file),
            flags,
            Mode::empty(),
        ) {
            Err(rustix::io::Errno::LOOP) => return Err(changed("it became a link")),
            Err(rustix::io::Errno::NOENT) => return Err(changed("it is gone")),
            opened => opened.map_err(fail("read"))?,
        };
        let stat = rustix::fs::fstat(&file).map_err(fail("read"))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
            || !same_file(&stat, &self.stat)
        {
            return Err(changed("another file took its place"));
        }
        Ok((File::from(file), stat))
    }
}

/// The same file with the same contents, as far as the file system tells.
pub(super) fn difference(before: &Stat, after: &Stat) -> Option<&'static str> {
    if !same_file(before, after) {
        Some("another file took its place")
    } else if before.st_size != after.st_size {
        Some("its size")
    } else if (before.st_mtime, before.st_mtime_nsec) != (after.st_mtime, after.st_mtime_nsec) {
        Some("its time of last change")
    } else if (before.st_ctime, before.st_ctime_nsec) != (after.st_ctime, after.st_ctime_nsec) {
        Some("its owner, rights, links or contents")
    } else {
        None
    }
}

fn same_file(one: &Stat, two: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino)
}

/// What to do with what is no regular file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Specials {
    Refuse,
    LeaveOut,
}

/// Counts what there is.
pub(super) fn survey(paths: &[PathBuf]) -> Result<Survey, VaultError> {
    let mut survey = Survey::default();
    let left_out = walk(paths, Specials::LeaveOut, &mut |found| {
        let size = u64::try_from(found.stat.st_size).unwrap_or(0);
        survey.files += 1;
        survey.bytes = survey.bytes.saturating_add(size);
        survey.allocated = survey
            .allocated
            .saturating_add(allocated(&found.stat).min(size));
        Ok(true)
    })?;
    survey.left_out = left_out;
    Ok(survey)
}

/// Octets a file takes on disk. `st_blocks` counts units of 512 octets everywhere (stat(3type)).
pub(super) fn allocated(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks)
        .unwrap_or(0)
        .saturating_mul(512)
}

/// Calls `each` with every regular file in order until it says to stop; gives what was left out.
pub(super) fn walk(
    paths: &[PathBuf],
    specials: Specials,
    each: &mut dyn FnMut(Found) -> Result<bool, VaultError>,
) -> Result<LeftOut, VaultError> {
    let mut walker = Walker {
        specials,
        each,
        left_out: LeftOut::default(),
    };
    let mut names: Vec<Vec<u8>> = Vec::new();
    for path in paths {
        let name = last_name(path)?;
        if names.contains(&name) {
            return Err(VaultError::SameName(printable(Path::new(
                OsStr::from_bytes(&name),
            ))));
        }
        names.push(name.clone());
        if !walker.root(path, name)? {
            break;
        }
    }
    Ok(walker.left_out)
}

/// The name an argument gives its items: its last component; of `.` the folder's own.
fn last_name(path: &Path) -> Result<Vec<u8>, VaultError> {
    if let Some(name) = path.file_name() {
        return Ok(name.as_bytes().to_vec());
    }
    let whole = path.canonicalize().map_err(VaultError::io("find", path))?;
    Ok(whole
        .file_name()
        .map_or_else(|| b"root".to_vec(), |name| name.as_bytes().to_vec()))
}

struct Walker<'w> {
    specials: Specials,
    each: &'w mut dyn FnMut(Found) -> Result<bool, VaultError>,
    left_out: LeftOut,
}

impl Walker<'_> {
    fn root(&mut self, path: &Path, name: Vec<u8>) -> Result<bool, VaultError> {
        // the way to what was named is the caller's; from there on nothing is followed
        let parent = match path.parent() {
            Some(parent) if path.file_name().is_some() => {
                if parent.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    parent
                }
            }
            _ => path,
        };
        let file = path
            .file_name()
            .map_or(b".".to_vec(), |name| name.as_bytes().to_vec());
        let folder = rustix::fs::open(
            parent,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|error| VaultError::io("read", parent)(error.into()))?;
        self.entry(&Arc::new(folder), &file, name, path.to_owned(), 0)
    }

    /// One name in a folder; false to stop.
    fn entry(
        &mut self,
        folder: &Arc<OwnedFd>,
        file: &[u8],
        name: Vec<u8>,
        shown: PathBuf,
        depth: usize,
    ) -> Result<bool, VaultError> {
        let fail = |error: rustix::io::Errno| VaultError::io("read", &shown)(error.into());
        let stat = rustix::fs::statat(
            &**folder,
            OsStr::from_bytes(file),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .map_err(fail)?;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                let found = Found {
                    folder: Arc::clone(folder),
                    file: file.to_vec(),
                    name,
                    shown,
                    stat,
                };
                return (self.each)(found);
            }
            FileType::Directory => return self.folder(folder, file, &name, &shown, depth),
            FileType::Symlink => "a symbolic link",
            FileType::Fifo => "a pipe",
            FileType::Socket => "a socket",
            FileType::CharacterDevice | FileType::BlockDevice => "a device",
            _ => "no regular file",
        };
        if self.specials == Specials::Refuse {
            return Err(VaultError::Special {
                path: printable(&shown),
                what: kind,
            });
        }
        self.left_out.add(&name, kind);
        Ok(true)
    }

    fn folder(
        &mut self,
        parent: &Arc<OwnedFd>,
        file: &[u8],
        name: &[u8],
        shown: &Path,
        depth: usize,
    ) -> Result<bool, VaultError> {
        if depth >= DEPTH_MAX {
            return Err(VaultError::Deep(printable(shown)));
        }
        let fail = |error: rustix::io::Errno| VaultError::io("read", shown)(error.into());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&**parent, OsStr::from_bytes(file), flags, Mode::empty())
            .map_err(fail)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(folder.as_fd()).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let bytes = CStr::to_bytes(entry.file_name());
            if bytes != b"." && bytes != b".." {
                names.push(bytes.to_vec());
            }
        }
        names.sort_unstable();
        let folder = Arc::new(folder);
        for file in names {
            let mut below = name.to_vec();
            below.push(b'/');
            below.extend_from_slice(&file);
            let shown = shown.join(OsStr::from_bytes(&file));
            if !self.entry(&folder, &file, below, shown, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
