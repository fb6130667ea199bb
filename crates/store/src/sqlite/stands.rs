//! A record that stays as it is when it, or another in its place, is offered: what is logged of that, once, and what its sender
//! is answered.

use comity_ledger::entry::Event;
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;

use super::{
    answers::{About, derived},
    put::{Existing, hex},
    tx::{Failure, Tx, to_i64},
};
use crate::{EntryKind, LabelSetId, Put, Seq, Stored};

impl Tx<'_> {
    /// Notes that this origin, too, gave a record that is here; once, however often it is sent. Gives the entry and, if a receipt
    /// can be given for it as for that of a new record, its salt.
    pub(super) fn note_again(
        &mut self,
        put: &Put,
        existing: &Existing,
    ) -> Result<(Option<[u8; 32]>, u64), Failure> {
        // a refused version never has the hash of the record in its way, so the row can only be one of these
        if let Some(index) = self.remembered(put, existing)? {
            return Ok((None, index));
        }
        let content = json!({
            "what": "given-again", "id": put.id, "version": put.version_key, "origin": put.origin, "author": put.author,
            "label": put.label_set, "content_sha256": hex(&put.content_sha256),
        });
        let seed = derived(&put.seed, b"given-again");
        let about = Some(existing.seq);
        let (salt, index) = if put.consigned.is_some() {
            let (logged, salt) = self.log_sealed(
                EntryKind::Answer,
                about,
                put.event,
                &content,
                put.content_sha256,
                &seed,
                put.link,
            )?;
            (Some(salt), logged.index)
        } else {
            let logged = self.log_detail(
                EntryKind::Membership,
                about,
                put.event,
                &content,
                &seed,
                put.link,
            )?;
            (None, logged.index)
        };
        self.remember(put, existing, index)?;
        Ok((salt, index))
    }

    pub(super) fn conflict(&mut self, put: &Put, existing: &Existing) -> Result<Stored, Failure> {
        let entry_index = self.refuse_version(
            put,
            existing,
            "conflict",
            "same id and version, other content",
        )?;
        Ok(Stored::Conflict {
            existing: existing.content_sha256,
            seq: Seq(existing.seq),
            label_set: LabelSetId(existing.label_set),
            entry_index,
        })
    }

    pub(super) fn after_revoked(
        &mut self,
        put: &Put,
        revocation: &Existing,
    ) -> Result<Stored, Failure> {
        let entry_index = self.refuse_version(
            put,
            revocation,
            "after-revoked",
            "a later version of a revoked object",
        )?;
        Ok(Stored::AfterRevoked {
            seq: Seq(revocation.seq),
            label_set: LabelSetId(revocation.label_set),
            entry_index,
        })
    }

    pub(super) fn after_deletion(
        &mut self,
        put: &Put,
        deleted: &Existing,
    ) -> Result<Stored, Failure> {
        let entry_index =
            self.refuse_version(put, deleted, "deleted", "this version was deleted here")?;
        Ok(Stored::Deleted {
            seq: Seq(deleted.seq),
            entry_index,
        })
    }

    pub(super) fn not_successor(
        &mut self,
        put: &Put,
        other: &Existing,
        reason: String,
    ) -> Result<Stored, Failure> {
        let entry_index = self.refuse_version(put, other, "not-successor", &reason)?;
        Ok(Stored::NotSuccessor {
            seq: Seq(other.seq),
            label_set: LabelSetId(other.label_set),
            entry_index,
            reason,
        })
    }

    /// Logs that a version was refused because of a record here; once per content and origin, however often it is tried.
    /// Its sender is answered for each of its leaves.
    fn refuse_version(
        &mut self,
        put: &Put,
        existing: &Existing,
        code: &str,
        reason: &str,
    ) -> Result<u64, Failure> {
        let index = self.log_refused_version(put, existing, code, reason)?;
        if let Some(consigned) = &put.consigned {
            let about = About {
                event: Event::SubmissionRejection,
                seq: None,
                content_sha256: &put.content_sha256,
                label: None,
                reason: Some(put.terms.refused_as.as_deref().unwrap_or(reason)),
            };
            let seed = derived(&put.seed, &consigned.leaf);
            self.answer_apart(consigned, &about, &seed, None)?;
        }
        Ok(index)
    }

    fn log_refused_version(
        &mut self,
        put: &Put,
        existing: &Existing,
        code: &str,
        reason: &str,
    ) -> Result<u64, Failure> {
        if let Some(index) = self.remembered(put, existing)? {
            return Ok(index);
        }
        let content = json!({
            "what": code, "reason": reason, "id": put.id, "version": put.version_key,
            "origin": put.origin, "author": put.author,
            "offered_sha256": hex(&put.content_sha256), "kept_sha256": hex(&existing.content_sha256),
        });
        let link = self.leaf(to_i64(existing.entry_index)?)?;
        let (logged, _) = self.log_sealed(
            EntryKind::Refusal,
            Some(existing.seq),
            Event::SubmissionRejection,
            &content,
            put.content_sha256,
            &put.seed,
            link,
        )?;
        self.remember(put, existing, logged.index)?;
        Ok(logged.index)
    }

    /// The entry that says what became of this very delivery before, if it left the record here as it was.
    fn remembered(&self, put: &Put, existing: &Existing) -> Result<Option<u64>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT idx FROM refused_version WHERE seq = ?1 AND content_sha256 = ?2 AND origin = ?3",
            )?
            .query_row(params![existing.seq, put.content_sha256, put.origin], |row| row.get(0))
            .optional()?)
    }

    fn remember(&self, put: &Put, existing: &Existing, index: u64) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT INTO refused_version (seq, content_sha256, origin, idx) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![existing.seq, put.content_sha256, put.origin, to_i64(index)?])?;
        Ok(())
    }
}
