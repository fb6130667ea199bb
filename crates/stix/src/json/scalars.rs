//! Strings, numbers and words.

use super::Kind;
use super::reader::Reader;
use super::scan::plain_end;
use super::text::{self, Broken, excerpt};
use crate::codes;

impl Reader<'_, '_> {
    pub(super) fn string(&mut self) -> Result<(), Broken> {
        let start = self.at;
        let first = start.saturating_add(1);
        let stop = plain_end(self.bytes, first);
        let (end, extra) = match self.bytes.get(stop) {
            Some(b'"') => (stop, 0),
            Some(b'\\') => {
                let end = text::unescape(self.text, first, stop, &mut self.tape.arena)?;
                self.tape.arena_ends.push(self.tape.arena.len() as u32);
                (end, self.tape.arena_ends.len() as u32)
            }
            Some(_) => return Err(text::control(self.text, stop)),
            None => {
                return Err(Broken {
                    code: &codes::JSON_SYNTAX,
                    message: "the text ends inside a string".into(),
                    offset: start,
                    len: 1,
                });
            }
        };
        self.at = end.saturating_add(1);
        self.push(Kind::String, start, extra)
    }

    /// RFC 8259 6: `-`? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
    pub(super) fn number(&mut self) -> Result<(), Broken> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at = self.at.saturating_add(1);
        }
        let leading = self.peek();
        let mut right = match self.digits() {
            0 => false,
            1 => true,
            _ => leading != Some(b'0'),
        };
        if self.peek() == Some(b'.') {
            self.at = self.at.saturating_add(1);
            right &= self.digits() > 0;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at = self.at.saturating_add(1);
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at = self.at.saturating_add(1);
            }
            right &= self.digits() > 0;
        }
        let len = self.at.saturating_sub(start);
        let written = self.text.get(start..self.at).unwrap_or_default();
        if !right {
            let message = format!("`{}` is not a JSON number", excerpt(written));
            return Err(Broken {
                code: &codes::JSON_NUMBER,
                message,
                offset: start,
                len,
            });
        }
        // a double ends below 1.8e308: shorter numbers without exponent cannot reach it
        if (exponent || len > 300) && !written.parse::<f64>().is_ok_and(f64::is_finite) {
            let message = format!(
                "the number `{}` is beyond the range of a double",
                excerpt(written)
            );
            return Err(Broken {
                code: &codes::JSON_NUMBER_RANGE,
                message,
                offset: start,
                len,
            });
        }
        self.push(Kind::Number, start, 0)
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at = self.at.saturating_add(1);
        }
        self.at.saturating_sub(from)
    }

    pub(super) fn word(&mut self, word: &str, kind: Kind) -> Result<(), Broken> {
        let start = self.at;
        if !self
            .bytes
            .get(start..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            return Err(self.broken(&codes::JSON_SYNTAX, "here a value must stand".into()));
        }
        self.at = start.saturating_add(word.len());
        self.push(kind, start, 0)
    }
}
