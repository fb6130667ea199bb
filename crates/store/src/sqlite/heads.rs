//! Heads of logs that were watched, and alarms.

use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Type};

use super::{
    Store,
    log::signed,
    tx::{Failure, Tx, to_i64},
};
use crate::{Alarm, AlarmKind, Fault, RaiseAlarm, ReadError, WatchedHead, WitnessedHead};

/// Heads kept of one log. Each was found to be one tree with the newest kept then, so the newest stands for all before it;
/// the others are for whoever asks what was seen when.
const HEADS_PER_LOG: i64 = 256;

const SEEN: &str = "SELECT origin, size, root, note, source, cosigned FROM watched_head WHERE forgotten = 0 AND origin = ?1";
const ALARM: &str =
    "SELECT id, kind, peer, origin, source, detail, kept, shown, pauses, evidence, raised,
     entry_index, acknowledged, acknowledged_by, remark FROM alarm";

impl Tx<'_> {
    /// Keeps a cosigned head of ours; an older one never takes the place of a newer.
    pub(super) fn keep_witnessed(&self, head: &WitnessedHead) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT INTO witnessed_head (quorum, size, root, note, cosigned, changed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (quorum) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note,
                   cosigned = excluded.cosigned, changed = excluded.changed
                 WHERE excluded.size > size OR (excluded.size = size AND excluded.root = root)",
            )?
            .execute(params![
                head.quorum,
                to_i64(head.size)?,
                head.root,
                head.note,
                head.cosigned,
                self.now
            ])?;
        Ok(())
    }

    /// Keeps a verified head of another log. One of the same size and another root is never taken: that is an alarm.
    pub(super) fn keep_watched(&self, head: &WatchedHead) -> Result<Result<(), Fault>, Failure> {
        let size = to_i64(head.size)?;
        let changed = self
            .connection
            .prepare_cached(
                "INSERT INTO watched_head (origin, forgotten, size, root, note, source, seen, cosigned)
                 VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (origin, forgotten, size) DO UPDATE SET
                   note = CASE WHEN excluded.cosigned > cosigned THEN excluded.note ELSE note END,
                   source = CASE WHEN excluded.cosigned > cosigned THEN excluded.source ELSE source END,
                   cosigned = max(cosigned, excluded.cosigned)
                 WHERE root = excluded.root",
            )?
            .execute(params![
                head.origin,
                size,
                head.root,
                head.note,
                head.source,
                self.now,
                head.cosigned
            ])?;
        if changed == 0 {
            return Ok(Err(Fault::Taken {
                what: "head",
                key: format!("{} {}", head.origin, head.size),
            }));
        }
        self.connection
            .prepare_cached(
                "DELETE FROM watched_head WHERE origin = ?1 AND forgotten = 0 AND size < (
                   SELECT size FROM watched_head WHERE origin = ?1 AND forgotten = 0 ORDER BY size DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![head.origin, HEADS_PER_LOG - 1])?;
        Ok(Ok(()))
    }

    /// A log begins anew: what was seen of it stays as evidence and is no measure any more.
    pub(super) fn forget_heads(&self, party: &str, origin: &str) -> Result<(), Failure> {
        self.connection
            .prepare_cached("UPDATE peer_head SET forgotten = 1 WHERE party = ?1")?
            .execute([party])?;
        self.connection
            .prepare_cached(
                "UPDATE watched_head SET forgotten = (SELECT max(forgotten) + 1 FROM watched_head WHERE origin = ?1)
                 WHERE origin = ?1 AND forgotten = 0",
            )?
            .execute([origin])?;
        Ok(())
    }

    /// Acknowledges the open alarms about the heads of a log; those about other things stay open.
    pub(super) fn acknowledge_heads(
        &self,
        origin: &str,
        by: &str,
        remark: &str,
    ) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "UPDATE alarm SET acknowledged = ?2, acknowledged_by = ?3, remark = ?4
                 WHERE origin = ?1 AND acknowledged IS NULL AND kind IN ('split', 'rollback', 'stalled')",
            )?
            .execute(params![origin, self.now, by, remark])?;
        Ok(())
    }

    /// Keeps an alarm; the one raised before for the same evidence stands.
    pub(super) fn raise_alarm(
        &self,
        alarm: &RaiseAlarm,
        entry_index: Option<u64>,
    ) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO alarm (kind, peer, origin, source, detail, kept, shown, pauses, evidence, raised,
                   entry_index) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                alarm.kind.word(),
                alarm.peer,
                alarm.origin,
                alarm.source,
                alarm.detail,
                alarm.kept,
                alarm.shown,
                alarm.pauses,
                alarm.evidence,
                self.now,
                entry_index.map(to_i64).transpose()?
            ])?;
        Ok(())
    }

    pub(super) fn is_raised(&self, alarm: &RaiseAlarm) -> Result<bool, Failure> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT 1 FROM alarm WHERE origin = ?1 AND kind = ?2 AND evidence = ?3",
            )?
            .exists(params![alarm.origin, alarm.kind.word(), alarm.evidence])?)
    }

    /// Notes who took note of an alarm; once.
    pub(super) fn acknowledge_alarm(
        &self,
        id: i64,
        by: &str,
        remark: &str,
    ) -> Result<Result<(), Fault>, Failure> {
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE alarm SET acknowledged = ?2, acknowledged_by = ?3, remark = ?4
                 WHERE id = ?1 AND acknowledged IS NULL",
            )?
            .execute(params![id, self.now, by, remark])?;
        Ok(if changed == 1 {
            Ok(())
        } else {
            Err(Fault::Unknown {
                what: "open alarm",
                key: id.to_string(),
            })
        })
    }
}

/// Heads of logs, alarms.
impl Store {
    /// The newest head of our own log that witnesses cosigned: with the quorum, or the newest attempt without.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn witnessed_head(&self, quorum: bool) -> Result<Option<WitnessedHead>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT size, root, note, cosigned FROM witnessed_head WHERE quorum = ?1",
                )?
                .query_row([quorum], |row| {
                    Ok(WitnessedHead {
                        quorum,
                        size: row.get(0)?,
                        root: row.get(1)?,
                        note: row.get(2)?,
                        cosigned: row.get(3)?,
                    })
                })
                .optional()?)
        })
    }

    /// The newest head seen of another log.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn watched_head(&self, origin: &str) -> Result<Option<WatchedHead>, ReadError> {
        self.with(|connection| {
            let sql = format!("{SEEN} ORDER BY size DESC LIMIT 1");
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement.query_row([origin], seen).optional()?)
        })
    }

    /// The head seen of another log at one size.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn watched_head_at(
        &self,
        origin: &str,
        size: u64,
    ) -> Result<Option<WatchedHead>, ReadError> {
        self.with(|connection| {
            let sql = format!("{SEEN} AND size = ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement
                .query_row(params![origin, signed(size)], seen)
                .optional()?)
        })
    }

    /// Alarms, newest first; only those nobody has acknowledged with `open`.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn alarms(&self, open: bool) -> Result<Vec<Alarm>, ReadError> {
        self.with(|connection| {
            let sql = format!("{ALARM} WHERE NOT ?1 OR acknowledged IS NULL ORDER BY id DESC");
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement
                .query_map([open], alarm)?
                .collect::<Result<_, _>>()?)
        })
    }

    /// One alarm.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn alarm(&self, id: i64) -> Result<Option<Alarm>, ReadError> {
        self.with(|connection| alarm_by_id(connection, id))
    }
}

fn alarm_by_id(connection: &Connection, id: i64) -> Result<Option<Alarm>, ReadError> {
    let sql = format!("{ALARM} WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row([id], alarm).optional()?)
}

fn seen(row: &Row<'_>) -> Result<WatchedHead, rusqlite::Error> {
    Ok(WatchedHead {
        origin: row.get(0)?,
        size: row.get(1)?,
        root: row.get(2)?,
        note: row.get(3)?,
        source: row.get(4)?,
        cosigned: row.get(5)?,
    })
}

fn alarm(row: &Row<'_>) -> Result<Alarm, rusqlite::Error> {
    Ok(Alarm {
        id: row.get(0)?,
        raised: RaiseAlarm {
            kind: kind(row, 1)?,
            peer: row.get(2)?,
            origin: row.get(3)?,
            source: row.get(4)?,
            detail: row.get(5)?,
            kept: row.get(6)?,
            shown: row.get(7)?,
            pauses: row.get(8)?,
            evidence: row.get(9)?,
        },
        time: row.get(10)?,
        entry_index: row.get(11)?,
        acknowledged: row.get(12)?,
        acknowledged_by: row.get(13)?,
        remark: row.get(14)?,
    })
}

fn kind(row: &Row<'_>, column: usize) -> Result<AlarmKind, rusqlite::Error> {
    let word: String = row.get(column)?;
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })
}
