//! Texts people write: one line, bounded.

use crate::Malformed;

/// Longest text of one field, octets: a paragraph.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// A text of one line: not empty, without control characters, within [`TEXT_BYTES_MAX`].
pub(crate) fn check(field: &'static str, text: &str) -> Result<(), Malformed> {
    if text.trim().is_empty() {
        return Err(Malformed::field(field, "is empty"));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(Malformed::field(
            field,
            format!("has {} octets, more than {TEXT_BYTES_MAX}", text.len()),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Malformed::field(
            field,
            "has a control character; it is one line of text",
        ));
    }
    Ok(())
}

/// Whether `text` is the name of an authority, as parties are named: `[a-z][a-z0-9-]{1,31}`. It becomes part of key names.
#[must_use]
pub fn is_authority(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (2..=32).contains(&text.len())
        && text.bytes().all(allowed)
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase())
}

/// Whether `text` is a random UUID (version 4) as RFC 9562 section 4 prints it.
pub(crate) fn is_uuid4(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
