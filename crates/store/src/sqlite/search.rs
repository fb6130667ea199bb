//! Words and identifiers. The index is a follower of the log: it is behind by a moment, and can be rebuilt from zero.

use comity_stix::{
    json::{Document, Kind, Limits, Value},
    validate,
};
use rusqlite::{Connection, ErrorCode, Row, ToSql, params, types::Value as Sql};

use super::{
    Store, Writer,
    deliveries::limit_i64,
    log::position,
    tx::{Failure, to_i64},
};
use crate::{AppendError, LabelSetId, ReadError, SearchHit, SearchQuery, Seq};

/// Name of the follower whose position the index keeps.
pub(super) const FOLLOWER: &str = "search";
/// More label sets than this are not put into the query as words; the rows are checked either way.
const SCOPE_WORDS_MAX: usize = 200;
/// Terms of a search; more are no search a person typed.
const TERMS_MAX: usize = 32;

impl Writer {
    /// Indexes up to `limit` more entries for search. Gives how many it looked at; 0 means the index is up to date.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn search_index_step(&mut self, limit: usize) -> Result<usize, AppendError> {
        let _span = tracing::debug_span!("tx", name = "search.index").entered();
        self.run(|connection, state, fault| {
            let seen = index(connection, limit)?;
            fault("indexed")?;
            Ok((seen, state.frontier().clone()))
        })
    }

    /// Forgets the index; [`Writer::search_index_step`] builds it again from the first entry.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn search_index_reset(&mut self) -> Result<(), AppendError> {
        let _span = tracing::info_span!("tx", name = "search.reset").entered();
        self.run(|connection, state, _| {
            connection.execute("INSERT INTO search (search) VALUES ('delete-all')", [])?;
            connection.execute("DELETE FROM position WHERE follower = ?1", [FOLLOWER])?;
            Ok(((), state.frontier().clone()))
        })
    }
}

fn index(connection: &Connection, limit: usize) -> Result<usize, Failure> {
    let from =
        position(connection, FOLLOWER).map_err(|error| Failure::Damaged(error.to_string()))?;
    let mut statement = connection.prepare_cached(
        "SELECT e.kind, e.seq, r.label_set, r.granular, r.bytes FROM entry e LEFT JOIN record r ON r.seq = e.seq
         WHERE e.idx >= ?1 ORDER BY e.idx LIMIT ?2",
    )?;
    let mut insert =
        connection.prepare_cached("INSERT INTO search (rowid, text, scope) VALUES (?1, ?2, ?3)")?;
    let mut delete = connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?;
    let mut rows = statement.query([to_i64(from)?, limit_i64(limit)])?;
    let mut seen = 0;
    let mut text = String::new();
    while let Some(row) = rows.next()? {
        seen += 1;
        let kind: i64 = row.get(0)?;
        let label_set: Option<i64> = row.get(2)?;
        // 0 record, 3 relabel; a record that is gone by now has no label set
        if let (0 | 3, Some(label_set)) = (kind, label_set) {
            let seq: i64 = row.get(1)?;
            if kind == 3 {
                delete.execute([seq])?;
            }
            text.clear();
            let bytes = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
            words(bytes, row.get(3)?, &mut text);
            insert.execute(params![seq, text, scope_word(label_set)])?;
        }
    }
    drop(rows);
    if seen > 0 {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO position (follower, next_entry) VALUES (?1, ?2)",
            )?
            .execute(params![FOLLOWER, to_i64(from.saturating_add(seen as u64))?])?;
    }
    Ok(seen)
}

/// What a person may search for. Texts under a granular marking are left out for everyone: the index does not know who asks.
fn words(bytes: &[u8], granular: bool, into: &mut String) {
    let mut add = |text: &str| {
        into.push_str(text);
        into.push('\n');
    };
    if granular {
        if let Some(object) = validate::check(bytes, &validate::Options::default()).object {
            object.texts(&mut add);
        }
    } else if let Ok(document) = Document::parse(bytes, &Limits::default()) {
        strings(document.root(), &mut add);
    }
}

/// Every string but identifiers and times, which are searched by other means. Recursion is bounded by the reader's limits.
fn strings(value: Value<'_>, add: &mut dyn FnMut(&str)) {
    match value.kind() {
        Kind::String => {
            if let Some(text) = value.as_str() {
                add(text);
            }
        }
        Kind::Array => value.items().for_each(|item| strings(item, add)),
        Kind::Object => {
            for member in value.members() {
                if !unsearched(member.name()) {
                    strings(member.value, add);
                }
            }
        }
        _ => {}
    }
}

fn unsearched(name: &str) -> bool {
    matches!(
        name,
        "id" | "type" | "spec_version" | "created" | "modified" | "granular_markings"
    ) || name.ends_with("_ref")
        || name.ends_with("_refs")
        || name.ends_with("_bin")
}

/// One word per label set; no text has it, for the tokenizer never joins letters and digits of this form by chance in that column.
fn scope_word(label_set: i64) -> String {
    format!("l{label_set}")
}

/// Search.
impl Store {
    /// Searches within the scope, newest record first.
    ///
    /// # Errors
    /// [`ReadError::BadSearch`] if neither text nor identifier has anything to look for.
    pub fn search(&self, query: &SearchQuery) -> Result<Vec<SearchHit>, ReadError> {
        let (sql, bound) = plan(query)?;
        if query.scope.label_sets().is_empty() {
            return Ok(Vec::new());
        }
        self.inner.pool.bounded(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let params: Vec<&dyn ToSql> = bound.iter().map(|value| value as &dyn ToSql).collect();
            let mut rows = statement.query(params.as_slice())?;
            let mut hits = Vec::new();
            while let Some(row) = rows.next().map_err(too_broad)? {
                hits.push(hit(row)?);
            }
            Ok(hits)
        })
    }

    /// How many entries the search index is behind.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn search_lag(&self) -> Result<u64, ReadError> {
        Ok(self.head()?.size.saturating_sub(self.position(FOLLOWER)?))
    }
}

fn too_broad(error: rusqlite::Error) -> ReadError {
    if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
        return ReadError::TooBroad;
    }
    error.into()
}

fn plan(query: &SearchQuery) -> Result<(String, Vec<Sql>), ReadError> {
    let mut bound: Vec<Sql> = Vec::new();
    let mut bind = |value: Sql| {
        bound.push(value);
        format!("?{}", bound.len())
    };
    let text = query
        .text
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let identifier = query
        .identifier
        .as_deref()
        .map(str::trim)
        .filter(|id| !id.is_empty());
    let mut from = String::from("record r");
    let mut conditions = Vec::new();
    if let Some(text) = text {
        let matching = match_expression(text, &query.scope)?;
        from = "search CROSS JOIN record r ON r.seq = search.rowid".into();
        conditions.push(format!("search MATCH {}", bind(Sql::Text(matching))));
    } else if identifier.is_none() {
        return Err(ReadError::BadSearch(String::new()));
    }
    if let Some(identifier) = identifier {
        let low = bind(Sql::Text(identifier.to_owned()));
        let high = bind(Sql::Text(format!("{identifier}\u{10FFFF}")));
        if text.is_some() {
            conditions.push(format!("r.id >= {low} AND r.id < {high}"));
        } else {
            from = "object o CROSS JOIN record r ON r.object = o.key".into();
            conditions.push(format!("o.id >= {low} AND o.id < {high}"));
        }
    }
    let scope: Vec<i64> = query.scope.label_sets().iter().map(|id| id.0).collect();
    let scope = bind(Sql::Text(json_list(&scope)));
    conditions.push(format!(
        "r.label_set IN (SELECT value FROM json_each({scope}))"
    ));
    if !query.types.is_empty() {
        let types = bind(Sql::Text(json_list(&query.types)));
        conditions.push(format!("r.type IN (SELECT value FROM json_each({types}))"));
    }
    // the last version in the collection asked for, not the last anywhere
    let mut last_there = String::new();
    if let Some(collection) = query.collection {
        let key = bind(Sql::Integer(collection.0));
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM member m WHERE m.seq = r.seq AND m.collection = {key})"
        ));
        last_there = format!(
            "AND EXISTS (SELECT 1 FROM member m WHERE m.seq = n.seq AND m.collection = {key})"
        );
    }
    if let Some(origin) = &query.origin {
        conditions.push(format!("r.origin = {}", bind(Sql::Text(origin.clone()))));
    }
    if query.last_only {
        conditions.push(format!(
            "NOT EXISTS (SELECT 1 FROM record n WHERE n.object = r.object AND n.version_key > r.version_key
               AND n.label_set IN (SELECT value FROM json_each({scope})) {last_there})"
        ));
    }
    let order = if text.is_some() {
        "search.rowid"
    } else {
        "r.seq"
    };
    if let Some(cursor) = query.cursor {
        conditions.push(format!("{order} < {}", bind(Sql::Integer(cursor.0))));
    }
    let limit = bind(Sql::Integer(limit_i64(query.limit)));
    let sql = format!(
        "SELECT r.seq, r.id, r.type, r.version_text, r.label_set, r.origin, r.granular, r.bytes FROM {from}
         WHERE {} ORDER BY {order} DESC LIMIT {limit}",
        conditions.join(" AND ")
    );
    Ok((sql, bound))
}

/// The words as FTS5 wants them: each quoted, so that nothing a person types is syntax; and the label sets as words, so
/// that rows out of scope are not even met.
fn match_expression(text: &str, scope: &crate::Scope) -> Result<String, ReadError> {
    let mut terms = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        // every other part stood between quotes: a phrase
        if index % 2 == 1 {
            push_term(&mut terms, part, false);
        } else {
            for word in part.split_whitespace() {
                push_term(&mut terms, word.trim_end_matches('*'), word.ends_with('*'));
            }
        }
    }
    if terms.is_empty() || terms.len() > TERMS_MAX {
        return Err(ReadError::BadSearch(text.to_owned()));
    }
    let words = terms.join(" AND ");
    if scope.label_sets().len() > SCOPE_WORDS_MAX {
        return Ok(format!("text : ({words})"));
    }
    let scope: Vec<String> = scope
        .label_sets()
        .iter()
        .map(|id| scope_word(id.0))
        .collect();
    let scope = if scope.is_empty() {
        "none".to_owned()
    } else {
        scope.join(" OR ")
    };
    Ok(format!("(text : ({words})) AND (scope : ({scope}))"))
}

/// A term without a letter or digit would match nothing and take the others with it.
fn push_term(terms: &mut Vec<String>, term: &str, prefix: bool) {
    if term.chars().any(char::is_alphanumeric) {
        let star = if prefix { " *" } else { "" };
        terms.push(format!("\"{term}\"{star}"));
    }
}

fn json_list<T: serde::Serialize>(items: &[T]) -> String {
    serde_json::to_string(items).unwrap_or_else(|_| "[]".into())
}

fn hit(row: &Row<'_>) -> Result<SearchHit, rusqlite::Error> {
    Ok(SearchHit {
        seq: Seq(row.get(0)?),
        id: row.get(1)?,
        object_type: row.get(2)?,
        version: row.get(3)?,
        label_set: LabelSetId(row.get(4)?),
        origin: row.get(5)?,
        granular: row.get(6)?,
        bytes: row.get(7)?,
    })
}
