//! What a seal under way has done, so that it can go on after an interruption.
//!
//! A line is written only when its file is whole and synced; then the file gets its name in the vault. So if an object is there
//! under the name in a line, it can be trusted without reading it again: its contents were on disk before it had that name, and
//! an octet that rots later is `fsck --depth deep`'s to find, for this object as for every other. What the source was is in the line
//! too: if it is another now, it is read again.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use comity_evidence::{Hash, Hex, parse_hex};
use rustix::fs::Stat;
use serde::{Deserialize, Serialize};

use super::error::VaultError;

/// Longest line: a name of 12 kB and numbers.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// A file that is in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Encoded name.
    pub(super) name: String,
    sha256: String,
    pub(super) size: u64,
    source: [i64; 6],
}

impl Record {
    pub(super) fn new(name: String, sha256: &Hash, size: u64, stat: &Stat) -> Self {
        Self {
            name,
            sha256: Hex(sha256).to_string(),
            size,
            source: identity(stat),
        }
    }

    /// The list of items itself, which has no name of an item.
    pub(super) fn of_list(sha256: &Hash, size: u64) -> Self {
        Self {
            name: String::new(),
            sha256: Hex(sha256).to_string(),
            size,
            source: [0; 6],
        }
    }

    pub(super) fn sha256(&self) -> Option<Hash> {
        parse_hex(&self.sha256)
    }

    /// The source is the one it was.
    pub(super) fn is_of(&self, stat: &Stat) -> bool {
        self.source == identity(stat) && i64::try_from(self.size) == Ok(stat.st_size)
    }
}

#[expect(
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "numbers to be compared, of other widths on other systems"
)]
fn identity(stat: &Stat) -> [i64; 6] {
    [
        stat.st_dev as i64,
        stat.st_ino as i64,
        stat.st_mtime as i64,
        stat.st_mtime_nsec as i64,
        stat.st_ctime as i64,
        stat.st_ctime_nsec as i64,
    ]
}

/// Reads a journal that another process may be writing.
pub(super) fn read(path: &Path, mut each: impl FnMut(Record)) -> std::io::Result<u64> {
    lines(&File::open(path)?, &mut each)
}

/// Hands every whole line to `each`; gives where the last of them ends.
fn lines(file: &File, each: &mut dyn FnMut(Record)) -> std::io::Result<u64> {
    let mut good = 0;
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut lines, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        let whole = line.last() == Some(&b'\n');
        let Some(record) = whole.then(|| serde_json::from_slice(&line).ok()).flatten() else {
            return Ok(good);
        };
        good += read as u64;
        each(record);
    }
}

/// The journal of a session, open for more.
pub(super) struct Journal {
    file: File,
}

impl Journal {
    /// Opens the journal, made if missing, and hands every record in it to `each`. A line cut off by a crash ends it.
    pub(super) fn open(path: &Path, mut each: impl FnMut(Record)) -> Result<Self, VaultError> {
        let file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(VaultError::io("open", path))?;
        let good = lines(&file, &mut each).map_err(VaultError::io("read", path))?;
        file.set_len(good).map_err(VaultError::io("mend", path))?;
        Ok(Self { file })
    }

    /// Adds records and syncs them.
    pub(super) fn add(&mut self, records: &[Record]) -> std::io::Result<()> {
        let mut text = Vec::new();
        for record in records {
            serde_json::to_writer(&mut text, record)?;
            text.push(b'\n');
        }
        self.file.write_all(&text)?;
        self.file.sync_data()
    }
}
