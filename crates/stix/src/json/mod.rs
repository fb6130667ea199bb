//! A JSON reader that keeps places.
//!
//! Written here because no published reader gives spans, duplicate keys, limits and numbers as written together. One
//! pass over the text fills a flat list of nodes; strings without escapes and all numbers stay in the input. The text is
//! held to I-JSON (RFC 7493), without which RFC 8785 canonical bytes do not exist.

mod keys;
mod reader;
mod scalars;
mod scan;
mod scratch;
mod text;

use crate::finding::{Finding, Position};

pub(crate) use scan::plain_end;
pub use scratch::Scratch;

/// Bounds on what is read; each exists so that foreign bytes cannot take the node's memory or stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one text. 16 MiB: the largest objects seen in public feeds are under 2 MiB.
    pub bytes_max: usize,
    /// Nesting. 64: STIX itself needs 9.
    pub depth_max: usize,
    /// Values and keys together. 1,000,000: bounds memory at 20 MB.
    pub nodes_max: usize,
    /// Bytes of one key. 2.3 and 3.1 allow 250 characters; the rest is room for a helpful finding.
    pub key_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 16 << 20,
            depth_max: 64,
            nodes_max: 1_000_000,
            key_bytes_max: 1024,
        }
    }
}

/// One JSON text, read.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    tape: Scratch,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, see [`Value::number`].
    Number,
    /// A string, see [`Value::as_str`].
    String,
    /// An array, see [`Value::items`].
    Array,
    /// An object, see [`Value::members`].
    Object,
}

impl Kind {
    /// The kind in words, with its article.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// First byte, the quote or bracket included.
    start: u32,
    /// Byte after the last.
    end: u32,
    /// Index of the node after this one and all below it.
    next: u32,
    /// Containers: number of items or members. Strings: 0, or 1 + index into the unescaped texts.
    extra: u32,
}

impl<'a> Document<'a> {
    /// Reads `bytes` as one JSON value.
    ///
    /// # Errors
    /// The first place where the text is not I-JSON or exceeds `limits`.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Finding> {
        Self::parse_with(bytes, limits, &Position::START, Scratch::default())
    }

    /// As [`Document::parse`], for text that begins at `base`, using the memory of an earlier document.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse_with(
        bytes: &'a [u8],
        limits: &Limits,
        base: &Position,
        scratch: Scratch,
    ) -> Result<Self, Finding> {
        let (text, tape) = reader::read(bytes, limits, base, scratch)?;
        Ok(Self { text, tape })
    }

    /// The value of the whole text.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value {
            document: self,
            index: 0,
        }
    }

    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Gives the memory back for the next document.
    #[must_use]
    pub fn into_scratch(self) -> Scratch {
        self.tape
    }
}

/// One value of a [`Document`]: a cheap, copyable cursor.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    document: &'d Document<'d>,
    index: u32,
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.raw())
    }
}

impl<'d> Value<'d> {
    fn node(&self) -> Node {
        const NONE: Node = Node {
            kind: Kind::Null,
            start: 0,
            end: 0,
            next: 0,
            extra: 0,
        };
        self.document
            .tape
            .nodes
            .get(self.index as usize)
            .copied()
            .unwrap_or(NONE)
    }

    /// What the value is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.node().kind
    }

    /// The bytes of the text it takes, quotes and brackets included.
    #[must_use]
    pub fn span(&self) -> std::ops::Range<usize> {
        let node = self.node();
        node.start as usize..node.end as usize
    }

    /// The value exactly as it is written.
    #[must_use]
    pub fn raw(&self) -> &'d str {
        self.document.text.get(self.span()).unwrap_or_default()
    }

    /// The string, escapes resolved; `None` for anything else.
    #[must_use]
    pub fn as_str(&self) -> Option<&'d str> {
        let node = self.node();
        if node.kind != Kind::String {
            return None;
        }
        if node.extra == 0 {
            return self
                .document
                .text
                .get(node.start as usize + 1..(node.end as usize).saturating_sub(1));
        }
        self.document.tape.unescaped(node.extra)
    }

    /// Where the byte `index` of [`Value::as_str`] stands in the input.
    #[must_use]
    pub fn offset_of(&self, index: usize) -> usize {
        self.span()
            .start
            .saturating_add(text::source_offset(self.raw(), index))
    }

    /// The number; `None` for anything else.
    #[must_use]
    pub fn number(&self) -> Option<Number<'d>> {
        (self.kind() == Kind::Number).then(|| Number { text: self.raw() })
    }

    /// The boolean; `None` for anything else.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Number of items of an array or members of an object; 0 for anything else.
    #[must_use]
    pub fn len(&self) -> usize {
        let node = self.node();
        if matches!(node.kind, Kind::Array | Kind::Object) {
            node.extra as usize
        } else {
            0
        }
    }

    /// True when there is no item or member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items of an array; nothing for anything else.
    #[must_use]
    pub fn items(&self) -> Items<'d> {
        let left = if self.kind() == Kind::Array {
            self.node().extra
        } else {
            0
        };
        Items {
            document: self.document,
            index: self.index.saturating_add(1),
            left,
        }
    }

    /// The members of an object in written order; nothing for anything else.
    #[must_use]
    pub fn members(&self) -> Members<'d> {
        let left = if self.kind() == Kind::Object {
            self.node().extra
        } else {
            0
        };
        Members {
            document: self.document,
            index: self.index.saturating_add(1),
            left,
        }
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'d>> {
        self.members()
            .find(|member| member.name() == name)
            .map(|member| member.value)
    }
}

/// One member of an object.
#[derive(Debug, Clone, Copy)]
pub struct Member<'d> {
    /// The key, a string value with its own span.
    pub key: Value<'d>,
    /// The value.
    pub value: Value<'d>,
}

impl<'d> Member<'d> {
    /// The key's text.
    #[must_use]
    pub fn name(&self) -> &'d str {
        self.key.as_str().unwrap_or_default()
    }
}

/// Iterator over the items of an array.
#[derive(Debug, Clone)]
pub struct Items<'d> {
    document: &'d Document<'d>,
    index: u32,
    left: u32,
}

impl<'d> Iterator for Items<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        self.left = self.left.checked_sub(1)?;
        let value = Value {
            document: self.document,
            index: self.index,
        };
        self.index = value.node().next;
        Some(value)
    }
}

/// Iterator over the members of an object.
#[derive(Debug, Clone)]
pub struct Members<'d> {
    document: &'d Document<'d>,
    index: u32,
    left: u32,
}

impl<'d> Iterator for Members<'d> {
    type Item = Member<'d>;

    fn next(&mut self) -> Option<Member<'d>> {
        self.left = self.left.checked_sub(1)?;
        let key = Value {
            document: self.document,
            index: self.index,
        };
        let value = Value {
            document: self.document,
            index: self.index.saturating_add(1),
        };
        self.index = value.node().next;
        Some(Member { key, value })
    }
}

/// A number as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'d> {
    text: &'d str,
}

impl<'d> Number<'d> {
    /// The digits as they came.
    #[must_use]
    pub fn as_str(&self) -> &'d str {
        self.text
    }

    /// True when written without fraction and exponent.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        !self
            .text
            .bytes()
            .any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }

    /// The integer, when written as one and within 64 bits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.text.parse().ok()
    }

    /// The nearest double; finite, because the reader refuses larger numbers.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }
}
