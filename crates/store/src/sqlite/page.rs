//! Pages, manifests and version lists of a collection.

use rusqlite::Connection;

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
            let mut fetch = connection.prepare_cached(
                "SELECT id, version_text, spec_version, label_set, granular, bytes FROM record WHERE seq = ?1",
            )?;
            let mut bytes_left = query.bytes_max;
            self.bounded(connection, query, &mut |narrow, end| {
                let mut rows = fetch.query([narrow.seq])?;
                let row = rows.next()?.ok_or_else(|| missing(narrow))?;
                let bytes = row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?;
                if end.rows > 0 && bytes.len() > bytes_left {
                    return Ok(false);
                }
                bytes_left = bytes_left.saturating_sub(bytes.len());
                each(Row {
                    added: narrow.added,
                    seq: Seq(narrow.seq),
                    id: text(row, 0)?,
                    version: text(row, 1)?,
                    spec_version: text(row, 2)?,
                    label_set: LabelSetId(row.get(3)?),
                    granular: row.get(4)?,
                    bytes,
                });
                Ok(true)
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
            let mut fetch = connection.prepare_cached(
                "SELECT id, version_text, spec_version, label_set FROM record WHERE seq = ?1",
            )?;
            self.bounded(connection, query, &mut |narrow, _| {
                let mut rows = fetch.query([narrow.seq])?;
                let row = rows.next()?.ok_or_else(|| missing(narrow))?;
                each(ManifestRow {
                    added: narrow.added,
                    seq: Seq(narrow.seq),
                    id: text(row, 0)?,
                    version: text(row, 1)?,
                    spec_version: text(row, 2)?,
                    label_set: LabelSetId(row.get(3)?),
                });
                Ok(true)
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
            let mut fetch = connection.prepare_cached(
                "SELECT version_text, version_key, spec_version FROM record WHERE seq = ?1",
            )?;
            let mut versions = Vec::new();
            let end = self.bounded(connection, &query, &mut |narrow, _| {
                versions.push(fetch.query_row([narrow.seq], |row| {
                    Ok(VersionRow {
                        added: narrow.added,
                        seq: Seq(narrow.seq),
                        version: row.get(0)?,
                        version_key: row.get(1)?,
                        spec_version: row.get(2)?,
                    })
                })?);
                Ok(true)
            })?;
            Ok((versions, end))
        })
    }

    /// Gives matching rows to `take` until the limit is reached or it answers that the row does not fit any more.
    fn bounded(
        &self,
        connection: &Connection,
        query: &PageQuery,
        take: &mut dyn FnMut(&Narrow, &PageEnd) -> Result<bool, ReadError>,
    ) -> Result<PageEnd, ReadError> {
        let shelves = self.inner.shelves.of(connection)?;
        let walk = Walk {
            connection,
            query,
            allowed: Allowed::of(&shelves, query),
            vain_rows: self.inner.vain_rows,
        };
        let mut end = PageEnd::default();
        walk.run(&mut |narrow| {
            if end.rows >= query.limit.max(1) || !take(narrow, &end)? {
                end.more = true;
                return Ok(Flow::Stop);
            }
            end.rows += 1;
            end.first_added = end.first_added.or(Some(narrow.added));
            end.last_added = Some(narrow.added);
            Ok(Flow::Go)
        })?;
        Ok(end)
    }
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
