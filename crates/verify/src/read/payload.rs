//! Hashing the payload: several threads, each file by one of them, big ones first.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use comity_evidence::Hash;
use comity_evidence::package::Name;
use sha2::{Digest as _, Sha256};

use super::{Progress, ReadError};

/// Octets read at once: large enough that the calls cost nothing, small enough to stay in the processor's cache.
pub(super) const PIECE_BYTES: usize = 256 << 10;
/// Pieces under way between the reader of a stream and the hashing threads.
const PIECES_MAX: usize = 16;

/// A payload file, and its size as its place says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) number: u32,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// What hashing one gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) number: u32,
    pub(super) size: u64,
    pub(super) sha256: Hash,
    /// It did not have the size its place said, or changed meanwhile.
    pub(super) changed: bool,
}

/// Hashes all jobs; `open` gives a file and the offset in it where the contents begin.
pub(super) fn hash_all<F>(
    mut jobs: Vec<Job>,
    threads: usize,
    progress: Progress<'_>,
    open: F,
) -> Result<Vec<Done>, ReadError>
where
    F: Fn(&Job) -> io::Result<Opened> + Sync,
{
    // the big ones first, so that no thread is left with one at the end
    jobs.sort_unstable_by_key(|job| std::cmp::Reverse(job.size));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let failed = Mutex::new(None);
    let work = || {
        let mut buffer = vec![0; PIECE_BYTES];
        let mut mine = Vec::new();
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = open(job).and_then(|opened| hash(job, &opened, &mut buffer, progress));
            match result {
                Ok(result) => mine.push(result),
                Err(error) => {
                    // nothing can be said any more: let the others stop, too
                    next.store(usize::MAX / 2, Ordering::Relaxed);
                    let error = ReadError::of(Name::Payload(job.number))(error);
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        }
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.append(&mut mine);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.max(1) {
            scope.spawn(work);
        }
        work();
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

/// A file in which a payload lies.
pub(super) struct Opened {
    pub(super) file: std::sync::Arc<File>,
    /// The file is the payload alone: it must end where the payload ends, and must not change.
    pub(super) alone: bool,
}

fn hash(job: &Job, opened: &Opened, buffer: &mut [u8], progress: Progress<'_>) -> io::Result<Done> {
    let file = &opened.file;
    let stamp = |file: &File| -> io::Result<(u64, Option<std::time::SystemTime>)> {
        let metadata = file.metadata()?;
        Ok((metadata.len(), metadata.modified().ok()))
    };
    let before = if opened.alone {
        Some(stamp(file)?)
    } else {
        None
    };
    let mut hasher = Sha256::new();
    let mut read = 0;
    while read < job.size {
        let want = usize::try_from(job.size - read)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(space) = buffer.get_mut(..want) else {
            break;
        };
        let count = match file.read_at(space, job.offset + read) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Some(piece) = space.get(..count) {
            hasher.update(piece);
        }
        read += count as u64;
        progress(count as u64);
    }
    // evidence-log E.20: what was hashed is what is there now
    let after = if opened.alone {
        Some(stamp(file)?)
    } else {
        None
    };
    let grown = before.is_some_and(|(length, _)| length != job.size);
    Ok(Done {
        number: job.number,
        size: read,
        sha256: hasher.finalize().into(),
        changed: read != job.size || grown || before != after,
    })
}

/// Hashes files that come one after the other in a stream, on other threads than the one that reads.
pub(super) struct Pool<'scope> {
    workers: Vec<(
        mpsc::SyncSender<Work>,
        std::thread::ScopedJoinHandle<'scope, Vec<Done>>,
    )>,
    spare: mpsc::Receiver<Vec<u8>>,
    turn: usize,
}

struct Work {
    number: u32,
    piece: Vec<u8>,
    /// So much of it is filled.
    count: usize,
    last: bool,
}

impl<'scope> Pool<'scope> {
    pub(super) fn new<'env>(
        scope: &'scope std::thread::Scope<'scope, 'env>,
        threads: usize,
    ) -> Self {
        let (give, spare) = mpsc::sync_channel(2 * PIECES_MAX);
        for _ in 0..PIECES_MAX {
            let _full = give.try_send(vec![0; PIECE_BYTES]);
        }
        let workers = (0..threads.max(1))
            .map(|_| {
                let (sender, receiver) = mpsc::sync_channel::<Work>(PIECES_MAX);
                let give = give.clone();
                let handle = scope.spawn(move || {
                    let mut done = Vec::new();
                    let (mut hasher, mut size) = (Sha256::new(), 0);
                    for work in receiver {
                        hasher.update(work.piece.get(..work.count).unwrap_or_default());
                        size += work.count as u64;
                        let _reader_gone = give.try_send(work.piece);
                        if work.last {
                            done.push(Done {
                                number: work.number,
                                size,
                                sha256: hasher.finalize_reset().into(),
                                changed: false,
                            });
                            size = 0;
                        }
                    }
                    done
                });
                (sender, handle)
            })
            .collect();
        Self {
            workers,
            spare,
            turn: 0,
        }
    }

    /// Hashes one file whose contents `read` gives piece by piece: it fills the buffer it is given, and says how much of it,
    /// and whether that was the last piece.
    pub(super) fn file<E>(
        &mut self,
        number: u32,
        mut read: impl FnMut(&mut [u8]) -> Result<(usize, bool), E>,
    ) -> Result<(), E> {
        self.turn += 1;
        let worker = self.workers.get(self.turn % self.workers.len().max(1));
        loop {
            let mut piece = self.spare.recv().unwrap_or_default();
            let (count, last) = read(&mut piece)?;
            if let Some((sender, _)) = worker {
                let _worker_gone = sender.send(Work {
                    number,
                    piece,
                    count,
                    last,
                });
            }
            if last {
                return Ok(());
            }
        }
    }

    pub(super) fn finish(self) -> Vec<Done> {
        let mut done = Vec::new();
        for (sender, handle) in self.workers {
            drop(sender);
            done.extend(handle.join().unwrap_or_default());
        }
        done
    }
}
