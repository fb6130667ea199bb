//! Taking files into the vault: two threads read, hash and write; one puts the list of items together in order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use comity_evidence::{Hash, Item, ItemName, Manifest, Time};
use rustix::fs::Stat;

use super::copy::{CopyError, copy};
use super::error::{VaultError, printable};
use super::group::{Group, Staged};
use super::journal::Record;
use super::session::Session;
use super::source::{Found, Specials, Survey, allocated, difference, survey, walk};
use super::{LeftOut, Vault, place};

/// Threads that read and hash. More would want the disk at more places at once, and a node has other work.
const WORKERS: usize = 2;
/// Files that wait for a worker.
const WAITING_MAX: usize = 64;
/// Files made durable together: one sync for all of them.
const GROUP_FILES: usize = 4_096;
/// ... or when they have so many octets, so that an interruption costs no more than a few seconds of work.
const GROUP_BYTES: u64 = 4 << 30;
/// From this size on a file is synced by who wrote it.
const SYNC_ALONE_FROM: u64 = 64 << 20;

/// How far a seal is, for another thread to look at.
#[derive(Debug, Default)]
pub struct Sealing {
    /// Octets read, hashed and written.
    pub bytes: AtomicU64,
    /// Files done.
    pub files: AtomicU64,
    /// Set from outside to stop; what is staged stays.
    pub stop: AtomicBool,
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Number of items.
    pub items: u64,
    /// Octets of all items.
    pub size: u64,
    /// Hash of the list of items, which is an object of the vault under this name.
    pub items_sha256: Hash,
    /// Items that were there from an interrupted seal.
    pub resumed: u64,
    /// Links and special files that were left out.
    pub left_out: LeftOut,
}

impl Vault {
    /// Looks at what there is to seal without reading any of it.
    ///
    /// # Errors
    /// When something cannot be looked at.
    pub fn survey(&self, paths: &[PathBuf]) -> Result<Survey, VaultError> {
        survey(paths)
    }

    /// Takes the session's files in. When this returns, every item and the list of items are objects of the vault, on disk.
    /// The caller keeps the session until the register refers to them.
    ///
    /// Memory does not grow with the size of files; 10,000 files cost a few megabytes for their names.
    ///
    /// # Errors
    /// See [`VaultError`]. What was staged stays for [`super::Began::Resume`].
    pub fn seal(
        &self,
        session: &mut Session,
        leave_out_links: bool,
        sealing: &Sealing,
    ) -> Result<Sealed, VaultError> {
        let seen = survey(&session.paths)?;
        if seen.files == 0 {
            return Err(VaultError::Nothing);
        }
        // what a seal that failed has written without giving it a name is of no use any more, and takes the space this one needs
        session.drop_unfinished()?;
        let free = self.free_bytes()?;
        if session.done.is_empty() && seen.allocated > free {
            return Err(VaultError::Space {
                needed: seen.allocated,
                free,
            });
        }
        let specials = if leave_out_links {
            Specials::LeaveOut
        } else {
            Specials::Refuse
        };
        let (found, waiting) = sync_channel::<(u64, Found)>(WAITING_MAX);
        let waiting = Mutex::new(waiting);
        let (report, reports) = channel();
        let paths = session.paths.clone();
        let work = Work {
            vault: self,
            folder: session.folder.clone(),
            done: std::mem::take(&mut session.done),
            sealing,
        };
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                let report = report.clone();
                let (work, waiting) = (&work, &waiting);
                scope.spawn(move || work.run(waiting, &report));
            }
            drop(report);
            let walking = scope.spawn(move || {
                let mut number = 0;
                walk(&paths, specials, &mut |file| {
                    number += 1;
                    // the workers hang up when one of them failed
                    Ok(found.send((number, file)).is_ok() && !sealing.stop.load(Ordering::Relaxed))
                })
            });
            let collected = collect(self, session, &reports, sealing);
            if collected.is_err() {
                sealing.stop.store(true, Ordering::Relaxed);
            }
            // workers stop at the next file; what they have in hand is thrown away
            drop(reports);
            let walked = walking
                .join()
                .unwrap_or_else(|_| Err(stopped(&session.folder)));
            let mut sealed = collected?;
            sealed.left_out = walked?;
            if sealing.stop.load(Ordering::Relaxed) {
                return Err(stopped(&session.folder));
            }
            Ok(sealed)
        })
    }
}

fn stopped(folder: &Path) -> VaultError {
    VaultError::io("go on with", folder)(std::io::ErrorKind::Interrupted.into())
}

/// One file, as a worker reports it.
struct Done {
    number: u64,
    item: Item,
    /// `None` for one that an interrupted seal had finished.
    staged: Option<Staged>,
}

struct Work<'v> {
    vault: &'v Vault,
    folder: PathBuf,
    done: std::collections::HashMap<String, Record>,
    sealing: &'v Sealing,
}

impl Work<'_> {
    fn run(
        &self,
        waiting: &Mutex<Receiver<(u64, Found)>>,
        report: &Sender<Result<Done, VaultError>>,
    ) {
        loop {
            let next = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
            let Ok((number, found)) = next else { return };
            if self.sealing.stop.load(Ordering::Relaxed) {
                // taken off the queue and thrown away, so that the walker is never left waiting
                continue;
            }
            let result = self.one(number, &found);
            if result.is_err() {
                self.sealing.stop.store(true, Ordering::Relaxed);
            }
            self.sealing.files.fetch_add(1, Ordering::Relaxed);
            let _hung_up = report.send(result);
        }
    }

    fn one(&self, number: u64, found: &Found) -> Result<Done, VaultError> {
        let name = ItemName::encode(&found.name).map_err(|source| VaultError::Item {
            path: printable(&found.shown),
            source,
        })?;
        if let Some(done) = self.finished(number, &name, found) {
            return Ok(done);
        }
        let (source, before) = found.open()?;
        let file = number.to_string();
        let path = self.folder.join(&file);
        let write = |what| VaultError::io(what, &path);
        let point = || self.vault.point("vault.write");
        self.vault.point("vault.create").map_err(write("make"))?;
        let target = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o400)
            .open(&path)
            .or_else(|error| again(&path, error))
            .map_err(write("make"))?;
        let size = u64::try_from(before.st_size).unwrap_or(0);
        let copied = copy(
            &source,
            &target,
            size,
            allocated(&before),
            &self.sealing.bytes,
            &point,
        );
        let copied = copied.map_err(|error| match error {
            CopyError::Read(error) => VaultError::io("read", &found.shown)(error),
            CopyError::Write(error) => write("write")(error),
        })?;
        let after = rustix::fs::fstat(&source)
            .map_err(|error| VaultError::io("read", &found.shown)(error.into()))?;
        let changed = difference(&before, &after).or((copied.size != size).then_some("its size"));
        if let Some(what) = changed {
            return Err(VaultError::Changed {
                path: printable(&found.shown),
                what,
            });
        }
        let synced = size >= SYNC_ALONE_FROM;
        if synced {
            target.sync_all().map_err(write("sync"))?;
        }
        let record = Record::new(name.to_string(), &copied.sha256, copied.size, &before);
        Ok(Done {
            number,
            item: item(number, name, copied.size, copied.sha256, &before),
            staged: Some(Staged {
                file,
                synced,
                sha256: copied.sha256,
                record,
            }),
        })
    }

    /// The file was finished before an interruption, is the same as then, and its object is there.
    fn finished(&self, number: u64, name: &ItemName, found: &Found) -> Option<Done> {
        let record = self.done.get(name.as_str())?;
        let sha256 = record.sha256().filter(|_| record.is_of(&found.stat))?;
        let (folder, object) = place(&sha256);
        let path = self.vault.objects().join(folder).join(object);
        let there = path
            .symlink_metadata()
            .is_ok_and(|data| data.is_file() && data.len() == record.size);
        there.then(|| {
            self.sealing.bytes.fetch_add(record.size, Ordering::Relaxed);
            Done {
                number,
                item: item(number, name.clone(), record.size, sha256, &found.stat),
                staged: None,
            }
        })
    }
}

/// A file left by an interrupted seal is read-only and in the way.
fn again(path: &Path, error: std::io::Error) -> std::io::Result<File> {
    if error.kind() != std::io::ErrorKind::PermissionDenied {
        return Err(error);
    }
    std::fs::remove_file(path)?;
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(path)
}

#[expect(clippy::unnecessary_cast, reason = "of other widths on other systems")]
fn item(number: u64, name: ItemName, size: u64, sha256: Hash, stat: &Stat) -> Item {
    let nanos = u32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Item {
        number,
        name,
        size,
        sha256,
        media_type: None,
        modified: Time::new(stat.st_mtime as i64, nanos),
    }
}

/// Puts what the workers report into order, into the list of items, and group by group into the vault.
fn collect(
    vault: &Vault,
    session: &mut Session,
    reports: &Receiver<Result<Done, VaultError>>,
    sealing: &Sealing,
) -> Result<Sealed, VaultError> {
    let mut group = Group::new(vault, session.folder.clone())?;
    let mut list = List::new(&session.folder)?;
    let mut staged: Vec<Staged> = Vec::new();
    let mut staged_bytes = 0;
    let mut resumed = 0;
    let mut failed = None;
    for report in reports {
        let done = match report {
            Ok(done) => done,
            Err(error) => {
                failed.get_or_insert(error);
                continue;
            }
        };
        match done.staged {
            Some(file) => {
                staged_bytes += file.record.size;
                staged.push(file);
            }
            None => {
                group.touch(&done.item.sha256);
                resumed += 1;
            }
        }
        list.add(done.number, done.item)?;
        if staged.len() >= GROUP_FILES || staged_bytes >= GROUP_BYTES {
            group.commit(&staged, &mut session.journal)?;
            staged.clear();
            staged_bytes = 0;
        }
    }
    // also after a failure: what is whole need not be read again
    if !staged.is_empty() {
        group.commit(&staged, &mut session.journal)?;
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if sealing.stop.load(Ordering::Relaxed) {
        return Err(stopped(&session.folder));
    }
    let manifest = list.finish()?;
    vault
        .point("vault.list")
        .map_err(VaultError::io("name the list in", &session.folder))?;
    session
        .journal
        .add(&[Record::of_list(&manifest.sha256(), 0)])
        .map_err(VaultError::io("write the journal in", &session.folder))?;
    group.name(LIST, &manifest.sha256())?;
    group.sync_folders()?;
    // CRASH POINT: everything is in the vault and nothing refers to it; `--resume` finds all in the journal
    Ok(Sealed {
        items: manifest.items(),
        size: manifest.size(),
        items_sha256: manifest.sha256(),
        resumed,
        left_out: LeftOut::default(),
    })
}

const LIST: &str = "items.jsonl";

/// The list of items, written in the order of their numbers; what comes too early waits.
struct List {
    path: PathBuf,
    file: BufWriter<File>,
    manifest: Manifest,
    early: BTreeMap<u64, Item>,
}

impl List {
    fn new(folder: &Path) -> Result<Self, VaultError> {
        let path = folder.join(LIST);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(VaultError::io("replace", &path)(error));
            }
            _ => {}
        }
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(&path)
            .map_err(VaultError::io("make", &path))?;
        Ok(Self {
            path,
            file: BufWriter::with_capacity(256 << 10, file),
            manifest: Manifest::default(),
            early: BTreeMap::new(),
        })
    }

    fn add(&mut self, number: u64, item: Item) -> Result<(), VaultError> {
        self.early.insert(number, item);
        while let Some(item) = self.early.remove(&(self.manifest.items() + 1)) {
            let line = self
                .manifest
                .add(&item)
                .map_err(|source| VaultError::Item {
                    path: item.name.to_string(),
                    source,
                })?;
            self.file
                .write_all(line.as_bytes())
                .map_err(VaultError::io("write", &self.path))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Manifest, VaultError> {
        let io = VaultError::io("write", &self.path);
        let file = self
            .file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        match file.and_then(|file| file.sync_all()) {
            Ok(()) => Ok(self.manifest),
            Err(error) => Err(io(error)),
        }
    }
}
