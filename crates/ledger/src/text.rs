//! Pieces of text shared by the C2SP formats: decimals, base64, lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Hash;

/// Largest size or index read: it must also fit a signed 64-bit column.
pub(crate) const INTEGER_MAX: u64 = i64::MAX as u64;

/// "ASCII decimal representation, with no leading zeroes" (tlog-checkpoint, tlog-tiles, tlog-proof).
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    if !canonical || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value| *value <= INTEGER_MAX)
}

/// RFC 4648 section 4 with padding; only the one canonical spelling of the bytes is read.
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn base64_hash(text: &str) -> Option<Hash> {
    // 32 bytes are 44 characters: do not decode more than can be right
    if text.len() != 44 {
        return None;
    }
    base64_decode(text)?.try_into().ok()
}

/// The first line without its newline, and what follows; `None` if no newline is there.
pub(crate) fn line(text: &str) -> Option<(&str, &str)> {
    text.split_once('\n')
}
