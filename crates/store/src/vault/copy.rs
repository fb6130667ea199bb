//! One file: read once, hashed, and written, all from the same memory.
//!
//! Expected before it was measured (docs/PERFORMANCE.md has what was measured): hashing 1.7 GiB a CPU-second, reading from the
//! page cache 7, writing past it (`O_DIRECT`) 15; together 1.3. Writing through the page cache would cost as much as hashing.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use comity_evidence::Hash;
use rustix::fs::{FallocateFlags, OFlags, SeekFrom};
use rustix::io::{Errno, ReadWriteFlags};
use sha2::{Digest as _, Sha256};

use super::buffer::{ALIGN, Buffer, CHUNK};

/// From this size on a file is written past the page cache: below, two requests cost more than the copy they spare.
const DIRECT_FROM: u64 = 256 << 10;
/// From this size on reading and writing overlap, with a thread of its own for writing.
const OVERLAP_FROM: u64 = 8 << 20;
/// Buffers in turn when they overlap: one is filled, one written, one waits.
const BUFFERS: usize = 3;

/// What was read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) size: u64,
    pub(super) sha256: Hash,
}

/// Which side failed.
#[derive(Debug)]
pub(super) enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// Reads `source` from its beginning to its end, hashes, and writes to `target`, which is new and empty. Holes of the source
/// are hashed as zeros and stay holes. `allocated` is what the file system says the source takes.
pub(super) fn copy(
    source: &File,
    target: &File,
    expected: u64,
    allocated: u64,
    done: &AtomicU64,
    fault: &(dyn Fn() -> io::Result<()> + Sync),
) -> Result<Copied, CopyError> {
    let mut reader = Reader::new(source, expected, allocated);
    let writer = Writer::new(target, expected, allocated).map_err(CopyError::Write)?;
    let (size, sha256) = if expected >= OVERLAP_FROM {
        overlapping(&mut reader, writer, done, fault)?
    } else {
        plain(&mut reader, writer, done, fault)?
    };
    Ok(Copied { size, sha256 })
}

fn plain(
    reader: &mut Reader<'_>,
    mut writer: Writer<'_>,
    done: &AtomicU64,
    fault: &(dyn Fn() -> io::Result<()> + Sync),
) -> Result<(u64, Hash), CopyError> {
    let mut hasher = Sha256::new();
    let mut buffer = Buffer::new();
    while let Some(piece) = reader.next(&mut buffer).map_err(CopyError::Read)? {
        piece.hash(&buffer, &mut hasher);
        done.fetch_add(piece.len(), Ordering::Relaxed);
        fault()
            .and_then(|()| writer.write(&piece, &buffer))
            .map_err(CopyError::Write)?;
    }
    writer.finish(reader.offset).map_err(CopyError::Write)?;
    Ok((reader.offset, hasher.finalize().into()))
}

/// The same with a thread that writes.
fn overlapping(
    reader: &mut Reader<'_>,
    mut writer: Writer<'_>,
    done: &AtomicU64,
    fault: &(dyn Fn() -> io::Result<()> + Sync),
) -> Result<(u64, Hash), CopyError> {
    let (full, filled) = sync_channel::<(Piece, Buffer)>(BUFFERS);
    let (empty, emptied) = sync_channel::<Buffer>(BUFFERS);
    for _ in 0..BUFFERS {
        // the channel has room for all of them
        let _sent = empty.send(Buffer::new());
    }
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || -> io::Result<Writer<'_>> {
            for (piece, buffer) in filled {
                fault()?;
                writer.write(&piece, &buffer)?;
                if empty.send(buffer).is_err() {
                    break;
                }
            }
            Ok(writer)
        });
        let read = read_and_hash(reader, &emptied, full, done);
        let written = writing
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the writing thread died")));
        // a failed write makes the reader stop; its reason is the writer's
        let mut writer = written.map_err(CopyError::Write)?;
        let sha256 = read?;
        writer.finish(reader.offset).map_err(CopyError::Write)?;
        Ok((reader.offset, sha256))
    })
}

fn read_and_hash(
    reader: &mut Reader<'_>,
    emptied: &Receiver<Buffer>,
    full: SyncSender<(Piece, Buffer)>,
    done: &AtomicU64,
) -> Result<Hash, CopyError> {
    let mut hasher = Sha256::new();
    while let Ok(mut buffer) = emptied.recv() {
        let Some(piece) = reader.next(&mut buffer).map_err(CopyError::Read)? else {
            return Ok(hasher.finalize().into());
        };
        piece.hash(&buffer, &mut hasher);
        done.fetch_add(piece.len(), Ordering::Relaxed);
        if full.send((piece, buffer)).is_err() {
            break;
        }
    }
    Err(CopyError::Write(io::Error::other(
        "the writing thread ended",
    )))
}

/// A piece of a file, in order.
pub(super) enum Piece {
    /// So many octets in the buffer, at this offset.
    Data(u64, usize),
    /// So many zeros that take no space.
    Hole(u64),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Data(_, len) => *len as u64,
            Self::Hole(len) => *len,
        }
    }

    fn hash(&self, buffer: &Buffer, hasher: &mut Sha256) {
        match self {
            Self::Data(_, len) => hasher.update(buffer.first(*len)),
            Self::Hole(len) => {
                static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
                let mut left = *len;
                while left > 0 {
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
                    hasher.update(ZEROS.get(..now).unwrap_or_default());
                    left -= now as u64;
                }
            }
        }
    }
}

struct Reader<'f> {
    file: &'f File,
    offset: u64,
    sparse: bool,
    /// Octets from here to there are data.
    data_until: u64,
    direct: bool,
}

impl<'f> Reader<'f> {
    fn new(file: &'f File, expected: u64, allocated: u64) -> Self {
        let _hint = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
        let sparse = allocated < expected;
        Self {
            file,
            offset: 0,
            sparse,
            data_until: if sparse { 0 } else { u64::MAX },
            direct: expected >= OVERLAP_FROM
                && !sparse
                && !in_memory(file, expected)
                && set_direct(file, OFlags::RDONLY, true),
        }
    }

    /// The next piece; `None` at the end of the file.
    fn next(&mut self, buffer: &mut Buffer) -> io::Result<Option<Piece>> {
        if self.offset >= self.data_until && self.sparse {
            let hole = self.skip_hole()?;
            if hole > 0 {
                self.offset += hole;
                return Ok(Some(Piece::Hole(hole)));
            }
        }
        let left = self.data_until.saturating_sub(self.offset);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
        let mut len = 0;
        while len < wanted {
            match rustix::io::pread(
                self.file,
                buffer.room(len, wanted),
                self.offset + len as u64,
            ) {
                Ok(0) => break,
                Ok(read) => len += read,
                Err(Errno::INTR) => {}
                // a short read left an offset that does not fit the disk's blocks
                Err(Errno::INVAL) if self.direct => {
                    self.direct = false;
                    set_direct(self.file, OFlags::RDONLY, false);
                }
                Err(error) => return Err(error.into()),
            }
            if self.direct && len % ALIGN != 0 {
                self.direct = false;
                set_direct(self.file, OFlags::RDONLY, false);
            }
        }
        let at = self.offset;
        self.offset += len as u64;
        Ok((len > 0).then_some(Piece::Data(at, len)))
    }

    /// Length of the hole at the offset, and how far the data after it goes.
    fn skip_hole(&mut self) -> io::Result<u64> {
        let end = self.file.metadata()?.len();
        let data = match rustix::fs::seek(self.file, SeekFrom::Data(self.offset)) {
            Ok(data) => data,
            // no data any more: a hole to the end
            Err(Errno::NXIO) => end.max(self.offset),
            Err(Errno::INVAL | Errno::NOTSUP) => {
                self.sparse = false;
                self.data_until = u64::MAX;
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
        self.data_until = if data >= end {
            data
        } else {
            rustix::fs::seek(self.file, SeekFrom::Hole(data))?
        };
        if data >= end {
            // what comes to be there while we read is a change, and found as one
            self.sparse = false;
            self.data_until = end;
        }
        Ok(data.saturating_sub(self.offset))
    }
}

/// Whether the file lies in memory already: then reading past it would only wait for the disk. Asked at three places.
fn in_memory(file: &File, size: u64) -> bool {
    let mut byte = [0];
    [0, size / 2, size.saturating_sub(1)].iter().all(|offset| {
        let slices = &mut [io::IoSliceMut::new(&mut byte)];
        rustix::io::preadv2(file, slices, *offset, ReadWriteFlags::NOWAIT).is_ok()
    })
}

pub(super) struct Writer<'f> {
    file: &'f File,
    direct: bool,
    end: u64,
    reserved: bool,
}

impl<'f> Writer<'f> {
    fn new(file: &'f File, expected: u64, allocated: u64) -> io::Result<Self> {
        let direct = expected >= DIRECT_FROM && set_direct(file, OFlags::WRONLY, true);
        let whole = allocated >= expected;
        let mut reserved = false;
        if whole && expected >= OVERLAP_FROM {
            // in one piece on the disk, and a full disk is found before hours of reading
            reserved = match rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, expected) {
                Ok(()) => true,
                Err(Errno::NOSPC | Errno::DQUOT) => return Err(io::ErrorKind::StorageFull.into()),
                Err(_) => false,
            };
        }
        Ok(Self {
            file,
            direct,
            end: 0,
            reserved,
        })
    }

    pub(super) fn write(&mut self, piece: &Piece, buffer: &Buffer) -> io::Result<()> {
        let Piece::Data(offset, len) = piece else {
            return Ok(()); // a hole stays one
        };
        let bytes = buffer.first(*len);
        let fits = offset % ALIGN as u64 == 0;
        let aligned = if fits { len - len % ALIGN } else { 0 };
        let (whole, rest) = bytes.split_at_checked(aligned).unwrap_or((bytes, &[]));
        if self.direct && !whole.is_empty() {
            match write_all(self.file, whole, *offset) {
                Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                    self.buffered();
                    write_all(self.file, whole, *offset)?;
                }
                other => other?,
            }
        } else {
            write_all(self.file, whole, *offset)?;
        }
        if !rest.is_empty() {
            // the end of a file rarely fits a block: it goes the ordinary way
            self.buffered();
            write_all(self.file, rest, offset + whole.len() as u64)?;
        }
        self.end = offset + *len as u64;
        Ok(())
    }

    /// For a file that is written over several calls; `direct` is what [`Self::direct`] said after the call before.
    pub(super) fn going_on(file: &'f File, offset: u64, expected: u64, direct: bool) -> Self {
        let wanted = offset == 0 && expected >= DIRECT_FROM;
        Self {
            file,
            direct: direct || (wanted && set_direct(file, OFlags::RDWR, true)),
            end: offset,
            reserved: false,
        }
    }

    pub(super) fn direct(&self) -> bool {
        self.direct
    }

    fn buffered(&mut self) {
        if self.direct {
            self.direct = false;
            set_direct(self.file, OFlags::WRONLY, false);
        }
    }

    /// Gives the file its length: a hole at the end was not written, and what was reserved too much goes.
    fn finish(&mut self, size: u64) -> io::Result<()> {
        self.buffered();
        if self.end != size || self.reserved {
            rustix::fs::ftruncate(self.file, size)?;
        }
        Ok(())
    }
}

fn write_all(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Turns reading or writing past the page cache on or off; false where the file system cannot.
fn set_direct(file: &File, access: OFlags, on: bool) -> bool {
    let flags = if on { access | OFlags::DIRECT } else { access };
    rustix::fs::fcntl_setfl(file.as_fd(), flags).is_ok()
}
