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
