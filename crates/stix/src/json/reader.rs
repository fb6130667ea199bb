//! The one pass that turns text into nodes. No recursion: open containers stand on a list bounded by `depth_max`.

use super::scan::plain_end;
use super::text::{self, Broken};
use super::{Kind, Limits, Node};
use crate::codes::{self, Code};
use crate::finding::{Finding, Position};

/// Keys up to which a new key is compared with each before it; wider objects are sorted once at their end.
const WIDE: u32 = 64;

/// The memory of a document, kept to be used again.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) nodes: Vec<Node>,
    /// Strings that held escapes, resolved, one after the other.
    arena: String,
    /// Where each of them ends in `arena`.
    arena_ends: Vec<u32>,
    open: Vec<Open>,
}

impl Scratch {
    /// The resolved string number `extra` (from 1).
    pub(super) fn unescaped(&self, extra: u32) -> Option<&str> {
        let number = (extra as usize).checked_sub(1)?;
        let end = *self.arena_ends.get(number)?;
        let start = number
            .checked_sub(1)
            .map_or(Some(0), |before| self.arena_ends.get(before).copied())?;
        self.arena.get(start as usize..end as usize)
    }

    fn clear(&mut self) {
        self.nodes.clear();
        self.arena.clear();
        self.arena_ends.clear();
        self.open.clear();
    }
}

/// A container whose end has not been read.
#[derive(Debug)]
struct Open {
    node: u32,
    count: u32,
    object: bool,
    /// One bit per key hash: a clear bit proves that a key is new.
    keys_seen: u128,
    /// Node of the newest key or item, for pointers.
    newest: u32,
}

/// Reads `bytes`, which begin at `base` of a larger text.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    base: &Position,
    mut scratch: Scratch,
) -> Result<(&'a str, Scratch), Finding> {
    scratch.clear();
    let refuse = |code, message: String, offset, len| {
        Finding::new(code, message).at(bytes, offset, len, base)
    };
    if bytes.len() > limits.bytes_max.min(u32::MAX as usize - 1) {
        let message = format!(
            "the text has {} bytes, at most {} are accepted",
            bytes.len(),
            limits.bytes_max
        );
        return Err(refuse(&codes::JSON_LIMIT_BYTES, message, 0, 0));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(refuse(
            &codes::JSON_BOM,
            "the text begins with a byte order mark".into(),
            0,
            3,
        )
        .help("save the file as UTF-8 without BOM"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        refuse(
            &codes::JSON_UTF8,
            "the text is not UTF-8".into(),
            error.valid_up_to(),
            error.error_len().unwrap_or(1),
        )
    })?;
    let mut reader = Reader {
        text,
        bytes,
        at: 0,
        limits,
        tape: scratch,
    };
    match reader.document() {
        Ok(()) => Ok((text, reader.tape)),
        Err(broken) => {
            let mut finding = Finding::new(broken.code, broken.message);
            finding.pointer = reader.pointer();
            Err(finding.at(bytes, broken.offset, broken.len, base))
        }
    }
}

struct Reader<'a, 'l> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: &'l Limits,
    tape: Scratch,
}

impl Reader<'_, '_> {
    fn document(&mut self) -> Result<(), Broken> {
        loop {
            self.value()?;
            if self.close_finished()? {
                break;
            }
        }
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.broken(
                &codes::JSON_TRAILING,
                "something follows the end of the value".into(),
            ));
        }
        Ok(())
    }

    /// Reads a scalar or an empty container, or opens a container and reads up to its first value.
    fn value(&mut self) -> Result<(), Broken> {
        loop {
            self.skip_space();
            let start = self.at;
            let opened = match self.peek() {
                Some(b'"') => return self.string(),
                Some(b'{') => true,
                Some(b'[') => false,
                Some(b'-' | b'0'..=b'9') => return self.number(),
                Some(b't') => return self.word("true", Kind::Bool(true)),
                Some(b'f') => return self.word("false", Kind::Bool(false)),
                Some(b'n') => return self.word("null", Kind::Null),
                Some(_) => {
                    return Err(self.broken(&codes::JSON_SYNTAX, "here a value must stand".into()));
                }
                None => {
                    return Err(self.broken(
                        &codes::JSON_SYNTAX,
                        "the text ends where a value must stand".into(),
                    ));
                }
            };
            self.at = self.at.saturating_add(1);
            self.open(start, opened)?;
            self.skip_space();
            match (opened, self.peek()) {
                (true, Some(b'}')) | (false, Some(b']')) => return Ok(()),
                (true, _) => self.key()?,
                (false, _) => self.item()?,
            }
        }
    }

    /// After a value: takes a comma, or closes every container that ends here. True at the end of the whole value.
    fn close_finished(&mut self) -> Result<bool, Broken> {
        loop {
            let Some(open) = self.tape.open.last() else {
                return Ok(true);
            };
            let (object, node, count) = (open.object, open.node, open.count);
            self.skip_space();
            match self.peek() {
                Some(b',') if count > 0 => {
                    self.at = self.at.saturating_add(1);
                    if object {
                        self.key()?
                    } else {
                        self.item()?
                    }
                    return Ok(false);
                }
                Some(b'}') if object => {}
                Some(b']') if !object => {}
                Some(_) => {
                    return Err(self.broken(
                        &codes::JSON_SYNTAX,
                        format!(
                            "here `,` or `{}` must stand",
                            if object { '}' } else { ']' }
                        ),
                    ));
                }
                None => {
                    return Err(self.broken(
                        &codes::JSON_SYNTAX,
                        format!(
                            "the text ends inside {}",
                            if object { "an object" } else { "a list" }
                        ),
                    ));
                }
            }
            if object && count > WIDE {
                self.wide_object(node, count)?;
            }
            self.at = self.at.saturating_add(1);
            self.tape.open.pop();
            let next = self.node_count();
            let end = self.at as u32;
            if let Some(node) = self.tape.nodes.get_mut(node as usize) {
                node.end = end;
                node.next = next;
                node.extra = count;
            }
        }
    }

    fn open(&mut self, start: usize, object: bool) -> Result<(), Broken> {
        if self.tape.open.len() >= self.limits.depth_max {
            let message = format!(
                "the value is nested deeper than {} levels",
                self.limits.depth_max
            );
            return Err(Broken {
                code: &codes::JSON_LIMIT_DEPTH,
                message,
                offset: start,
                len: 1,
            });
        }
        let node = self.node_count();
        self.push(if object { Kind::Object } else { Kind::Array }, start, 0)?;
        self.tape.open.push(Open {
            node,
            count: 0,
            object,
            keys_seen: 0,
            newest: node,
        });
        Ok(())
    }

    fn item(&mut self) -> Result<(), Broken> {
        let newest = self.node_count();
        if let Some(open) = self.tape.open.last_mut() {
            open.count = open.count.saturating_add(1);
            open.newest = newest;
        }
        Ok(())
    }

    /// Reads `"key" :`.
    fn key(&mut self) -> Result<(), Broken> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.broken(
                &codes::JSON_SYNTAX,
                "here a key in double quotes must stand".into(),
            ));
        }
        let index = self.node_count();
        self.string()?;
        self.note_key(index)?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.broken(
                &codes::JSON_SYNTAX,
                "here `:` must stand after the key".into(),
            ));
        }
        self.at = self.at.saturating_add(1);
        Ok(())
    }

    /// Counts the key at node `index` and refuses one that the open object already has (RFC 7493 2.3).
    fn note_key(&mut self, index: u32) -> Result<(), Broken> {
        let key = self.key_text(index);
        if key.len() > self.limits.key_bytes_max {
            let message = format!(
                "a key has {} bytes, at most {} are accepted",
                key.len(),
                self.limits.key_bytes_max
            );
            return Err(self.broken_at(&codes::JSON_LIMIT_KEY, message, index));
        }
        let bit = key_bit(key.as_bytes());
        let Some(open) = self.tape.open.last() else {
            return Ok(());
        };
        if open.keys_seen & bit != 0 && open.count < WIDE && self.has_key(open, index) {
            return Err(self.duplicate(index));
        }
        if let Some(open) = self.tape.open.last_mut() {
            open.keys_seen |= bit;
            open.count = open.count.saturating_add(1);
            open.newest = index;
        }
        Ok(())
    }

    /// True when a key before node `index` of the open object has the same text.
    fn has_key(&self, open: &Open, index: u32) -> bool {
        let wanted = self.key_text(index);
        let mut at = open.node.saturating_add(1);
        for _ in 0..open.count {
            if self.key_text(at) == wanted {
                return true;
            }
            at = self
                .tape
                .nodes
                .get(at as usize + 1)
                .map_or(u32::MAX, |value| value.next);
        }
        false
    }

    /// Looks for a duplicate key in an object with too many keys to compare each with each.
    fn wide_object(&self, node: u32, count: u32) -> Result<(), Broken> {
        let mut keys = Vec::with_capacity(count as usize);
        let mut at = node.saturating_add(1);
        for _ in 0..count {
            keys.push((self.key_text(at), at));
            at = self
                .tape
                .nodes
                .get(at as usize + 1)
                .map_or(u32::MAX, |value| value.next);
        }
        keys.sort_unstable();
        let twice = keys.windows(2).find_map(|pair| match pair {
            [(first, _), (second, index)] if first == second => Some(*index),
            _ => None,
        });
        twice.map_or(Ok(()), |index| Err(self.duplicate(index)))
    }

    fn duplicate(&self, index: u32) -> Broken {
        let message = format!(
            "the key `{}` stands twice in one object",
            excerpt(self.key_text(index))
        );
        self.broken_at(&codes::JSON_DUPLICATE_KEY, message, index)
    }

    fn key_text(&self, index: u32) -> &str {
        let Some(node) = self.tape.nodes.get(index as usize) else {
            return "";
        };
        match node.extra {
            0 => self
                .text
                .get(node.start as usize + 1..(node.end as usize).saturating_sub(1))
                .unwrap_or_default(),
            extra => self.tape.unescaped(extra).unwrap_or_default(),
        }
    }

    fn string(&mut self) -> Result<(), Broken> {
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
    fn number(&mut self) -> Result<(), Broken> {
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

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), Broken> {
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

    /// Adds the node that spans `start..self.at`.
    fn push(&mut self, kind: Kind, start: usize, extra: u32) -> Result<(), Broken> {
        if self.tape.nodes.len() >= self.limits.nodes_max {
            let message = format!("the value has more than {} parts", self.limits.nodes_max);
            return Err(self.broken(&codes::JSON_LIMIT_NODES, message));
        }
        let next = self.node_count().saturating_add(1);
        self.tape.nodes.push(Node {
            kind,
            start: start as u32,
            end: self.at as u32,
            next,
            extra,
        });
        Ok(())
    }

    fn node_count(&self) -> u32 {
        self.tape.nodes.len() as u32
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn broken(&self, code: &'static Code, message: String) -> Broken {
        Broken {
            code,
            message,
            offset: self.at,
            len: usize::from(self.at < self.bytes.len()),
        }
    }

    fn broken_at(&self, code: &'static Code, message: String, index: u32) -> Broken {
        let (offset, end) = self
            .tape
            .nodes
            .get(index as usize)
            .map_or((self.at, self.at), |node| {
                (node.start as usize, node.end as usize)
            });
        Broken {
            code,
            message,
            offset,
            len: end.saturating_sub(offset),
        }
    }

    /// Pointer to the newest value of the innermost open container.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for open in &self.tape.open {
            if open.count == 0 {
                break;
            }
            pointer.push('/');
            if open.object {
                pointer.push_str(
                    &self
                        .key_text(open.newest)
                        .replace('~', "~0")
                        .replace('/', "~1"),
                );
            } else {
                pointer.push_str(&open.count.saturating_sub(1).to_string());
            }
        }
        pointer
    }
}

/// One of 128 bits, from the length and a few bytes of a key.
fn key_bit(key: &[u8]) -> u128 {
    let pick = |index: usize| u32::from(key.get(index).copied().unwrap_or_default());
    let last = key.len().saturating_sub(1);
    let mixed = (key.len() as u32)
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(pick(0).wrapping_mul(0x85EB_CA77))
        .wrapping_add(pick(last / 2).wrapping_mul(0xC2B2_AE3D))
        .wrapping_add(pick(last).wrapping_mul(0x27D4_EB2F));
    1 << (mixed >> 25)
}

/// Enough of a long number to recognise it.
fn excerpt(written: &str) -> &str {
    written.get(..40).unwrap_or(written)
}
