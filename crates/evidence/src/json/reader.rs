//! Reads canonical JSON and nothing else. Strict from the first octet, so that no second spelling is even understood.

use super::{INTEGER_MAX, Object, Value};
use crate::{LINE_BYTES_MAX, Malformed};

/// Deepest nesting read.
const DEPTH_MAX: usize = 8;

/// Reads one value that fills `bytes` exactly.
///
/// # Errors
/// [`Malformed::Json`] with the offset of what is wrong: blanks, names out of order or twice, an escape that need not be, a
/// number with a sign, point, exponent or leading zero, `null`, anything after the value.
pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(Malformed::Long(bytes.len()));
    }
    let text = str::from_utf8(bytes).map_err(|error| Malformed::Json {
        offset: error.valid_up_to(),
        what: "not UTF-8",
    })?;
    let mut reader = Reader { text, offset: 0 };
    let value = reader.value(0)?;
    if reader.offset != text.len() {
        return Err(reader.refuse("something follows the value"));
    }
    // INVARIANT: what is read is what would be written
    debug_assert_eq!(value.to_string(), text);
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    offset: usize,
}

impl Reader<'_> {
    fn refuse(&self, what: &'static str) -> Malformed {
        Malformed::Json {
            offset: self.offset,
            what,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn take(&mut self, expected: &str) -> bool {
        let there = self
            .text
            .get(self.offset..)
            .is_some_and(|rest| rest.starts_with(expected));
        if there {
            self.offset += expected.len();
        }
        there
    }

    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth > DEPTH_MAX {
            return Err(self.refuse("nested too deeply"));
        }
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'0'..=b'9') => self.integer().map(Value::Integer),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.object(depth),
            Some(b't') if self.take("true") => Ok(Value::Bool(true)),
            Some(b'f') if self.take("false") => Ok(Value::Bool(false)),
            Some(b' ' | b'\t' | b'\n' | b'\r') => Err(self.refuse("a blank")),
            Some(_) => Err(self.refuse(
                "neither a string, a whole number from 0, a boolean, a list nor an object",
            )),
            None => Err(self.refuse("the text ends here")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Malformed> {
        self.offset += 1;
        let mut values = Vec::new();
        if self.take("]") {
            return Ok(Value::Array(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.take("]") {
                return Ok(Value::Array(values));
            }
            if !self.take(",") {
                return Err(self.refuse("neither `,` nor `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Malformed> {
        self.offset += 1;
        let mut object = Object::new();
        if self.take("}") {
            return Ok(Value::Object(object));
        }
        loop {
            let start = self.offset;
            if self.peek() != Some(b'"') {
                return Err(self.refuse("a name was expected"));
            }
            let name = self.string()?;
            let in_order = object.last_key_value().is_none_or(|(last, _)| *last < name);
            if !in_order || !name.is_ascii() {
                self.offset = start;
                return Err(self.refuse("a name twice, out of order, or not ASCII"));
            }
            if !self.take(":") {
                return Err(self.refuse("no `:` after a name"));
            }
            let value = self.value(depth + 1)?;
            object.insert(name, value);
            if self.take("}") {
                return Ok(Value::Object(object));
            }
            if !self.take(",") {
                return Err(self.refuse("neither `,` nor `}`"));
            }
        }
    }

    fn integer(&mut self) -> Result<u64, Malformed> {
        let start = self.offset;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.offset += 1;
        }
        let digits = self.text.get(start..self.offset).unwrap_or_default();
        let number = digits
            .parse()
            .ok()
            .filter(|number| *number <= INTEGER_MAX && (digits == "0" || !digits.starts_with('0')));
        number.ok_or_else(|| {
            self.offset = start;
            self.refuse("a number with a leading zero or beyond 2^53 - 1")
        })
    }

    fn string(&mut self) -> Result<String, Malformed> {
        self.offset += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.offset..).unwrap_or_default();
            let Some(end) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return Err(self.refuse("a string without its end"));
            };
            text.push_str(rest.get(..end).unwrap_or_default());
            self.offset += end;
            if self.take("\"") {
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    /// One of the escapes RFC 8785 writes.
    fn escape(&mut self) -> Result<char, Malformed> {
        let rest = self.text.get(self.offset..).unwrap_or_default();
        for (written, c) in [
            ("\\\"", '"'),
            ("\\\\", '\\'),
            ("\\b", '\u{8}'),
            ("\\t", '\t'),
            ("\\n", '\n'),
            ("\\f", '\u{c}'),
            ("\\r", '\r'),
        ] {
            if rest.starts_with(written) {
                self.offset += written.len();
                return Ok(c);
            }
        }
        let code = rest
            .strip_prefix("\\u00")
            .and_then(|rest| rest.get(..2))
            .filter(|digits| !digits.bytes().any(|byte| byte.is_ascii_uppercase()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|code| *code < 0x20 && !matches!(*code, 0x08 | 0x09 | 0x0a | 0x0c | 0x0d));
        match code {
            Some(code) => {
                self.offset += 6;
                Ok(char::from(code))
            }
            None => Err(self.refuse(
                "a bare control character, or an escape that is not the one way to write it",
            )),
        }
    }
}
