//! The one transaction of a batch.

use comity_ledger::tree::{Frontier, TileSource};
use rusqlite::{Connection, ErrorCode, params};

use super::{
    SignFn, Writer,
    tx::{Failure, Interned, Tx, to_i64},
};
use crate::{AppendError, Appended, Batch, Fault, Hash, Head, Op, Outcome};

/// Kept between batches; read again from the database after anything went wrong.
pub(super) struct State {
    interned: Interned,
    frontier: Frontier,
}

impl State {
    /// The tree as it is, for a transaction that does not grow it.
    pub(super) fn frontier(&self) -> &Frontier {
        &self.frontier
    }
}

/// The identity row.
struct Register {
    database_id: [u8; 16],
    origin: String,
    size: u64,
    root: Hash,
    note: String,
    added_last: i64,
    seq_next: i64,
    /// Entries before this one have salts that commit to nothing; 0 in a register made since they do.
    sealed_from: u64,
}

impl Writer {
    /// Makes a batch durable in ONE transaction and gives one outcome per operation. `sign` is called at most once, inside
    /// the transaction: when the batch has entries.
    ///
    /// Durability: when this returns, the batch is on disk. Atomicity: all of it or nothing; an operation refused for the
    /// caller's fault leaves no trace and does not fail the others. Retry: safe after [`AppendError::Batch`].
    ///
    /// # Errors
    /// Nothing of the batch was kept, except on [`AppendError::Fatal`]: then open again and look.
    pub fn append(&mut self, batch: &Batch, sign: &SignFn<'_>) -> Result<Appended, AppendError> {
        let _span =
            tracing::debug_span!("tx", name = "register.append", ops = batch.ops.len()).entered();
        let database_id = self.database_id;
        self.run(|connection, state, fault| {
            let register = read_register(connection)?;
            if register.database_id != database_id {
                return Err(Failure::Damaged(
                    "another database is in the place of the one that was opened".into(),
                ));
            }
            work(connection, state, register, batch, sign, fault)
        })
    }

    /// Runs `work` in a transaction of its own and sorts what can go wrong.
    pub(super) fn run<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut State, &FaultFn<'_>) -> Result<(T, Frontier), Failure>,
    ) -> Result<T, AppendError> {
        if self.broken {
            return Err(AppendError::Fatal("an earlier write ended in doubt".into()));
        }
        let faults = self.faults.clone();
        let fault = |point: &str| faults.as_ref().map_or(Ok(()), |faults| faults(point));
        let mut state = match self.state.take() {
            Some(state) => state,
            None => load(&self.connection).map_err(AppendError::from)?,
        };
        fault("begin").map_err(|error| AppendError::Batch(error.to_string()))?;
        self.connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .map_err(|error| AppendError::Batch(error.to_string()))?;
        let done = work(&self.connection, &mut state, &fault)
            .and_then(|done| fault("before commit").map(|()| done).map_err(Failure::from));
        let (value, frontier) = match done {
            Ok(done) => done,
            Err(failure) => return Err(self.roll_back(failure)),
        };
        // crash point: before this returns nothing is durable, and nobody was told anything
        if let Err(error) = self
            .connection
            .prepare_cached("COMMIT")
            .and_then(|mut s| s.execute([]))
        {
            // no doubt about a full disk: a frame of the log could not be written, so the last one, which makes it a commit, is not
            // there; SQLite has rolled back by itself, or is told to
            if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
                return Err(self.roll_back(error.into()));
            }
            // an error of the disk here leaves open whether the commit will be found after a restart
            self.broken = true;
            return Err(AppendError::Fatal(error.to_string()));
        }
        // crash point: durable but not acknowledged; the caller asks again and is told `Known`
        if let Err(error) = fault("after commit") {
            self.broken = true;
            return Err(AppendError::Fatal(error.to_string()));
        }
        state.frontier = frontier;
        self.state = Some(state);
        Ok(value)
    }

    fn roll_back(&mut self, failure: Failure) -> AppendError {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.broken = true;
            return AppendError::Fatal(format!("{failure}; rolling back: {error}"));
        }
        failure.into()
    }

    /// Folds the write-ahead log into the database file and gives the page cache back; to be called when idle, or before
    /// the node stops.
    ///
    /// # Errors
    /// What SQLite says; the log stays as it is and nothing is lost.
    pub fn checkpoint(&mut self) -> Result<(), AppendError> {
        let _span = tracing::debug_span!("tx", name = "register.checkpoint").entered();
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .and_then(|()| self.connection.execute_batch("PRAGMA shrink_memory"))
            .map_err(|error| AppendError::Batch(error.to_string()))
    }
}

/// Passes a named point, or fails there.
pub(super) type FaultFn<'a> = dyn Fn(&str) -> Result<(), std::io::Error> + 'a;

impl From<Failure> for AppendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sign(error) => Self::Sign(error),
            Failure::Damaged(what) => Self::Fatal(what),
            Failure::Sqlite(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                ) =>
            {
                Self::Fatal(error.to_string())
            }
            Failure::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                Self::Full(error.to_string())
            }
            Failure::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                Self::Full(error.to_string())
            }
            other => Self::Batch(other.to_string()),
        }
    }
}

fn work(
    connection: &Connection,
    state: &mut State,
    register: Register,
    batch: &Batch,
    sign: &SignFn<'_>,
    fault: &FaultFn<'_>,
) -> Result<(Appended, Frontier), Failure> {
    if register.size != state.frontier.size() || register.root != state.frontier.root() {
        return Err(Failure::Damaged(
            "the head changed behind the writer's back".into(),
        ));
    }
    let mut tx = Tx {
        connection,
        interned: &mut state.interned,
        now: batch.now_micros,
        size: register.size,
        added_last: register.added_last,
        seq_next: register.seq_next,
        leaves: Vec::with_capacity(batch.ops.len()),
        shelves_changed: false,
        admin_changed: false,
        members_delta: Default::default(),
        records_delta: Default::default(),
    };
    if register.sealed_from > 0 && register.sealed_from == register.size {
        tx.seal_from(register.sealed_from, &register.root)?;
    }
    let mut outcomes = Vec::with_capacity(batch.ops.len());
    for op in &batch.ops {
        outcomes.push(apply(&mut tx, op)?);
    }
    fault("operations")?;
    tx.write_counts()?;
    let grown = state
        .frontier
        .append(&tx.leaves)
        .map_err(|error| Failure::Damaged(error.to_string()))?;
    {
        let mut insert = connection.prepare_cached(
            "INSERT INTO tile (level, idx, hashes) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET hashes = excluded.hashes",
        )?;
        for tile in &grown.tiles {
            insert.execute(params![
                tile.id.level(),
                to_i64(tile.id.index())?,
                tile.bytes()
            ])?;
        }
    }
    fault("tiles")?;
    let size = grown.frontier.size();
    let note = if tx.leaves.is_empty() {
        register.note
    } else {
        sign(size, &grown.root).map_err(Failure::Sign)?
    };
    fault("sign")?;
    // compare and swap: bound to this database and to the size this batch started from
    let changed = connection
        .prepare_cached(
            "UPDATE register SET size = ?1, root = ?2, note = ?3, added_last = ?4, seq_next = ?5,
               shelf_generation = shelf_generation + ?6, admin_generation = admin_generation + ?7
             WHERE one = 1 AND database_id = ?8 AND size = ?9",
        )?
        .execute(params![
            to_i64(size)?,
            grown.root,
            note,
            tx.added_last,
            tx.seq_next,
            tx.shelves_changed,
            tx.admin_changed,
            register.database_id,
            to_i64(register.size)?
        ])?;
    if changed != 1 {
        return Err(Failure::Damaged(
            "the head was not the one this batch started from".into(),
        ));
    }
    fault("head")?;
    let head = Head {
        size,
        root: grown.root,
        note,
        database_id: register.database_id,
        origin: register.origin,
    };
    Ok((Appended { outcomes, head }, grown.frontier))
}

/// One operation. The caller's fault leaves no trace: what was written for it before the fault showed is undone.
fn apply(tx: &mut Tx<'_>, op: &Op) -> Result<Outcome, Failure> {
    let done: Result<Outcome, Fault> = match op {
        Op::Put(put) => tx.put(put)?.map(Outcome::Put),
        Op::Delete(delete) => tx.delete(delete)?,
        Op::Relabel(relabel) => tx.relabel(relabel)?,
        Op::Disclose(disclose) => tx.disclose(disclose)?,
        Op::Refuse(refuse) => tx.refuse(refuse)?,
        Op::Answer(answer) => tx.answer(answer)?,
        Op::Decide(decide) => tx.decide(decide)?,
        Op::SeeHead(head) => tx.see_head(head)?,
        Op::Receipt(receipt) => tx.take_receipt(receipt)?,
        Op::Expire(expire) => tx.expire(expire)?,
        Op::Admin(administer) => tx.administer(administer)?,
        Op::Evidence(evidence) => tx.evidence(evidence)?,
        Op::Package(package) => tx.package(package)?,
        Op::Progress(progress) => tx.progress(progress)?,
    };
    Ok(done.unwrap_or_else(Outcome::Rejected))
}

fn read_register(connection: &Connection) -> Result<Register, Failure> {
    Ok(connection
        .prepare_cached(
            "SELECT database_id, origin, size, root, note, added_last, seq_next, sealed_from FROM register WHERE one = 1",
        )?
        .query_row([], |row| {
            Ok(Register {
                database_id: row.get(0)?,
                origin: row.get(1)?,
                size: row.get(2)?,
                root: row.get(3)?,
                note: row.get(4)?,
                added_last: row.get(5)?,
                seq_next: row.get(6)?,
                sealed_from: row.get(7)?,
            })
        })?)
}

fn load(connection: &Connection) -> Result<State, Failure> {
    let register = read_register(connection)?;
    let frontier = Frontier::load(&Tiles(connection), register.size, &register.root)
        .map_err(|error| Failure::Damaged(error.to_string()))?;
    Ok(State {
        interned: Interned::load(connection)?,
        frontier,
    })
}

/// The tiles of the database, as the tree wants them.
pub(super) struct Tiles<'a>(pub(super) &'a Connection);

impl TileSource for Tiles<'_> {
    type Error = rusqlite::Error;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, rusqlite::Error> {
        let mut statement = self
            .0
            .prepare_cached("SELECT hashes FROM tile WHERE level = ?1 AND idx = ?2")?;
        statement.query_row(
            params![level, i64::try_from(index).unwrap_or(i64::MAX)],
            |row| {
                let blob = row.get_ref(0)?.as_blob()?;
                Ok(blob.as_chunks::<32>().0.to_vec())
            },
        )
    }
}
