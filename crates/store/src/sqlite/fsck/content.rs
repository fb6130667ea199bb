//! What entries commit to: records by their bytes, everything else by the text kept beside the entry.

use comity_ledger::entry::{Entry, commitment};
use comity_stix::{canonical::canonical_bytes, json::Limits};
use sha2::{Digest as _, Sha256};

use super::{super::tx::kind_of, Check};
use crate::{EntryKind, Hash, Level, ReadError};

impl Check<'_> {
    /// Each record's bytes -> content hash, with its salt -> commitment -> entry.
    pub(super) fn records(&mut self, level: Level) -> Result<u64, ReadError> {
        let connection = self.connection;
        let total: u64 =
            connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0))?;
        let mut statement = connection.prepare(
            "SELECT r.seq, r.id, r.version_key, r.content_sha256, r.salt, e.bytes, e.seq, e.kind, r.bytes
             FROM record r LEFT JOIN entry e ON e.idx = r.entry_index ORDER BY r.seq",
        )?;
        // the text passed the limits of its day when it came in
        let limits = Limits {
            bytes_max: usize::MAX,
            ..Limits::default()
        };
        let mut rows = statement.query([])?;
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            self.tick("records", seen, total);
            let seq: i64 = row.get(0)?;
            let place = || -> Result<String, ReadError> {
                let (id, version): (String, String) = (row.get(1)?, row.get(2)?);
                Ok(format!("record {seq} ({id} {version})"))
            };
            let content_sha256: Hash = row.get(3)?;
            let Some(entry) = row.get::<_, Option<Vec<u8>>>(5)? else {
                self.problem("record.entry", place()?, "its log entry is missing");
                continue;
            };
            if row.get::<_, Option<i64>>(6)? != Some(seq) || row.get::<_, i64>(7)? != 0 {
                self.problem(
                    "record.entry",
                    place()?,
                    "its log entry is about something else",
                );
            }
            let expected = commitment(&row.get(4)?, &content_sha256);
            if Entry::decode(&entry).is_ok_and(|entry| entry.commitment != expected) {
                self.problem(
                    "record.commitment",
                    place()?,
                    "hash and salt do not give the entry's commitment",
                );
            }
            if level >= Level::Deep {
                let bytes = row.get_ref(8)?.as_blob().map_err(rusqlite::Error::from)?;
                match canonical_bytes(bytes, &limits) {
                    Ok(canonical) if <Hash>::from(Sha256::digest(&canonical)) == content_sha256 => {
                    }
                    Ok(_) => {
                        self.problem("record.content", place()?, "its bytes have another hash")
                    }
                    Err(finding) => self.problem("record.content", place()?, &finding.message),
                }
            }
        }
        Ok(seen)
    }

    /// Disclosures, refusals, deletions, administration: text -> hash, with its salt -> commitment -> entry.
    pub(super) fn details(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare(
            "SELECT e.idx, e.kind, e.bytes, d.content, d.content_sha256, d.salt
             FROM entry e LEFT JOIN entry_detail d ON d.idx = e.idx WHERE e.kind <> 0 ORDER BY e.idx",
        )?;
        let mut rows = statement.query([])?;
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let place = format!("entry {}", row.get::<_, i64>(0)?);
            let Some(kind) = kind_of(row.get(1)?) else {
                self.problem("entry.kind", place, "it is of no known kind");
                continue;
            };
            let Some(content) = row.get::<_, Option<String>>(3)? else {
                self.problem("entry.content", place, "its content is missing");
                continue;
            };
            let digest: Hash = row.get(4)?;
            // a refusal commits to what was offered, an answer to what was received
            if !matches!(kind, EntryKind::Refusal | EntryKind::Answer)
                && <Hash>::from(Sha256::digest(content.as_bytes())) != digest
            {
                self.problem("entry.content", &place, "its content has another hash");
            }
            let entry: Vec<u8> = row.get(2)?;
            let expected = commitment(&row.get(5)?, &digest);
            if Entry::decode(&entry).is_ok_and(|entry| entry.commitment != expected) {
                self.problem(
                    "entry.commitment",
                    place,
                    "hash and salt do not give its commitment",
                );
            }
        }
        Ok(seen)
    }
}
