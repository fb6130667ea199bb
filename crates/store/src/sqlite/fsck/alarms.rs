//! Alarms against the entries that raised and acknowledged them, forgotten heads against the entries that say so, and kept notes
//! of other logs and of our own against what they say themselves.

use comity_ledger::{checkpoint::Checkpoint, note::SignedNote};
use serde_json::{Value, json};

use super::Check;
use crate::{Hash, ReadError};

/// What entries say of alarms and of logs that began anew, in the order of the log.
#[derive(Default)]
pub(super) struct Watch {
    acts: Vec<Act>,
}

struct Act {
    entry: i64,
    time: i64,
    by: String,
    what: What,
}

enum What {
    /// An alarm, as its entry has it.
    Raised(Value),
    /// One alarm was acknowledged.
    Acknowledged { id: i64, remark: String },
    /// A log began anew, with which all alarms about its heads are.
    Anew {
        party: String,
        origin: String,
        reason: String,
    },
}

/// Kinds of alarms that a log which began anew settles.
const OF_HEADS: [&str; 3] = ["split", "rollback", "stalled"];

impl Watch {
    pub(super) fn note(&mut self, entry: i64, time: i64, content: &Value) {
        let change = content.get("change").unwrap_or(&Value::Null);
        let text = |value: &Value, name: &str| {
            let text = value.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let what = if let Some(alarm) = change.get("alarm") {
            What::Raised(alarm.clone())
        } else if let Some(said) = change.get("acknowledge_alarm") {
            What::Acknowledged {
                id: said.get("id").and_then(Value::as_i64).unwrap_or_default(),
                remark: text(said, "remark"),
            }
        } else if let Some(said) = change.get("forget_heads") {
            What::Anew {
                party: text(said, "party"),
                origin: text(said, "origin"),
                reason: text(said, "reason"),
            }
        } else {
            return;
        };
        self.acts.push(Act {
            entry,
            time,
            by: text(content, "by"),
            what,
        });
    }

    /// Time, person and remark of the first act that settles an alarm.
    fn settled(&self, alarm: &Alarm) -> Option<(i64, &str, &str)> {
        let after = |act: &Act| match alarm.entry {
            Some(raised) => act.entry > raised,
            None => act.time >= alarm.raised,
        };
        self.acts.iter().find_map(|act| {
            let remark = match &act.what {
                What::Acknowledged { id, remark } if *id == alarm.id => remark,
                What::Anew { origin, reason, .. }
                    if *origin == alarm.origin && OF_HEADS.contains(&alarm.kind.as_str()) =>
                {
                    reason
                }
                _ => return None,
            };
            after(act).then_some((act.time, act.by.as_str(), remark.as_str()))
        })
    }

    fn raised(&self, entry: i64) -> Option<&Value> {
        self.acts.iter().find_map(|act| match &act.what {
            What::Raised(alarm) if act.entry == entry => Some(alarm),
            _ => None,
        })
    }

    /// Whether a head of `party` that was kept at an entry is no measure any more.
    fn is_forgotten(&self, party: &str, head: i64) -> bool {
        self.acts.iter().any(|act| {
            matches!(&act.what, What::Anew { party: of, .. } if of == party) && act.entry > head
        })
    }
}

struct Alarm {
    id: i64,
    kind: String,
    origin: String,
    raised: i64,
    entry: Option<i64>,
    body: Value,
    settled: Option<(i64, String, String)>,
}

impl Check<'_> {
    /// Alarms, forgotten heads, and notes.
    pub(super) fn watching(&mut self) -> Result<u64, ReadError> {
        let watch = std::mem::take(&mut self.folded.watch);
        Ok(self.alarms(&watch)? + self.forgotten(&watch)? + self.notes()?)
    }

    fn alarms(&mut self, watch: &Watch) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare(
            "SELECT id, kind, peer, origin, source, detail, kept, shown, raised, entry_index, acknowledged, acknowledged_by,
               remark FROM alarm ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let (kind, origin): (String, String) = (row.get(1)?, row.get(3)?);
            let peer: Option<String> = row.get(2)?;
            let words: [String; 2] = [row.get(4)?, row.get(5)?];
            let notes: [Option<String>; 2] = [row.get(6)?, row.get(7)?];
            let acknowledged: Option<i64> = row.get(10)?;
            let by: Option<String> = row.get(11)?;
            let remark: Option<String> = row.get(12)?;
            let alarm = Alarm {
                id: row.get(0)?,
                body: json!({
                    "kind": kind, "peer": peer, "origin": origin, "source": words[0], "detail": words[1],
                    "kept": notes[0], "shown": notes[1],
                }),
                kind,
                origin,
                raised: row.get(8)?,
                entry: row.get(9)?,
                settled: acknowledged
                    .map(|time| (time, by.unwrap_or_default(), remark.unwrap_or_default())),
            };
            let place = format!("alarm {}", alarm.id);
            // one that is missing altogether is an orphan
            if let Some(said) = alarm.entry.and_then(|entry| watch.raised(entry))
                && *said != alarm.body
            {
                let text = "it is not the one its entry raised";
                self.problem("alarm.changed", &place, text);
            }
            let expected = watch.settled(&alarm);
            let there = alarm.settled.as_ref();
            if there.map(|(time, by, remark)| (*time, by.as_str(), remark.as_str())) != expected {
                let text = match expected {
                    Some((_, by, _)) => format!("the log says that `{by}` acknowledged it"),
                    None => "nobody acknowledged it, says the log".to_owned(),
                };
                self.problem("alarm.acknowledged", place, &text);
            }
        }
        Ok(seen)
    }

    fn forgotten(&mut self, watch: &Watch) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare("SELECT idx, party, forgotten FROM peer_head")?;
        let mut rows = statement.query([])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let (index, party): (i64, String) = (row.get(0)?, row.get(1)?);
            if row.get::<_, bool>(2)? != watch.is_forgotten(&party, index) {
                self.problem(
                    "head.forgotten",
                    format!("head {index}"),
                    "the log says otherwise about whether that log began anew",
                );
            }
        }
        Ok(seen)
    }

    /// What was seen of logs is no entry; but each note says itself of which log, size and root it is.
    fn notes(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let own: u64 =
            connection.query_row("SELECT size FROM register WHERE one = 1", [], |row| {
                row.get(0)
            })?;
        let mut statement = connection.prepare(
            "SELECT 'watched', origin, size, root, note FROM watched_head
             UNION ALL SELECT 'witnessed', NULL, size, root, note FROM witnessed_head",
        )?;
        let mut rows = statement.query([])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            let what: String = row.get(0)?;
            let origin: Option<String> = row.get(1)?;
            let (size, root): (u64, Hash) = (row.get(2)?, row.get(3)?);
            let note: String = row.get(4)?;
            let said = SignedNote::parse(note.as_bytes())
                .ok()
                .and_then(|note| Checkpoint::parse(note.text_unverified()).ok());
            let fits = said.is_some_and(|said| {
                said.size() == size
                    && *said.root() == root
                    && origin.as_ref().is_none_or(|origin| origin == said.origin())
            });
            let place = match &origin {
                Some(origin) => format!("{what} head of {origin} at {size}"),
                None => format!("{what} head at {size}"),
            };
            if !fits {
                self.problem("head.note", &place, "its note is of another head");
            }
            if origin.is_none() && size > own {
                self.problem(
                    "head.size",
                    place,
                    "witnesses know a later head than this log has",
                );
            }
        }
        Ok(seen)
    }
}
