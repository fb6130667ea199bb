//! Deletion and relabelling: what a record is to its readers changes, its leaf does not.

use std::collections::BTreeSet;

use comity_ledger::entry::Event;
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    answers::derived,
    put::hex,
    tx::{Failure, Tx, to_i64},
};
use crate::{Delete, EntryKind, Fault, Hash, LabelSetId, Outcome, Put, Relabel, Seq};

struct Target {
    seq: i64,
    object_type: String,
    label_set: i64,
    version_key: String,
    entry_index: i64,
    content_sha256: Hash,
    origin: String,
}

impl Tx<'_> {
    pub(super) fn delete(&mut self, delete: &Delete) -> Result<Result<Outcome, Fault>, Failure> {
        if let Some(key) = delete.collection
            && !self.interned.collections.contains(&key.0)
        {
            return Ok(Err(Fault::UnknownCollection(key)));
        }
        let (mut records, mut entries) = (Vec::new(), Vec::new());
        if let Some(object) = self.known_object(&delete.id)? {
            let mut touched = BTreeSet::new();
            let targets = self.targets(object, delete)?;
            for target in &targets {
                entries.push(self.delete_one(object, target, delete, &mut touched)?);
                records.push(Seq(target.seq));
            }
            if let Some(target) = targets.first() {
                for collection in touched {
                    self.rejudge(collection, object, &target.object_type)?;
                }
            }
        }
        Ok(Ok(Outcome::Deleted { records, entries }))
    }

    /// Removes every version of an object before `version`, whoever may see it.
    pub(super) fn delete_before(
        &mut self,
        delete: &Delete,
        version: &str,
    ) -> Result<(Vec<Seq>, Vec<u64>), Failure> {
        let (mut records, mut entries) = (Vec::new(), Vec::new());
        let Some(object) = self.known_object(&delete.id)? else {
            return Ok((records, entries));
        };
        let mut touched = BTreeSet::new();
        let mut targets = self.targets(object, delete)?;
        targets.retain(|target| target.version_key.as_str() < version);
        for target in &targets {
            entries.push(self.delete_one(object, target, delete, &mut touched)?);
            records.push(Seq(target.seq));
        }
        if let Some(target) = targets.first() {
            for collection in touched {
                self.rejudge(collection, object, &target.object_type)?;
            }
        }
        Ok((records, entries))
    }

    fn targets(&self, object: i64, delete: &Delete) -> Result<Vec<Target>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT seq, type, label_set, version_key, entry_index, content_sha256, origin FROM record
             WHERE object = ?1 AND (?2 IS NULL OR version_key = ?2)
               AND (?3 IS NULL OR EXISTS (SELECT 1 FROM member m WHERE m.seq = record.seq AND m.collection = ?3))
             ORDER BY version_key",
        )?;
        let collection = delete.collection.map(|key| key.0);
        let mut rows = statement.query(params![object, delete.version, collection])?;
        let mut targets = Vec::new();
        while let Some(row) = rows.next()? {
            let label_set = row.get(2)?;
            if delete
                .scope
                .as_ref()
                .is_none_or(|scope| scope.contains(LabelSetId(label_set)))
            {
                targets.push(Target {
                    seq: row.get(0)?,
                    object_type: row.get(1)?,
                    label_set,
                    version_key: row.get(3)?,
                    entry_index: row.get(4)?,
                    content_sha256: row.get(5)?,
                    origin: row.get(6)?,
                });
            }
        }
        Ok(targets)
    }

    fn delete_one(
        &mut self,
        object: i64,
        target: &Target,
        delete: &Delete,
        touched: &mut BTreeSet<i64>,
    ) -> Result<u64, Failure> {
        let only = if delete.erase {
            None
        } else {
            delete.collection.map(|key| key.0)
        };
        let left = self.leave(target.seq, only)?;
        touched.extend(&left);
        let stays = self
            .connection
            .prepare_cached("SELECT 1 FROM member WHERE seq = ?1")?
            .exists([target.seq])?;
        let content = json!({
            "what": "deletion", "id": delete.id, "version": target.version_key, "by": delete.by,
            "reason": delete.reason, "collections": left, "erased": !stays,
            "content_sha256": hex(&target.content_sha256), "origin": target.origin,
        });
        // one salt was given for perhaps several entries: each gets its own from it
        let salt: [u8; 32] = Sha256::new()
            .chain_update(delete.salt)
            .chain_update(target.seq.to_be_bytes())
            .finalize()
            .into();
        let link = self.leaf(target.entry_index)?;
        let logged = self.log_detail(
            EntryKind::Deletion,
            Some(target.seq),
            Event::Deletion,
            &content,
            &salt,
            link,
        )?;
        if !stays {
            self.erase(object, target, delete, logged.index)?;
        }
        Ok(logged.index)
    }

    /// Ends memberships: in one collection, or in all. Gives the collections left.
    fn leave(&mut self, seq: i64, only: Option<i64>) -> Result<Vec<i64>, Failure> {
        let members: Vec<(i64, i64, i64)> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT collection, added, shelf FROM member WHERE seq = ?1 AND (?2 IS NULL OR collection = ?2)",
            )?;
            statement
                .query_map(params![seq, only], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<Result<_, _>>()?
        };
        for (collection, added, shelf) in &members {
            self.connection
                .prepare_cached("DELETE FROM member WHERE collection = ?1 AND added = ?2")?
                .execute([collection, added])?;
            *self.members_delta.entry(*shelf).or_default() -= 1;
        }
        Ok(members
            .into_iter()
            .map(|(collection, ..)| collection)
            .collect())
    }

    /// Bytes, salt and search words go; the leaf, the content hash and the reason stay.
    fn erase(
        &mut self,
        object: i64,
        target: &Target,
        delete: &Delete,
        deletion_index: u64,
    ) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT INTO tombstone (seq, object, version_key, content_sha256, entry_index, deletion_index, deleted, reason, deleted_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                target.seq,
                object,
                target.version_key,
                target.content_sha256,
                target.entry_index,
                to_i64(deletion_index)?,
                self.now,
                delete.reason,
                delete.by
            ])?;
        for sql in [
            "DELETE FROM record WHERE seq = ?1",
            "DELETE FROM edge WHERE seq = ?1",
            "DELETE FROM search WHERE rowid = ?1",
            "DELETE FROM refused_version WHERE seq = ?1",
            // a receipt that is still owed needs the salt; once it is taken nobody here does
            "UPDATE answer SET salt = NULL WHERE seq = ?1 AND settled = 1",
            // what was sent stays known; what was not is not sent any more
            "UPDATE delivery SET state = 4, reason = 'deleted' WHERE seq = ?1 AND state = 0",
        ] {
            self.connection.prepare_cached(sql)?.execute([target.seq])?;
        }
        self.connection
            .prepare_cached("DELETE FROM seed WHERE idx = ?1")?
            .execute([target.entry_index])?;
        self.note_erasure(deletion_index)?;
        *self.records_delta.entry(target.label_set).or_default() -= 1;
        Ok(())
    }

    pub(super) fn relabel(&mut self, relabel: &Relabel) -> Result<Result<Outcome, Fault>, Failure> {
        let Some(standing) = self.labelled(relabel.seq.0)? else {
            return Ok(Err(Fault::UnknownRecord(relabel.seq)));
        };
        self.move_to(relabel.seq.0, &standing, &relabel.label_set)?;
        let content = json!({
            "what": "relabel", "id": standing.id, "by": relabel.by, "reason": relabel.reason,
            "from": standing.text, "to": relabel.label_set,
        });
        let link = self.leaf(standing.entry_index)?;
        let logged = self.log_detail(
            EntryKind::Relabel,
            Some(relabel.seq.0),
            Event::Administration,
            &content,
            &relabel.salt,
            link,
        )?;
        Ok(Ok(Outcome::Logged {
            entry_index: logged.index,
        }))
    }

    /// [`crate::Terms::relabel`]: the record comes under the label of this delivery and counts as given by its origin.
    /// Gives the label set; `None` when nothing changed.
    pub(super) fn given_anew(
        &mut self,
        put: &Put,
        seq: i64,
        reason: &str,
    ) -> Result<Option<i64>, Failure> {
        let Some(standing) = self.labelled(seq)? else {
            return Ok(None);
        };
        if standing.text == put.label_set && standing.origin == put.origin {
            return Ok(None);
        }
        let label_set = self.move_to(seq, &standing, &put.label_set)?;
        self.connection
            .prepare_cached(
                "UPDATE record SET origin = ?2, author = ?3, granular = ?4 WHERE seq = ?1",
            )?
            .execute(params![seq, put.origin, put.author, put.granular])?;
        let content = json!({
            "what": "relabel", "id": standing.id, "by": put.author, "reason": reason,
            "from": standing.text, "to": put.label_set, "from_origin": standing.origin, "to_origin": put.origin,
        });
        let link = self.leaf(standing.entry_index)?;
        self.log_detail(
            EntryKind::Relabel,
            Some(seq),
            put.event,
            &content,
            &derived(&put.seed, b"relabel"),
            link,
        )?;
        Ok(Some(label_set))
    }

    fn labelled(&self, seq: i64) -> Result<Option<Labelled>, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT r.object, r.type, r.id, r.entry_index, l.text, r.label_set, r.origin
                 FROM record r JOIN label_set l ON l.id = r.label_set WHERE r.seq = ?1",
            )?
            .query_row([seq], |row| {
                Ok(Labelled {
                    object: row.get(0)?,
                    object_type: row.get(1)?,
                    id: row.get(2)?,
                    entry_index: row.get(3)?,
                    text: row.get(4)?,
                    label_set: row.get(5)?,
                    origin: row.get(6)?,
                })
            })
            .optional()?)
    }

    /// Puts a record, and its memberships, under another label set.
    fn move_to(&mut self, seq: i64, standing: &Labelled, text: &str) -> Result<i64, Failure> {
        let new = self.label_set(text)?;
        for sql in [
            "UPDATE record SET label_set = ?2 WHERE seq = ?1",
            "UPDATE member SET label_set = ?2 WHERE seq = ?1",
        ] {
            self.connection.prepare_cached(sql)?.execute([seq, new])?;
        }
        // found again under its new label set once the search follower reaches this entry
        self.connection
            .prepare_cached("DELETE FROM search WHERE rowid = ?1")?
            .execute([seq])?;
        *self.records_delta.entry(standing.label_set).or_default() -= 1;
        *self.records_delta.entry(new).or_default() += 1;
        let collections: Vec<i64> = {
            let mut statement = self
                .connection
                .prepare_cached("SELECT collection FROM member WHERE seq = ?1")?;
            statement
                .query_map([seq], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        };
        for collection in collections {
            self.rejudge(collection, standing.object, &standing.object_type)?;
        }
        Ok(new)
    }
}

/// A record as relabelling finds it.
struct Labelled {
    object: i64,
    object_type: String,
    id: String,
    entry_index: i64,
    text: String,
    label_set: i64,
    origin: String,
}
