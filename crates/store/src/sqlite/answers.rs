//! What is answered to other parties: one entry and one row per leaf of theirs and event, in the transaction of the thing
//! itself.

use comity_ledger::entry::Event;
use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    put::hex,
    tx::{Failure, Tx, to_i64},
};
use crate::{
    Answer, Consigned, Decide, Decision, Delete, EntryKind, Fault, Hash, Outcome, Put, Seq,
    Withdrawal, WithdrawalAct,
};

/// What an answer is about, beside the leaf it answers.
pub(super) struct About<'a> {
    pub(super) event: Event,
    pub(super) seq: Option<i64>,
    pub(super) content_sha256: &'a Hash,
    pub(super) label: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
}

impl Tx<'_> {
    /// The entry that answers this leaf with this event already.
    pub(super) fn answered(
        &self,
        consigned: &Consigned,
        event: Event,
    ) -> Result<Option<u64>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT idx FROM answer WHERE sender_leaf = ?1 AND event = ?2 AND party = ?3",
            )?
            .query_row(
                params![consigned.leaf, event.code(), consigned.party],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// Owes a receipt for an entry written in this transaction, whose salt goes with it; nothing if the leaf has one of this event.
    pub(super) fn owe(
        &self,
        index: u64,
        consigned: &Consigned,
        about: &About<'_>,
        salt: &[u8; 32],
    ) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO answer (idx, party, event, seq, id, version, content_sha256, salt, sender, sender_entry,
                   sender_leaf, label, reason, settled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0)",
            )?
            .execute(params![
                to_i64(index)?,
                consigned.party,
                about.event.code(),
                about.seq,
                consigned.id,
                consigned.version,
                about.content_sha256,
                salt,
                consigned.origin,
                to_i64(consigned.entry)?,
                consigned.leaf,
                about.label,
                about.reason
            ])?;
        Ok(())
    }

    /// Answers a leaf by an entry of its own, unless it was answered so before. Gives the entry. `seed` is this entry's alone.
    pub(super) fn answer_apart(
        &mut self,
        consigned: &Consigned,
        about: &About<'_>,
        seed: &[u8; 32],
        by: Option<&str>,
    ) -> Result<u64, Failure> {
        if let Some(index) = self.answered(consigned, about.event)? {
            return Ok(index);
        }
        let content = json!({
            "what": "answer", "event": about.event.name(), "to": consigned.party, "id": consigned.id,
            "version": consigned.version, "sender_entry": consigned.entry, "reason": about.reason, "by": by,
            "content_sha256": hex(about.content_sha256),
        });
        let (logged, salt) = self.log_sealed(
            EntryKind::Answer,
            about.seq,
            about.event,
            &content,
            *about.content_sha256,
            seed,
            consigned.leaf,
        )?;
        self.owe(logged.index, consigned, about, &salt)?;
        Ok(logged.index)
    }

    /// The record of a `put` is in the register: its sender is owed a receipt, and what it asks for is done. `fresh`: the entry it
    /// was taken in with now, and that entry's salt.
    pub(super) fn consign(
        &mut self,
        put: &Put,
        seq: i64,
        fresh: Option<(u64, &[u8; 32])>,
        label: &str,
    ) -> Result<(), Failure> {
        if let Some(consigned) = &put.consigned {
            let about = About {
                event: Event::ContentConsignment,
                seq: Some(seq),
                content_sha256: &put.content_sha256,
                label: Some(label),
                reason: None,
            };
            match fresh {
                Some((index, salt)) => self.owe(index, consigned, &about, salt)?,
                None => {
                    let seed = derived(&put.seed, &consigned.leaf);
                    self.answer_apart(consigned, &about, &seed, None)?;
                }
            }
        }
        if let Some(withdrawal) = &put.withdrawal {
            self.ask(put, seq, withdrawal)?;
        }
        Ok(())
    }

    /// Notes what a last version asks for, once, and does it if no person is to decide.
    fn ask(&mut self, put: &Put, seq: i64, withdrawal: &Withdrawal) -> Result<(), Failure> {
        let decision = match withdrawal.act {
            WithdrawalAct::Own => Decision::Own,
            WithdrawalAct::Remove | WithdrawalAct::Ask => Decision::Open,
        };
        let noted = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO withdrawal (seq, party, reason, asked, decision) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                seq,
                withdrawal.party,
                withdrawal.reason,
                self.now,
                decision_code(decision)
            ])?;
        if noted == 1 && withdrawal.act == WithdrawalAct::Remove {
            let by = put.author.as_deref().unwrap_or(&withdrawal.party);
            self.settle_withdrawal(seq, true, None, by, &put.seed)?;
        }
        Ok(())
    }

    /// A person's answer to whoever gave us the record.
    pub(super) fn answer(&mut self, answer: &Answer) -> Result<Result<Outcome, Fault>, Failure> {
        let entries = self.answer_all(
            answer.seq.0,
            answer.event,
            answer.reason.as_deref(),
            &answer.by,
            &answer.salt,
        )?;
        Ok(Ok(Outcome::Answered { entries }))
    }

    /// Answers every leaf under which a record came, with an entry each.
    fn answer_all(
        &mut self,
        seq: i64,
        event: Event,
        reason: Option<&str>,
        by: &str,
        salt: &[u8; 32],
    ) -> Result<Vec<u64>, Failure> {
        let received: Vec<(Consigned, Hash)> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT party, sender, sender_entry, sender_leaf, id, version, content_sha256 FROM answer
                 WHERE seq = ?1 AND event = ?2 ORDER BY idx",
            )?;
            statement
                .query_map(
                    params![seq, Event::ContentConsignment.code()],
                    consigned_row,
                )?
                .collect::<Result<_, _>>()?
        };
        let mut entries = Vec::with_capacity(received.len());
        for (consigned, content_sha256) in received {
            if self.answered(&consigned, event)?.is_some() {
                continue;
            }
            let seed = derived(salt, &consigned.leaf);
            let about = About {
                event,
                seq: Some(seq),
                content_sha256: &content_sha256,
                label: None,
                reason,
            };
            entries.push(self.answer_apart(&consigned, &about, &seed, Some(by))?);
        }
        Ok(entries)
    }

    /// A person's decision about a withdrawal.
    pub(super) fn decide(&mut self, decide: &Decide) -> Result<Result<Outcome, Fault>, Failure> {
        let seq = decide.seq.0;
        let asked = self
            .connection
            .prepare_cached("SELECT 1 FROM withdrawal WHERE seq = ?1 AND decision IN (0, 2)")?
            .exists([seq])?;
        if !asked {
            return Ok(Err(Fault::Unknown {
                what: "withdrawal that waits for a decision",
                key: seq.to_string(),
            }));
        }
        let (records, entries) = self.settle_withdrawal(
            seq,
            decide.remove,
            decide.reason.as_deref(),
            &decide.by,
            &decide.salt,
        )?;
        Ok(Ok(Outcome::Deleted { records, entries }))
    }

    /// Removes what came before a last version, or keeps it; either way whoever asked is owed an answer.
    fn settle_withdrawal(
        &mut self,
        seq: i64,
        remove: bool,
        words: Option<&str>,
        by: &str,
        salt: &[u8; 32],
    ) -> Result<(Vec<Seq>, Vec<u64>), Failure> {
        let (party, reason): (String, String) = self
            .connection
            .prepare_cached("SELECT party, reason FROM withdrawal WHERE seq = ?1")?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (mut records, mut entries) = (Vec::new(), Vec::new());
        if remove {
            let (id, version): (String, String) = self
                .connection
                .prepare_cached("SELECT id, version_key FROM record WHERE seq = ?1")?
                .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let delete = Delete {
                id,
                version: None,
                collection: None,
                scope: None,
                reason: format!("withdrawn by `{party}`: {reason}"),
                by: by.to_owned(),
                erase: true,
                salt: derived(salt, b"removal"),
            };
            (records, entries) = self.delete_before(&delete, &version)?;
        }
        let (event, decision) = if remove {
            (Event::Deletion, Decision::Removed)
        } else {
            (Event::ConsignmentAcceptance, Decision::Kept)
        };
        self.connection
            .prepare_cached(
                "UPDATE withdrawal SET decision = ?2, decided = ?3, decider = ?4, words = ?5 WHERE seq = ?1",
            )?
            .execute(params![seq, decision_code(decision), self.now, by, words])?;
        let answers = self.answer_all(seq, event, words, by, &derived(salt, b"answer"))?;
        entries.extend(answers);
        Ok((records, entries))
    }
}

fn consigned_row(row: &Row<'_>) -> Result<(Consigned, Hash), rusqlite::Error> {
    let consigned = Consigned {
        party: row.get(0)?,
        origin: row.get(1)?,
        entry: row.get(2)?,
        leaf: row.get(3)?,
        id: row.get(4)?,
        version: row.get(5)?,
    };
    Ok((consigned, row.get(6)?))
}

/// One salt was given for perhaps several entries: each gets its own from it.
pub(super) fn derived(salt: &[u8; 32], for_what: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(salt)
        .chain_update(for_what)
        .finalize()
        .into()
}

pub(super) fn decision_code(decision: Decision) -> i64 {
    match decision {
        Decision::Open => 0,
        Decision::Removed => 1,
        Decision::Kept => 2,
        Decision::Own => 3,
    }
}

pub(super) fn decision_of(code: i64) -> Result<Decision, rusqlite::Error> {
    Ok(match code {
        0 => Decision::Open,
        1 => Decision::Removed,
        2 => Decision::Kept,
        3 => Decision::Own,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(5, other)),
    })
}
