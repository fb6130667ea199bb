//! The one pass that turns text into nodes. No recursion: open containers stand on a list bounded by `depth_max`.

use super::keys::WIDE;
use super::scratch::{Open, Scratch};
use super::text::Broken;
use super::{Kind, Limits, Node};
use crate::codes::{self, Code};
use crate::finding::{Finding, Position};

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

pub(super) struct Reader<'a, 'l> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) limits: &'l Limits,
    pub(super) tape: Scratch,
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

    /// Adds the node that spans `start..self.at`.
    pub(super) fn push(&mut self, kind: Kind, start: usize, extra: u32) -> Result<(), Broken> {
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

    pub(super) fn node_count(&self) -> u32 {
        self.tape.nodes.len() as u32
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at = self.at.saturating_add(1);
        }
    }

    pub(super) fn broken(&self, code: &'static Code, message: String) -> Broken {
        Broken {
            code,
            message,
            offset: self.at,
            len: usize::from(self.at < self.bytes.len()),
        }
    }

    pub(super) fn broken_at(&self, code: &'static Code, message: String, index: u32) -> Broken {
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
