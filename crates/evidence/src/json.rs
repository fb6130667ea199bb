//! Canonical JSON (RFC 8785) for the values we use: strings, integers from 0 to 2^53 - 1, booleans, arrays, objects whose
//! names are ASCII. There is one way to write a value, and no other way is read.

mod reader;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

pub use reader::parse;

/// Largest integer: what every JSON reader holds exactly (RFC 8785 section 3.2.2.3, RFC 7493 section 2.2).
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    String(String),
    /// An integer, at most [`INTEGER_MAX`].
    Integer(u64),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    Array(Vec<Value>),
    /// An object. RFC 8785 section 3.2.3 orders names by UTF-16 code units, which for ASCII is the order of octets.
    Object(Object),
}

/// Names and values.
pub type Object = BTreeMap<String, Value>;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => string(f, text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Array(values) => {
                f.write_char('[')?;
                for (place, value) in values.iter().enumerate() {
                    if place > 0 {
                        f.write_char(',')?;
                    }
                    value.fmt(f)?;
                }
                f.write_char(']')
            }
            Self::Object(object) => {
                f.write_char('{')?;
                for (place, (name, value)) in object.iter().enumerate() {
                    if place > 0 {
                        f.write_char(',')?;
                    }
                    string(f, name)?;
                    f.write_char(':')?;
                    value.fmt(f)?;
                }
                f.write_char('}')
            }
        }
    }
}

/// RFC 8785 section 3.2.2.2: only what must be escaped is, in its shortest form.
fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\u{8}' => f.write_str("\\b")?,
            '\t' => f.write_str("\\t")?,
            '\n' => f.write_str("\\n")?,
            '\u{c}' => f.write_str("\\f")?,
            '\r' => f.write_str("\\r")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self::Array(values.into_iter().collect())
    }
}
