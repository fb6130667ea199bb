//! TAXII envelopes in memory (TAXII 2.1 3.7).

use super::extent::Extent;
use crate::codes;
use crate::finding::{Finding, Position};
use crate::json::{Document, Limits};

/// One object of an [`Envelope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    /// The text.
    pub bytes: &'a [u8],
    /// Bytes before it.
    pub offset: usize,
    /// Line it begins on, from 1.
    pub line: u32,
    /// Column it begins at, from 1.
    pub column: u32,
}

/// A TAXII 2.1 envelope.
#[derive(Debug, Default)]
pub struct Envelope<'a> {
    /// Its objects.
    pub objects: Vec<Raw<'a>>,
    /// `more`.
    pub more: Option<bool>,
    /// `next`.
    pub next: Option<String>,
    /// Every other property and its text.
    pub custom: Vec<(String, &'a [u8])>,
}

/// Splits an envelope into its objects. They are cut out by brackets and quotes; reading them strictly is left to
/// [`crate::validate::check_at`]. What stands around them is read strictly here.
///
/// # Errors
/// When `bytes` are not an envelope within `limits`, or it has more than `objects_max` objects.
pub fn envelope<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    objects_max: usize,
) -> Result<Envelope<'a>, Finding> {
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(Finding::new(
            &codes::JSON_BOM,
            "the text begins with a byte order mark",
        ));
    }
    Cutter {
        bytes,
        limits,
        objects_max,
        at: 0,
        place: Position::START,
        counted: 0,
    }
    .envelope()
}

struct Cutter<'a, 'l> {
    bytes: &'a [u8],
    limits: &'l Limits,
    objects_max: usize,
    at: usize,
    /// Position of `counted`, moved on from value to value so that lines are counted once.
    place: Position,
    counted: usize,
}

impl<'a> Cutter<'a, '_> {
    fn envelope(mut self) -> Result<Envelope<'a>, Finding> {
        let mut envelope = Envelope::default();
        let mut names: Vec<String> = Vec::new();
        if self.peek() != Some(b'{') {
            return Err(self.refuse("an envelope must be a JSON object"));
        }
        self.at += 1;
        while self.next_of(b'}', names.is_empty())? {
            let (name, value) = self.member(&mut envelope)?;
            if names.contains(&name) {
                let message = format!(
                    "the key `{}` stands twice in one object",
                    name.get(..80).unwrap_or(&name)
                );
                return Err(Finding::new(&codes::JSON_DUPLICATE_KEY, message).at(
                    self.bytes,
                    self.at,
                    0,
                    &Position::START,
                ));
            }
            self.keep(&name, value, &mut envelope)?;
            if names.len() >= 1_000 {
                return Err(self.refuse("the envelope has too many properties"));
            }
            names.push(name);
        }
        if self.peek().is_some() {
            return Err(Finding::new(
                &codes::JSON_TRAILING,
                "something follows the end of the envelope",
            )
            .at(self.bytes, self.at, 1, &Position::START));
        }
        Ok(envelope)
    }

    /// A key and the text of its value, which is empty for `objects`: those are put into `envelope`.
    fn member(&mut self, envelope: &mut Envelope<'a>) -> Result<(String, &'a [u8]), Finding> {
        if self.peek() != Some(b'"') {
            return Err(self.refuse("here a key in double quotes must stand"));
        }
        let from = self.at;
        let key = self.value()?;
        let name = self
            .parsed(key, from)?
            .root()
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if self.peek() != Some(b':') {
            return Err(self.refuse("here `:` must stand after the key"));
        }
        self.at += 1;
        if name != "objects" {
            self.peek();
            return Ok((name, self.value()?));
        }
        if self.peek() != Some(b'[') {
            return Err(self.refuse("`objects` must be a list"));
        }
        self.at += 1;
        self.objects(envelope)?;
        Ok((name, &[]))
    }

    fn objects(&mut self, envelope: &mut Envelope<'a>) -> Result<(), Finding> {
        let mut first = true;
        while self.next_of(b']', first)? {
            first = false;
            self.peek();
            let offset = self.at;
            // before anything is kept of one too many: ten octets of text would become a hundred here
            if envelope.objects.len() >= self.objects_max {
                return Err(Finding::new(
                    &codes::ENVELOPE,
                    format!("the envelope holds more than {} objects", self.objects_max),
                ));
            }
            let bytes = self.value()?;
            let place = self.place_of(offset);
            envelope.objects.push(Raw {
                bytes,
                offset,
                line: place.line,
                column: place.column,
            });
        }
        Ok(())
    }

    /// Puts a member where it belongs.
    fn keep(
        &mut self,
        name: &str,
        text: &'a [u8],
        envelope: &mut Envelope<'a>,
    ) -> Result<(), Finding> {
        if name == "objects" {
            return Ok(());
        }
        let from = self.at.saturating_sub(text.len());
        let document = self.parsed(text, from)?;
        match name {
            "more" => {
                let more = document.root().as_bool();
                envelope.more =
                    Some(more.ok_or_else(|| self.refuse("`more` must be true or false"))?);
            }
            "next" => {
                let next = document.root().as_str().map(str::to_owned);
                envelope.next = Some(next.ok_or_else(|| self.refuse("`next` must be a string"))?);
            }
            _ => envelope.custom.push((name.to_owned(), text)),
        }
        Ok(())
    }

    /// True when another member or item follows, false after `close`.
    fn next_of(&mut self, close: u8, first: bool) -> Result<bool, Finding> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if first => Ok(true),
            _ => Err(self.refuse(&format!("here `,` or `{}` must stand", char::from(close)))),
        }
    }

    /// The text of the value at hand.
    fn value(&mut self) -> Result<&'a [u8], Finding> {
        let from = self.at;
        let mut at = from;
        let end = Extent::default()
            .end(self.bytes, &mut at)
            .ok_or_else(|| self.refuse("the text ends inside a value"))?;
        let text = self
            .bytes
            .get(from..end)
            .unwrap_or_default()
            .trim_ascii_end();
        if text.is_empty() {
            return Err(self.refuse("here a value must stand"));
        }
        self.at = from.saturating_add(text.len());
        Ok(text)
    }

    /// The position of `offset`, which is not before the one asked for last.
    fn place_of(&mut self, offset: usize) -> Position {
        let passed = self.bytes.get(self.counted..offset).unwrap_or_default();
        self.place = self.place.advanced(passed);
        self.counted = self.counted.max(offset);
        self.place.clone()
    }

    fn parsed(&mut self, text: &'a [u8], from: usize) -> Result<Document<'a>, Finding> {
        let base = self.place_of(from);
        Document::parse_with(text, self.limits, &base, crate::json::Scratch::default())
    }

    fn peek(&mut self) -> Option<u8> {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn refuse(&self, message: &str) -> Finding {
        Finding::new(&codes::ENVELOPE, message).at(self.bytes, self.at, 1, &Position::START)
    }
}
