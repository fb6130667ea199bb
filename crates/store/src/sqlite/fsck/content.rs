//! What entries commit to: records by their bytes, everything else by the text kept beside the entry.

use comity_ledger::{
    entry::{Entry, Event, commitment},
    salt::LabelOpening,
    tree::leaf_hash,
};
use rusqlite::{OptionalExtension as _, Row};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    super::{log::signed, tx::kind_of},
    Check,
};
use crate::{EntryKind, Hash, ReadError};

/// An entry with the text beside it.
pub(super) struct Detail {
    pub(super) index: i64,
    kind: EntryKind,
    pub(super) seq: Option<i64>,
    entry: Entry,
    text: String,
    digest: Hash,
    pub(super) salt: [u8; 32],
    seed: Option<[u8; 32]>,
}

const DETAILS: &str =
    "SELECT e.idx, e.kind, e.seq, e.bytes, d.content, d.content_sha256, d.salt, s.seed
  FROM entry e LEFT JOIN entry_detail d ON d.idx = e.idx LEFT JOIN seed s ON s.idx = e.idx
  WHERE e.kind <> 0 ORDER BY e.idx";

impl Check<'_> {
    /// Disclosures, refusals, deletions, administration: text -> hash, with its salt -> commitment -> entry. What the texts say
    /// of records and people is gathered for the checks that follow.
    pub(super) fn details(&mut self) -> Result<u64, ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare(DETAILS)?;
        let mut rows = statement.query([])?;
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            self.tick("details", seen, 0);
            let Some(detail) = self.detail(row)? else {
                continue;
            };
            self.committed(&detail);
            if detail.kind == EntryKind::PeerHead {
                // the text of a checkpoint; the heads are looked at with what was exchanged
                self.has_event(&detail, Event::PeerHead);
                continue;
            }
            let Ok(content) = serde_json::from_str::<Value>(&detail.text) else {
                self.problem("entry.content", detail.place(), "its content is not JSON");
                continue;
            };
            self.fits_its_kind(&detail, &content);
            self.about_its_record(&detail, &content)?;
            self.fold(&detail, &content);
        }
        Ok(seen)
    }

    fn detail(&mut self, row: &Row<'_>) -> Result<Option<Detail>, ReadError> {
        let index: i64 = row.get(0)?;
        let place = format!("entry {index}");
        let Some(kind) = kind_of(row.get(1)?) else {
            self.problem("entry.kind", place, "it is of no known kind");
            return Ok(None);
        };
        let bytes: Vec<u8> = row.get(3)?;
        let (Some(text), Ok(entry)) = (row.get::<_, Option<String>>(4)?, Entry::decode(&bytes))
        else {
            self.problem("entry.content", place, "its content is missing");
            return Ok(None);
        };
        Ok(Some(Detail {
            index,
            kind,
            seq: row.get(2)?,
            entry,
            text,
            digest: row.get(5)?,
            salt: row.get(6)?,
            seed: row.get(7)?,
        }))
    }

    fn committed(&mut self, detail: &Detail) {
        if detail.entry.commitment != commitment(&detail.salt, &detail.digest) {
            self.problem(
                "entry.commitment",
                detail.place(),
                "hash and salt do not give its commitment",
            );
        }
        let text_is_bound = if matches!(detail.kind, EntryKind::Refusal | EntryKind::Answer) {
            // its digest is of what was offered or received: the text is bound by the salt
            let opened = detail
                .seed
                .map(|seed| LabelOpening::new(&seed, "").salt(&detail.text));
            opened == Some(detail.salt) || (opened.is_none() && self.unsealed(detail.index))
        } else {
            <Hash>::from(Sha256::digest(detail.text.as_bytes())) == detail.digest
        };
        if !text_is_bound {
            self.problem(
                "entry.content",
                detail.place(),
                "its content is not what was committed to",
            );
        }
    }

    /// The kind is kept beside the entry; the event is in it, and what it is about in its content.
    fn fits_its_kind(&mut self, detail: &Detail, content: &Value) {
        if detail.kind == EntryKind::Disclosure
            && comity_evidence::package::Seal::parse(detail.text.as_bytes()).is_ok()
        {
            return self.has_event(detail, Event::Disclosure);
        }
        let what = content.get("what").and_then(Value::as_str).unwrap_or("");
        let (kind, event) = match what {
            "membership" => (EntryKind::Membership, None),
            "deletion" => (EntryKind::Deletion, Some(Event::Deletion)),
            // a change of label by the delivery of who speaks for the record has the event of that delivery
            "relabel" if content.get("to_origin").is_some() => (EntryKind::Relabel, None),
            "relabel" => (EntryKind::Relabel, Some(Event::Administration)),
            "given-again" if detail.kind == EntryKind::Answer => (EntryKind::Answer, None),
            "given-again" => (EntryKind::Membership, None),
            "disclosure" => (EntryKind::Disclosure, Some(Event::Disclosure)),
            "administration" => {
                let raises = content
                    .get("change")
                    .is_some_and(|it| it.get("alarm").is_some());
                let kind = if raises {
                    EntryKind::Alarm
                } else {
                    EntryKind::Administration
                };
                (kind, Some(Event::Administration))
            }
            "refusal" | "conflict" | "after-revoked" | "deleted" | "not-successor" => {
                (EntryKind::Refusal, None)
            }
            "answer" => (EntryKind::Answer, None),
            "expiry" => (EntryKind::Expiry, Some(Event::AcceptanceRejectionExpiry)),
            other => {
                let text = format!("nothing is known that is a `{other}`");
                return self.problem("entry.kind", detail.place(), &text);
            }
        };
        if kind != detail.kind || event.is_some_and(|event| event != detail.entry.event) {
            let text = format!("kind or event is not that of a {what}");
            self.problem("entry.kind", detail.place(), &text);
        }
    }

    fn has_event(&mut self, detail: &Detail, event: Event) {
        if detail.entry.event != event {
            self.problem(
                "entry.kind",
                detail.place(),
                "its event is not that of its kind",
            );
        }
    }

    /// Which record an entry is about is kept beside it too: its link is that record's leaf, its content names it.
    fn about_its_record(&mut self, detail: &Detail, content: &Value) -> Result<(), ReadError> {
        let text = |name| content.get(name).and_then(Value::as_str);
        let Some(
            "membership" | "given-again" | "deletion" | "relabel" | "conflict" | "after-revoked"
            | "deleted" | "not-successor" | "expiry",
        ) = text("what")
        else {
            return Ok(());
        };
        let found: Option<(String, String, Vec<u8>)> = self
            .connection
            .prepare_cached(
                "SELECT r.id, r.version_key, e.bytes FROM record r JOIN entry e ON e.idx = r.entry_index WHERE r.seq = ?1
                 UNION ALL SELECT o.id, t.version_key, e.bytes FROM tombstone t JOIN object o ON o.key = t.object
                   JOIN entry e ON e.idx = t.entry_index WHERE t.seq = ?1",
            )?
            .query_row([detail.seq], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        // one that is missing altogether is an orphan
        let Some((id, version, accepted)) = found else {
            return Ok(());
        };
        let same_version = match text("what") {
            // what was refused is another version, or none was named
            Some("after-revoked" | "not-successor" | "relabel" | "expiry") => true,
            _ => text("version") == Some(&version),
        };
        let same_id = text("what") == Some("expiry") || text("id") == Some(&id);
        // what was given again links to its sender's leaf
        let linked =
            text("what") == Some("given-again") || detail.entry.link == leaf_hash(&accepted);
        if !linked || !same_id || !same_version {
            self.problem(
                "entry.record",
                detail.place(),
                "it is about another record than the one it is kept with",
            );
        }
        Ok(())
    }

    fn fold(&mut self, detail: &Detail, content: &Value) {
        let text = |name| content.get(name).and_then(Value::as_str);
        match (text("what"), detail.seq) {
            (Some("relabel"), Some(seq)) => {
                let (from, to) = (text("from").unwrap_or(""), text("to").unwrap_or(""));
                if let Some(origin) = text("to_origin") {
                    let author = text("by").map(str::to_owned);
                    self.folded.given_anew(seq, origin.to_owned(), author);
                }
                if !self.folded.relabel(seq, from, to) {
                    self.problem(
                        "record.label",
                        detail.place(),
                        "the label it was changed from is not the one of before",
                    );
                }
            }
            (Some("membership"), Some(seq)) => {
                self.folded.moved(seq, true, keys(content));
            }
            (Some("deletion"), Some(seq)) => {
                self.folded.moved(seq, false, keys(content));
            }
            (Some("administration"), _) => {
                let time = time_of(&detail.entry);
                self.folded.watch.note(detail.index, time, content);
                let change = content.get("change").unwrap_or(&Value::Null);
                if let Err(why) = self.folded.people.apply(change, detail) {
                    self.problem("admin.unknown", detail.place(), &why);
                }
            }
            _ => {}
        }
    }

    /// Whether an entry was made before salts committed to anything. A register that is as old says so in an entry of its own, or
    /// will with the next one.
    pub(super) fn unsealed(&self, index: i64) -> bool {
        index < self.sealed_from
    }

    /// Where the register says commitments to labels begin, if the log says so too; 0, from the first entry, if not.
    pub(super) fn read_sealed_from(&mut self) -> Result<u64, ReadError> {
        let (from, size): (i64, i64) = self.connection.query_row(
            "SELECT sealed_from, size FROM register WHERE one = 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let said: Option<String> = self
            .connection
            .query_row(
                "SELECT content FROM entry_detail WHERE idx = ?1",
                [from],
                |row| row.get(0),
            )
            .optional()?;
        let says_so = said
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .and_then(|content| content.get("change")?.get("sealed_from")?.as_i64());
        if from == 0 || from == size || says_so == Some(from) {
            self.sealed_from = from;
        } else {
            self.problem(
                "register.sealed",
                "head",
                "entries are said to be from before labels were committed to, and the log does not say so",
            );
        }
        Ok(u64::try_from(self.sealed_from).unwrap_or(0))
    }
}

impl Detail {
    pub(super) fn place(&self) -> String {
        format!("entry {}", self.index)
    }
}

/// Times of entries as rows keep them.
pub(super) fn time_of(entry: &Entry) -> i64 {
    signed(entry.time_micros)
}

fn keys(content: &Value) -> Vec<i64> {
    let list = content.get("collections").and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_i64).collect())
        .unwrap_or_default()
}
