//! The texts BagIt asks for (RFC 8493), each with one spelling.

use std::fmt;

use super::Name;
use crate::{Hash, Hex, Time};

/// `bagit.txt` (RFC 8493 section 2.1.1).
pub const BAGIT_TXT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// The day of a time: `2026-01-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(Time);

impl From<Time> for Date {
    fn from(time: Time) -> Self {
        Self(time)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

/// `bag-info.txt` (RFC 8493 section 2.2.2): what follows from the rest of the package, and nothing else.
#[must_use]
pub fn bag_info(created: Date, payload_bytes: u64, payload_files: u64) -> String {
    format!(
        "Bag-Software-Agent: comity\nBagging-Date: {created}\nPayload-Oxum: {payload_bytes}.{payload_files}\n"
    )
}

/// A line of a manifest (RFC 8493 section 2.1.3), as `sha256sum` writes it too.
#[must_use]
pub fn manifest_line(sha256: &Hash, name: Name) -> String {
    format!("{}  {name}\n", Hex(sha256))
}
