//! Exhibits: rows, custody and vault agree, both ways.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use comity_evidence::custody::{Chain, Line};
use comity_evidence::{Hex, json::parse};
use comity_stix::{canonical::canonical_bytes, json::Limits};
use serde_json::value::RawValue;

use super::Check;
use crate::vault::Vault;
use crate::{Hash, Level, ReadError};

impl Check<'_> {
    /// Counts, custody chains, and the records that carry them.
    pub(super) fn exhibits(&mut self) -> Result<u64, ReadError> {
        self.none_of(
            "exhibit.items",
            "SELECT 'exhibit ' || e.number, 'it says ' || e.items || ' items of ' || e.size || ' octets, there are '
               || count(i.item) || ' of ' || coalesce(sum(o.size), 0)
             FROM exhibit e LEFT JOIN exhibit_item i ON i.exhibit = e.key LEFT JOIN vault_object o ON o.sha256 = i.sha256
             GROUP BY e.key HAVING e.items <> count(i.item) OR e.size <> coalesce(sum(o.size), 0)",
        )?;
        self.none_of(
            "exhibit.object",
            "SELECT 'exhibit ' || e.number, 'its contents are not kept although it was not destroyed' FROM exhibit e
             WHERE e.destroyed IS NULL AND (
               e.items_sha256 NOT IN (SELECT sha256 FROM vault_object WHERE state = 0) OR EXISTS (
                 SELECT 1 FROM exhibit_item i WHERE i.exhibit = e.key AND i.sha256 NOT IN (
                   SELECT sha256 FROM vault_object WHERE state = 0)))",
        )?;
        let connection = self.connection;
        let mut statement =
            connection.prepare("SELECT key, number, last FROM exhibit ORDER BY key")?;
        let mut rows = statement.query([])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let place = format!("exhibit {}", row.get::<_, String>(1)?);
            self.custody_of(row.get(0)?, &place, row.get(2)?)?;
        }
        Ok(seen)
    }

    fn custody_of(&mut self, key: i64, place: &str, last: Hash) -> Result<(), ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare_cached(
            "SELECT c.place, c.hash, c.kind, c.record, c.line, (
               SELECT r.bytes FROM record r JOIN object o ON o.key = r.object WHERE o.id = c.record
               ORDER BY r.version_key DESC LIMIT 1)
             FROM custody c WHERE c.exhibit = ?1 ORDER BY c.place",
        )?;
        let mut rows = statement.query([key])?;
        let mut chain = Chain::default();
        let mut expected = 0;
        while let Some(row) = rows.next()? {
            let place = format!("{place}, event {}", row.get::<_, i64>(0)?);
            if row.get::<_, i64>(0)? != expected {
                self.problem("custody.place", &place, "an event before it is missing");
            }
            expected = row.get::<_, i64>(0)? + 1;
            let text: String = row.get(4)?;
            let line = match Line::parse_line(text.as_bytes()) {
                Ok(line) => line,
                Err(error) => {
                    self.problem("custody.line", &place, &error.to_string());
                    continue;
                }
            };
            let event = line.event_unverified();
            if *event.hash() != row.get::<_, Hash>(1)?
                || event.fields().kind.word() != row.get::<_, String>(2)?
            {
                self.problem(
                    "custody.line",
                    &place,
                    "it is another event than its row says",
                );
            }
            if let Err(error) = chain.push(event) {
                self.problem(error.code(), &place, &error.to_string());
            }
            let record: Option<Vec<u8>> = row.get(5)?;
            match record.as_deref().map(carried) {
                Some(Some(carried)) if carried == event.to_json() => {}
                Some(_) => {
                    self.problem("custody.record", &place, "its record carries another event")
                }
                None => self.problem("custody.record", &place, "its record is not there"),
            }
        }
        if chain.last() != Some(&last) {
            self.problem(
                "custody.last",
                place,
                "the last event is not the one its row says",
            );
        }
        Ok(())
    }

    /// What the register refers to is in the vault, and nothing else is. At the deepest level every object is hashed again.
    pub(super) fn vault(&mut self, dir: &Path, level: Level) -> Result<u64, ReadError> {
        let vault = Vault::new(dir);
        let mut there: HashMap<Hash, u64> = HashMap::new();
        let mut strays = Vec::new();
        let listed = vault.each_object(
            &mut |sha256, size| {
                there.insert(sha256, size);
            },
            &mut |stray| strays.push(stray),
        );
        if let Err(error) = listed {
            self.problem("vault.read", "vault", &error.to_string());
        }
        for stray in strays {
            self.problem("vault.stray", &stray.path, stray.what);
        }
        let mut kept = Vec::new();
        let connection = self.connection;
        let mut statement = connection.prepare("SELECT sha256, size, state FROM vault_object")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (sha256, size, state): (Hash, u64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let place = format!("object {}", Hex(&sha256));
            match (state, there.remove(&sha256)) {
                (0, Some(found)) if found == size => kept.push((sha256, size)),
                (0, Some(found)) => {
                    let detail = format!("it has {found} octets, the register says {size}");
                    self.problem("vault.size", place, &detail);
                }
                (0, None) => self.problem("vault.missing", place, "it is not in the vault"),
                (_, None) => {}
                (1, Some(_)) => self.problem(
                    "vault.not-removed",
                    place,
                    "its exhibit was destroyed, and it is still there; the node removes it when it starts",
                ),
                (_, Some(_)) => self.problem("vault.not-removed", place, "it was removed, and it is there"),
            }
        }
        // a seal under way, or an interrupted one, has put objects there which nothing refers to yet
        let pending: HashSet<Hash> = vault.pending_objects();
        for sha256 in there.keys().filter(|sha256| !pending.contains(*sha256)) {
            let place = format!("object {}", Hex(sha256));
            self.problem("vault.extra", place, "no exhibit has it");
        }
        if level >= Level::Deep {
            self.hash_again(&vault, &kept);
        }
        Ok(kept.len() as u64)
    }

    fn hash_again(&mut self, vault: &Vault, objects: &[(Hash, u64)]) {
        let total: u64 = objects.iter().map(|(_, size)| size).sum();
        let mut done = 0;
        for (sha256, _) in objects {
            let progress = &mut self.progress;
            let checked = vault.check_object(sha256, &mut |octets| {
                done += octets;
                progress(crate::ProgressReport {
                    stage: "vault",
                    done,
                    total,
                });
            });
            if let Err(error) = checked {
                self.problem(
                    "vault.content",
                    format!("object {}", Hex(sha256)),
                    &error.to_string(),
                );
            }
        }
    }
}

/// The event a record carries, in its one spelling.
fn carried(record: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Custody<'r> {
        #[serde(borrow)]
        event: &'r RawValue,
    }
    let custody: Custody<'_> = serde_json::from_slice(record).ok()?;
    let canonical = canonical_bytes(custody.event.get().as_bytes(), &Limits::default()).ok()?;
    Some(parse(&canonical).ok()?.to_string())
}
