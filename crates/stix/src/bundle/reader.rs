//! Reads objects one by one from a stream of any size, with memory for one of them.

use super::stream::Stream;
use crate::codes;
use crate::finding::{Finding, Position};
use crate::id;
use crate::json::{Document, Limits, Scratch};
use std::io::Read;

/// Members a bundle may have beside its objects; the standard knows two.
const MEMBERS_MAX: usize = 1_000;

/// Cuts a stream into the objects of a bundle, an envelope, a list, or the one object that it is.
#[derive(Debug)]
pub struct Reader<R: Read> {
    stream: Stream<R>,
    limits: Limits,
    state: State,
    index: usize,
    bundle: Bundle,
    findings: Vec<Finding>,
    kept: Option<&'static str>,
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
            stream: Stream::new(stream, limits.bytes_max),
            limits,
            state: State::Start,
            index: 0,
            bundle: Bundle::default(),
            findings: Vec::new(),
            kept: None,
        }
    }

    /// The same reader, for somebody who reads the list `name` beside the objects with [`super::beside()`]: it is passed over
    /// here, however long.
    #[must_use]
    pub fn keeping(mut self, name: &'static str) -> Self {
        self.kept = Some(name);
        self
    }

    /// What was found about the bundle itself; complete once the iterator has ended.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Bytes of memory the reader holds.
    #[must_use]
    pub fn buffer_bytes(&self) -> usize {
        self.stream.capacity()
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
        self.stream.fill(3)?;
        if self.stream.rest().starts_with(b"\xEF\xBB\xBF") {
            return Err(self
                .stream
                .refuse(&codes::JSON_BOM, "the text begins with a byte order mark"));
        }
        match self.stream.peek()? {
            Some(b'[') => {
                self.stream.take(1);
                self.state = State::Items {
                    first: true,
                    bundle: false,
                };
                Ok(None)
            }
            Some(b'{') => self.object_or_bundle(),
            Some(_) => Err(self.stream.refuse(
                &codes::JSON_SYNTAX,
                "here a bundle, a list or an object must begin",
            )),
            None => Err(self.stream.refuse(&codes::JSON_SYNTAX, "the text is empty")),
        }
    }

    /// Reads members up to a list `objects`. Without one, or with a type other than `bundle`, the text is one object.
    fn object_or_bundle(&mut self) -> Result<Option<RawObject>, Finding> {
        self.bundle.start = self.stream.place().clone();
        let mut at = 1;
        while let Some((name, value_at)) = self.member(&mut at)? {
            let list = self.stream.byte(value_at)? == Some(b'[');
            let single = self
                .bundle
                .bundle_type
                .as_deref()
                .is_some_and(|name| name != "bundle");
            if name == "objects" && list && !single {
                self.stream.take(value_at.saturating_add(1));
                self.state = State::Items {
                    first: true,
                    bundle: true,
                };
                return Ok(None);
            }
            if list && self.kept == Some(&name) && self.bundle.bundle_type.is_some() && !single {
                at = self.pass(name, value_at)?;
                continue;
            }
            let end = self.stream.value_end(value_at)?;
            self.note(name, value_at, end)?;
            at = end;
        }
        let untyped = self.bundle.bundle_type.is_none();
        let bundle = self.bundle.bundle_type.as_deref() == Some("bundle");
        let objects = self
            .bundle
            .members
            .iter()
            .find(|(name, _)| name == "objects");
        if let Some((_, place)) = objects.filter(|_| bundle || untyped) {
            // 8.1 and TAXII 2.1 3.7: what is no list would be lost without a word
            let message = "`objects` must be a list";
            return Err(Finding::new(&codes::BUNDLE_FORM, message).at(b"", 0, 1, place));
        }
        if bundle || self.is_empty_envelope() {
            self.stream.take(at);
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
            .all(|(name, _)| matches!(name.as_str(), "more" | "next") || self.kept == Some(name))
    }

    /// One item of the list of objects, or its end.
    fn item(&mut self, first: bool, bundle: bool) -> Result<Option<RawObject>, Finding> {
        match self.stream.peek()? {
            Some(b']') => {
                if first && bundle {
                    let finding = Finding::new(&codes::LIST_EMPTY, "the list `objects` is empty");
                    self.findings.push(self.placed(finding, "/objects"));
                }
                self.stream.take(1);
                if bundle {
                    self.state = State::Members;
                } else {
                    self.finish()?;
                }
                return Ok(None);
            }
            Some(b',') if !first => {
                self.stream.take(1);
                self.stream.peek()?;
            }
            Some(_) if first => {}
            Some(_) => {
                return Err(self
                    .stream
                    .refuse(&codes::JSON_SYNTAX, "here `,` or `]` must stand"));
            }
            None => {
                return Err(self.stream.refuse(
                    &codes::JSON_SYNTAX,
                    "the text ends inside the list of objects",
                ));
            }
        }
        let end = self.stream.value_end(0)?;
        if end == 0 {
            return Err(self
                .stream
                .refuse(&codes::JSON_SYNTAX, "here an object must stand"));
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
        while let Some((name, value_at)) = self.member(&mut at)? {
            if self.kept == Some(&name) && self.stream.byte(value_at)? == Some(b'[') {
                at = self.pass(name, value_at)?;
                continue;
            }
            let end = self.stream.value_end(value_at)?;
            if name == "objects" {
                return Err(self.stream.refuse(
                    &codes::JSON_DUPLICATE_KEY,
                    "the key `objects` stands twice in one object",
                ));
            }
            self.note(name, value_at, end)?;
            at = end;
        }
        self.stream.take(at);
        self.finish()
    }

    /// Passes over the kept list that begins at `from`; what follows it begins at 0.
    fn pass(&mut self, name: String, from: usize) -> Result<usize, Finding> {
        let place = self.stream.place_after(from);
        if self.bundle.members.iter().any(|(seen, _)| *seen == name) {
            let message = format!("the key `{name}` stands twice in one object");
            return Err(Finding::new(&codes::JSON_DUPLICATE_KEY, message).at(b"", 0, 1, &place));
        }
        self.bundle.members.push((name, place));
        self.stream.take(from);
        super::beside::items(&mut self.stream, &mut |_| {})?;
        Ok(0)
    }

    /// The key and the place of the value of the next member; `None` after the closing bracket. `at` counts from `start`.
    fn member(&mut self, at: &mut usize) -> Result<Option<(String, usize)>, Finding> {
        let opening = *at == 1 && self.stream.rest().first() == Some(&b'{');
        *at = self.stream.skip(*at)?;
        match self.stream.byte(*at)? {
            Some(b'}') => {
                *at = at.saturating_add(1);
                return Ok(None);
            }
            Some(b',') if !opening => *at = self.stream.skip(at.saturating_add(1))?,
            Some(b'"') if opening => {}
            _ => {
                return Err(self.stream.refuse_at(
                    *at,
                    &codes::JSON_SYNTAX,
                    "here `,` or `}` or a key must stand",
                ));
            }
        }
        if self.stream.byte(*at)? != Some(b'"') {
            return Err(self.stream.refuse_at(
                *at,
                &codes::JSON_SYNTAX,
                "here a key in double quotes must stand",
            ));
        }
        let end = self.stream.value_end(*at)?;
        let key = self.key(*at, end)?;
        let colon = self.stream.skip(end)?;
        if self.stream.byte(colon)? != Some(b':') {
            return Err(self.stream.refuse_at(
                colon,
                &codes::JSON_SYNTAX,
                "here `:` must stand after the key",
            ));
        }
        Ok(Some((key, self.stream.skip(colon.saturating_add(1))?)))
    }

    /// Reads and remembers a member of the bundle other than `objects`.
    fn note(&mut self, name: String, from: usize, to: usize) -> Result<(), Finding> {
        let place = Position {
            pointer: format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            ..self.stream.place_after(from)
        };
        if self.bundle.members.iter().any(|(seen, _)| *seen == name) {
            let message = format!(
                "the key `{}` stands twice in one object",
                name.get(..80).unwrap_or(&name)
            );
            return Err(Finding::new(&codes::JSON_DUPLICATE_KEY, message).at(b"", 0, 1, &place));
        }
        let bytes = self.stream.text(from, to);
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

    /// The key at `from..to`, read strictly.
    fn key(&self, from: usize, to: usize) -> Result<String, Finding> {
        let text = self.stream.text(from, to);
        let place = self.stream.place_after(from);
        let document = Document::parse_with(text, &self.limits, &place, Scratch::default())?;
        Ok(document.root().as_str().unwrap_or_default().to_owned())
    }

    /// After the end: nothing but blanks may follow; then the bundle itself is judged (8.1).
    fn finish(&mut self) -> Result<(), Finding> {
        self.state = State::End;
        if self.stream.peek()?.is_some() {
            return Err(self.stream.refuse(
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
        for (name, place) in
            self.bundle.members.iter().filter(|(name, _)| {
                !matches!(name.as_str(), "type" | "id") && self.kept != Some(name)
            })
        {
            let message = format!("nobody need keep the property `{name}` of a bundle");
            self.findings
                .push(Finding::new(&codes::BUNDLE_PROPERTY, message).at(b"", 0, 1, place));
        }
        Ok(())
    }

    /// Takes the next `len` bytes as an object.
    fn cut(&mut self, len: usize, pointer: String) -> RawObject {
        let place = self.stream.place().clone();
        let bytes = self.stream.rest().get(..len).unwrap_or_default().to_vec();
        self.stream.take(len);
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

    fn placed(&self, finding: Finding, pointer: &str) -> Finding {
        Finding {
            pointer: pointer.to_owned(),
            ..finding
        }
        .at(b"", 0, 1, self.stream.place())
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<RawObject, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        self.stream.compact();
        let step = self.step();
        if step.is_err() {
            self.state = State::End;
        }
        step.transpose()
    }
}
