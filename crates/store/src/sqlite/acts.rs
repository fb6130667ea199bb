//! Entries about what was done with records, and bookkeeping without entries.

use comity_evidence::sha256;
use comity_ledger::entry::{Event, LINK_NONE};
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;

use super::{
    answers::About,
    deliveries::state_code,
    tx::{Failure, Tx, to_i64},
};
use crate::{DeliveryState, Disclose, EntryKind, Fault, Outcome, Package, Progress, Refuse, Seq};

impl Tx<'_> {
    pub(super) fn disclose(
        &mut self,
        disclose: &Disclose,
    ) -> Result<Result<Outcome, Fault>, Failure> {
        let mut entries = Vec::with_capacity(disclose.records.len());
        for seq in &disclose.records {
            match self.entry_of(*seq)? {
                Some(entry) => entries.push(entry),
                None => return Ok(Err(Fault::UnknownRecord(*seq))),
            }
        }
        let runs = runs(entries);
        let content = json!({
            "what": "disclosure", "party": disclose.reader_party, "principal": disclose.principal,
            "entries": runs,
        });
        let logged = self.log_detail(
            EntryKind::Disclosure,
            None,
            Event::Disclosure,
            &content,
            &disclose.salt,
            LINK_NONE,
        )?;
        let index = to_i64(logged.index)?;
        self.connection
            .prepare_cached("INSERT INTO disclosure (idx, party, principal) VALUES (?1, ?2, ?3)")?
            .execute(params![index, disclose.reader_party, disclose.principal])?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO disclosure_run (first, last, idx) VALUES (?1, ?2, ?3)")?;
        for (first, last) in runs {
            insert.execute([first, last, index])?;
        }
        if let Some((records, due)) = &disclose.awaited {
            self.await_receipts(&disclose.reader_party, records, *due)?;
        }
        Ok(Ok(Outcome::Logged {
            entry_index: logged.index,
        }))
    }

    pub(super) fn package(&mut self, package: &Package) -> Result<Result<Outcome, Fault>, Failure> {
        let logged = self.log_with(
            EntryKind::Disclosure,
            None,
            Event::Disclosure,
            &package.seal,
            sha256(package.seal.as_bytes()),
            &package.salt,
            LINK_NONE,
        )?;
        Ok(Ok(Outcome::Logged {
            entry_index: logged.index,
        }))
    }

    /// The entry a record was accepted with, also if it was deleted since.
    pub(super) fn entry_of(&self, seq: Seq) -> Result<Option<i64>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT entry_index FROM record WHERE seq = ?1
                 UNION ALL SELECT entry_index FROM tombstone WHERE seq = ?1",
            )?
            .query_row([seq.0], |row| row.get(0))
            .optional()?)
    }

    pub(super) fn refuse(&mut self, refuse: &Refuse) -> Result<Result<Outcome, Fault>, Failure> {
        let Ok(what) = serde_json::from_str::<serde_json::Value>(&refuse.what) else {
            return Ok(Err(Fault::Invalid {
                what: "what",
                why: "it is not JSON".into(),
            }));
        };
        // what a peer offers again after a lost answer is refused once
        if let Some(consigned) = &refuse.consigned
            && let Some(entry_index) = self.answered(consigned, refuse.event)?
        {
            return Ok(Ok(Outcome::Logged { entry_index }));
        }
        let content = json!({
            "what": "refusal", "offered": what, "who": refuse.who, "reason": refuse.reason,
        });
        let (logged, salt) = self.log_sealed(
            EntryKind::Refusal,
            None,
            refuse.event,
            &content,
            refuse.content_sha256,
            &refuse.seed,
            refuse
                .consigned
                .as_ref()
                .map_or(LINK_NONE, |consigned| consigned.leaf),
        )?;
        if let Some(consigned) = &refuse.consigned {
            let about = About {
                event: refuse.event,
                seq: None,
                content_sha256: &refuse.content_sha256,
                label: None,
                reason: Some(refuse.told.as_deref().unwrap_or(&refuse.reason)),
            };
            self.owe(logged.index, consigned, &about, &salt)?;
        }
        Ok(Ok(Outcome::Logged {
            entry_index: logged.index,
        }))
    }

    pub(super) fn progress(
        &mut self,
        progress: &Progress,
    ) -> Result<Result<Outcome, Fault>, Failure> {
        match progress {
            Progress::Position {
                follower,
                next_entry,
            } => {
                self.set_position(follower, *next_entry)?;
            }
            Progress::Queue { peer, records } => {
                if let Some(fault) = self.no_peer(peer)? {
                    return Ok(Err(fault));
                }
                let mut insert = self.connection.prepare_cached(
                    "INSERT INTO delivery (peer, seq, state, attempts, queued, changed, not_before)
                     VALUES (?1, ?2, 0, 0, ?3, ?3, 0)
                     ON CONFLICT (peer, seq) DO UPDATE SET state = 0, reason = NULL, queued = ?3, changed = ?3, not_before = 0
                     WHERE state = 4",
                )?;
                for seq in records {
                    insert.execute(params![peer, seq.0, self.now])?;
                }
            }
            Progress::Mark { peer, .. } => {
                if let Some(fault) = self.no_peer(peer)? {
                    return Ok(Err(fault));
                }
                self.mark(progress)?;
            }
            Progress::Cursor {
                peer,
                source,
                value,
            } => {
                if let Some(fault) = self.no_peer(peer)? {
                    return Ok(Err(fault));
                }
                self.set_cursor(peer, source, value.as_deref())?;
            }
            Progress::Settle {
                party,
                entries,
                words,
            } => self.settle_answers(party, entries, words.as_deref())?,
            Progress::SettleTo { party, last } => self.settle_answers_to(party, *last)?,
            Progress::Witnessed(head) => self.keep_witnessed(head)?,
            Progress::Watched(head) => {
                if let Err(fault) = self.keep_watched(head)? {
                    return Ok(Err(fault));
                }
            }
            Progress::OwnAlarm(alarm) => {
                self.raise_alarm(alarm, None)?;
                self.admin_changed = true;
            }
            Progress::Status(status) => {
                self.connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO status (id, principal, collection, created, expires, body)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        status.id,
                        status.principal,
                        status.collection.0,
                        status.created,
                        status.expires,
                        status.body
                    ])?;
            }
            Progress::Expire { now } => {
                self.connection
                    .prepare_cached("DELETE FROM status WHERE expires <= ?1")?
                    .execute([now])?;
            }
        }
        Ok(Ok(Outcome::Progressed))
    }

    pub(super) fn set_position(&self, follower: &str, next_entry: u64) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO position (follower, next_entry) VALUES (?1, ?2)",
            )?
            .execute(params![follower, to_i64(next_entry)?])?;
        Ok(())
    }

    fn set_cursor(&self, peer: &str, source: &str, value: Option<&str>) -> Result<(), Failure> {
        match value {
            Some(value) => self
                .connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO pull_cursor (peer, source, value) VALUES (?1, ?2, ?3)",
                )?
                .execute([peer, source, value])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM pull_cursor WHERE peer = ?1 AND source = ?2")?
                .execute([peer, source])?,
        };
        Ok(())
    }

    fn no_peer(&self, key: &str) -> Result<Option<Fault>, Failure> {
        let known = self
            .connection
            .prepare_cached("SELECT 1 FROM peer WHERE key = ?1")?
            .exists([key])?;
        Ok((!known).then(|| Fault::Unknown {
            what: "peer",
            key: key.to_owned(),
        }))
    }

    fn mark(&self, progress: &Progress) -> Result<(), Failure> {
        let Progress::Mark {
            peer,
            records,
            state,
            reason,
            receipt,
            not_before,
        } = progress
        else {
            return Ok(());
        };
        let mut upsert = self
            .connection
            .prepare_cached(include_str!("sql/mark_delivery.sql"))?;
        for seq in records {
            upsert.execute(params![
                peer,
                seq.0,
                state_code(*state),
                reason,
                receipt,
                i64::from(*state == DeliveryState::Sent),
                self.now,
                not_before
            ])?;
        }
        Ok(())
    }
}

/// Ascending runs (first, last) of entry indexes, without repeats.
fn runs(mut entries: Vec<i64>) -> Vec<(i64, i64)> {
    entries.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for entry in entries {
        match runs.last_mut() {
            Some((_, last)) if entry <= last.saturating_add(1) => *last = entry,
            _ => runs.push((entry, entry)),
        }
    }
    runs
}
