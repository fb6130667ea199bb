//! The narrow rows a query matches, by `added`, without looking at those the reader may not read.
//!
//! Three ways: by object when ids are given; along the collection while nearly everything there is allowed; else by merging
//! the allowed shelves, each an index range in order of `added`. A walk along the collection that meets too much of what is
//! not allowed goes on by merging, so a page costs what it gives and not what others have.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::shelves::Allowed;
use crate::{LabelSetId, PageQuery, ReadError};

/// A membership that matches.
pub(super) struct Narrow {
    pub(super) added: i64,
    pub(super) seq: i64,
    object: i64,
    shelf: i64,
    last: i64,
    first: i64,
    /// Only read where it is needed.
    version_key: String,
}

/// Whether the walk goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Go,
    Stop,
}

type Each<'a> = dyn FnMut(Narrow) -> Result<Flow, ReadError> + 'a;

pub(super) struct Walk<'a> {
    pub(super) connection: &'a Connection,
    pub(super) query: &'a PageQuery,
    pub(super) allowed: Allowed,
    /// See [`super::Options::vain_rows`].
    pub(super) vain_rows: usize,
}

const COLUMNS: &str = "added, seq, object, shelf, last, first, version_key";

impl Walk<'_> {
    /// Gives every matching row after the cursor to `each`, oldest first, until it says stop.
    pub(super) fn run(&self, each: &mut Each<'_>) -> Result<(), ReadError> {
        if self.allowed.ids.is_empty() {
            return Ok(());
        }
        // both are exclusive (TAXII 3.4 `added_after`, 3.5 `next`)
        let start = self
            .query
            .added_after
            .unwrap_or(i64::MIN)
            .max(self.query.cursor.unwrap_or(i64::MIN));
        if !self.query.filter.ids.is_empty() {
            return self.by_object(start, each);
        }
        match self.along(start, each)? {
            Some(from) => self.merge(from, each),
            None => Ok(()),
        }
    }

    /// Narrow rows looked at along the collection before merging is cheaper.
    fn patience(&self) -> usize {
        let limit = self.query.limit;
        if self.allowed.members >= self.allowed.total {
            usize::MAX
        } else if self.allowed.members >= self.allowed.total / 2 {
            limit
                .saturating_mul(4)
                .min(self.vain_rows.saturating_mul(64))
        } else {
            self.vain_rows
        }
    }

    /// Gives where to go on from if patience ran out.
    fn along(&self, start: i64, each: &mut Each<'_>) -> Result<Option<i64>, ReadError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM member WHERE collection = ?1 AND added > ?2 ORDER BY added"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([self.query.collection.0, start])?;
        let mut patience = self.patience();
        let mut at = start;
        while let Some(row) = rows.next()? {
            if patience == 0 {
                return Ok(Some(at));
            }
            patience -= 1;
            at = row.get(0)?;
            if self.allowed.contains(row.get(3)?) {
                let narrow = self.narrow(row)?;
                if self.matches(&narrow)? && each(narrow)? == Flow::Stop {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Merges the allowed shelves by `added`.
    fn merge(&self, start: i64, each: &mut Each<'_>) -> Result<(), ReadError> {
        let shelves = self.allowed.ids.len();
        let chunk = (self.query.limit.saturating_mul(2) / shelves)
            .clamp(4, self.query.limit.saturating_add(1).max(4));
        let mut sources = Vec::with_capacity(shelves);
        let mut heads = BinaryHeap::with_capacity(shelves);
        for shelf in &self.allowed.ids {
            let mut source = Source {
                shelf: *shelf,
                rows: VecDeque::new(),
                chunk,
                more: true,
            };
            self.refill(&mut source, start)?;
            if let Some(head) = source.rows.front() {
                heads.push(Reverse((head.added, sources.len())));
                sources.push(source);
            }
        }
        while let Some(Reverse((_, index))) = heads.pop() {
            let Some(source) = sources.get_mut(index) else {
                continue;
            };
            let Some(narrow) = source.rows.pop_front() else {
                continue;
            };
            let added = narrow.added;
            if self.matches(&narrow)? && each(narrow)? == Flow::Stop {
                return Ok(());
            }
            if source.rows.is_empty() && source.more {
                self.refill(source, added)?;
            }
            if let Some(head) = source.rows.front() {
                heads.push(Reverse((head.added, index)));
            }
        }
        Ok(())
    }

    fn refill(&self, source: &mut Source, after: i64) -> Result<(), ReadError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM member INDEXED BY member_shelf WHERE shelf = ?1 AND added > ?2 ORDER BY added LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let limit = super::deliveries::limit_i64(source.chunk);
        let mut rows = statement.query([source.shelf, after, limit])?;
        while let Some(row) = rows.next()? {
            source.rows.push_back(self.narrow(row)?);
        }
        source.more = source.rows.len() == source.chunk;
        source.chunk = source.chunk.saturating_mul(2).min(1024);
        Ok(())
    }

    /// Rows of the objects asked for. Where only last and first matter, those that may stand, not every version.
    fn by_object(&self, start: i64, each: &mut Each<'_>) -> Result<(), ReadError> {
        let version = &self.query.filter.version;
        let sql = if version.all || !version.exact.is_empty() {
            "SELECT m.added, m.seq, m.object, m.shelf, m.last, m.first, m.version_key
             FROM record r CROSS JOIN member m ON m.seq = r.seq AND m.collection = ?1 WHERE r.object = ?2"
        } else {
            "SELECT added, seq, object, shelf, last, first, version_key FROM member INDEXED BY member_standing
             WHERE collection = ?1 AND object = ?2 AND (last > 0 OR first > 0)"
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut found = Vec::new();
        let mut ids: Vec<&String> = self.query.filter.ids.iter().collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let Some(object) = object_key(self.connection, id)? else {
                continue;
            };
            let mut rows = statement.query([self.query.collection.0, object])?;
            while let Some(row) = rows.next()? {
                let added: i64 = row.get(0)?;
                if added > start && self.allowed.contains(row.get(3)?) {
                    let narrow = self.narrow(row)?;
                    if self.matches(&narrow)? {
                        found.push(narrow);
                    }
                }
            }
        }
        found.sort_unstable_by_key(|narrow| narrow.added);
        for narrow in found {
            if each(narrow)? == Flow::Stop {
                break;
            }
        }
        Ok(())
    }

    fn narrow(&self, row: &Row<'_>) -> Result<Narrow, ReadError> {
        let (last, first): (i64, i64) = (row.get(4)?, row.get(5)?);
        let needed = last == 2 || first == 2 || !self.query.filter.version.exact.is_empty();
        Ok(Narrow {
            added: row.get(0)?,
            seq: row.get(1)?,
            object: row.get(2)?,
            shelf: row.get(3)?,
            last,
            first,
            version_key: if needed { row.get(6)? } else { String::new() },
        })
    }

    /// `match[version]` and `match[spec_version]`; everything else is in the choice of shelves and objects.
    fn matches(&self, narrow: &Narrow) -> Result<bool, ReadError> {
        debug_assert!(self.allowed.contains(narrow.shelf));
        let version = &self.query.filter.version;
        let last = version.last || (!version.first && !version.all && version.exact.is_empty());
        let fits = version.all
            || version.exact.contains(&narrow.version_key)
            || (last && self.is_last(narrow)?)
            || (version.first && self.is_first(narrow)?);
        Ok(fits && self.spec_version_fits(narrow)?)
    }

    fn is_last(&self, narrow: &Narrow) -> Result<bool, ReadError> {
        match narrow.last {
            1 => Ok(true),
            2 => self.none_readable(
                narrow,
                "SELECT label_set FROM member INDEXED BY member_standing
                 WHERE collection = ?1 AND object = ?2 AND version_key > ?3 AND (last > 0 OR first > 0)",
            ),
            _ => Ok(false),
        }
    }

    fn is_first(&self, narrow: &Narrow) -> Result<bool, ReadError> {
        match narrow.first {
            1 => Ok(true),
            2 => self.none_readable(
                narrow,
                "SELECT label_set FROM member INDEXED BY member_standing
                 WHERE collection = ?1 AND object = ?2 AND version_key < ?3 AND (last > 0 OR first > 0)",
            ),
            _ => Ok(false),
        }
    }

    /// Whether this scope may read none of the versions before (or after). It is enough to look at those that may stand:
    /// of each label set the last and the first are among them.
    fn none_readable(&self, narrow: &Narrow, sql: &str) -> Result<bool, ReadError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let bound = params![self.query.collection.0, narrow.object, narrow.version_key];
        let mut rows = statement.query(bound)?;
        while let Some(row) = rows.next()? {
            if self.query.scope.contains(LabelSetId(row.get(0)?)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn spec_version_fits(&self, narrow: &Narrow) -> Result<bool, ReadError> {
        let wanted = &self.query.filter.spec_versions;
        if wanted.is_empty() {
            return Ok(true);
        }
        let spec_version: String = self
            .connection
            .prepare_cached("SELECT spec_version FROM record WHERE seq = ?1")?
            .query_row([narrow.seq], |row| row.get(0))?;
        Ok(wanted.contains(&spec_version))
    }
}

/// A shelf being merged.
struct Source {
    shelf: i64,
    rows: VecDeque<Narrow>,
    chunk: usize,
    more: bool,
}

/// The number of a STIX identifier.
pub(super) fn object_key(connection: &Connection, id: &str) -> Result<Option<i64>, ReadError> {
    Ok(connection
        .prepare_cached("SELECT key FROM object WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}
