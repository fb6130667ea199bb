//! Reading what peers have, what is on its way, and TAXII statuses.

use rusqlite::{OptionalExtension as _, Row, params};

use super::Store;
use crate::{CollectionKey, Delivery, DeliveryCounts, DeliveryState, ReadError, Seq, Status};

const COLUMNS: &str = "peer, seq, state, reason, receipt, attempts, queued, changed, not_before";

/// Exchange with peers, TAXII statuses.
impl Store {
    /// Where a record stands with each peer.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn deliveries(&self, seq: Seq) -> Result<Vec<Delivery>, ReadError> {
        self.with(|connection| {
            let sql = format!("SELECT {COLUMNS} FROM delivery WHERE seq = ?1 ORDER BY peer");
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement
                .query_map([seq.0], delivery)?
                .collect::<Result<_, _>>()?)
        })
    }

    /// What is to be sent to a peer now, oldest record first.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn due(
        &self,
        peer: &str,
        now_micros: i64,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReadError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM delivery WHERE peer = ?1 AND state = 0 AND not_before <= ?2 ORDER BY seq LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![peer, now_micros, limit_i64(limit)], delivery)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deliveries of a peer in one state, oldest record first, after `after`.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn deliveries_in(
        &self,
        peer: &str,
        state: DeliveryState,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReadError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM delivery WHERE peer = ?1 AND state = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let bound = params![peer, state_code(state), after.0, limit_i64(limit)];
            let rows = statement.query_map(bound, delivery)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deliveries of a peer by state.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn delivery_counts(&self, peer: &str) -> Result<DeliveryCounts, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT state, count(*) FROM delivery WHERE peer = ?1 GROUP BY state",
            )?;
            let mut rows = statement.query([peer])?;
            let mut counts = DeliveryCounts::default();
            while let Some(row) = rows.next()? {
                let number: u64 = row.get(1)?;
                match state_of(row.get(0)?)? {
                    DeliveryState::Queued => counts.queued = number,
                    DeliveryState::Sent => counts.sent = number,
                    DeliveryState::Accepted => counts.accepted = number,
                    DeliveryState::Refused => counts.refused = number,
                    DeliveryState::Skipped => counts.skipped = number,
                }
            }
            Ok(counts)
        })
    }

    /// How far we pulled `source` from a peer.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn cursor(&self, peer: &str, source: &str) -> Result<Option<String>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached("SELECT value FROM pull_cursor WHERE peer = ?1 AND source = ?2")?
                .query_row([peer, source], |row| row.get(0))
                .optional()?)
        })
    }

    /// A TAXII status, unless it expired (TAXII 4.3: kept for 24 hours after completion).
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn status(&self, id: &str, now_micros: i64) -> Result<Option<Status>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT id, principal, collection, created, expires, body FROM status
                     WHERE id = ?1 AND expires > ?2",
                )?
                .query_row(params![id, now_micros], |row| {
                    Ok(Status {
                        id: row.get(0)?,
                        principal: row.get(1)?,
                        collection: CollectionKey(row.get(2)?),
                        created: row.get(3)?,
                        expires: row.get(4)?,
                        body: row.get(5)?,
                    })
                })
                .optional()?)
        })
    }
}

fn delivery(row: &Row<'_>) -> Result<Delivery, rusqlite::Error> {
    Ok(Delivery {
        peer: row.get(0)?,
        seq: Seq(row.get(1)?),
        state: state_of(row.get(2)?)?,
        reason: row.get(3)?,
        receipt: row.get(4)?,
        attempts: row.get(5)?,
        queued: row.get(6)?,
        changed: row.get(7)?,
        not_before: row.get(8)?,
    })
}

pub(super) fn state_code(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::Queued => 0,
        DeliveryState::Sent => 1,
        DeliveryState::Accepted => 2,
        DeliveryState::Refused => 3,
        DeliveryState::Skipped => 4,
    }
}

fn state_of(code: i64) -> Result<DeliveryState, rusqlite::Error> {
    Ok(match code {
        0 => DeliveryState::Queued,
        1 => DeliveryState::Sent,
        2 => DeliveryState::Accepted,
        3 => DeliveryState::Refused,
        4 => DeliveryState::Skipped,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(2, other)),
    })
}

/// SQLite's limits are signed.
pub(super) fn limit_i64(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
