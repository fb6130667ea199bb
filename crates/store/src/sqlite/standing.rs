//! Memberships, and which version stands for its object in a collection.
//!
//! A version is *shadowed* (0) as last when a later one with the same label set is in the collection: whoever may read the
//! one may read the other. Without any later one it *stands* (1). Otherwise it depends on the reader (2). `first` likewise.

use rusqlite::params;

use super::tx::{Failure, Tx};

/// A record about to become a member.
pub(super) struct Newcomer<'a> {
    pub(super) seq: i64,
    pub(super) object: i64,
    pub(super) object_type: &'a str,
    pub(super) label_set: i64,
    pub(super) version_key: &'a str,
}

/// A membership, as far as standing goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) added: i64,
    pub(super) shelf: i64,
    pub(super) last: i64,
    pub(super) first: i64,
    pub(super) label_set: i64,
    pub(super) version_key: String,
}

impl Tx<'_> {
    /// Makes a record a member of a collection. `alone`: no other version of the object is in the register.
    pub(super) fn join(
        &mut self,
        collection: i64,
        newcomer: &Newcomer<'_>,
        alone: bool,
    ) -> Result<i64, Failure> {
        let added = self.next_added();
        let mut last = 1;
        let mut first = 1;
        if !alone {
            let before = self.standing(collection, newcomer.object)?;
            let mut after = before.clone();
            after.push(Standing {
                added,
                shelf: 0,
                last: 1,
                first: 1,
                label_set: newcomer.label_set,
                version_key: newcomer.version_key.to_owned(),
            });
            judge(&mut after);
            if let Some(own) = after.pop() {
                (last, first) = (own.last, own.first);
            }
            for (old, new) in before.iter().zip(&after) {
                self.change(collection, newcomer.object_type, old, new)?;
            }
        }
        let shelf = self.shelf(
            collection,
            newcomer.object_type,
            newcomer.label_set,
            class(last, first),
        )?;
        self.connection
            .prepare_cached(
                "INSERT INTO member (collection, added, seq, object, shelf, last, first, label_set, version_key)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                collection,
                added,
                newcomer.seq,
                newcomer.object,
                shelf,
                last,
                first,
                newcomer.label_set,
                newcomer.version_key
            ])?;
        *self.members_delta.entry(shelf).or_default() += 1;
        Ok(added)
    }

    /// Judges every version of an object in a collection anew, after some left or changed their label set.
    pub(super) fn rejudge(
        &mut self,
        collection: i64,
        object: i64,
        object_type: &str,
    ) -> Result<(), Failure> {
        let before: Vec<Standing> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT m.added, m.shelf, m.last, m.first, m.label_set, m.version_key
                 FROM record r JOIN member m ON m.seq = r.seq AND m.collection = ?1 WHERE r.object = ?2",
            )?;
            statement
                .query_map([collection, object], standing_row)?
                .collect::<Result<_, _>>()?
        };
        let mut after = before.clone();
        for row in &mut after {
            (row.last, row.first) = (1, 1);
        }
        judge(&mut after);
        for (old, new) in before.iter().zip(&after) {
            self.change(collection, object_type, old, new)?;
        }
        Ok(())
    }

    /// The versions of an object that stand, or may, in a collection: at most two per label set.
    fn standing(&self, collection: i64, object: i64) -> Result<Vec<Standing>, Failure> {
        let mut statement = self.connection.prepare_cached(
            "SELECT added, shelf, last, first, label_set, version_key FROM member INDEXED BY member_standing
             WHERE collection = ?1 AND object = ?2 AND (last > 0 OR first > 0)",
        )?;
        Ok(statement
            .query_map([collection, object], standing_row)?
            .collect::<Result<_, _>>()?)
    }

    fn change(
        &mut self,
        collection: i64,
        object_type: &str,
        old: &Standing,
        new: &Standing,
    ) -> Result<(), Failure> {
        let shelf = self.shelf(
            collection,
            object_type,
            new.label_set,
            class(new.last, new.first),
        )?;
        if shelf == old.shelf && (old.last, old.first) == (new.last, new.first) {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "UPDATE member SET shelf = ?3, last = ?4, first = ?5 WHERE collection = ?1 AND added = ?2",
            )?
            .execute(params![collection, old.added, shelf, new.last, new.first])?;
        *self.members_delta.entry(old.shelf).or_default() -= 1;
        *self.members_delta.entry(shelf).or_default() += 1;
        Ok(())
    }
}

fn standing_row(row: &rusqlite::Row<'_>) -> Result<Standing, rusqlite::Error> {
    Ok(Standing {
        added: row.get(0)?,
        shelf: row.get(1)?,
        last: row.get(2)?,
        first: row.get(3)?,
        label_set: row.get(4)?,
        version_key: row.get(5)?,
    })
}

/// The class of a shelf: 1 for last, 2 for first.
pub(super) fn class(last: i64, first: i64) -> i64 {
    i64::from(last > 0) + 2 * i64::from(first > 0)
}

/// Sets `last` and `first` of versions of one object in one collection. Rows that come in with 0 stay 0: a shadowed
/// version never stands again by something being added. INVARIANT: versions are distinct.
pub(super) fn judge(rows: &mut [Standing]) {
    use std::collections::HashMap;
    let mut latest: HashMap<i64, String> = HashMap::new();
    let mut earliest: HashMap<i64, String> = HashMap::new();
    for row in rows.iter() {
        let key = latest
            .entry(row.label_set)
            .or_insert_with(|| row.version_key.clone());
        if row.version_key > *key {
            key.clone_from(&row.version_key);
        }
        let key = earliest
            .entry(row.label_set)
            .or_insert_with(|| row.version_key.clone());
        if row.version_key < *key {
            key.clone_from(&row.version_key);
        }
    }
    let top = latest.values().max().cloned();
    let bottom = earliest.values().min().cloned();
    for row in rows {
        row.last = judged(
            row.last,
            &row.version_key,
            latest.get(&row.label_set),
            top.as_ref(),
        );
        row.first = judged(
            row.first,
            &row.version_key,
            earliest.get(&row.label_set),
            bottom.as_ref(),
        );
    }
}

fn judged(now: i64, own: &String, of_label_set: Option<&String>, of_all: Option<&String>) -> i64 {
    if now == 0 || of_label_set != Some(own) {
        0
    } else if of_all == Some(own) {
        1
    } else {
        2
    }
}
