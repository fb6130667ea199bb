//! The items of an exhibit, and the list of them that the exhibit is known by.

use sha2::{Digest as _, Sha256};

use crate::fields::{Fields, line};
use crate::json::{INTEGER_MAX, Object, Value, parse};
use crate::{ExhibitId, Hash, Hex, ItemName, Malformed, Time, text};

/// Most items of one exhibit: lists are read line by line, but a page and a case must stay usable.
pub const ITEMS_MAX: u64 = 10_000_000;

/// One file of an exhibit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its number in the exhibit, from 1.
    pub number: u64,
    /// Where it lay when it was sealed. Metadata: nobody opens it.
    pub name: ItemName,
    /// Octets.
    pub size: u64,
    /// SHA-256 of its contents; also its name in the vault.
    pub sha256: Hash,
    /// Media type, if somebody said one.
    pub media_type: Option<String>,
    /// Time of last change the file system told, if it did.
    pub modified: Option<Time>,
}

impl Item {
    fn object(&self) -> Object {
        let mut object = Object::from([
            ("item".to_owned(), self.number.into()),
            ("name".to_owned(), self.name.as_str().into()),
            ("sha256".to_owned(), Hex(&self.sha256).to_string().into()),
            ("size".to_owned(), self.size.into()),
        ]);
        if let Some(media_type) = &self.media_type {
            object.insert("media_type".to_owned(), media_type.as_str().into());
        }
        if let Some(modified) = self.modified {
            object.insert("modified".to_owned(), modified.to_string().into());
        }
        object
    }

    /// The line of `items.jsonl`, with its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{}\n", Value::Object(self.object()))
    }

    /// Reads a line with its line feed.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse_line(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("an item", parse(line(bytes)?)?)?;
        let item = Self::take(&mut fields)?;
        fields.end()?;
        Ok(item)
    }

    fn take(fields: &mut Fields) -> Result<Self, Malformed> {
        let number = fields.integer("item")?;
        if number == 0 || number > ITEMS_MAX {
            return Err(Malformed::field(
                "item",
                "is no number from 1 to 10,000,000",
            ));
        }
        let media_type = fields.text_if_any("media_type")?;
        if let Some(media_type) = &media_type {
            check_media_type(media_type)?;
        }
        Ok(Self {
            number,
            name: ItemName::parse(&fields.string("name")?)?,
            size: fields.integer("size")?,
            sha256: fields.hash("sha256")?,
            media_type,
            modified: fields.time_if_any("modified")?,
        })
    }
}

/// RFC 6838 section 4.2: `type/subtype` of restricted characters; no parameters.
fn check_media_type(media_type: &str) -> Result<(), Malformed> {
    let part = |part: &str| {
        (1..=127).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match media_type.split_once('/') {
        Some((kind, subtype)) if part(kind) && part(subtype) => Ok(()),
        _ => Err(Malformed::field("media_type", "is no `type/subtype`")),
    }
}

/// A line of a package's `seal/files.jsonl`: the item, whose it is, and where its contents lie in the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// Of which exhibit.
    pub exhibit: ExhibitId,
    /// Path in the package, `data/000001.bin`.
    pub path: String,
    /// The item.
    pub item: Item,
}

impl FileLine {
    /// The line with its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut object = self.item.object();
        object.insert("exhibit".to_owned(), self.exhibit.as_str().into());
        object.insert("path".to_owned(), self.path.as_str().into());
        format!("{}\n", Value::Object(object))
    }

    /// Reads a line with its line feed. Whether the path is the one a package has there is the package's check.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse_line(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a file", parse(line(bytes)?)?)?;
        let exhibit = ExhibitId::parse(&fields.string("exhibit")?)?;
        let path = fields.string("path")?;
        text::check("path", &path)?;
        let item = Item::take(&mut fields)?;
        fields.end()?;
        Ok(Self {
            exhibit,
            path,
            item,
        })
    }
}

/// Adds up the list of items line by line: number, size and hash, without keeping the list.
#[derive(Clone, Default)]
pub struct Manifest {
    items: u64,
    size: u64,
    hasher: Sha256,
}

impl Manifest {
    /// Takes the next item; gives its line.
    ///
    /// # Errors
    /// When its number is not the next, or the sum of sizes is beyond what a number holds.
    pub fn add(&mut self, item: &Item) -> Result<String, Malformed> {
        if item.number != self.items + 1 || item.number > ITEMS_MAX {
            return Err(Malformed::field(
                "item",
                format!("is {}, and {} comes next", item.number, self.items + 1),
            ));
        }
        let size = self
            .size
            .checked_add(item.size)
            .filter(|size| *size <= INTEGER_MAX)
            .ok_or_else(|| Malformed::field("size", "adds up beyond 2^53 - 1"))?;
        let line = item.to_line();
        self.hasher.update(&line);
        self.items = item.number;
        self.size = size;
        Ok(line)
    }

    /// Items so far.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Octets of their contents so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// `items_sha256`: the hash of the list.
    #[must_use]
    pub fn sha256(&self) -> Hash {
        self.hasher.clone().finalize().into()
    }
}

impl std::fmt::Debug for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manifest")
            .field("items", &self.items)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
