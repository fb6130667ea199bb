//! The log: entries without gaps, tiles and root recomputed from them, the head.

use comity_ledger::{
    entry::Entry,
    tree::{Frontier, leaf_hash},
};
use rusqlite::{OptionalExtension as _, params};

use super::{
    super::log::{head, signed},
    Check,
};
use crate::{Hash, ReadError};

/// Leaves added to the recomputed tree at a time.
const CHUNK: usize = 4096;

impl Check<'_> {
    /// The identity row, and whether the head in it is the one that was signed.
    pub(super) fn register(&mut self) -> Result<u64, ReadError> {
        let head = head(self.connection)?;
        if let Err(error) = head.check(self.checks.log_key) {
            self.problem("register.note", "head", &error.to_string());
        }
        self.none_of(
            "register.added",
            "SELECT 'member ' || added, 'added after the last time the register gave' FROM member
             WHERE added > (SELECT added_last FROM register) LIMIT 100",
        )?;
        self.none_of(
            "register.seq",
            "SELECT 'record ' || seq, 'its number was not given yet' FROM record WHERE seq >= (SELECT seq_next FROM register)",
        )?;
        Ok(1)
    }

    /// Every entry, leaf, tile, and the root.
    pub(super) fn log(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let head = head(connection)?;
        let mut statement = connection.prepare("SELECT idx, bytes FROM entry ORDER BY idx")?;
        let mut rows = statement.query([])?;
        let mut frontier = Frontier::empty();
        let mut leaves: Vec<Hash> = Vec::with_capacity(CHUNK);
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            let index: i64 = row.get(0)?;
            if index != signed(seen) {
                self.problem(
                    "log.gap",
                    format!("entry {index}"),
                    &format!("entry {seen} was expected here"),
                );
                return Ok(seen);
            }
            let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            if let Err(error) = Entry::decode(bytes) {
                self.problem("log.entry", format!("entry {index}"), &error.to_string());
            }
            leaves.push(leaf_hash(bytes));
            seen += 1;
            self.tick("log", seen, head.size);
            if leaves.len() == CHUNK {
                frontier = self.grow(&frontier, &leaves, false)?;
                leaves.clear();
            }
        }
        frontier = self.grow(&frontier, &leaves, true)?;
        if frontier.size() != head.size {
            let detail = format!(
                "the head says {} entries, there are {}",
                head.size,
                frontier.size()
            );
            self.problem("log.size", "head", &detail);
        } else if frontier.root() != head.root {
            self.problem(
                "log.root",
                "head",
                "the entries give another root than the head has",
            );
        }
        Ok(seen)
    }

    /// Adds leaves and compares the tiles that change with those stored. A partial tile is only compared at the end.
    fn grow(
        &mut self,
        frontier: &Frontier,
        leaves: &[Hash],
        end: bool,
    ) -> Result<Frontier, ReadError> {
        let grown = frontier
            .append(leaves)
            .map_err(|error| ReadError::Damaged(error.to_string()))?;
        for tile in &grown.tiles {
            if !end && tile.id.width() < comity_ledger::tile::WIDTH_MAX {
                continue;
            }
            let stored: Option<Vec<u8>> = self
                .connection
                .prepare_cached("SELECT hashes FROM tile WHERE level = ?1 AND idx = ?2")?
                .query_row(params![tile.id.level(), signed(tile.id.index())], |row| {
                    row.get(0)
                })
                .optional()?;
            let place = format!("tile {}/{}", tile.id.level(), tile.id.index());
            match stored {
                None => self.problem("log.tile", place, "it is missing"),
                Some(bytes) if bytes != tile.bytes() => {
                    self.problem("log.tile", place, "it does not follow from the entries");
                }
                Some(_) => {}
            }
        }
        Ok(grown.frontier)
    }
}
