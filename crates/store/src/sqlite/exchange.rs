//! Reading answers, receipts, heads of other logs that were acted on, and withdrawals.

use comity_ledger::entry::Event;
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Store, answers::decision_of, deliveries::limit_i64, log::signed};
use crate::{Answered, Awaited, PeerHead, ReadError, Receipt, ReceiptCounts, Seq, WithdrawalRow};

const ANSWER: &str =
    "SELECT a.idx, a.party, a.event, a.seq, a.id, a.version, a.content_sha256, a.salt, a.sender,
  a.sender_entry, a.sender_leaf, a.label, a.reason, a.settled, a.settled_at, a.words, e.bytes
  FROM answer a JOIN entry e ON e.idx = a.idx";
const AWAITED: &str = "SELECT party, seq, since, due, receipt IS NOT NULL, expiry FROM awaited";
const RECEIPT: &str = "SELECT party, entry, event, seq, time, received, late, label, reason, note, proof FROM receipt";
const WITHDRAWAL: &str = "SELECT w.seq, coalesce(r.id, o.id, ''), w.party, w.reason, w.asked, w.decision, w.decided, w.decider, w.words
  FROM withdrawal w LEFT JOIN record r ON r.seq = w.seq LEFT JOIN tombstone t ON t.seq = w.seq
  LEFT JOIN object o ON o.key = t.object";

/// Receipts.
impl Store {
    /// Receipts owed to a party, in order of their entries.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn answers_owed(&self, party: &str, limit: usize) -> Result<Vec<Answered>, ReadError> {
        self.with(|connection| {
            let sql =
                format!("{ANSWER} WHERE a.party = ?1 AND a.settled = 0 ORDER BY a.idx LIMIT ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![party, limit_i64(limit)], answered)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Everything answered to a party after entry `after`, whether it was taken or not, in order.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn answers_after(
        &self,
        party: &str,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Answered>, ReadError> {
        self.with(|connection| {
            let sql = format!("{ANSWER} WHERE a.party = ?1 AND a.idx > ?2 ORDER BY a.idx LIMIT ?3");
            let mut statement = connection.prepare_cached(&sql)?;
            let from = after.map_or(-1, signed);
            let rows = statement.query_map(params![party, from, limit_i64(limit)], answered)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Everything answered about a record, to whomever, in order.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn answers(&self, seq: Seq) -> Result<Vec<Answered>, ReadError> {
        self.with(|connection| {
            let sql = format!("{ANSWER} WHERE a.seq = ?1 ORDER BY a.idx");
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement
                .query_map([seq.0], answered)?
                .collect::<Result<_, _>>()?)
        })
    }

    /// Whether some sender of this record has not been told `event` yet: what an opening costs when there is nothing to do.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn answer_missing(&self, seq: Seq, event: Event) -> Result<bool, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT 1 FROM answer d WHERE d.seq = ?1 AND d.event = ?2 AND NOT EXISTS
                       (SELECT 1 FROM answer o WHERE o.sender_leaf = d.sender_leaf AND o.event = ?3 AND o.party = d.party)",
                )?
                .exists(params![
                    seq.0,
                    Event::ContentConsignment.code(),
                    event.code()
                ])?)
        })
    }

    /// From whom a receipt for this record is or was awaited.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn awaited(&self, seq: Seq) -> Result<Vec<Awaited>, ReadError> {
        self.with(|connection| {
            let sql = format!("{AWAITED} WHERE seq = ?1 ORDER BY party");
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement
                .query_map([seq.0], awaited)?
                .collect::<Result<_, _>>()?)
        })
    }

    /// What is still awaited from a party and was due before `until`, the longest due first.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn awaited_due(
        &self,
        party: &str,
        until: i64,
        limit: usize,
    ) -> Result<Vec<Awaited>, ReadError> {
        self.with(|connection| {
            let sql = format!(
                "{AWAITED} WHERE party = ?1 AND due <= ?2 AND receipt IS NULL AND expiry IS NULL ORDER BY due LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![party, until, limit_i64(limit)], awaited)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Records for which no receipt of a party is there, the longest awaited first; expired ones too.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn awaited_open(&self, party: &str, limit: usize) -> Result<Vec<Awaited>, ReadError> {
        self.with(|connection| {
            let sql = format!(
                "{AWAITED} WHERE party = ?1 AND receipt IS NULL ORDER BY since, seq LIMIT ?2"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![party, limit_i64(limit)], awaited)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Receipts for a record, in the order in which they came.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn receipts(&self, seq: Seq) -> Result<Vec<Receipt>, ReadError> {
        self.with(|connection| {
            let sql = format!("{RECEIPT} WHERE seq = ?1 ORDER BY id");
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement
                .query_map([seq.0], receipt)?
                .collect::<Result<_, _>>()?)
        })
    }

    /// Parties that something was answered to, or something is awaited from.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn receipt_parties(&self) -> Result<Vec<String>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT party FROM awaited UNION SELECT party FROM answer ORDER BY 1",
            )?;
            Ok(statement
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?)
        })
    }

    /// What is awaited from and owed to a party, in numbers.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn receipt_counts(&self, party: &str) -> Result<ReceiptCounts, ReadError> {
        self.snapshot(|connection| {
            let mut counts = connection
                .prepare_cached(
                    "SELECT count(receipt), coalesce(sum(receipt IS NULL AND expiry IS NULL), 0),
                       coalesce(sum(receipt IS NULL AND expiry IS NOT NULL), 0),
                       min(CASE WHEN receipt IS NULL THEN since END) FROM awaited WHERE party = ?1",
                )?
                .query_row([party], |row| {
                    Ok(ReceiptCounts {
                        received: row.get(0)?,
                        awaited: row.get(1)?,
                        expired: row.get(2)?,
                        oldest: row.get(3)?,
                        ..ReceiptCounts::default()
                    })
                })?;
            (counts.owed, counts.given, counts.refused) = connection
                .prepare_cached(
                    "SELECT coalesce(sum(settled = 0), 0), coalesce(sum(settled = 1), 0), coalesce(sum(settled = 2), 0)
                     FROM answer WHERE party = ?1",
                )?
                .query_row([party], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(counts)
        })
    }

    /// The newest head of a party's log that was acted on.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn peer_head(&self, party: &str) -> Result<Option<PeerHead>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(
                    "SELECT idx, party, size, root, note FROM peer_head WHERE party = ?1 AND forgotten = 0
                     ORDER BY idx DESC LIMIT 1",
                )?
                .query_row([party], |row| {
                    Ok(PeerHead {
                        entry_index: row.get(0)?,
                        party: row.get(1)?,
                        size: row.get(2)?,
                        root: row.get(3)?,
                        note: row.get(4)?,
                    })
                })
                .optional()?)
        })
    }

    /// What a last version asks for, if it asks.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn withdrawal(&self, seq: Seq) -> Result<Option<WithdrawalRow>, ReadError> {
        self.with(|connection| {
            let sql = format!("{WITHDRAWAL} WHERE w.seq = ?1");
            Ok(connection
                .prepare_cached(&sql)?
                .query_row([seq.0], withdrawal)
                .optional()?)
        })
    }

    /// Withdrawals of others that wait for a decision, or all of others.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn withdrawals(
        &self,
        open_only: bool,
        limit: usize,
    ) -> Result<Vec<WithdrawalRow>, ReadError> {
        self.with(|connection| {
            let which = if open_only {
                "w.decision = 0"
            } else {
                "w.decision <> 3"
            };
            let sql = format!("{WITHDRAWAL} WHERE {which} ORDER BY w.seq DESC LIMIT ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map([limit_i64(limit)], withdrawal)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn event(row: &Row<'_>, column: usize) -> Result<Event, rusqlite::Error> {
    let code: u8 = row.get(column)?;
    Event::from_code(code)
        .ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(column, i64::from(code)))
}

fn answered(row: &Row<'_>) -> Result<Answered, rusqlite::Error> {
    let settled: i64 = row.get(13)?;
    let at: Option<i64> = row.get(14)?;
    let words: Option<String> = row.get(15)?;
    Ok(Answered {
        entry_index: row.get(0)?,
        party: row.get(1)?,
        event: event(row, 2)?,
        seq: row.get::<_, Option<i64>>(3)?.map(Seq),
        id: row.get(4)?,
        version: row.get(5)?,
        content_sha256: row.get(6)?,
        salt: row.get(7)?,
        sender: row.get(8)?,
        sender_entry: row.get(9)?,
        sender_leaf: row.get(10)?,
        label: row.get(11)?,
        reason: row.get(12)?,
        taken: at.filter(|_| settled == 1),
        refused: (settled == 2).then(|| words.unwrap_or_default()),
        entry: row.get(16)?,
    })
}

fn awaited(row: &Row<'_>) -> Result<Awaited, rusqlite::Error> {
    Ok(Awaited {
        party: row.get(0)?,
        seq: Seq(row.get(1)?),
        since: row.get(2)?,
        due: row.get(3)?,
        settled: row.get(4)?,
        expiry: row.get(5)?,
    })
}

fn receipt(row: &Row<'_>) -> Result<Receipt, rusqlite::Error> {
    Ok(Receipt {
        party: row.get(0)?,
        entry: row.get(1)?,
        event: event(row, 2)?,
        seq: Seq(row.get(3)?),
        time_micros: row.get(4)?,
        received_micros: row.get(5)?,
        late: row.get(6)?,
        label: row.get(7)?,
        reason: row.get(8)?,
        note: row.get(9)?,
        proof: row.get(10)?,
    })
}

fn withdrawal(row: &Row<'_>) -> Result<WithdrawalRow, rusqlite::Error> {
    Ok(WithdrawalRow {
        seq: Seq(row.get(0)?),
        id: row.get(1)?,
        party: row.get(2)?,
        reason: row.get(3)?,
        asked: row.get(4)?,
        decision: decision_of(row.get(5)?)?,
        decided: row.get(6)?,
        by: row.get(7)?,
        words: row.get(8)?,
    })
}
