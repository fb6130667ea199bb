//! Answers, receipts, heads of other logs, expiries and alarms: each row fits its entry, and each entry of these kinds has
//! its row.

use comity_ledger::entry::{Entry, commitment};

use super::Check;
use crate::{Hash, ReadError};

/// (code, query): each row of the query is a row or an entry that belongs to nothing.
const ORPHANS: &[(&str, &str)] = &[
    ("answer.entry", "SELECT 'entry ' || idx, 'it answers another log, and no answer is kept for it' FROM entry
       WHERE kind = 7 AND idx NOT IN (SELECT idx FROM answer)"),
    ("answer.record", "SELECT 'answer ' || idx, 'no such record was ever here' FROM answer WHERE seq IS NOT NULL
       AND seq NOT IN (SELECT seq FROM record) AND seq NOT IN (SELECT seq FROM tombstone)"),
    ("answer.salt", "SELECT 'answer ' || a.idx, 'its salt is gone though the record or the debt is still there' FROM answer a
       WHERE a.salt IS NULL AND (a.settled = 0 OR a.seq IS NULL OR a.seq IN (SELECT seq FROM record))"),
    ("awaited.record", "SELECT 'awaited ' || party || ' ' || seq, 'no such record was ever here' FROM awaited
       WHERE seq NOT IN (SELECT seq FROM record) AND seq NOT IN (SELECT seq FROM tombstone)"),
    ("awaited.receipt", "SELECT 'awaited ' || a.party || ' ' || a.seq, 'the receipt that settled it is not there' FROM awaited a
       LEFT JOIN receipt r ON r.id = a.receipt WHERE a.receipt IS NOT NULL AND (r.id IS NULL OR r.seq <> a.seq OR r.party <> a.party)"),
    ("awaited.receipt", "SELECT 'awaited ' || a.party || ' ' || a.seq, 'a receipt is there and did not settle it' FROM awaited a
       JOIN receipt r ON r.seq = a.seq AND r.party = a.party WHERE a.receipt IS NULL"),
    ("awaited.expiry", "SELECT 'awaited ' || a.party || ' ' || a.seq, 'the entry of its expiry is not there' FROM awaited a
       LEFT JOIN entry e ON e.idx = a.expiry WHERE a.expiry IS NOT NULL AND (e.kind IS NOT 9 OR e.seq IS NOT a.seq)"),
    ("awaited.expiry", "SELECT 'entry ' || idx, 'it says that a receipt did not come, and none was awaited' FROM entry
       WHERE kind = 9 AND idx NOT IN (SELECT expiry FROM awaited WHERE expiry IS NOT NULL)"),
    ("receipt.record", "SELECT 'receipt ' || id, 'no such record was ever here' FROM receipt
       WHERE seq NOT IN (SELECT seq FROM record) AND seq NOT IN (SELECT seq FROM tombstone)"),
    ("head.entry", "SELECT 'entry ' || idx, 'it says that a head was seen, and none is kept' FROM entry
       WHERE kind = 8 AND idx NOT IN (SELECT idx FROM peer_head)"),
    ("head.order", "SELECT 'head ' || h.idx, 'an older head of that log came after it' FROM peer_head h JOIN peer_head n
       ON n.party = h.party AND n.idx > h.idx AND n.forgotten = h.forgotten AND h.forgotten = 0 WHERE n.size <= h.size"),
    ("alarm.entry", "SELECT 'alarm ' || a.id, 'its entry is not there' FROM alarm a LEFT JOIN entry e ON e.idx = a.entry_index
       WHERE a.entry_index IS NOT NULL AND e.kind IS NOT 10"),
    ("alarm.entry", "SELECT 'entry ' || idx, 'it raised an alarm that is not kept' FROM entry
       WHERE kind = 10 AND idx NOT IN (SELECT entry_index FROM alarm WHERE entry_index IS NOT NULL)"),
    ("withdrawal.record", "SELECT 'withdrawal ' || seq, 'no such record was ever here' FROM withdrawal
       WHERE seq NOT IN (SELECT seq FROM record) AND seq NOT IN (SELECT seq FROM tombstone)"),
];

impl Check<'_> {
    /// What was answered to and by other parties.
    pub(super) fn exchange(&mut self) -> Result<u64, ReadError> {
        for (what, sql) in ORPHANS {
            self.none_of(what, sql)?;
        }
        Ok(self.answers()? + self.heads()?)
    }

    /// Each answer's entry has its event, links to the leaf that is answered, and commits to the content under its salt.
    fn answers(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare(
            "SELECT a.idx, a.event, a.sender_leaf, a.content_sha256, a.salt, e.bytes, e.kind
             FROM answer a LEFT JOIN entry e ON e.idx = a.idx ORDER BY a.idx",
        )?;
        let mut rows = statement.query([])?;
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let place = format!("answer {}", row.get::<_, i64>(0)?);
            let Some(entry) = decode(row.get(5)?) else {
                self.problem("answer.entry", place, "its log entry is missing");
                continue;
            };
            let (event, leaf): (u8, Hash) = (row.get(1)?, row.get(2)?);
            if entry.event.code() != event || entry.link != leaf {
                self.problem(
                    "answer.entry",
                    &place,
                    "its log entry has another event or answers another leaf",
                );
            }
            // a record's own entry, a refusal, or one apart
            if ![Some(0), Some(6), Some(7)].contains(&row.get::<_, Option<i64>>(6)?) {
                self.problem(
                    "answer.entry",
                    &place,
                    "its log entry is about something else",
                );
            }
            if let Some(salt) = row.get::<_, Option<[u8; 32]>>(4)?
                && commitment(&salt, &row.get(3)?) != entry.commitment
            {
                self.problem(
                    "answer.commitment",
                    place,
                    "hash and salt do not give the entry's commitment",
                );
            }
        }
        Ok(seen)
    }

    /// Each head's entry links to its root, and its content is the text that was signed.
    fn heads(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare(
            "SELECT h.idx, h.root, h.note, e.bytes, e.kind, d.content
             FROM peer_head h LEFT JOIN entry e ON e.idx = h.idx LEFT JOIN entry_detail d ON d.idx = h.idx ORDER BY h.idx",
        )?;
        let mut rows = statement.query([])?;
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let place = format!("head {}", row.get::<_, i64>(0)?);
            let root: Hash = row.get(1)?;
            let links = decode(row.get(3)?).is_some_and(|entry| entry.link == root);
            if !links || row.get::<_, Option<i64>>(4)? != Some(8) {
                self.problem(
                    "head.entry",
                    &place,
                    "its log entry does not link to its root",
                );
            }
            let (note, text): (String, Option<String>) = (row.get(2)?, row.get(5)?);
            if !text.is_some_and(|text| note.starts_with(&format!("{text}\n"))) {
                self.problem(
                    "head.note",
                    place,
                    "the note is not the one its entry commits to",
                );
            }
        }
        Ok(seen)
    }
}

fn decode(bytes: Option<Vec<u8>>) -> Option<Entry> {
    bytes.and_then(|bytes| Entry::decode(&bytes).ok())
}
