//! `seal/seal.json`: the one file the log commits to. It ties all others.

use std::collections::BTreeMap;

use super::Name;
use crate::fields::Fields;
use crate::json::{Object, Value, parse};
use crate::{Hash, Hex, Malformed, Time, is_authority, parse_hex};

/// The format this crate writes and reads.
pub const FORMAT: &str = "comity-package/v1";
/// Most parties a package is between.
const PARTIES_MAX: usize = 64;

/// What a package is, and the SHA-256 of what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Legal basis, or the request it answers.
    pub basis: String,
    /// When it was made, by the maker's clock.
    pub created: Time,
    /// The maker first, then those it is for.
    pub parties: Vec<String>,
    /// Whether a time-stamp token over the checkpoint belongs to it, so that nobody can take it away unnoticed.
    pub timestamp: bool,
    /// Of `manifest-sha256.txt`, and so of every payload file.
    pub manifest_sha256: Hash,
    /// Of `seal/files.jsonl`.
    pub files_sha256: Hash,
    /// Of `seal/exhibits.jsonl`.
    pub exhibits_sha256: Hash,
    /// Of `seal/custody.jsonl`.
    pub custody_sha256: Hash,
    /// Of `seal/keys.txt`.
    pub keys_sha256: Hash,
    // INVARIANT: only names for which `Name::is_other` holds
    /// Of every other file that was there before the log's answer.
    pub others: BTreeMap<Name, Hash>,
}

impl Seal {
    /// The file: canonical JSON, no line feed at its end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let hash = |hash: &Hash| Value::from(Hex(hash).to_string());
        let parties = self.parties.iter().map(|party| party.as_str().into());
        let others = self.others.iter();
        let object = Object::from([
            ("basis".to_owned(), self.basis.as_str().into()),
            ("created".to_owned(), self.created.to_string().into()),
            ("custody_sha256".to_owned(), hash(&self.custody_sha256)),
            ("exhibits_sha256".to_owned(), hash(&self.exhibits_sha256)),
            ("files_sha256".to_owned(), hash(&self.files_sha256)),
            ("format".to_owned(), FORMAT.into()),
            ("keys_sha256".to_owned(), hash(&self.keys_sha256)),
            ("manifest_sha256".to_owned(), hash(&self.manifest_sha256)),
            (
                "others".to_owned(),
                Value::Object(
                    others
                        .map(|(name, sha256)| (name.to_string(), hash(sha256)))
                        .collect(),
                ),
            ),
            ("parties".to_owned(), parties.collect()),
            ("timestamp".to_owned(), self.timestamp.into()),
        ]);
        Value::Object(object).to_string()
    }

    /// Reads the file; accepts exactly what [`Self::to_json`] writes.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("the seal", parse(bytes)?)?;
        if fields.string("format")? != FORMAT {
            return Err(Malformed::field("format", "is not `comity-package/v1`"));
        }
        let seal = Self {
            basis: fields.text("basis")?,
            created: fields.time("created")?,
            parties: parties(fields.value("parties")?)?,
            timestamp: match fields.value("timestamp")? {
                Value::Bool(there) => there,
                _ => return Err(Malformed::field("timestamp", "is neither true nor false")),
            },
            manifest_sha256: fields.hash("manifest_sha256")?,
            files_sha256: fields.hash("files_sha256")?,
            exhibits_sha256: fields.hash("exhibits_sha256")?,
            custody_sha256: fields.hash("custody_sha256")?,
            keys_sha256: fields.hash("keys_sha256")?,
            others: others(fields.value("others")?)?,
        };
        fields.end()?;
        Ok(seal)
    }

    /// The hash this seal has of a file, if it has one.
    #[must_use]
    pub fn hash_of(&self, name: Name) -> Option<&Hash> {
        match name {
            Name::Manifest => Some(&self.manifest_sha256),
            Name::Files => Some(&self.files_sha256),
            Name::Exhibits => Some(&self.exhibits_sha256),
            Name::Custody => Some(&self.custody_sha256),
            Name::Keys => Some(&self.keys_sha256),
            other => self.others.get(&other),
        }
    }
}

fn parties(value: Value) -> Result<Vec<String>, Malformed> {
    let refuse = || Malformed::field("parties", "is no list of 1 to 64 parties, each once");
    let Value::Array(values) = value else {
        return Err(refuse());
    };
    let mut parties: Vec<String> = Vec::new();
    for value in values {
        match value {
            Value::String(party) if is_authority(&party) && !parties.contains(&party) => {
                parties.push(party);
            }
            _ => return Err(refuse()),
        }
    }
    if (1..=PARTIES_MAX).contains(&parties.len()) {
        Ok(parties)
    } else {
        Err(refuse())
    }
}

fn others(value: Value) -> Result<BTreeMap<Name, Hash>, Malformed> {
    let Value::Object(object) = value else {
        return Err(Malformed::field("others", "is no object"));
    };
    let mut others = BTreeMap::new();
    for (path, value) in object {
        let name = Name::parse(path.as_bytes()).ok().filter(|it| it.is_other());
        let hash = match &value {
            Value::String(text) => parse_hex(text),
            _ => None,
        };
        match (name, hash) {
            (Some(name), Some(hash)) => others.insert(name, hash),
            _ => {
                return Err(Malformed::field(
                    "others",
                    format!("has `{path}`, which does not belong there or has no SHA-256"),
                ));
            }
        };
    }
    Ok(others)
}
