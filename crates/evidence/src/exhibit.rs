//! What an exhibit is known by.

use std::fmt;

use crate::fields::{Fields, line};
use crate::json::{Object, Value, parse};
use crate::{Hash, Hex, Malformed, text};

/// The STIX type of an exhibit's record.
const TYPE: &str = "comity-exhibit--";

/// Identifier of an exhibit: `comity-exhibit--` and a random UUID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExhibitId(String);

impl ExhibitId {
    /// Reads an identifier.
    ///
    /// # Errors
    /// [`Malformed::Field`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.strip_prefix(TYPE).is_some_and(text::is_uuid4) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::field(
                "exhibit",
                "is not `comity-exhibit--` and a random UUID in lower case",
            ))
        }
    }

    /// From a random UUID as text.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_uuid(uuid: &str) -> Result<Self, Malformed> {
        Self::parse(&format!("{TYPE}{uuid}"))
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExhibitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What people call an exhibit, such as `UA-2026-0001`: 1 to 64 of `[A-Za-z0-9._/-]`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExhibitNumber(String);

impl ExhibitNumber {
    /// Reads a number.
    ///
    /// # Errors
    /// [`Malformed::Field`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        let first = text.bytes().next();
        if (1..=64).contains(&text.len())
            && text.bytes().all(allowed)
            && first.is_some_and(|byte| byte.is_ascii_alphanumeric())
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::field(
                "number",
                "is not 1 to 64 letters, digits and `._/-`, beginning with a letter or digit",
            ))
        }
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExhibitNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An exhibit: a line of a package's `seal/exhibits.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// Its identifier.
    pub id: ExhibitId,
    /// What people call it.
    pub number: ExhibitNumber,
    /// What it is.
    pub title: String,
    /// Number of items.
    pub items: u64,
    /// Octets of all items.
    pub size: u64,
    /// Hash of the list of items.
    pub items_sha256: Hash,
}

impl Exhibit {
    /// The line with its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        let object = Object::from([
            ("exhibit".to_owned(), self.id.as_str().into()),
            ("items".to_owned(), self.items.into()),
            (
                "items_sha256".to_owned(),
                Hex(&self.items_sha256).to_string().into(),
            ),
            ("number".to_owned(), self.number.as_str().into()),
            ("size".to_owned(), self.size.into()),
            ("title".to_owned(), self.title.as_str().into()),
        ]);
        format!("{}\n", Value::Object(object))
    }

    /// Reads a line with its line feed.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse_line(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("an exhibit", parse(line(bytes)?)?)?;
        let exhibit = Self {
            id: ExhibitId::parse(&fields.string("exhibit")?)?,
            number: ExhibitNumber::parse(&fields.string("number")?)?,
            title: fields.text("title")?,
            items: fields.integer("items")?,
            size: fields.integer("size")?,
            items_sha256: fields.hash("items_sha256")?,
        };
        fields.end()?;
        Ok(exhibit)
    }
}
