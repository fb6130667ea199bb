//! Reads objects one by one from a stream of any size, with memory for one of them.

use super::extent::Extent;
use crate::codes::{self, Code};
use crate::finding::{Finding, Position};
use crate::id;
use crate::json::{Document, Limits, Scratch};
use std::io::{ErrorKind, Read};

/// Bytes asked of the stream at once.
const CHUNK_BYTES: usize = 128 << 10;

/// Members a bundle may have beside its objects; the standard knows two.
const MEMBERS_MAX: usize = 1_000;

/// Cuts a stream into the objects of a bundle, an envelope, a list, or the one object that it is.
#[derive(Debug)]
pub struct Reader<R: Read> {
    stream: R,
    limits: Limits,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are dealt with.
    done: usize,
    /// Where `done` stands in the stream.
    place: Position,
    ended: bool,
    state: State,
    index: usize,
    bundle: Bundle,
    findings: Vec<Finding>,
}

/// The text of one object and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject {
    /// The text.
    pub bytes: Vec<u8>,
    /// Bytes before it.
    pub offset: usize,
    /// Line it begins on, from 1.
    pub line: u32,
    /// Column it begins at, from 1.
    pub column: u32,
    /// Which object of the stream it is, from 0.
    pub index: usize,
    /// JSON pointer to it, for example `/objects/3`.
    pub pointer: String,
}

impl RawObject {
    /// Where it begins, for [`crate::validate::check_at`].
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            offset: self.offset,
            line: self.line,
            column: self.column,
            pointer: self.pointer.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing read.
    Start,
    /// Before an item of the list of objects; the first one may be missing.
    Items { first: bool, bundle: bool },
    /// After the list `objects`, among the other members of the bundle.
    Members,
    /// All read, or given up.
    End,
}

/// What the text around the objects says.
#[derive(Debug, Default)]
struct Bundle {
    start: Position,
    bundle_type: Option<String>,
    id: Option<String>,
    members: Vec<(String, Position)>,
}

impl<R: Read> Reader<R> {
    /// A reader of `stream`; `limits` bound each object.
    pub fn new(stream: R, limits: Limits) -> Self {
        Self {
            stream,
            limits,
            buffer: Vec::new(),
            done: 0,
            place: Position::START,
            ended: false,
            state: State::Start,
            index: 0,
            bundle: Bundle::default(),
            findings: Vec::new(),
        }
    }

    /// What was found about the bundle itself; complete once the iterator has ended.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Bytes of memory the reader holds.
    #[must_use]
    pub fn buffer_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    fn step(&mut self) -> Result<Option<RawObject>, Finding> {
        loop {
            match self.state {
                State::Start => {
                    if let Some(object) = self.start()? {
                        return Ok(Some(object));
                    }
                }
                State::Items { first, bundle } => {
                    if let Some(object) = self.item(first, bundle)? {
                        return Ok(Some(object));
                    }
                }
                State::Members => self.members_after()?,
                State::End => return Ok(None),
            }
        }
    }

    /// Finds out what the stream is; a single object is given at once.
    fn start(&mut self) -> Result<Option<RawObject>, Finding> {
        self.fill(3)?;
        if self.rest().starts_with(b"\xEF\xBB\xBF") {
            return Err(self.refuse(&codes::JSON_BOM, "the text begins with a byte order mark"));
        }
        match self.peek()? {
            Some(b'[') => {
                self.take(1);
                self.state = State::Items {
                    first: true,
                    bundle: false,
                };
                Ok(None)
            }
            Some(b'{') => self.object_or_bundle(),
            Some(_) => Err(self.refuse(
                &codes::JSON_SYNTAX,
                "here a bundle, a list or an object must begin",
            )),
            None => Err(self.refuse(&codes::JSON_SYNTAX, "the text is empty")),
        }
    }

    /// Reads members up to a list `objects`. Without one, or with a type other than `bundle`, the text is one object.
    fn object_or_bundle(&mut self) -> Result<Option<RawObject>, Finding> {
        self.bundle.start = self.place.clone();
        let start = self.done;
        let mut at = 1;
        while let Some((name, value_at)) = self.member(start, &mut at)? {
            let list = self.byte(start, value_at)? == Some(b'[');
            let single = self
                .bundle
                .bundle_type
                .as_deref()
                .is_some_and(|name| name != "bundle");
            if name == "objects" && list && !single {
                self.take(value_at.saturating_add(1));
                self.state = State::Items {
                    first: true,
                    bundle: true,
                };
                return Ok(None);
            }
            let end = self.value_end(start, value_at)?;
            self.note(name, start, value_at, end)?;
            at = end;
        }
        if self.bundle.bundle_type.as_deref() == Some("bundle") || self.is_empty_envelope() {
            self.take(at);
            self.finish()?;
            return Ok(None);
        }
        let object = self.cut(at, String::new());
        self.bundle = Bundle::default();
        self.finish()?;
        Ok(Some(object))
    }

    /// TAXII 2.1 3.7: `{}`, or one with `more` and `next` only.
    fn is_empty_envelope(&self) -> bool {
        self.bundle
            .members
            .iter()
            .all(|(name, _)| matches!(name.as_str(), "more" | "next"))
    }

    /// One item of the list of objects, or its end.
    fn item(&mut self, first: bool, bundle: bool) -> Result<Option<RawObject>, Finding> {
        match self.peek()? {
            Some(b']') => {
                if first && bundle {
                    let finding = Finding::new(&codes::LIST_EMPTY, "the list `objects` is empty");
                    self.findings.push(self.placed(finding, "/objects"));
                }
                self.take(1);
                if bundle {
                    self.state = State::Members;
                } else {
                    self.finish()?;
                }
                return Ok(None);
            }
            Some(b',') if !first => {
                self.take(1);
                self.peek()?;
            }
            Some(_) if first => {}
            Some(_) => return Err(self.refuse(&codes::JSON_SYNTAX, "here `,` or `]` must stand")),
            None => {
                return Err(self.refuse(
                    &codes::JSON_SYNTAX,
                    "the text ends inside the list of objects",
                ));
            }
        }
        let end = self.value_end(self.done, 0)?;
        if end == 0 {
            return Err(self.refuse(&codes::JSON_SYNTAX, "here an object must stand"));
        }
        let pointer = format!("{}/{}", if bundle { "/objects" } else { "" }, self.index);
        let object = self.cut(end, pointer);
        self.state = State::Items {
            first: false,
            bundle,
        };
        Ok(Some(object))
    }

    /// The members that follow the list of objects.
    fn members_after(&mut self) -> Result<(), Finding> {
        let mut at = 0;
        let start = self.done;
        while let Some((name, value_at)) = self.member(start, &mut at)? {
            let end = self.value_end(start, value_at)?;
            if name == "objects" {
                return Err(self.refuse(
                    &codes::JSON_DUPLICATE_KEY,
                    "the key `objects` stands twice in one object",
                ));
            }
            self.note(name, start, value_at, end)?;
            at = end;
        }
        self.take(at);
        self.finish()
    }

    /// The key and the place of the value of the next member; `None` after the closing bracket. `at` counts from `start`.
    fn member(&mut self, start: usize, at: &mut usize) -> Result<Option<(String, usize)>, Finding> {
        let opening = *at == 1 && start == self.done && self.rest().first() == Some(&b'{');
        *at = self.skip(start, *at)?;
        match self.byte(start, *at)? {
            Some(b'}') => {
                *at = at.saturating_add(1);
                return Ok(None);
            }
            Some(b',') if !opening => *at = self.skip(start, at.saturating_add(1))?,
            Some(b'"') if opening => {}
            _ => {
                return Err(self.refuse_at(
                    start,
                    *at,
                    &codes::JSON_SYNTAX,
                    "here `,` or `}` or a key must stand",
                ));
            }
        }
        if self.byte(start, *at)? != Some(b'"') {
            return Err(self.refuse_at(
                start,
                *at,
                &codes::JSON_SYNTAX,
                "here a key in double quotes must stand",
            ));
        }
        let end = self.value_end(start, *at)?;
        let key = self.string(start, *at, end).unwrap_or_default();
        let colon = self.skip(start, end)?;
        if self.byte(start, colon)? != Some(b':') {
            return Err(self.refuse_at(
                start,
                colon,
                &codes::JSON_SYNTAX,
                "here `:` must stand after the key",
            ));
        }
        Ok(Some((key, self.skip(start, colon.saturating_add(1))?)))
    }

    /// Reads and remembers a member of the bundle other than `objects`.
    fn note(&mut self, name: String, start: usize, from: usize, to: usize) -> Result<(), Finding> {
        let before = self
            .buffer
            .get(start..start.saturating_add(from))
            .unwrap_or_default();
        let place = Position {
            pointer: format!("/{name}"),
            ..self.place.advanced(before)
        };
        if self.bundle.members.iter().any(|(seen, _)| *seen == name) {
            let message = format!(
                "the key `{}` stands twice in one object",
                name.get(..80).unwrap_or(&name)
            );
            return Err(Finding::new(&codes::JSON_DUPLICATE_KEY, message).at(b"", 0, 1, &place));
        }
        let bytes = self
            .buffer
            .get(start.saturating_add(from)..start.saturating_add(to))
            .unwrap_or_default();
        let document = Document::parse_with(bytes, &self.limits, &place, Scratch::default())?;
        let text = document.root().as_str().map(str::to_owned);
        match name.as_str() {
            "type" => self.bundle.bundle_type = Some(text.unwrap_or_default()),
            "id" => self.bundle.id = Some(text.unwrap_or_default()),
            _ => {}
        }
        if self.bundle.members.len() >= MEMBERS_MAX {
            return Err(Finding::new(
                &codes::JSON_LIMIT_NODES,
                "the bundle has too many properties",
            )
            .at(b"", 0, 1, &place));
        }
        self.bundle.members.push((name, place));
        Ok(())
    }

    /// The JSON string at `from..to` after `start`.
    fn string(&self, start: usize, from: usize, to: usize) -> Option<String> {
        let bytes = self
            .buffer
            .get(start.saturating_add(from)..start.saturating_add(to))?;
        Document::parse(bytes, &self.limits)
            .ok()?
            .root()
            .as_str()
            .map(str::to_owned)
    }

    /// After the end: nothing but blanks may follow; then the bundle itself is judged (8.1).
    fn finish(&mut self) -> Result<(), Finding> {
        self.state = State::End;
        if self.peek()?.is_some() {
            return Err(self.refuse(
                &codes::JSON_TRAILING,
                "something follows the end of the value",
            ));
        }
        if self.bundle.bundle_type.is_none() {
            return Ok(());
        }
        let found = |code, message: String, pointer: &str, place: &Position| {
            Finding {
                pointer: pointer.to_owned(),
                ..Finding::new(code, message)
            }
            .at(b"", 0, 1, place)
        };
        let start = self.bundle.start.clone();
        match self.bundle.id.as_deref().map(id::check) {
            Some(Ok(parts)) if parts.object_type == "bundle" => {}
            Some(_) => self.findings.push(found(
                &codes::BUNDLE_FORM,
                "the bundle's `id` must be `bundle--UUID`".into(),
                "/id",
                &start,
            )),
            None => self.findings.push(found(
                &codes::BUNDLE_FORM,
                "the bundle has no `id`".into(),
                "",
                &start,
            )),
        }
        for (name, place) in self
            .bundle
            .members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "type" | "id"))
        {
            let message = format!("nobody need keep the property `{name}` of a bundle");
            self.findings
                .push(Finding::new(&codes::BUNDLE_PROPERTY, message).at(b"", 0, 1, place));
        }
        Ok(())
    }

    /// Takes the next `len` bytes as an object.
    fn cut(&mut self, len: usize, pointer: String) -> RawObject {
        let place = self.place.clone();
        let bytes = self.rest().get(..len).unwrap_or_default().to_vec();
        self.take(len);
        let index = self.index;
        self.index = index.saturating_add(1);
        RawObject {
            bytes,
            offset: place.offset,
            line: place.line,
            column: place.column,
            index,
            pointer,
        }
    }

    /// The end, counted from `start`, of the value that begins at `from`.
    fn value_end(&mut self, start: usize, from: usize) -> Result<usize, Finding> {
        let mut extent = Extent::default();
        let mut at = start.saturating_add(from);
        loop {
            if let Some(end) = extent.end(&self.buffer, &mut at) {
                return Ok(end.saturating_sub(start));
            }
            if self.buffer.len().saturating_sub(start) > self.limits.bytes_max {
                let message = format!("a value has more than {} bytes", self.limits.bytes_max);
                return Err(self.refuse(&codes::JSON_LIMIT_BYTES, &message));
            }
            if !self.more()? {
                return Err(self.refuse(&codes::JSON_SYNTAX, "the text ends inside a value"));
            }
        }
    }

    /// The first place at or after `at` (from `start`) that is no blank.
    fn skip(&mut self, start: usize, mut at: usize) -> Result<usize, Finding> {
        while matches!(self.byte(start, at)?, Some(b' ' | b'\t' | b'\r' | b'\n')) {
            at = at.saturating_add(1);
        }
        Ok(at)
    }

    fn byte(&mut self, start: usize, at: usize) -> Result<Option<u8>, Finding> {
        let place = start.saturating_add(at);
        while place >= self.buffer.len() {
            if !self.more()? {
                return Ok(None);
            }
        }
        Ok(self.buffer.get(place).copied())
    }

    /// Drops blanks; the byte after them.
    fn peek(&mut self) -> Result<Option<u8>, Finding> {
        let blanks = self.skip(self.done, 0)?;
        self.take(blanks);
        self.byte(self.done, 0)
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.done..).unwrap_or_default()
    }

    /// Deals with the next `len` bytes.
    fn take(&mut self, len: usize) {
        let end = self.done.saturating_add(len).min(self.buffer.len());
        self.place = self
            .place
            .advanced(self.buffer.get(self.done..end).unwrap_or_default());
        self.done = end;
    }

    fn fill(&mut self, bytes: usize) -> Result<(), Finding> {
        while self.rest().len() < bytes && self.more()? {}
        Ok(())
    }

    /// Reads more of the stream; false at its end. Bytes before `done` are dropped only between objects, by `compact`.
    fn more(&mut self) -> Result<bool, Finding> {
        if self.ended {
            return Ok(false);
        }
        let before = self.buffer.len();
        loop {
            match self
                .stream
                .by_ref()
                .take(CHUNK_BYTES as u64)
                .read_to_end(&mut self.buffer)
            {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(before);
                    return Err(
                        self.refuse(&codes::READ, &format!("the input cannot be read: {error}"))
                    );
                }
            }
        }
    }

    /// Drops what is dealt with, once it is the larger part.
    fn compact(&mut self) {
        if self.done > self.buffer.len() / 2 {
            self.buffer.drain(..self.done);
            self.done = 0;
        }
    }

    fn refuse(&self, code: &'static Code, message: &str) -> Finding {
        self.refuse_at(self.done, 0, code, message)
    }

    fn refuse_at(&self, start: usize, at: usize, code: &'static Code, message: &str) -> Finding {
        let before = self
            .buffer
            .get(self.done..start.saturating_add(at))
            .unwrap_or_default();
        Finding::new(code, message).at(b"", 0, 1, &self.place.advanced(before))
    }

    fn placed(&self, finding: Finding, pointer: &str) -> Finding {
        Finding {
            pointer: pointer.to_owned(),
            ..finding
        }
        .at(b"", 0, 1, &self.place)
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<RawObject, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        self.compact();
        let step = self.step();
        if step.is_err() {
            self.state = State::End;
        }
        step.transpose()
    }
}
