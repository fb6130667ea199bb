//! Taking erased words off the disk. Deleting a row zeroes its bytes in the file, but the search index only notes that a record is
//! gone and keeps its words until their segment is merged, and the write-ahead log keeps every page it ever held until it is cut.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Writer,
    tx::{Failure, Tx},
};
use crate::AppendError;

/// In `position`, while something erased may still be found in the files: survives a crash. Goes when nothing may.
const PENDING: &str = "erasure";
/// Pages of the index merged at a time: a few milliseconds, between two batches.
const MERGE_PAGES: i64 = 256;
/// How long to wait for readers before the write-ahead log is cut; they hold up nothing but this.
const CUT_WAIT: Duration = Duration::from_millis(50);

/// How far the taking away is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Nothing erased is in the files.
    Done,
    /// Another step is needed, at once.
    More,
    /// A reader still looks at what was; try again in a while.
    Waiting,
}

impl Tx<'_> {
    /// Something was erased in this batch.
    pub(super) fn note_erasure(&self, deletion_index: u64) -> Result<(), Failure> {
        self.set_position(PENDING, deletion_index.saturating_add(1))
    }
}

impl Writer {
    /// Does a step of taking erased contents out of the files: merges the search index, then cuts the write-ahead log. To be
    /// called between batches until it is [`Erasure::Done`]; cheap when there is nothing to do.
    ///
    /// # Errors
    /// As [`Writer::append`]; what was not done is done by a later call, also by one of another process.
    pub fn erase_step(&mut self) -> Result<Erasure, AppendError> {
        if pending(&self.connection)?.is_none() {
            self.merging = false;
            return Ok(Erasure::Done);
        }
        let _span = tracing::debug_span!("tx", name = "register.erase").entered();
        let first = !self.merging;
        let merged = self.run(|connection, state, fault| {
            let merged = merge(connection, first)?;
            fault("merged")?;
            Ok((merged, state.frontier().clone()))
        })?;
        self.merging = true;
        if !merged {
            return Ok(Erasure::More);
        }
        // crash point: the mark is still there, so the log is cut after the next start at the latest
        if !self.cut_log()? {
            return Ok(Erasure::Waiting);
        }
        self.run(|connection, state, fault| {
            connection.execute("DELETE FROM position WHERE follower = ?1", [PENDING])?;
            fault("erased")?;
            Ok(((), state.frontier().clone()))
        })?;
        self.merging = false;
        Ok(Erasure::Done)
    }

    /// Cuts the write-ahead log to nothing; false when a reader is in the way.
    fn cut_log(&mut self) -> Result<bool, AppendError> {
        let failed = |error: rusqlite::Error| AppendError::Batch(error.to_string());
        self.connection.busy_timeout(CUT_WAIT).map_err(failed)?;
        let busy: Result<i64, _> =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        self.connection
            .busy_timeout(super::open::BUSY_WAIT)
            .map_err(failed)?;
        Ok(busy.map_err(failed)? == 0)
    }
}

fn pending(connection: &Connection) -> Result<Option<i64>, AppendError> {
    connection
        .prepare_cached("SELECT next_entry FROM position WHERE follower = ?1")
        .and_then(|mut find| find.query_row([PENDING], |row| row.get(0)).optional())
        .map_err(|error| AppendError::Batch(error.to_string()))
}

/// Merges some more of the index into one segment; true when it is one. FTS5 says that a call had nothing to do by changing
/// fewer than two rows (its manual, 6.8 "the merge command").
fn merge(connection: &Connection, first: bool) -> Result<bool, Failure> {
    let before = connection.total_changes();
    let pages = if first { -MERGE_PAGES } else { MERGE_PAGES };
    connection
        .prepare_cached("INSERT INTO search (search, rank) VALUES ('merge', ?1)")?
        .execute(params![pages])?;
    Ok(connection.total_changes().saturating_sub(before) < 2)
}
