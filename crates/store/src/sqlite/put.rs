//! Taking in one version of one object.

use comity_ledger::{entry::commitment, salt::LabelOpening};
use comity_stix::defaults::same_content;
use comity_stix::related::{Facts, succession};
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;

use super::{
    answers::derived,
    standing::Newcomer,
    tx::{Failure, Tx, canonical_text, to_i64},
};
use crate::{CollectionKey, Delete, EntryKind, Fault, Hash, LabelSetId, Put, Seq, Stored, Terms};

/// A record that is there already, or was; then without a label.
pub(super) struct Existing {
    pub(super) seq: i64,
    pub(super) content_sha256: Hash,
    pub(super) label_set: i64,
    pub(super) entry_index: u64,
}

impl Tx<'_> {
    pub(super) fn put(&mut self, put: &Put) -> Result<Result<Stored, Fault>, Failure> {
        if let Some(fault) = self.fault_of(put) {
            return Ok(Err(fault));
        }
        let (object, fresh) = self.object(&put.id)?;
        let mut first = fresh;
        if !fresh {
            let existing = self.existing(object, &put.version_key)?;
            if self.overtaken(put, object, existing.as_ref())? {
                return match existing {
                    // nobody decided that it may go anywhere or change anything: it is here, and that is all
                    Some(existing) if self.is_same(put, &existing)? => {
                        let put = Put {
                            collections: Vec::new(),
                            terms: Terms::default(),
                            ..put.clone()
                        };
                        self.known(&put, object, existing).map(Ok)
                    }
                    _ => Ok(Err(Fault::Overtaken)),
                };
            }
            if let Some(existing) = existing {
                if self.is_same(put, &existing)? {
                    return self.known(put, object, existing).map(Ok);
                }
                let Some(reason) = &put.terms.replace else {
                    return self.conflict(put, &existing).map(Ok);
                };
                self.make_way(put, reason)?;
            }
            if !put.terms.past_revocation
                && let Some(revocation) = self.revocation_before(object, &put.version_key)?
            {
                return self.after_revoked(put, &revocation).map(Ok);
            }
            if !put.revive
                && let Some(deleted) = self.deleted(object, put)?
            {
                return self.after_deletion(put, &deleted).map(Ok);
            }
            if let Some((other, reason)) = self.not_succeeded(put, object)? {
                return self.not_successor(put, &other, reason).map(Ok);
            }
            first = !self.has_versions(object)?;
        }
        self.insert(put, object, first).map(Ok)
    }

    /// Why [`Self::put`] would not take it, without a trace.
    pub(super) fn refusal_of(&self, put: &Put) -> Result<Option<Fault>, Failure> {
        if let Some(fault) = self.fault_of(put) {
            return Ok(Some(fault));
        }
        let Some(object) = self.known_object(&put.id)? else {
            return Ok(None);
        };
        let conflict = self
            .existing(object, &put.version_key)?
            .is_some_and(|existing| existing.content_sha256 != put.content_sha256);
        let revoked = self.revocation_before(object, &put.version_key)?.is_some();
        Ok((conflict || revoked).then(|| Fault::Taken {
            what: "record",
            key: put.id.clone(),
        }))
    }

    fn fault_of(&self, put: &Put) -> Option<Fault> {
        let invalid = |what, why: &str| {
            Some(Fault::Invalid {
                what,
                why: why.to_owned(),
            })
        };
        if !put
            .id
            .strip_prefix(put.object_type.as_str())
            .is_some_and(|rest| rest.starts_with("--"))
        {
            return invalid("id", "it does not begin with the type");
        }
        if put.version_key.is_empty() {
            return invalid("version_key", "it is empty");
        }
        let missing = |key: &&CollectionKey| !self.interned.collections.contains(&key.0);
        put.collections
            .iter()
            .find(missing)
            .map(|key| Fault::UnknownCollection(*key))
    }

    /// Whether a record of another origin came in since this was decided. What the same origin sent before it, in this batch
    /// or an earlier one, was decided by the same rules.
    fn overtaken(&self, put: &Put, object: i64, exact: Option<&Existing>) -> Result<bool, Failure> {
        let Some(seen) = &put.terms.seen else {
            return Ok(false);
        };
        let last: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT seq FROM record WHERE object = ?1 ORDER BY version_key DESC LIMIT 1",
            )?
            .query_row([object], |row| row.get(0))
            .optional()?;
        for (then, now) in [
            (seen.exact, exact.map(|exact| exact.seq)),
            (seen.last, last),
        ] {
            if then.map(|seq| seq.0) == now {
                continue;
            }
            let Some(now) = now else { return Ok(true) };
            let origin: String = self
                .connection
                .prepare_cached("SELECT origin FROM record WHERE seq = ?1")?
                .query_row([now], |row| row.get(0))?;
            if origin != put.origin {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Erases the version that is here, for this one to take its place.
    fn make_way(&mut self, put: &Put, reason: &str) -> Result<(), Failure> {
        let delete = Delete {
            id: put.id.clone(),
            version: Some(put.version_key.clone()),
            collection: None,
            scope: None,
            reason: reason.to_owned(),
            by: put.author.clone().unwrap_or_default(),
            erase: true,
            salt: derived(&put.seed, b"replace"),
        };
        // it names no collection, so nothing about it can be at fault
        self.delete(&delete).map(drop)
    }

    fn existing(&self, object: i64, version_key: &str) -> Result<Option<Existing>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT seq, content_sha256, label_set, entry_index FROM record WHERE object = ?1 AND version_key = ?2",
            )?
            .query_row(params![object, version_key], existing_row)
            .optional()?)
    }

    /// STIX 3.6: the same version has the same content, "if a property has the same value as the default, it MAY be omitted".
    /// The first text stands, with its hash and its leaf.
    fn is_same(&self, put: &Put, existing: &Existing) -> Result<bool, Failure> {
        if existing.content_sha256 == put.content_sha256 {
            return Ok(true);
        }
        let bytes = self.bytes_of(existing)?;
        Ok(bytes.is_some_and(|bytes| same_content(&bytes, &put.bytes)))
    }

    /// STIX 3.5 and 3.6: `created` and `created_by_ref` are those of every other version. What is wrong, and with which.
    fn not_succeeded(&self, put: &Put, object: i64) -> Result<Option<(Existing, String)>, Failure> {
        let other = self
            .connection
            .prepare_cached(
                "SELECT seq, content_sha256, label_set, entry_index FROM record WHERE object = ?1 ORDER BY seq LIMIT 1",
            )?
            .query_row([object], existing_row)
            .optional()?;
        let Some(other) = other else { return Ok(None) };
        let before = self.bytes_of(&other)?.and_then(|bytes| Facts::read(&bytes));
        let Some((before, after)) = before.zip(Facts::read(&put.bytes)) else {
            return Ok(None);
        };
        // revocation is looked for among all versions, above
        let wrong = succession(&before, &after)
            .into_iter()
            .find(|finding| finding.code != comity_stix::codes::VERSION_REVOKED.code);
        Ok(wrong.map(|finding| (other, format!("{} ({})", finding.message, finding.clause))))
    }

    fn bytes_of(&self, existing: &Existing) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self
            .connection
            .prepare_cached("SELECT bytes FROM record WHERE seq = ?1")?
            .query_row([existing.seq], |row| row.get(0))
            .optional()?)
    }

    /// STIX 3.6: a revoked object gets no later version. An earlier one that arrives late is welcome.
    fn revocation_before(
        &self,
        object: i64,
        version_key: &str,
    ) -> Result<Option<Existing>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT seq, content_sha256, label_set, entry_index FROM record
                 WHERE object = ?1 AND revoked = 1 AND version_key < ?2 LIMIT 1",
            )?
            .query_row(params![object, version_key], existing_row)
            .optional()?)
    }

    /// This content of this version, if it was here and was deleted; the last time.
    fn deleted(&self, object: i64, put: &Put) -> Result<Option<Existing>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT seq, content_sha256, 0, entry_index FROM tombstone
                 WHERE object = ?1 AND version_key = ?2 AND content_sha256 = ?3 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row(
                params![object, put.version_key, put.content_sha256],
                existing_row,
            )
            .optional()?)
    }

    fn has_versions(&self, object: i64) -> Result<bool, Failure> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM record WHERE object = ?1 LIMIT 1")?
            .exists([object])?)
    }

    fn insert(&mut self, put: &Put, object: i64, first: bool) -> Result<Stored, Failure> {
        let seq = self.seq_next;
        self.seq_next += 1;
        let label_set = self.label_set(&put.label_set)?;
        let circumstances = circumstances(put);
        let salt = LabelOpening::new(&put.seed, &circumstances).salt(&put.label_set);
        let logged = self.log(
            EntryKind::Record,
            Some(seq),
            put.event,
            commitment(&salt, &put.content_sha256),
            put.link,
        )?;
        let circumstances = self.circumstances(&circumstances)?;
        self.keep_seed(logged.index, &put.seed, Some(circumstances))?;
        self.connection
            .prepare_cached(include_str!("sql/insert_record.sql"))?
            .execute(params![
                seq,
                object,
                to_i64(logged.index)?,
                label_set,
                put.revoked,
                put.granular,
                self.now,
                put.id,
                put.object_type,
                put.spec_version,
                put.version_key,
                put.version_text,
                put.origin,
                put.author,
                put.created_by,
                put.content_sha256,
                salt,
                put.bytes
            ])?;
        self.consign(put, seq, Some((logged.index, &salt)), &put.label_set)?;
        *self.records_delta.entry(label_set).or_default() += 1;
        for (property, target) in &put.references {
            let (target, _) = self.object(target)?;
            self.connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO edge (target, seq, property) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![target, seq, property])?;
        }
        let newcomer = Newcomer {
            seq,
            object,
            object_type: &put.object_type,
            label_set,
            version_key: &put.version_key,
        };
        let mut added = None;
        for collection in distinct(&put.collections) {
            let time = self.join(collection, &newcomer, first)?;
            added = added.or(Some(time));
        }
        let (seq, entry_index, leaf) = (Seq(seq), logged.index, logged.leaf);
        let label_set = LabelSetId(label_set);
        Ok(if first {
            Stored::New {
                seq,
                label_set,
                entry_index,
                leaf,
                added,
            }
        } else {
            Stored::NewVersion {
                seq,
                label_set,
                entry_index,
                leaf,
                added,
            }
        })
    }

    /// The same record again: re-delivery is free. New collections widen who can get it, so that is an entry.
    fn known(&mut self, put: &Put, object: i64, mut existing: Existing) -> Result<Stored, Failure> {
        let mut relabelled = false;
        if let Some(reason) = &put.terms.relabel
            && let Some(label_set) = self.given_anew(put, existing.seq, reason)?
        {
            existing.label_set = label_set;
            relabelled = true;
        }
        let mut joined = Vec::new();
        for collection in distinct(&put.collections) {
            let member = self
                .connection
                .prepare_cached("SELECT 1 FROM member WHERE seq = ?1 AND collection = ?2")?
                .exists([existing.seq, collection])?;
            if !member {
                joined.push(collection);
            }
        }
        let newcomer = Newcomer {
            seq: existing.seq,
            object,
            object_type: &put.object_type,
            label_set: existing.label_set,
            version_key: &put.version_key,
        };
        for collection in &joined {
            self.join(*collection, &newcomer, false)?;
        }
        if !joined.is_empty() {
            let content = json!({
                "what": "membership", "id": put.id, "version": put.version_key, "collections": joined,
                "origin": put.origin, "author": put.author,
            });
            let link = self.leaf(to_i64(existing.entry_index)?)?;
            self.log_detail(
                EntryKind::Membership,
                Some(existing.seq),
                put.event,
                &content,
                &put.seed,
                link,
            )?;
        }
        let (fresh, entry_index) = match put.terms.noted {
            true => self.note_again(put, &existing)?,
            false => (None, existing.entry_index),
        };
        if put.consigned.is_some() || put.withdrawal.is_some() {
            // who may not know that it was here is not told its label either
            let label: String = if put.terms.noted {
                put.label_set.clone()
            } else {
                self.connection
                    .prepare_cached("SELECT text FROM label_set WHERE id = ?1")?
                    .query_row([existing.label_set], |row| row.get(0))?
            };
            let fresh = fresh.as_ref().map(|salt| (entry_index, salt));
            self.consign(put, existing.seq, fresh, &label)?;
        }
        Ok(Stored::Known {
            seq: Seq(existing.seq),
            label_set: LabelSetId(existing.label_set),
            entry_index,
            added_to: u32::try_from(joined.len()).unwrap_or(u32::MAX),
            label_differs: self.interned.label_sets.get(&put.label_set)
                != Some(&existing.label_set),
            relabelled,
        })
    }
}

fn existing_row(row: &rusqlite::Row<'_>) -> Result<Existing, rusqlite::Error> {
    Ok(Existing {
        seq: row.get(0)?,
        content_sha256: row.get(1)?,
        label_set: row.get(2)?,
        entry_index: row.get(3)?,
    })
}

/// What the salt of a record's entry commits to beside the label: from whom it came, who published it, where it was put.
pub(super) fn circumstances(put: &Put) -> String {
    canonical_text(&json!({
        "author": put.author, "collections": distinct(&put.collections), "origin": put.origin,
    }))
}

fn distinct(collections: &[CollectionKey]) -> Vec<i64> {
    let mut keys: Vec<i64> = collections.iter().map(|key| key.0).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
