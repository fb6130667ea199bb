//! Read-only connections, opened when first needed, at most `readers` of them.

use std::{
    path::PathBuf,
    sync::{Condvar, Mutex, PoisonError},
};

use rusqlite::Connection;

use super::{Options, open::reader_connection};
use crate::ReadError;

pub(super) struct Pool {
    path: PathBuf,
    options: Options,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Pool {
    pub(super) fn new(path: PathBuf, options: Options) -> Self {
        Self {
            path,
            options,
            state: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let lease = self.lease()?;
        match &lease.connection {
            Some(connection) => read(connection),
            None => Err(ReadError::Damaged("a lease without connection".into())),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        !state.idle.is_empty() || state.open < self.options.readers.max(1)
    }

    /// [`Self::with`] for what a stranger's question decides the length of: it is stopped after so many steps. A single
    /// statement sees one state of the database.
    pub(super) fn bounded<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut lease = self.lease()?;
        let Some(connection) = &mut lease.connection else {
            return Err(ReadError::Damaged("a lease without connection".into()));
        };
        let mut looks = 0_u32;
        let stop = move || {
            looks += 1;
            looks > LOOKS_MAX
        };
        connection.progress_handler(LOOK_STEPS, Some(stop))?;
        let result = read(connection);
        connection.progress_handler(0, None::<fn() -> bool>)?;
        result
    }

    /// Gives the page caches of connections not in use back to the allocator.
    pub(super) fn shrink(&self) -> Result<(), ReadError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in &state.idle {
            connection.execute_batch("PRAGMA shrink_memory")?;
        }
        Ok(())
    }

    fn lease(&self) -> Result<Lease<'_>, ReadError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = state.idle.pop() {
                return Ok(Lease {
                    pool: self,
                    connection: Some(connection),
                });
            }
            if state.open < self.options.readers.max(1) {
                state.open += 1;
                drop(state);
                // from here the lease gives the place back if opening fails
                let mut lease = Lease {
                    pool: self,
                    connection: None,
                };
                lease.connection = Some(reader_connection(&self.path, &self.options)?);
                return Ok(lease);
            }
            state = self
                .returned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Steps of SQLite's machine between two looks at how many there were.
const LOOK_STEPS: std::ffi::c_int = 10_000;
/// Looks of one question: about a second. Counted, not timed, so that the same question ends the same way everywhere.
const LOOKS_MAX: u32 = 4_000;

struct Lease<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self
            .pool
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match self.connection.take() {
            // a reader that failed inside its transaction must not keep an old snapshot alive
            Some(connection) if connection.is_autocommit() => state.idle.push(connection),
            _ => state.open = state.open.saturating_sub(1),
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
