//! Tables that only repeat what entries say, so that it can be found by record: disclosures, tombstones, refused versions.
//! Each is made again from the entries' contents and compared.

use std::collections::BTreeMap;

use comity_ledger::entry::Entry;
use rusqlite::{OptionalExtension as _, Statement};
use serde_json::Value;

use super::{super::put::hex, Check, content::time_of};
use crate::{Hash, ReadError};

/// Entries of one kind with their contents.
const OF_KIND: &str =
    "SELECT e.idx, e.seq, e.bytes, d.content FROM entry e JOIN entry_detail d ON d.idx = e.idx
  WHERE e.kind = ?1 ORDER BY e.idx";

struct Said {
    index: i64,
    seq: Option<i64>,
    time: i64,
    content: Value,
}

impl Said {
    fn text(&self, name: &str) -> &str {
        self.content.get(name).and_then(Value::as_str).unwrap_or("")
    }
}

impl Check<'_> {
    /// What was handed to whom.
    pub(super) fn disclosures(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut statement = connection
            .prepare("SELECT idx, first, last FROM disclosure_run ORDER BY idx, first")?;
        let mut runs = Runs {
            rows: statement.query([])?,
            next: None,
        };
        runs.advance()?;
        let mut seen = 0;
        self.each(4, &mut |check, said| {
            // a package that left: its entry is all there is of it
            if said.text("what") != "disclosure" {
                return Ok(());
            }
            seen += 1;
            let there: Option<(String, String)> = connection
                .prepare_cached("SELECT party, principal FROM disclosure WHERE idx = ?1")?
                .query_row([said.index], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let expected = (said.text("party"), said.text("principal"));
            let fits = there
                .as_ref()
                .is_some_and(|(party, principal)| (party.as_str(), principal.as_str()) == expected);
            let entries = said.content.get("entries").cloned().unwrap_or_default();
            if !fits || serde_json::json!(runs.of(said.index)?) != entries {
                check.problem(
                    "disclosure.changed",
                    format!("entry {}", said.index),
                    "what was handed to whom is not what the entry says",
                );
            }
            Ok(())
        })?;
        Ok(seen)
    }

    /// What stays of erased records.
    pub(super) fn tombstones(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut seen = 0;
        self.each(2, &mut |check, said| {
            if said.content.get("erased") != Some(&Value::Bool(true)) {
                return Ok(());
            }
            seen += 1;
            let there = connection
                .prepare_cached(
                    "SELECT o.id, t.version_key, t.content_sha256, t.reason, t.deleted_by, t.deletion_index, t.deleted
                     FROM tombstone t JOIN object o ON o.key = t.object WHERE t.seq = ?1",
                )?
                .query_row([said.seq], |row| {
                    let digest: Hash = row.get(2)?;
                    let words: [String; 5] =
                        [row.get(0)?, row.get(1)?, hex(&digest), row.get(3)?, row.get(4)?];
                    Ok((words, row.get::<_, i64>(5)?, row.get::<_, i64>(6)?))
                })
                .optional()?;
            let names = ["id", "version", "content_sha256", "reason", "by"];
            let fits = there.is_some_and(|(words, index, time)| {
                let same = names
                    .iter()
                    .zip(&words)
                    .all(|(name, word)| said.text(name) == word);
                same && (index, time) == (said.index, said.time)
            });
            if !fits {
                check.problem(
                    "tombstone.changed",
                    format!("entry {}", said.index),
                    "what stays of the record it erased is not what it says",
                );
            }
            Ok(())
        })?;
        let kept: u64 =
            connection.query_row("SELECT count(*) FROM tombstone", [], |row| row.get(0))?;
        if kept != seen {
            let text = format!("{kept} are kept, {seen} records were erased");
            self.problem("tombstone.count", "tombstones", &text);
        }
        Ok(seen)
    }

    /// Versions refused because of a record that is here, and records that another party gave again.
    pub(super) fn refused_versions(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut expected: BTreeMap<i64, (i64, String, String)> = BTreeMap::new();
        // refusals, and what was given again: beside collections, or as an answer to another log
        for kind in [1, 6, 7] {
            self.each(kind, &mut |_, said| {
                let offered = match said.text("what") {
                    "conflict" | "after-revoked" | "deleted" | "not-successor" => {
                        said.text("offered_sha256")
                    }
                    "given-again" => said.text("content_sha256"),
                    _ => return Ok(()),
                };
                if let Some(seq) = said.seq {
                    let origin = said.text("origin").to_owned();
                    expected.insert(said.index, (seq, offered.to_owned(), origin));
                }
                Ok(())
            })?;
        }
        let mut statement =
            connection.prepare("SELECT idx, seq, content_sha256, origin FROM refused_version")?;
        let mut rows = statement.query([])?;
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let index: i64 = row.get(0)?;
            let digest: Hash = row.get(2)?;
            let there = (row.get(1)?, hex(&digest), row.get(3)?);
            if expected.remove(&index) != Some(there) {
                self.problem(
                    "refused.changed",
                    format!("entry {index}"),
                    "a refused version is kept that the entry does not name",
                );
            }
        }
        // those from before a record was erased went with it
        let mut gone =
            connection.prepare("SELECT 1 FROM tombstone WHERE seq = ?1 AND deletion_index > ?2")?;
        for (index, (seq, ..)) in expected {
            if !gone.exists([seq, index])? {
                self.problem(
                    "refused.missing",
                    format!("entry {index}"),
                    "the version it refused would be logged again",
                );
            }
        }
        Ok(seen)
    }

    fn each(
        &mut self,
        kind: i64,
        look: &mut dyn FnMut(&mut Self, &Said) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let connection = self.connection;
        let mut statement: Statement<'_> = connection.prepare(OF_KIND)?;
        let mut rows = statement.query([kind])?;
        while let Some(row) = rows.next()? {
            let (bytes, text): (Vec<u8>, String) = (row.get(2)?, row.get(3)?);
            // what cannot be read was found with the contents
            let (Ok(entry), Ok(content)) = (Entry::decode(&bytes), serde_json::from_str(&text))
            else {
                continue;
            };
            let said = Said {
                index: row.get(0)?,
                seq: row.get(1)?,
                time: time_of(&entry),
                content,
            };
            look(self, &said)?;
        }
        Ok(())
    }
}

/// Runs of disclosures in order of their entries, read along.
struct Runs<'a> {
    rows: rusqlite::Rows<'a>,
    next: Option<(i64, [i64; 2])>,
}

impl Runs<'_> {
    fn advance(&mut self) -> Result<(), ReadError> {
        self.next = match self.rows.next()? {
            Some(row) => Some((row.get(0)?, [row.get(1)?, row.get(2)?])),
            None => None,
        };
        Ok(())
    }

    /// Those of this entry; asked in ascending order.
    fn of(&mut self, index: i64) -> Result<Vec<[i64; 2]>, ReadError> {
        let mut runs = Vec::new();
        while let Some((at, run)) = self.next.filter(|(at, _)| *at <= index) {
            if at == index {
                runs.push(run);
            }
            self.advance()?;
        }
        Ok(runs)
    }
}
