//! What was derived from the records: standing, shelves, counts, search rows; and rows that belong to nothing.

use super::{
    super::{
        search::FOLLOWER,
        standing::{Standing, class, judge},
    },
    Check,
};
use crate::ReadError;

/// (code, query): each row of the query is a row that belongs to nothing.
const ORPHANS: &[(&str, &str)] = &[
    ("orphan.member", "SELECT 'member ' || m.added, 'record ' || m.seq || ' is not there' FROM member m
       LEFT JOIN record r ON r.seq = m.seq WHERE r.seq IS NULL OR r.object <> m.object OR r.label_set <> m.label_set
         OR r.version_key <> m.version_key"),
    ("orphan.member", "SELECT 'member ' || added, 'collection ' || collection || ' is not there' FROM member
       WHERE collection NOT IN (SELECT key FROM collection)"),
    ("orphan.record", "SELECT 'record ' || seq, 'its object or label set is not there' FROM record
       WHERE object NOT IN (SELECT key FROM object) OR label_set NOT IN (SELECT id FROM label_set)"),
    ("orphan.record", "SELECT 'record ' || r.seq, 'it has another id than its object' FROM record r
       JOIN object o ON o.key = r.object WHERE o.id <> r.id"),
    ("orphan.edge", "SELECT 'edge ' || e.seq || ' ' || e.property, 'its record or target is not there' FROM edge e
       WHERE e.seq NOT IN (SELECT seq FROM record) OR e.target NOT IN (SELECT key FROM object)"),
    ("orphan.entry", "SELECT 'entry ' || e.idx, 'its record is neither there nor deleted' FROM entry e
       WHERE e.seq IS NOT NULL AND e.seq NOT IN (SELECT seq FROM record) AND e.seq NOT IN (SELECT seq FROM tombstone)"),
    ("orphan.entry", "SELECT 'entry ' || e.idx, 'two records or none were accepted by it' FROM entry e
       WHERE e.kind = 0 AND (SELECT count(*) FROM record r WHERE r.seq = e.seq AND r.entry_index = e.idx)
         + (SELECT count(*) FROM tombstone t WHERE t.seq = e.seq AND t.entry_index = e.idx) <> 1"),
    ("orphan.entry", "SELECT 'entry ' || d.idx, 'it has a content, and is about a record or not there' FROM entry_detail d
       LEFT JOIN entry e ON e.idx = d.idx WHERE e.kind IS NULL OR e.kind = 0"),
    ("orphan.seed", "SELECT 'seed ' || s.idx, 'its record was erased, or was never here' FROM seed s LEFT JOIN entry e ON e.idx = s.idx
       WHERE e.kind IS NULL OR e.kind NOT IN (0, 6, 7) OR e.kind = 0 AND e.seq NOT IN (SELECT seq FROM record)"),
    ("orphan.tombstone", "SELECT 'tombstone ' || t.seq, 'no entry deleted the record' FROM tombstone t
       LEFT JOIN entry e ON e.idx = t.deletion_index WHERE e.kind IS NOT 2 OR e.seq IS NOT t.seq"),
    ("orphan.tombstone", "SELECT 'tombstone ' || t.seq, 'the record is still there' FROM tombstone t
       JOIN record r ON r.seq = t.seq"),
    ("orphan.delivery", "SELECT 'delivery ' || peer || ' ' || seq, 'no such record was ever here' FROM delivery
       WHERE seq NOT IN (SELECT seq FROM record) AND seq NOT IN (SELECT seq FROM tombstone)"),
    ("orphan.disclosure", "SELECT 'disclosure ' || idx, 'its entry is not there' FROM disclosure
       WHERE idx NOT IN (SELECT idx FROM entry WHERE kind = 4)"),
    ("orphan.disclosure", "SELECT 'disclosure ' || idx, 'its entry is not there' FROM disclosure_run
       WHERE idx NOT IN (SELECT idx FROM disclosure) OR idx NOT IN (SELECT idx FROM entry WHERE kind = 4)
         OR last >= (SELECT size FROM register)"),
];

impl Check<'_> {
    /// Counts kept beside the rows.
    pub(super) fn counts(&mut self) -> Result<u64, ReadError> {
        self.none_of(
            "count.shelf",
            "SELECT 'shelf ' || s.id, 'it says ' || s.members || ' members, there are ' || count(m.added) FROM shelf s
             LEFT JOIN member m INDEXED BY member_shelf ON m.shelf = s.id GROUP BY s.id HAVING s.members <> count(m.added)",
        )?;
        self.none_of(
            "count.label_set",
            "SELECT 'label set ' || l.id, 'it says ' || l.records || ' records, there are ' || coalesce(n, 0)
             FROM label_set l LEFT JOIN (SELECT label_set, count(*) AS n FROM record GROUP BY label_set) c
               ON c.label_set = l.id WHERE l.records <> coalesce(n, 0)",
        )?;
        Ok(self
            .connection
            .query_row("SELECT count(*) FROM shelf", [], |row| row.get(0))?)
    }

    /// Which versions stand, judged anew; and that each member is on the shelf of its kind.
    pub(super) fn standing(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let total: u64 =
            connection.query_row("SELECT count(*) FROM member", [], |row| row.get(0))?;
        let mut statement = connection.prepare(
            "SELECT m.collection, m.object, m.added, m.shelf, m.last, m.first, m.label_set, m.version_key,
               s.class, s.collection = m.collection AND s.label_set = m.label_set AND s.type = r.type
             FROM record r JOIN member m ON m.seq = r.seq LEFT JOIN shelf s ON s.id = m.shelf
             ORDER BY r.object, m.collection",
        )?;
        let mut rows = statement.query([])?;
        let mut group = ((0, 0), Vec::new());
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            self.tick("standing", seen, total);
            let key: (i64, i64) = (row.get(0)?, row.get(1)?);
            let standing = Standing {
                added: row.get(2)?,
                shelf: row.get(3)?,
                last: row.get(4)?,
                first: row.get(5)?,
                label_set: row.get(6)?,
                version_key: row.get(7)?,
            };
            let fits: Option<bool> = row.get(9)?;
            if fits != Some(true)
                || row.get::<_, Option<i64>>(8)? != Some(class(standing.last, standing.first))
            {
                let place = format!("member {}", standing.added);
                self.problem("standing.shelf", place, "it stands on the wrong shelf");
            }
            if key != group.0 {
                self.judge_group(&group.1);
                group = (key, Vec::new());
            }
            group.1.push(standing);
        }
        self.judge_group(&group.1);
        Ok(seen)
    }

    fn judge_group(&mut self, group: &[Standing]) {
        let mut judged = group.to_vec();
        for row in &mut judged {
            (row.last, row.first) = (1, 1);
        }
        judge(&mut judged);
        for (kept, right) in group.iter().zip(&judged) {
            if (kept.last, kept.first) != (right.last, right.first) {
                let detail = format!(
                    "last {} and first {} should be {} and {}",
                    kept.last, kept.first, right.last, right.first
                );
                self.problem(
                    "standing.version",
                    format!("member {}", kept.added),
                    &detail,
                );
            }
        }
    }

    /// Rows that belong to nothing.
    pub(super) fn orphans(&mut self) -> Result<u64, ReadError> {
        for (what, sql) in ORPHANS {
            self.none_of(what, sql)?;
        }
        Ok(ORPHANS.len() as u64)
    }

    /// The index has a row for every record it has reached, and none for others.
    pub(super) fn search(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let position = super::super::log::position(connection, FOLLOWER)?;
        if position > super::super::log::head(connection)?.size {
            self.problem("search.position", FOLLOWER, "it is beyond the log");
        }
        self.none_of(
            "search.extra",
            "SELECT 'search row ' || id, 'its record is not there' FROM search_docsize
             WHERE id NOT IN (SELECT seq FROM record)",
        )?;
        let mut statement = connection.prepare(
            "SELECT r.seq FROM record r WHERE r.entry_index < ?1 AND r.seq NOT IN (SELECT id FROM search_docsize)
               AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.seq = r.seq AND e.kind = 3 AND e.idx >= ?1)",
        )?;
        let mut rows = statement.query([super::super::log::signed(position)])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            self.problem(
                "search.missing",
                format!("record {seq}"),
                "it was passed but not indexed",
            );
        }
        Ok(position)
    }

    /// SQLite's own view of its pages and indexes.
    pub(super) fn sqlite(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        for pragma in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
            let mut statement = connection.prepare(pragma)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let text: String = row.get(0)?;
                if text != "ok" {
                    self.problem("sqlite.integrity", "file", &text);
                }
            }
        }
        Ok(2)
    }
}
