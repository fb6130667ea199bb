//! What other parties answer us, and the heads of their logs that were acted on.

use comity_ledger::entry::Event;
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::tx::{Failure, Tx, to_i64};
use crate::{EntryKind, Expire, Fault, Hash, NewReceipt, Outcome, SeenHead, Seq};

impl Tx<'_> {
    /// A receipt is awaited for each of these records, unless it was before.
    pub(super) fn await_receipts(
        &self,
        party: &str,
        records: &[Seq],
        due: i64,
    ) -> Result<(), Failure> {
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO awaited (party, seq, since, due) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for seq in records {
            insert.execute(params![party, seq.0, self.now, due])?;
        }
        Ok(())
    }

    /// Keeps a receipt, once; what was awaited is settled.
    pub(super) fn take_receipt(
        &self,
        receipt: &NewReceipt,
    ) -> Result<Result<Outcome, Fault>, Failure> {
        if self.entry_of(receipt.seq)?.is_none() {
            return Ok(Err(Fault::UnknownRecord(receipt.seq)));
        }
        let expiry: Option<Option<i64>> = self
            .connection
            .prepare_cached("SELECT expiry FROM awaited WHERE party = ?1 AND seq = ?2")?
            .query_row(params![receipt.party, receipt.seq.0], |row| row.get(0))
            .optional()?;
        let late = expiry.flatten().is_some();
        let kept = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO receipt (party, entry, event, seq, time, received, late, label, reason, note, proof)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                receipt.party,
                to_i64(receipt.entry)?,
                receipt.event.code(),
                receipt.seq.0,
                receipt.time_micros,
                self.now,
                late,
                receipt.label,
                receipt.reason,
                receipt.note,
                receipt.proof
            ])?;
        if kept == 1 {
            let id = self.connection.last_insert_rowid();
            self.connection
                .prepare_cached(
                    "UPDATE awaited SET receipt = ?3 WHERE party = ?1 AND seq = ?2 AND receipt IS NULL",
                )?
                .execute(params![receipt.party, receipt.seq.0, id])?;
        }
        Ok(Ok(Outcome::Receipt {
            fresh: kept == 1,
            late,
        }))
    }

    /// No receipt came in time: an entry says so, once.
    pub(super) fn expire(&mut self, expire: &Expire) -> Result<Result<Outcome, Fault>, Failure> {
        let open: Option<(i64, i64)> = self
            .connection
            .prepare_cached(
                "SELECT since, due FROM awaited WHERE party = ?1 AND seq = ?2 AND receipt IS NULL AND expiry IS NULL",
            )?
            .query_row(params![expire.party, expire.seq.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        // it came meanwhile, or was never awaited
        let (Some((since, due)), Some(own)) = (open, self.entry_of(expire.seq)?) else {
            return Ok(Ok(Outcome::Progressed));
        };
        let content = json!({
            "what": "expiry", "party": expire.party, "record_entry": own, "since": since, "due": due,
        });
        let link = self.leaf(own)?;
        let logged = self.log_detail(
            EntryKind::Expiry,
            Some(expire.seq.0),
            Event::AcceptanceRejectionExpiry,
            &content,
            &expire.salt,
            link,
        )?;
        self.connection
            .prepare_cached("UPDATE awaited SET expiry = ?3 WHERE party = ?1 AND seq = ?2")?
            .execute(params![expire.party, expire.seq.0, to_i64(logged.index)?])?;
        Ok(Ok(Outcome::Logged {
            entry_index: logged.index,
        }))
    }

    /// The cross-link, unless a head at least as new is there already.
    pub(super) fn see_head(&mut self, head: &SeenHead) -> Result<Result<Outcome, Fault>, Failure> {
        let kept: Option<u64> = self
            .connection
            .prepare_cached(
                "SELECT size FROM peer_head WHERE party = ?1 AND forgotten = 0 ORDER BY idx DESC LIMIT 1",
            )?
            .query_row([&head.party], |row| row.get(0))
            .optional()?;
        if kept.is_some_and(|kept| kept >= head.size) {
            return Ok(Ok(Outcome::Progressed));
        }
        let digest: Hash = Sha256::digest(head.text.as_bytes()).into();
        let logged = self.log_with(
            EntryKind::PeerHead,
            None,
            Event::PeerHead,
            &head.text,
            digest,
            &head.salt,
            head.root,
        )?;
        self.connection
            .prepare_cached(
                "INSERT INTO peer_head (idx, party, size, root, note, forgotten) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            )?
            .execute(params![
                to_i64(logged.index)?,
                head.party,
                to_i64(head.size)?,
                head.root,
                head.note
            ])?;
        Ok(Ok(Outcome::Logged {
            entry_index: logged.index,
        }))
    }

    /// The other side has taken, or refused, receipts of ours.
    pub(super) fn settle_answers(
        &self,
        party: &str,
        entries: &[u64],
        words: Option<&str>,
    ) -> Result<(), Failure> {
        let mut update = self
            .connection
            .prepare_cached(include_str!("sql/settle_answer.sql"))?;
        for entry in entries {
            update.execute(params![
                party,
                to_i64(*entry)?,
                if words.is_some() { 2 } else { 1 },
                self.now,
                words
            ])?;
        }
        Ok(())
    }

    /// The other side has everything up to and including this entry.
    pub(super) fn settle_answers_to(&self, party: &str, last: u64) -> Result<(), Failure> {
        let entries: Vec<u64> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT idx FROM answer WHERE party = ?1 AND idx <= ?2 AND settled = 0",
            )?;
            statement
                .query_map(params![party, to_i64(last)?], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        };
        self.settle_answers(party, &entries, None)
    }
}
