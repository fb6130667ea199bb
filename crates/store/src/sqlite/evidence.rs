//! Exhibits and custody, written together with the records they come from.

use comity_evidence::Hex;
use rusqlite::{OptionalExtension as _, params};

use super::tx::{Failure, Tx, to_i64};
use crate::{CustodyRow, Evidence, EvidenceChange, ExhibitRow, Fault, Hash, Outcome, Stored};

/// What the register knows of an exhibit before a change.
struct Here {
    key: i64,
    last: Hash,
    destroyed: bool,
    kept: bool,
}

impl Tx<'_> {
    /// Checks everything first, so that a fault leaves no trace; then writes records and rows.
    pub(super) fn evidence(
        &mut self,
        evidence: &Evidence,
    ) -> Result<Result<Outcome, Fault>, Failure> {
        for put in &evidence.records {
            if let Some(fault) = self.refusal_of(put)? {
                return Ok(Err(fault));
            }
        }
        let here = match self.check_change(&evidence.change)? {
            Ok(here) => here,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut entries = Vec::with_capacity(evidence.records.len());
        for put in &evidence.records {
            match self.put(put)? {
                Ok(
                    Stored::New { entry_index, .. }
                    | Stored::NewVersion { entry_index, .. }
                    | Stored::Known { entry_index, .. },
                ) => entries.push(entry_index),
                other => {
                    return Err(Failure::Damaged(format!(
                        "a record that was checked was refused: {other:?}"
                    )));
                }
            }
        }
        let doomed = self.write_change(&evidence.change, here)?;
        Ok(Ok(Outcome::Evidence { entries, doomed }))
    }

    fn check_change(
        &self,
        change: &EvidenceChange,
    ) -> Result<Result<Option<Here>, Fault>, Failure> {
        let (id, after, custody) = match change {
            EvidenceChange::TakeIn {
                exhibit, custody, ..
            } => return self.check_new(exhibit, custody),
            EvidenceChange::Removed(_) => return Ok(Ok(None)),
            EvidenceChange::Continue {
                exhibit,
                after,
                custody,
                ..
            } => (exhibit, Some(after), custody.as_slice()),
            EvidenceChange::Keep { exhibit, .. } => (exhibit, None, &[][..]),
        };
        let Some(here) = self.exhibit_here(id)? else {
            return Ok(Err(Fault::Unknown {
                what: "exhibit",
                key: id.clone(),
            }));
        };
        let invalid = |what, why: &str| {
            Ok(Err(Fault::Invalid {
                what,
                why: why.to_owned(),
            }))
        };
        if after.is_some_and(|after| *after != here.last) {
            return invalid(
                "event",
                "something else happened to the exhibit meanwhile: try again",
            );
        }
        if here.destroyed {
            return invalid("exhibit", "its contents were destroyed");
        }
        if let EvidenceChange::Continue {
            countersigned: Some(row),
            ..
        } = change
            && row.hash != here.last
        {
            return invalid(
                "event",
                "it is not the last one, so it cannot be counter-signed",
            );
        }
        if let EvidenceChange::Continue { destroy: true, .. } = change
            && here.kept
        {
            return invalid("exhibit", "it is under hold, or its retention is not over");
        }
        if let Some(fault) = self.custody_fault(custody)? {
            return Ok(Err(fault));
        }
        Ok(Ok(Some(here)))
    }

    fn check_new(
        &self,
        exhibit: &ExhibitRow,
        custody: &[CustodyRow],
    ) -> Result<Result<Option<Here>, Fault>, Failure> {
        let taken = |what, key: &str| {
            Ok(Err(Fault::Taken {
                what,
                key: key.to_owned(),
            }))
        };
        if self.exhibit_here(&exhibit.id)?.is_some() {
            return taken("exhibit", &exhibit.id);
        }
        let number = self
            .connection
            .prepare_cached("SELECT 1 FROM exhibit WHERE origin = ?1 AND number = ?2")?
            .exists([&exhibit.origin, &exhibit.number])?;
        if number {
            return taken("exhibit number", &exhibit.number);
        }
        if custody.is_empty() {
            return Ok(Err(Fault::Invalid {
                what: "custody",
                why: "it is empty".to_owned(),
            }));
        }
        Ok(self.custody_fault(custody)?.map_or(Ok(None), Err))
    }

    /// An event is written once.
    fn custody_fault(&self, custody: &[CustodyRow]) -> Result<Option<Fault>, Failure> {
        let mut known = self
            .connection
            .prepare_cached("SELECT 1 FROM custody WHERE hash = ?1")?;
        for row in custody {
            if known.exists([&row.hash])? {
                return Ok(Some(Fault::Taken {
                    what: "custody event",
                    key: Hex(&row.hash).to_string(),
                }));
            }
        }
        Ok(None)
    }

    fn exhibit_here(&self, id: &str) -> Result<Option<Here>, Failure> {
        let now = self.now;
        Ok(self
            .connection
            .prepare_cached(
                "SELECT key, last, destroyed IS NOT NULL, hold IS NOT NULL OR coalesce(retention_until, ?2) > ?2
                 FROM exhibit WHERE id = ?1",
            )?
            .query_row(params![id, now], |row| {
                Ok(Here {
                    key: row.get(0)?,
                    last: row.get(1)?,
                    destroyed: row.get(2)?,
                    kept: row.get(3)?,
                })
            })
            .optional()?)
    }

    /// Writes; gives the objects that must be removed now.
    fn write_change(
        &mut self,
        change: &EvidenceChange,
        here: Option<Here>,
    ) -> Result<Vec<Hash>, Failure> {
        let key = here.map_or(0, |here| here.key);
        match change {
            EvidenceChange::TakeIn {
                exhibit,
                objects,
                list_size,
                custody,
            } => self.take_in(exhibit, objects, *list_size, custody)?,
            EvidenceChange::Continue {
                custody,
                countersigned,
                destroy,
                ..
            } => {
                if let Some(row) = countersigned {
                    self.countersign(key, row)?;
                }
                self.add_custody(key, custody)?;
                if *destroy {
                    return self.doom(key);
                }
            }
            EvidenceChange::Keep {
                retention_until,
                hold,
                use_limits,
                ..
            } => {
                self.connection
                    .prepare_cached(
                        "UPDATE exhibit SET retention_until = ?2, hold = ?3, use_limits = ?4 WHERE key = ?1",
                    )?
                    .execute(params![key, retention_until, hold, use_limits])?;
            }
            EvidenceChange::Removed(objects) => {
                let mut update = self.connection.prepare_cached(
                    "UPDATE vault_object SET state = 2 WHERE sha256 = ?1 AND state = 1",
                )?;
                for object in objects {
                    update.execute([object])?;
                }
            }
        }
        Ok(Vec::new())
    }

    fn take_in(
        &mut self,
        exhibit: &ExhibitRow,
        objects: &[(Hash, u64)],
        list_size: u64,
        custody: &[CustodyRow],
    ) -> Result<(), Failure> {
        let last = custody.last().map_or([0; 32], |row| row.hash);
        self.connection
            .prepare_cached(
                "INSERT INTO exhibit (id, number, origin, title, items, size, items_sha256, taken_in, last,
                   retention_until, hold, use_limits)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                exhibit.id,
                exhibit.number,
                exhibit.origin,
                exhibit.title,
                to_i64(exhibit.items)?,
                to_i64(exhibit.size)?,
                exhibit.items_sha256,
                self.now,
                last,
                exhibit.retention_until,
                exhibit.hold,
                exhibit.use_limits
            ])?;
        let key = self.connection.last_insert_rowid();
        let mut object = self.connection.prepare_cached(
            "INSERT INTO vault_object (sha256, size, state) VALUES (?1, ?2, 0)
             ON CONFLICT (sha256) DO UPDATE SET state = 0",
        )?;
        let mut item = self.connection.prepare_cached(
            "INSERT INTO exhibit_item (exhibit, item, sha256) VALUES (?1, ?2, ?3)",
        )?;
        object.execute(params![exhibit.items_sha256, to_i64(list_size)?])?;
        for (number, (sha256, size)) in (1_i64..).zip(objects) {
            object.execute(params![sha256, to_i64(*size)?])?;
            item.execute(params![key, number, sha256])?;
        }
        self.add_custody(key, custody)
    }

    /// The same event with more signatures; its hash is the same.
    fn countersign(&self, key: i64, row: &CustodyRow) -> Result<(), Failure> {
        self.connection
            .prepare_cached("UPDATE custody SET line = ?3 WHERE exhibit = ?1 AND hash = ?2")?
            .execute(params![key, row.hash, row.line])?;
        Ok(())
    }

    fn add_custody(&self, key: i64, custody: &[CustodyRow]) -> Result<(), Failure> {
        let first: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM custody WHERE exhibit = ?1")?
            .query_row([key], |row| row.get(0))?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO custody (exhibit, place, hash, kind, record, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (place, row) in (first..).zip(custody) {
            insert.execute(params![
                key, place, row.hash, row.kind, row.record, row.line
            ])?;
        }
        if let Some(last) = custody.last() {
            self.connection
                .prepare_cached("UPDATE exhibit SET last = ?2 WHERE key = ?1")?
                .execute(params![key, last.hash])?;
        }
        Ok(())
    }

    /// The exhibit's contents go. What another exhibit has too stays.
    fn doom(&self, key: i64) -> Result<Vec<Hash>, Failure> {
        self.connection
            .prepare_cached("UPDATE exhibit SET destroyed = ?2 WHERE key = ?1")?
            .execute(params![key, self.now])?;
        let mut doomed: Vec<Hash> = self
            .connection
            .prepare_cached(
                "SELECT DISTINCT i.sha256 FROM exhibit_item i WHERE i.exhibit = ?1 AND NOT EXISTS (
                   SELECT 1 FROM exhibit_item o JOIN exhibit e ON e.key = o.exhibit
                   WHERE o.sha256 = i.sha256 AND e.destroyed IS NULL)
                 UNION SELECT x.items_sha256 FROM exhibit x WHERE x.key = ?1 AND NOT EXISTS (
                   SELECT 1 FROM exhibit e WHERE e.items_sha256 = x.items_sha256 AND e.destroyed IS NULL)",
            )?
            .query_map([key], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        // a list of items can be an item of another exhibit, and the other way round
        let mut elsewhere = self.connection.prepare_cached(
            "SELECT 1 FROM exhibit e WHERE e.destroyed IS NULL AND (e.items_sha256 = ?1
               OR EXISTS (SELECT 1 FROM exhibit_item i WHERE i.sha256 = ?1 AND i.exhibit = e.key))",
        )?;
        let mut kept = Vec::new();
        for sha256 in &doomed {
            if elsewhere.exists([sha256])? {
                kept.push(*sha256);
            }
        }
        doomed.retain(|sha256| !kept.contains(sha256));
        let mut update = self
            .connection
            .prepare_cached("UPDATE vault_object SET state = 1 WHERE sha256 = ?1")?;
        for sha256 in &doomed {
            update.execute([sha256])?;
        }
        Ok(doomed)
    }
}
