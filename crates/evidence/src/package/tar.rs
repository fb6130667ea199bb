//! A package as a tar file: the one form the verifier reads without question (POSIX.1-1988 "ustar").

use super::Name;
use crate::Time;

/// Everything in a tar is in blocks of this size.
pub const BLOCK_BYTES: usize = 512;
/// An archive is a multiple of this long, as GNU tar, bsdtar and Python write it.
const RECORD_BYTES: u64 = 20 * 512;
/// Largest size eleven octal digits hold; beyond, base-256 as GNU tar and bsdtar write it.
const OCTAL_MAX: u64 = 0o777_7777_7777;
/// Longest name of the directory at the top.
pub const BASE_BYTES_MAX: usize = 64;

/// Whether a package may lie in a directory of this name: letters, digits and `._-`, 1 to 64.
#[must_use]
pub fn is_base(base: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=BASE_BYTES_MAX).contains(&base.len())
        && base.bytes().all(plain)
        && !matches!(base, "." | "..")
}

/// The header of a file, or `None` if `base` is no name for a package's directory. Owner 0, mode 0644: who made it says the seal.
#[must_use]
pub fn header(base: &str, name: Name, size: u64, time: Time) -> Option<[u8; BLOCK_BYTES]> {
    let path = format!("{base}/{name}");
    if !is_base(base) || path.len() > 100 {
        return None;
    }
    let seconds = u64::try_from(time.micros() / 1_000_000)
        .unwrap_or(0)
        .min(OCTAL_MAX);
    let size = if size <= OCTAL_MAX {
        format!("{size:011o}\0").into_bytes()
    } else {
        [&[0x80, 0, 0, 0][..], &size.to_be_bytes()].concat()
    };
    let fields: [(usize, &[u8]); 9] = [
        (0, path.as_bytes()),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, &size),
        (136, &format!("{seconds:011o}\0").into_bytes()),
        (148, b"        "),
        (156, b"0"),
        (257, b"ustar\x0000"),
    ];
    let mut block = [0; BLOCK_BYTES];
    for (at, bytes) in fields {
        put(&mut block, at, bytes);
    }
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

/// Zeros after contents of this size.
#[must_use]
pub fn padding(size: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    usize::try_from(size.next_multiple_of(block) - size).unwrap_or(0)
}

/// Zeros at the end of an archive that has `written` octets so far.
#[must_use]
pub fn end(written: u64) -> usize {
    let full = (written + 2 * BLOCK_BYTES as u64).next_multiple_of(RECORD_BYTES);
    usize::try_from(full - written).unwrap_or(0)
}

fn put(block: &mut [u8; BLOCK_BYTES], at: usize, bytes: &[u8]) {
    for (to, from) in block.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}
