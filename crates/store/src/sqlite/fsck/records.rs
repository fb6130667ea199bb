//! Records: bytes -> hash, with its salt -> commitment -> entry; seed, label and circumstances -> salt; and each column that
//! was read from the bytes, against the bytes.

use std::collections::{BTreeSet, HashMap};

use comity_ledger::{
    entry::{Entry, commitment},
    salt::LabelOpening,
};
use comity_stix::{
    canonical::canonical_bytes,
    json::Limits,
    object::Object,
    validate::{Checker, Options},
};
use rusqlite::Row;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Check, content::time_of};
use crate::{Hash, Level, ReadError};

const RECORDS: &str = "SELECT r.seq, r.id, r.type, r.spec_version, r.version_key, r.version_text, r.created_by, r.revoked, r.granular,
    r.origin, r.author, r.received, r.label_set, r.content_sha256, r.salt, s.seed, s.circumstances,
    e.idx, e.seq, e.kind, e.bytes, r.bytes
  FROM record r LEFT JOIN entry e ON e.idx = r.entry_index LEFT JOIN seed s ON s.idx = r.entry_index ORDER BY r.seq";

/// The columns of one record and of its entry.
struct Kept {
    seq: i64,
    id: String,
    object_type: String,
    spec_version: String,
    version_key: String,
    version_text: String,
    created_by: Option<String>,
    revoked: bool,
    granular: bool,
    origin: String,
    author: Option<String>,
    received: i64,
    label_set: i64,
    content_sha256: Hash,
    salt: [u8; 32],
    seed: Option<[u8; 32]>,
    circumstances: Option<i64>,
    index: i64,
}

/// What the salt of a record's entry commits to beside the label.
struct Circumstances {
    text: String,
    origin: String,
    author: Option<String>,
    collections: BTreeSet<i64>,
}

impl Check<'_> {
    /// Every record.
    pub(super) fn records(&mut self, level: Level) -> Result<u64, ReadError> {
        let connection = self.connection;
        let labels: HashMap<i64, String> = connection
            .prepare("SELECT id, text FROM label_set")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let circumstances = self.circumstances()?;
        let total: u64 =
            connection.query_row("SELECT count(*) FROM record", [], |row| row.get(0))?;
        let mut checker = Checker::new(Options::default());
        let mut statement = connection.prepare(RECORDS)?;
        let mut rows = statement.query([])?;
        let mut seen: u64 = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            self.tick("records", seen, total);
            let Some((kept, entry)) = self.kept(row)? else {
                continue;
            };
            let given = kept.circumstances.and_then(|id| circumstances.get(&id));
            self.entry_of(&kept, &entry);
            let label = labels.get(&kept.label_set).map_or("", String::as_str);
            self.label_of(&kept, label, given);
            if let Some(given) = given {
                self.circumstances_of(&kept, given)?;
            }
            if level >= Level::Deep {
                let bytes = row.get_ref(21)?.as_blob().map_err(rusqlite::Error::from)?;
                self.bytes_of(&kept, bytes);
                match checker.check(bytes).object {
                    Some(object) => self.columns_of(&kept, label, &object)?,
                    None => self.problem("record.object", kept.place(), "it is no valid object"),
                }
            }
        }
        Ok(seen)
    }

    fn circumstances(&mut self) -> Result<HashMap<i64, Circumstances>, ReadError> {
        let mut all = HashMap::new();
        let connection = self.connection;
        let mut statement = connection.prepare("SELECT id, text FROM circumstances")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, text): (i64, String) = (row.get(0)?, row.get(1)?);
            let Ok(content) = serde_json::from_str::<Value>(&text) else {
                self.problem(
                    "record.circumstances",
                    format!("row {id}"),
                    "it is not JSON",
                );
                continue;
            };
            let word = |name| content.get(name).and_then(Value::as_str).map(str::to_owned);
            let list = content.get("collections").and_then(Value::as_array);
            let given = Circumstances {
                origin: word("origin").unwrap_or_default(),
                author: word("author"),
                collections: list
                    .map(|list| list.iter().filter_map(Value::as_i64).collect())
                    .unwrap_or_default(),
                text,
            };
            all.insert(id, given);
        }
        Ok(all)
    }

    fn kept(&mut self, row: &Row<'_>) -> Result<Option<(Kept, Entry)>, ReadError> {
        let Some(index) = row.get::<_, Option<i64>>(17)? else {
            let place = format!("record {}", row.get::<_, i64>(0)?);
            self.problem("record.entry", place, "its log entry is missing");
            return Ok(None);
        };
        let kept = Kept {
            seq: row.get(0)?,
            id: row.get(1)?,
            object_type: row.get(2)?,
            spec_version: row.get(3)?,
            version_key: row.get(4)?,
            version_text: row.get(5)?,
            created_by: row.get(6)?,
            revoked: row.get(7)?,
            granular: row.get(8)?,
            origin: row.get(9)?,
            author: row.get(10)?,
            received: row.get(11)?,
            label_set: row.get(12)?,
            content_sha256: row.get(13)?,
            salt: row.get(14)?,
            seed: row.get(15)?,
            circumstances: row.get(16)?,
            index,
        };
        if row.get::<_, Option<i64>>(18)? != Some(kept.seq) || row.get::<_, i64>(19)? != 0 {
            let text = "its log entry is about something else";
            self.problem("record.entry", kept.place(), text);
        }
        // one that cannot be read is a problem of the log
        let bytes: Vec<u8> = row.get(20)?;
        Ok(Entry::decode(&bytes).ok().map(|entry| (kept, entry)))
    }

    fn entry_of(&mut self, kept: &Kept, entry: &Entry) {
        if entry.commitment != commitment(&kept.salt, &kept.content_sha256) {
            self.problem(
                "record.commitment",
                kept.place(),
                "hash and salt do not give the entry's commitment",
            );
        }
        if time_of(entry) != kept.received {
            self.problem(
                "record.received",
                kept.place(),
                "its time is not that of its entry",
            );
        }
    }

    /// The label is the one it was taken in under, or the last it was given since.
    fn label_of(&mut self, kept: &Kept, label: &str, given: Option<&Circumstances>) {
        let (first, last) = self.folded.labels(kept.seq, label);
        if last != label {
            let text = format!("it has the label `{label}`, the log says `{last}`");
            self.problem("record.label", kept.place(), &text);
            return;
        }
        let opened = match (kept.seed, given) {
            (Some(seed), Some(given)) => LabelOpening::new(&seed, &given.text).salt(&first),
            _ if self.unsealed(kept.index) => return,
            _ => {
                let text = "what proves its label is missing";
                return self.problem("record.label", kept.place(), text);
            }
        };
        if opened != kept.salt {
            self.problem(
                "record.label",
                kept.place(),
                "its entry was made under another label, or from, by or for others than is kept here",
            );
        }
    }

    fn circumstances_of(&mut self, kept: &Kept, given: &Circumstances) -> Result<(), ReadError> {
        let (origin, author) = match self.folded.giver(kept.seq) {
            Some((origin, author)) => (origin, author),
            None => (&given.origin, &given.author),
        };
        if (origin, author) != (&kept.origin, &kept.author) {
            self.problem(
                "record.circumstances",
                kept.place(),
                "its entry names another origin or author",
            );
        }
        let expected = self.folded.collections(kept.seq, &given.collections);
        let mut statement = self
            .connection
            .prepare_cached("SELECT collection FROM member WHERE seq = ?1")?;
        let there: BTreeSet<i64> = statement
            .query_map([kept.seq], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        drop(statement);
        if expected != there {
            let text = format!("it is in the collections {there:?}, the log says {expected:?}");
            self.problem("record.membership", kept.place(), &text);
        }
        Ok(())
    }

    fn bytes_of(&mut self, kept: &Kept, bytes: &[u8]) {
        // the text passed the limits of its day when it came in
        let limits = Limits {
            bytes_max: usize::MAX,
            ..Limits::default()
        };
        match canonical_bytes(bytes, &limits) {
            Ok(canonical) if <Hash>::from(Sha256::digest(&canonical)) == kept.content_sha256 => {}
            Ok(_) => self.problem(
                "record.content",
                kept.place(),
                "its bytes have another hash",
            ),
            Err(finding) => self.problem("record.content", kept.place(), &finding.message),
        }
    }

    /// Each column that was read from the object, against the object.
    fn columns_of(&mut self, kept: &Kept, label: &str, object: &Object) -> Result<(), ReadError> {
        let version = match object.version() {
            Some(at) => Some((at.key(), at.as_str())),
            None => self.checks.unversioned,
        };
        let wrong = [
            ("id", kept.id != object.id().as_str()),
            ("type", kept.object_type != object.object_type()),
            ("spec_version", kept.spec_version != object.spec_version()),
            (
                "version",
                version.is_some_and(|version| {
                    version != (kept.version_key.as_str(), kept.version_text.as_str())
                }),
            ),
            (
                "created_by",
                kept.created_by.as_deref() != object.created_by_ref().map(|by| by.as_str()),
            ),
            ("revoked", kept.revoked != object.revoked()),
        ];
        for (column, _) in wrong.iter().filter(|(_, wrong)| *wrong) {
            let text = format!("`{column}` is not what the object says");
            self.problem("record.object", kept.place(), &text);
        }
        if let Some(fits) = self.checks.label_fits {
            match fits(label, object) {
                Ok(granular) if granular == kept.granular => {}
                Ok(_) => self.problem(
                    "record.object",
                    kept.place(),
                    "`granular` is not what the label says",
                ),
                Err(why) => self.problem("record.marking", kept.place(), &why),
            }
        }
        self.edges_of(kept, object)
    }

    fn edges_of(&mut self, kept: &Kept, object: &Object) -> Result<(), ReadError> {
        let said: BTreeSet<(&str, &str)> = object
            .references()
            .iter()
            .map(|reference| (reference.pointer.as_str(), reference.target.as_str()))
            .collect();
        let mut statement = self.connection.prepare_cached(
            "SELECT e.property, o.id FROM edge e JOIN object o ON o.key = e.target WHERE e.seq = ?1",
        )?;
        let there: Vec<(String, String)> = statement
            .query_map([kept.seq], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        drop(statement);
        let there: BTreeSet<(&str, &str)> = there
            .iter()
            .map(|(property, target)| (property.as_str(), target.as_str()))
            .collect();
        if said != there {
            let text = format!(
                "{} references are kept, the object has {}, or they differ",
                there.len(),
                said.len()
            );
            self.problem("record.references", kept.place(), &text);
        }
        Ok(())
    }
}

impl Kept {
    fn place(&self) -> String {
        format!("record {} ({} {})", self.seq, self.id, self.version_key)
    }
}
