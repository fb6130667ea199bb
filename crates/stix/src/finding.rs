//! What a check found: one rule, one place, in words a person can act on.

use crate::codes::Code;
use std::borrow::Cow;
use std::fmt;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A SHOULD of the standard is not followed; the object is taken.
    Warning,
    /// A MUST is broken; the object is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One broken rule at one place of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable name of the rule, for example `stix.id.prefix`; all are listed by [`crate::codes::codes`].
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, input in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<Cow<'static, str>>,
    /// JSON pointer (RFC 6901) to the value; empty for the whole text.
    pub pointer: String,
    /// Line of the place, from 1.
    pub line: u32,
    /// Column of the place in characters, from 1.
    pub column: u32,
    /// Place in bytes from the start of the input.
    pub offset: usize,
    /// Length of the place in bytes.
    pub len: usize,
    /// Clause of the standard that states the rule.
    pub clause: &'static str,
}

impl Finding {
    /// A finding of `code` at the start of the input; [`Finding::at`] gives it its place.
    #[must_use]
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code: code.code,
            severity: code.severity,
            message: message.into(),
            help: Some(Cow::Borrowed(code.help)).filter(|help| !help.is_empty()),
            pointer: String::new(),
            line: 1,
            column: 1,
            offset: 0,
            len: 0,
            clause: code.clause,
        }
    }

    /// The same finding with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same finding at `offset..offset + len` of `text`, which itself begins at `base`.
    #[must_use]
    pub fn at(mut self, text: &[u8], offset: usize, len: usize, base: &Position) -> Self {
        let place = base.advanced(text.get(..offset).unwrap_or(text));
        self.offset = place.offset;
        self.line = place.line;
        self.column = place.column;
        self.len = len;
        if !base.pointer.is_empty() {
            self.pointer = format!("{}{}", base.pointer, self.pointer);
        }
        self
    }

    /// True when the object cannot be taken.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}[{}]: {}",
            self.line, self.column, self.severity, self.code, self.message
        )?;
        if !self.pointer.is_empty() {
            write!(f, " at `{}`", self.pointer)?;
        }
        write!(f, " ({})", self.clause)
    }
}

impl std::error::Error for Finding {}

/// Where a piece of text begins inside a larger one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub offset: usize,
    /// Line it begins on, from 1.
    pub line: u32,
    /// Column it begins at in characters, from 1.
    pub column: u32,
    /// JSON pointer to it, for example `/objects/3`; empty for the whole text.
    pub pointer: String,
}

impl Position {
    /// The start of a text.
    pub const START: Self = Self {
        offset: 0,
        line: 1,
        column: 1,
        pointer: String::new(),
    };

    /// The position after `text`, with the same pointer left out.
    #[must_use]
    pub fn advanced(&self, text: &[u8]) -> Self {
        let mut place = Self {
            offset: self.offset.saturating_add(text.len()),
            line: self.line,
            column: self.column,
            pointer: String::new(),
        };
        let mut rest = text;
        let lines = memchr::memchr_iter(b'\n', text).count();
        if let Some(last) = memchr::memrchr(b'\n', text) {
            place.line = place
                .line
                .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            place.column = 1;
            rest = text.get(last.saturating_add(1)..).unwrap_or_default();
        }
        place.column = place.column.saturating_add(characters(rest));
        place
    }
}

impl Default for Position {
    fn default() -> Self {
        Self::START
    }
}

/// Number of characters of UTF-8 text: every byte that does not continue one.
fn characters(text: &[u8]) -> u32 {
    u32::try_from(text.iter().filter(|byte| **byte & 0xC0 != 0x80).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_and_characters() {
        let place = Position::START.advanced("a\nбв".as_bytes());
        assert_eq!((place.offset, place.line, place.column), (6, 2, 3));
    }
}
