//! tar, as strictly as it can be read (POSIX.1-1988 "ustar", and what GNU tar writes for files like ours).
//!
//! A reader of our own: the crates for tar aim at reading everything, and their history is one of two readers seeing two
//! archives in one file (CVE-2025-62518, CVE-2026-33055). Here a header is a plain file or a known directory, or the archive
//! is refused: no pax headers, no long names, no links, no sparse files, no second archive after the end. Sizes beyond 8 GiB
//! in base-256, as GNU tar and bsdtar write them, and only where the octal digits do not suffice.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::Arc;

use comity_evidence::package::Name;

use super::collect::Collected;
use super::payload::{self, Job, Opened, PIECE_BYTES, Pool};
use super::{Progress, ReadError, shown};
use crate::report::{Report, Step};

/// Everything in a tar is in blocks of this size.
const BLOCK: usize = 512;
const BLOCK_U64: u64 = BLOCK as u64;
/// tar pads an archive to a multiple of this; GNU tar, bsdtar and Python do by default.
const RECORD: u64 = 20 * BLOCK_U64;
/// Largest size eleven octal digits hold.
const OCTAL_MAX: u64 = 0o777_7777_7777;
/// Longest name of the directory at the top: what is left of the header's 100 octets for names like ours.
const BASE_BYTES_MAX: usize = 64;

/// A tar file: contents of the payload are hashed by several threads at their places.
pub(super) fn read_file(
    file: &File,
    length: u64,
    threads: usize,
    progress: Progress<'_>,
    report: &mut Report,
) -> Result<Collected, ReadError> {
    let mut tape = Seekable {
        file: file.try_clone().map_err(ReadError::of("the archive"))?,
        length,
    };
    let mut jobs = Vec::new();
    let mut collected = Collected::default();
    scan(&mut tape, &mut collected, report, |number, size, at, _| {
        jobs.push(Job {
            number,
            offset: at,
            size,
        });
        Ok(true)
    })?;
    let file = Arc::new(tape.file);
    let done = payload::hash_all(jobs, threads, progress, |_| {
        Ok(Opened {
            file: Arc::clone(&file),
            alone: false,
        })
    })?;
    for it in done {
        collected.payload(it.number, it.size, it.sha256, report);
    }
    Ok(collected)
}

/// A stream: one thread reads, others hash.
pub(super) fn read_stream(
    stream: &mut dyn Read,
    threads: usize,
    progress: Progress<'_>,
    report: &mut Report,
) -> Result<Collected, ReadError> {
    let mut collected = Collected::default();
    let mut tape = Flowing(stream);
    std::thread::scope(|scope| {
        let mut pool = Pool::new(scope, threads);
        scan(
            &mut tape,
            &mut collected,
            report,
            |number, size, _, tape| {
                let mut left = size;
                let mut whole = true;
                pool.file(number, |piece| {
                    let want = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                    let count = fill(tape, piece.get_mut(..want).unwrap_or_default())?;
                    left -= count as u64;
                    progress(count as u64);
                    whole = count == want;
                    Ok::<_, io::Error>((count, left == 0 || !whole))
                })?;
                Ok(whole)
            },
        )?;
        for it in pool.finish() {
            collected.payload(it.number, it.size, it.sha256, report);
        }
        Ok(collected)
    })
}

/// Where an archive comes from.
trait Tape {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Whether it can pass over contents instead of reading them.
    fn skip(&mut self, at: u64, count: u64) -> io::Result<Skipped>;
}

enum Skipped {
    Yes,
    /// The archive ends before that.
    Cut,
    /// Whoever wanted the contents has read them.
    AlreadyRead,
}

struct Seekable {
    file: File,
    length: u64,
}

impl Tape for Seekable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }

    fn skip(&mut self, at: u64, count: u64) -> io::Result<Skipped> {
        match at.checked_add(count) {
            Some(to) if to <= self.length => {
                self.file.seek(SeekFrom::Start(to))?;
                Ok(Skipped::Yes)
            }
            _ => Ok(Skipped::Cut),
        }
    }
}

struct Flowing<'a>(&'a mut dyn Read);

impl Tape for Flowing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    fn skip(&mut self, _at: u64, _count: u64) -> io::Result<Skipped> {
        Ok(Skipped::AlreadyRead)
    }
}

/// Reads until the buffer is full or nothing more comes.
fn fill(tape: &mut dyn Tape, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while let Some(space) = buffer.get_mut(have..).filter(|space| !space.is_empty()) {
        match tape.read(space) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

/// What stops reading an archive: the same place is named whoever asks.
struct Fault {
    code: &'static str,
    at: u64,
    file: String,
    detail: &'static str,
}

enum Stop {
    Io(io::Error),
    Fault(Fault),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn fault<T>(code: &'static str, at: u64, detail: &'static str) -> Result<T, Stop> {
    Err(Stop::Fault(Fault {
        code,
        at,
        file: String::new(),
        detail,
    }))
}

/// Walks the archive. `payload` gets number, size and offset of each payload file, and may read its contents from the tape;
/// it says whether they were all there.
fn scan(
    tape: &mut dyn Tape,
    collected: &mut Collected,
    report: &mut Report,
    payload: impl FnMut(u32, u64, u64, &mut dyn Tape) -> io::Result<bool>,
) -> Result<(), ReadError> {
    match members(tape, collected, report, payload) {
        Ok(()) => Ok(()),
        Err(Stop::Io(error)) => Err(ReadError::of("the archive")(error)),
        Err(Stop::Fault(fault)) => {
            report.wrong(
                Step::Layout,
                fault.code,
                fault.file,
                Some(fault.at),
                fault.detail,
            );
            Ok(())
        }
    }
}

fn members(
    tape: &mut dyn Tape,
    collected: &mut Collected,
    report: &mut Report,
    mut payload: impl FnMut(u32, u64, u64, &mut dyn Tape) -> io::Result<bool>,
) -> Result<(), Stop> {
    let mut at = 0;
    let mut base: Option<Vec<u8>> = None;
    let mut directories = BTreeSet::new();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let mut block = [0; BLOCK];
        if fill(tape, &mut block)? != BLOCK {
            return fault("tar.cut", at, "a header is cut off, or the end is missing");
        }
        if block == [0; BLOCK] {
            return end(tape, at);
        }
        let header = Header::read(&block, at)?;
        let path = below(&header, &mut base, at)?;
        at += BLOCK_U64;
        if header.is_directory {
            let known = path.is_empty() || str::from_utf8(path).is_ok_and(Name::is_directory);
            if !known {
                collected.unknown_folder(path, report);
            } else if !directories.insert(path.to_vec()) {
                report.wrong(
                    Step::Layout,
                    "file.twice",
                    shown(path),
                    Some(at - BLOCK_U64),
                    "",
                );
            }
            continue;
        }
        let name = collected.admit(path, report);
        match name {
            Some(Name::Payload(number)) => {
                if !payload(number, header.size, at, tape)? {
                    return fault("tar.cut", at, "the contents of a file are cut off");
                }
                match tape.skip(at, header.size)? {
                    Skipped::Cut => {
                        return fault("tar.cut", at, "the contents of a file are cut off");
                    }
                    Skipped::Yes | Skipped::AlreadyRead => {}
                }
            }
            name => {
                let mut tag = name.and_then(|name| collected.begin(name, header.size, report));
                if tag.is_none() && header.size > SKIPPED_BYTES_MAX {
                    // refused already; do not read on through what may have no end
                    return fault("tar.refused", at, "reading stops at a file that is refused");
                }
                let mut left = header.size;
                while left > 0 {
                    let want = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
                    let piece = buffer.get_mut(..want).unwrap_or_default();
                    if fill(tape, piece)? != want {
                        return fault("tar.cut", at, "the contents of a file are cut off");
                    }
                    if let Some(tag) = &mut tag {
                        collected.piece(tag, piece, report);
                    }
                    left -= want as u64;
                }
                if let Some(tag) = tag {
                    collected.end(tag, report);
                }
            }
        }
        at += header.size;
        at = padding(tape, at)?;
    }
}

/// Most octets of a refused file that are read to go on with the next.
const SKIPPED_BYTES_MAX: u64 = 64 << 20;

/// Up to the next block there are zeros.
fn padding(tape: &mut dyn Tape, at: u64) -> Result<u64, Stop> {
    let Ok(count) = usize::try_from(at.next_multiple_of(BLOCK_U64) - at) else {
        return fault("tar.padding", at, "");
    };
    let mut block = [0; BLOCK];
    let space = block.get_mut(..count).unwrap_or_default();
    if fill(tape, space)? != count {
        return fault("tar.cut", at, "the end is missing");
    }
    match space.iter().position(|byte| *byte != 0) {
        Some(place) => fault("tar.padding", at + place as u64, ""),
        None => Ok(at + count as u64),
    }
}

/// A second block of zeros, zeros up to a full record, and nothing more.
fn end(tape: &mut dyn Tape, at: u64) -> Result<(), Stop> {
    let mut at = at + BLOCK_U64;
    let full = (at + BLOCK_U64).next_multiple_of(RECORD);
    let mut rest = vec![0; RECORD as usize + 2 * BLOCK];
    let count = fill(tape, &mut rest)?;
    if let Some(place) = rest.iter().take(count).position(|byte| *byte != 0) {
        return fault(
            "tar.end",
            at + place as u64,
            "there is something after the end",
        );
    }
    at += count as u64;
    if at < full {
        fault("tar.end", at, "the end is cut off")
    } else if at > full {
        fault("tar.end", full, "there are zeros beyond the last record")
    } else {
        Ok(())
    }
}

/// The path below the directory at the top, which is the same for all members (RFC 8493 section 4: "a single top-level
/// directory").
fn below<'h>(header: &Header<'h>, base: &mut Option<Vec<u8>>, at: u64) -> Result<&'h [u8], Stop> {
    let path = header.path;
    let (first, rest) = match path.iter().position(|byte| *byte == b'/') {
        Some(place) => (
            path.get(..place).unwrap_or_default(),
            path.get(place + 1..).unwrap_or_default(),
        ),
        None => (path, &[][..]),
    };
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let sound = (1..=BASE_BYTES_MAX).contains(&first.len())
        && first.iter().all(plain)
        && first != b"."
        && first != b"..";
    let same = base.get_or_insert_with(|| first.to_vec()) == first;
    let inside = path.contains(&b'/') || header.is_directory;
    if sound && same && inside {
        return Ok(rest);
    }
    Err(Stop::Fault(Fault {
        code: if first == b".." || path.first() == Some(&b'/') {
            "name.escapes"
        } else {
            "tar.base"
        },
        at,
        file: shown(path),
        detail: "",
    }))
}

/// A header, of which every octet has been looked at.
struct Header<'b> {
    path: &'b [u8],
    size: u64,
    is_directory: bool,
}

impl<'b> Header<'b> {
    fn read(block: &'b [u8; BLOCK], at: u64) -> Result<Self, Stop> {
        let field = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
        let wrong = |from: u64, detail| fault("tar.header", at + from, detail);
        // sum over all octets, those of the sum itself counted as blanks
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(place, byte)| {
                if (148..156).contains(&place) {
                    u64::from(b' ')
                } else {
                    u64::from(*byte)
                }
            })
            .sum();
        if octal(field(148, 156)) != Some(sum) {
            return wrong(0, "the header's checksum is wrong");
        }
        let ustar = field(257, 265) == b"ustar\x0000";
        let gnu = field(257, 265) == b"ustar  \0";
        if !ustar && !gnu {
            return wrong(257, "neither the ustar format nor GNU tar's");
        }
        let kind = field(156, 157).first().copied().unwrap_or_default();
        if kind != b'0' && kind != b'5' {
            return Err(Stop::Fault(Fault {
                code: "tar.kind",
                at: at + 156,
                file: shown(text(field(0, 100)).unwrap_or_default()),
                detail: kind_name(kind),
            }));
        }
        let Some(mut path) = text(field(0, 100)) else {
            return wrong(0, "a name with something after its end");
        };
        for (from, to, what) in [
            (157, 257, "a link's target where there is no link"),
            (345, 500, "a long name: give the directory a shorter one"),
            (500, 512, "something in the unused end of the header"),
        ] {
            if field(from, to).iter().any(|byte| *byte != 0) {
                return wrong(from as u64, what);
            }
        }
        // owners, rights, date: they say nothing, but must be read alike by everybody
        for (from, to) in [
            (100, 108),
            (108, 116),
            (116, 124),
            (136, 148),
            (329, 337),
            (337, 345),
        ] {
            let field = field(from, to);
            let empty = from >= 329 && field.iter().all(|byte| *byte == 0);
            if !empty && octal(field).is_none() {
                return wrong(from as u64, "not an octal number");
            }
        }
        if text(field(265, 297)).is_none() || text(field(297, 329)).is_none() {
            return wrong(265, "an owner's name with something after its end");
        }
        let Some(size) = size(field(124, 136)) else {
            return wrong(124, "not a size, or not in its usual form");
        };
        let is_directory = kind == b'5';
        if is_directory {
            if size != 0 {
                return wrong(124, "a directory with contents");
            }
            path = path.strip_suffix(b"/").unwrap_or(path);
        }
        Ok(Self {
            path,
            size,
            is_directory,
        })
    }
}

fn kind_name(kind: u8) -> &'static str {
    match kind {
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' | b'6' => "a device or pipe",
        b'x' | b'g' => "a pax header",
        b'L' | b'K' => "a long name of GNU tar: give the directory a shorter one",
        b'S' => "a sparse file of GNU tar",
        _ => "an entry of unknown kind",
    }
}

/// Text up to the first NUL; nothing but NULs after it.
fn text(field: &[u8]) -> Option<&[u8]> {
    let end = field.iter().position(|byte| *byte == 0);
    let (text, rest) = field.split_at(end.unwrap_or(field.len()));
    rest.iter().all(|byte| *byte == 0).then_some(text)
}

/// Octal digits, then NULs and blanks.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field
        .iter()
        .take_while(|byte| (b'0'..=b'7').contains(byte))
        .count();
    let (digits, rest) = field.split_at(digits);
    if digits.is_empty() || rest.iter().any(|byte| *byte != 0 && *byte != b' ') {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |sum, digit| sum << 3 | u64::from(digit - b'0')),
    )
}

fn size(field: &[u8]) -> Option<u64> {
    match field.split_first() {
        Some((0x80, rest)) => {
            let (high, low) = rest.split_at_checked(3)?;
            let size = u64::from_be_bytes(low.try_into().ok()?);
            let plain = high.iter().all(|byte| *byte == 0);
            (plain && size > OCTAL_MAX && i64::try_from(size).is_ok()).then_some(size)
        }
        _ => octal(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_spelling() {
        assert_eq!(size(b"00000000014\0"), Some(12));
        assert_eq!(size(b"77777777777\0"), Some(OCTAL_MAX));
        assert_eq!(size(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(8 << 30));
        for bad in [
            &b"\x80\0\0\0\0\0\0\0\0\0\0\x0c"[..],
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x80\x01\0\0\0\0\0\x02\0\0\0\0",
            b"0000000001x\0",
            b"-0000000012\0",
            b"            ",
            b"\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(size(bad), None, "{bad:?}");
        }
    }
}
