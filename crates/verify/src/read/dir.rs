//! A directory, walked and opened by handles, so that nothing in it can lead out of it (evidence-log E.16, E.17, E.20).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use comity_evidence::package::Name;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::collect::Collected;
use super::payload::{self, Job, Opened, PIECE_BYTES};
use super::{Progress, ReadError, shown};
use crate::report::{Report, Step};

/// Most entries looked at: what a package may have, and some.
const ENTRIES_MAX: usize = 1_100_000;

pub(super) fn read(
    root: &File,
    threads: usize,
    progress: Progress<'_>,
    report: &mut Report,
) -> Result<Collected, ReadError> {
    let mut walk = Walk {
        directories: BTreeMap::new(),
        files: Vec::new(),
        entries: 0,
    };
    let mut collected = Collected::default();
    let root = root.as_fd().try_clone_to_owned();
    let root = root.map_err(ReadError::of("the directory"))?;
    walk.directory("", root, &mut collected, report)?;
    let mut jobs = Vec::new();
    // in one order, whatever the file system's
    walk.files.sort_unstable_by_key(|(name, _)| *name);
    for (name, size) in &walk.files {
        if let Name::Payload(number) = *name {
            jobs.push(Job {
                number,
                offset: 0,
                size: *size,
            });
        } else {
            walk.small(*name, *size, &mut collected, report)?;
        }
    }
    let done = payload::hash_all(jobs, threads, progress, |job| {
        Ok(Opened {
            file: Arc::new(walk.open(Name::Payload(job.number))?),
            alone: true,
        })
    })?;
    for it in done {
        if it.changed {
            let name = Name::Payload(it.number);
            report.wrong(Step::Payload, "file.changing", name, None, "");
        }
        collected.payload(it.number, it.size, it.sha256, report);
    }
    Ok(collected)
}

struct Walk {
    directories: BTreeMap<String, OwnedFd>,
    files: Vec<(Name, u64)>,
    entries: usize,
}

impl Walk {
    /// Lists a directory and those below it; `path` is its own, relative to the package.
    fn directory(
        &mut self,
        path: &str,
        handle: OwnedFd,
        collected: &mut Collected,
        report: &mut Report,
    ) -> Result<(), ReadError> {
        let failed = |error: rustix::io::Errno| ReadError::of(path)(error.into());
        let mut below = Vec::new();
        for entry in Dir::read_from(&handle).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                report.wrong(Step::Layout, "folder.full", "", None, "");
                return Ok(());
            }
            let full = if path.is_empty() {
                name.to_bytes().to_vec()
            } else {
                [path.as_bytes(), b"/", name.to_bytes()].concat()
            };
            let stat = rustix::fs::statat(&handle, name, AtFlags::SYMLINK_NOFOLLOW);
            let stat = stat.map_err(|error| ReadError::of(shown(&full))(error.into()))?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => match String::from_utf8(full) {
                    Ok(full) if Name::is_directory(&full) => {
                        let flags = OFlags::RDONLY | OFlags::DIRECTORY | FLAGS;
                        let opened = rustix::fs::openat(&handle, name, flags, Mode::empty());
                        let opened = opened.map_err(|error| ReadError::of(&full)(error.into()))?;
                        below.push((full, opened));
                    }
                    Ok(full) => collected.unknown_folder(full.as_bytes(), report),
                    Err(full) => collected.unknown_folder(full.as_bytes(), report),
                },
                FileType::RegularFile => {
                    if let Some(name) = collected.admit(&full, report) {
                        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
                        self.files.push((name, size));
                    }
                }
                _ => report.wrong(Step::Layout, "file.kind", shown(&full), None, ""),
            }
        }
        self.directories.insert(path.to_owned(), handle);
        for (path, handle) in below {
            self.directory(&path, handle, collected, report)?;
        }
        Ok(())
    }

    /// Opens a file in the directory that was listed, which is never looked up by name again.
    fn open(&self, name: Name) -> io::Result<File> {
        let path = name.to_string();
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let handle = self.directories.get(folder);
        let handle = handle.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let file = File::from(rustix::fs::openat(
            handle,
            file,
            OFlags::RDONLY | FLAGS,
            Mode::empty(),
        )?);
        // it may have been exchanged since it was listed
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::other("it is no regular file any more"))
        }
    }

    fn small(
        &self,
        name: Name,
        size: u64,
        collected: &mut Collected,
        report: &mut Report,
    ) -> Result<(), ReadError> {
        let Some(mut tag) = collected.begin(name, size, report) else {
            return Ok(());
        };
        let mut file = self.open(name).map_err(ReadError::of(name))?;
        let mut buffer = vec![0; PIECE_BYTES.min(usize::try_from(size).unwrap_or(PIECE_BYTES) + 1)];
        let mut read = 0;
        loop {
            let count = match file.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ReadError::of(name)(error)),
            };
            read += count as u64;
            if count == 0 || read > size {
                break;
            }
            let piece = buffer.get(..count).unwrap_or_default();
            collected.piece(&mut tag, piece, report);
        }
        if read != size {
            report.wrong(Step::Layout, "file.changing", name, None, "");
        }
        collected.end(tag, report);
        Ok(())
    }
}

/// No links, no waiting for a pipe's other end, no handle left to children.
const FLAGS: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);
