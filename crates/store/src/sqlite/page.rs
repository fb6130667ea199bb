//! Pages, manifests and version lists of a collection.

use rusqlite::{Connection, Statement};

use super::{
    Store,
    shelves::Allowed,
    walk::{Flow, Narrow, Walk},
};
use crate::{
    CollectionKey, Filter, LabelSetId, ManifestRow, PageEnd, PageQuery, ReadError, Row, Scope, Seq,
    VersionFilter, VersionRow,
};

/// Pages of a collection.
impl Store {
    /// One page, oldest first. The callback gets each row; its cost does not depend on the size of the store nor on how
    /// many rows the reader may not read. All rows are of one state of the database. The callback must not ask the store
    /// anything: it runs while a pooled connection is held.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn page(
        &self,
        query: &PageQuery,
        each: &mut dyn FnMut(Row<'_>),
    ) -> Result<PageEnd, ReadError> {
        let _span = tracing::trace_span!("read", name = "register.page").entered();
        self.snapshot(|connection| {
            let mut records = connection.prepare_cached(
                "SELECT seq, id, version_text, spec_version, label_set, granular, bytes FROM record
                 WHERE seq >= ?1 ORDER BY seq",
            )?;
            let mut bytes_left = query.bytes_max;
            let mut first = true;
            self.bounded(connection, query, &mut |narrows| {
                fetch(&mut records, narrows, &mut |narrow, row| {
                    let bytes = row.get_ref(6)?.as_blob().map_err(rusqlite::Error::from)?;
                    if !first && bytes.len() > bytes_left {
                        return Ok(false);
                    }
                    first = false;
                    bytes_left = bytes_left.saturating_sub(bytes.len());
                    each(Row {
                        added: narrow.added,
                        seq: Seq(narrow.seq),
                        id: text(row, 1)?,
                        version: text(row, 2)?,
                        spec_version: text(row, 3)?,
                        label_set: LabelSetId(row.get(4)?),
                        granular: row.get(5)?,
                        bytes,
                    });
                    Ok(true)
                })
            })
        })
    }

    /// Like [`Store::page`], without touching the objects' bytes.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn manifest(
        &self,
        query: &PageQuery,
        each: &mut dyn FnMut(ManifestRow<'_>),
    ) -> Result<PageEnd, ReadError> {
        let _span = tracing::trace_span!("read", name = "register.manifest").entered();
        self.snapshot(|connection| {
            let mut records = connection.prepare_cached(
                "SELECT seq, id, version_text, spec_version, label_set FROM record WHERE seq >= ?1 ORDER BY seq",
            )?;
            self.bounded(connection, query, &mut |narrows| {
                fetch(&mut records, narrows, &mut |narrow, row| {
                    each(ManifestRow {
                        added: narrow.added,
                        seq: Seq(narrow.seq),
                        id: text(row, 1)?,
                        version: text(row, 2)?,
                        spec_version: text(row, 3)?,
                        label_set: LabelSetId(row.get(4)?),
                    });
                    Ok(true)
                })
            })
        })
    }

    /// Versions of one object in a collection that this scope may read, by `added` (TAXII 5.8).
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn versions(
        &self,
        collection: CollectionKey,
        id: &str,
        scope: &Scope,
        added_after: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<VersionRow>, PageEnd), ReadError> {
        let mut query = PageQuery::new(collection, scope.clone(), limit);
        query.added_after = added_after;
        query.filter = Filter {
            ids: vec![id.to_owned()],
            version: VersionFilter::all(),
            ..Filter::default()
        };
        self.snapshot(|connection| {
            let mut records = connection.prepare_cached(
                "SELECT seq, version_text, version_key, spec_version FROM record WHERE seq >= ?1 ORDER BY seq",
            )?;
            let mut versions = Vec::new();
            let end = self.bounded(connection, &query, &mut |narrows| {
                fetch(&mut records, narrows, &mut |narrow, row| {
                    versions.push(VersionRow {
                        added: narrow.added,
                        seq: Seq(narrow.seq),
                        version: row.get(1)?,
                        version_key: row.get(2)?,
                        spec_version: row.get(3)?,
                    });
                    Ok(true)
                })
            })?;
            Ok((versions, end))
        })
    }

    /// Gives matching rows to `take`, some at a time, until the limit is reached or it takes fewer than it was given.
    fn bounded(
        &self,
        connection: &Connection,
        query: &PageQuery,
        take: &mut dyn FnMut(&[Narrow]) -> Result<usize, ReadError>,
    ) -> Result<PageEnd, ReadError> {
        let shelves = self.inner.shelves.of(connection)?;
        let walk = Walk {
            connection,
            query,
            allowed: Allowed::of(&shelves, query),
            vain_rows: self.inner.vain_rows,
        };
        let limit = query.limit.max(1);
        let mut end = PageEnd::default();
        let mut waiting: Vec<Narrow> = Vec::with_capacity(limit.min(TOGETHER));
        walk.run(&mut |narrow| {
            if end.rows + waiting.len() >= limit {
                end.more = true;
                return Ok(Flow::Stop);
            }
            waiting.push(narrow);
            if waiting.len() < TOGETHER {
                return Ok(Flow::Go);
            }
            hand_over(&mut waiting, &mut end, take)
        })?;
        hand_over(&mut waiting, &mut end, take)?;
        Ok(end)
    }
}

/// Rows fetched together: enough to read records in a row, few enough to hold.
const TOGETHER: usize = 1024;
/// Records skipped rather than looked up anew: their bytes are copied for nothing.
const SKIP: i64 = 2;

fn hand_over(
    waiting: &mut Vec<Narrow>,
    end: &mut PageEnd,
    take: &mut dyn FnMut(&[Narrow]) -> Result<usize, ReadError>,
) -> Result<Flow, ReadError> {
    let taken = take(waiting)?;
    if let Some(given) = waiting.get(..taken) {
        end.first_added = end.first_added.or(given.first().map(|narrow| narrow.added));
        end.last_added = given.last().map(|narrow| narrow.added).or(end.last_added);
    }
    end.rows += taken;
    let all = taken == waiting.len();
    waiting.clear();
    if all {
        Ok(Flow::Go)
    } else {
        end.more = true;
        Ok(Flow::Stop)
    }
}

/// Gives the record of each membership to `each` until it declines one; how many it took. Records that came in together
/// lie together, so one cursor is moved along as far as it goes instead of looking each record up: that is most of a page.
fn fetch(
    records: &mut Statement<'_>,
    narrows: &[Narrow],
    each: &mut dyn FnMut(&Narrow, &rusqlite::Row<'_>) -> Result<bool, ReadError>,
) -> Result<usize, ReadError> {
    let mut taken = 0;
    let mut waiting = narrows.iter().peekable();
    while let Some(start) = waiting.peek() {
        let mut rows = records.query([start.seq])?;
        while let Some(narrow) = waiting.peek() {
            let row = rows.next()?.ok_or_else(|| missing(narrow))?;
            let at: i64 = row.get(0)?;
            if at > narrow.seq {
                return Err(missing(narrow));
            }
            if at < narrow.seq {
                continue;
            }
            if !each(narrow, row)? {
                return Ok(taken);
            }
            taken += 1;
            waiting.next();
            if waiting
                .peek()
                .is_some_and(|next| next.seq <= at || next.seq > at + 1 + SKIP)
            {
                break;
            }
        }
    }
    Ok(taken)
}

fn text<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a str, ReadError> {
    Ok(row
        .get_ref(column)?
        .as_str()
        .map_err(rusqlite::Error::from)?)
}

fn missing(narrow: &Narrow) -> ReadError {
    ReadError::Damaged(format!(
        "member {} names record {}, which is not there",
        narrow.added, narrow.seq
    ))
}
