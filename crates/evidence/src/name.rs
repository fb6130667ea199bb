//! Original names of items: metadata only, never a path anybody opens (evidence-log C2, E.16, E.21).

use std::fmt;

use crate::Malformed;

/// Longest encoded name, octets: three for each of Linux's `PATH_MAX`.
const NAME_BYTES_MAX: usize = 3 * 4_096;

/// A relative path as it was when it was sealed, in its one encoding: every octet outside `[A-Za-z0-9._/ -]` is `%` and two
/// upper-case hexadecimal digits. So it is ASCII, prints on one line, and look-alikes look different.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemName(String);

impl ItemName {
    /// Encodes the octets of a relative path.
    ///
    /// # Errors
    /// When it is no relative path that stays below its folder: empty, beginning or ending in `/`, with an empty part, `.`,
    /// `..` or a NUL; or when it is too long.
    pub fn encode(path: &[u8]) -> Result<Self, Malformed> {
        let mut text = String::with_capacity(path.len());
        for byte in path {
            if plain(*byte) {
                text.push(char::from(*byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
        }
        Self::parse(&text)
    }

    /// Reads an encoded name; refuses every other encoding of the same path.
    ///
    /// # Errors
    /// As [`Self::encode`], and for another encoding.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let refuse = |why: &str| Err(Malformed::field("name", why));
        if text.len() > NAME_BYTES_MAX {
            return refuse("is longer than any path");
        }
        let Some(path) = decode(text) else {
            return refuse("is not percent-encoded in the one accepted way");
        };
        if path.contains(&0) {
            return refuse("has a NUL, which no path has");
        }
        if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return refuse("is no relative path: it has an empty part, `.` or `..`");
        }
        Ok(Self(text.to_owned()))
    }

    /// The encoded name: safe to print.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The octets of the original path.
    #[must_use]
    pub fn decode(&self) -> Vec<u8> {
        decode(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b' ' | b'-')
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let mut bytes = text.bytes();
    let mut path = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if plain(byte) {
            path.push(byte);
            continue;
        }
        if byte != b'%' {
            return None;
        }
        let byte = digit(bytes.next()?)? << 4 | digit(bytes.next()?)?;
        if plain(byte) {
            return None; // would be a second spelling
        }
        path.push(byte);
    }
    Some(path)
}
