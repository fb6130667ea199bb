//! Takes the properties of an object one by one; what is left over at the end is refused.

use crate::json::{Object, Value};
use crate::{Hash, Malformed, Time, parse_hex, text};

/// The properties not taken yet.
pub(crate) struct Fields(Object);

impl Fields {
    pub(crate) fn of(what: &'static str, value: Value) -> Result<Self, Malformed> {
        match value {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(Malformed::NotAnObject(what)),
        }
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Malformed> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(Malformed::Unknown(name)),
            None => Ok(()),
        }
    }

    pub(crate) fn value(&mut self, field: &'static str) -> Result<Value, Malformed> {
        self.0.remove(field).ok_or(Malformed::Missing(field))
    }

    pub(crate) fn value_if_any(&mut self, field: &'static str) -> Option<Value> {
        self.0.remove(field)
    }

    /// Any string.
    pub(crate) fn string(&mut self, field: &'static str) -> Result<String, Malformed> {
        let value = self.value(field)?;
        string(field, value)
    }

    /// One line of text.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<String, Malformed> {
        let string = self.string(field)?;
        text::check(field, &string)?;
        Ok(string)
    }

    pub(crate) fn text_if_any(&mut self, field: &'static str) -> Result<Option<String>, Malformed> {
        if self.0.contains_key(field) {
            self.text(field).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn integer(&mut self, field: &'static str) -> Result<u64, Malformed> {
        match self.value(field)? {
            Value::Integer(number) => Ok(number),
            _ => Err(Malformed::field(field, "is no number")),
        }
    }

    pub(crate) fn hash(&mut self, field: &'static str) -> Result<Hash, Malformed> {
        let string = self.string(field)?;
        parse_hex(&string).ok_or_else(|| {
            Malformed::field(field, "is no SHA-256 of 64 lower-case hexadecimal digits")
        })
    }

    pub(crate) fn hash_if_any(&mut self, field: &'static str) -> Result<Option<Hash>, Malformed> {
        if self.0.contains_key(field) {
            self.hash(field).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn time(&mut self, field: &'static str) -> Result<Time, Malformed> {
        let string = self.string(field)?;
        Time::parse(&string).ok_or_else(|| {
            Malformed::field(
                field,
                "is no time of the form `2026-01-31T23:59:59.123Z`, without zeros at the end of the fraction",
            )
        })
    }

    pub(crate) fn time_if_any(&mut self, field: &'static str) -> Result<Option<Time>, Malformed> {
        if self.0.contains_key(field) {
            self.time(field).map(Some)
        } else {
            Ok(None)
        }
    }
}

fn string(field: &'static str, value: Value) -> Result<String, Malformed> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Malformed::field(field, "is no string")),
    }
}

/// The text of a line of a `.jsonl` file, without its line feed.
pub(crate) fn line(bytes: &[u8]) -> Result<&[u8], Malformed> {
    match bytes.split_last() {
        Some((b'\n', line)) if !line.contains(&b'\n') => Ok(line),
        _ => Err(Malformed::LineEnd),
    }
}
