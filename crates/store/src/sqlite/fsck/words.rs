//! The search index against the records: the words of each, at their places, under its label set. Nothing can be read back from an
//! index without contents, so each record is indexed again aside, and what both indexes hold of it is summed up and compared.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use super::{
    super::search::{TABLE, scope_word, words},
    Check,
};
use crate::ReadError;

/// Records indexed aside at a time.
const CHUNK: usize = 512;

/// By record: the sum of the hashes of (word, column, place).
type Sums = HashMap<i64, u128>;

impl Check<'_> {
    /// Every record the index has.
    pub(super) fn words(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        // only in this connection's memory; the file itself was opened for reading
        connection.pragma_update(None, "query_only", false)?;
        connection.execute_batch(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.kept_words USING fts5vocab('main', 'search', 'instance')",
        )?;
        let mut kept = sums(connection, "temp.kept_words")?;
        let aside = Connection::open_in_memory()?;
        aside.execute_batch(TABLE)?;
        aside.execute_batch("CREATE VIRTUAL TABLE made_words USING fts5vocab(search, instance)")?;
        let mut statement = connection.prepare(
            "SELECT r.seq, r.granular, r.label_set, r.bytes FROM search_docsize d JOIN record r ON r.seq = d.id ORDER BY r.seq",
        )?;
        let mut rows = statement.query([])?;
        let mut chunk: Vec<i64> = Vec::with_capacity(CHUNK);
        let mut text = String::new();
        let mut seen: u64 = 0;
        loop {
            let row = rows.next()?;
            if let Some(row) = row {
                seen += 1;
                self.tick("words", seen, 0);
                let seq: i64 = row.get(0)?;
                text.clear();
                let bytes = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
                words(bytes, row.get(1)?, &mut text);
                aside
                    .prepare_cached("INSERT INTO search (rowid, text, scope) VALUES (?1, ?2, ?3)")?
                    .execute(params![seq, text, scope_word(row.get(2)?)])?;
                chunk.push(seq);
                if chunk.len() < CHUNK {
                    continue;
                }
            }
            let made = sums(&aside, "made_words")?;
            for seq in chunk.drain(..) {
                if kept.remove(&seq) != made.get(&seq).copied() {
                    self.problem(
                        "search.words",
                        format!("record {seq}"),
                        "it is indexed under other words or another label",
                    );
                }
            }
            if row.is_none() {
                break;
            }
            aside.execute("INSERT INTO search (search) VALUES ('delete-all')", [])?;
        }
        for seq in kept.into_keys() {
            let text = "the index has words of a record that is not here";
            self.problem("search.words", format!("record {seq}"), text);
        }
        Ok(seen)
    }
}

fn sums(connection: &Connection, table: &str) -> Result<Sums, ReadError> {
    let mut sums = Sums::new();
    let mut statement =
        connection.prepare(&format!("SELECT term, doc, col, \"offset\" FROM {table}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(3)?;
        let digest = Sha256::new()
            .chain_update(row.get_ref(2)?.as_bytes().map_err(rusqlite::Error::from)?)
            .chain_update(place.to_be_bytes())
            .chain_update(row.get_ref(0)?.as_bytes().map_err(rusqlite::Error::from)?)
            .finalize();
        let part = digest
            .first_chunk::<16>()
            .map_or(0, |half| u128::from_be_bytes(*half));
        let sum = sums.entry(row.get(1)?).or_default();
        *sum = sum.wrapping_add(part);
    }
    Ok(sums)
}
