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

/// "lowercase Base 16"
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 64 lower-case hexadecimal digits.
pub(crate) fn hex_hash(text: &str) -> Option<Hash> {
    let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() != 64 || !text.bytes().all(lower_hex) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// A JSON string in the one spelling of RFC 8785 section 3.2.2.2.
pub(crate) fn json_string(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{8}' => json.push_str("\\b"),
            '\t' => json.push_str("\\t"),
            '\n' => json.push_str("\\n"),
            '\u{c}' => json.push_str("\\f"),
            '\r' => json.push_str("\\r"),
            control if control < ' ' => {
                json.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

/// Reads exactly what [`json_string`] writes.
pub(crate) fn parse_json_string(json: &str) -> Option<String> {
    let mut characters = json.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        let character = match character {
            '\\' => match characters.next()? {
                'b' => '\u{8}',
                't' => '\t',
                'n' => '\n',
                'f' => '\u{c}',
                'r' => '\r',
                'u' => {
                    let digits: String = characters.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                other => other,
            },
            other => other,
        };
        text.push(character);
    }
    // whatever else was let through above is another spelling
    (json_string(&text) == json).then_some(text)
}
