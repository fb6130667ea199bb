//! A stream through a buffer that grows with one object and shrinks after it.

use super::extent::Extent;
use crate::codes::{self, Code};
use crate::finding::{Finding, Position};
use std::io::{ErrorKind, Read};

/// Bytes asked of the stream at once.
const CHUNK_BYTES: usize = 128 << 10;

/// The stream; indexes into it count from what is dealt with.
#[derive(Debug)]
pub(super) struct Stream<R: Read> {
    source: R,
    bytes_max: usize,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are dealt with.
    done: usize,
    /// Where `done` stands in the stream.
    place: Position,
    ended: bool,
}

impl<R: Read> Stream<R> {
    /// A stream whose values have at most `bytes_max` bytes each.
    pub(super) fn new(source: R, bytes_max: usize) -> Self {
        Self {
            source,
            bytes_max,
            buffer: Vec::new(),
            done: 0,
            place: Position::START,
            ended: false,
        }
    }

    /// Where the next byte stands.
    pub(super) fn place(&self) -> &Position {
        &self.place
    }

    /// Where the byte after `len` more stands.
    pub(super) fn place_after(&self, len: usize) -> Position {
        self.place.advanced(self.text(0, len))
    }

    /// The bytes `from..to`, as far as they are read.
    pub(super) fn text(&self, from: usize, to: usize) -> &[u8] {
        self.rest().get(from..to).unwrap_or_default()
    }

    /// Bytes of memory held.
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// The end, counted from here, of the value that begins at `from`.
    pub(super) fn value_end(&mut self, from: usize) -> Result<usize, Finding> {
        let mut extent = Extent::default();
        let mut at = self.done.saturating_add(from);
        loop {
            if let Some(end) = extent.end(&self.buffer, &mut at) {
                return Ok(end.saturating_sub(self.done));
            }
            if !self.more()? {
                return Err(self.refuse(&codes::JSON_SYNTAX, "the text ends inside a value"));
            }
        }
    }

    /// The first place at or after `at` (counted from here) that is no blank.
    pub(super) fn skip(&mut self, mut at: usize) -> Result<usize, Finding> {
        while matches!(self.byte(at)?, Some(b' ' | b'\t' | b'\r' | b'\n')) {
            at = at.saturating_add(1);
        }
        Ok(at)
    }

    pub(super) fn byte(&mut self, at: usize) -> Result<Option<u8>, Finding> {
        let place = self.done.saturating_add(at);
        while place >= self.buffer.len() {
            if !self.more()? {
                return Ok(None);
            }
        }
        Ok(self.buffer.get(place).copied())
    }

    /// Drops blanks; the byte after them.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Finding> {
        let blanks = self.skip(0)?;
        self.take(blanks);
        self.byte(0)
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.done..).unwrap_or_default()
    }

    /// Deals with the next `len` bytes.
    pub(super) fn take(&mut self, len: usize) {
        let end = self.done.saturating_add(len).min(self.buffer.len());
        self.place = self
            .place
            .advanced(self.buffer.get(self.done..end).unwrap_or_default());
        self.done = end;
    }

    pub(super) fn fill(&mut self, bytes: usize) -> Result<(), Finding> {
        while self.rest().len() < bytes && self.more()? {}
        Ok(())
    }

    /// Reads more of the stream; false at its end. Bytes before `done` are dropped only between objects, by `compact`.
    pub(super) fn more(&mut self) -> Result<bool, Finding> {
        if self.ended {
            return Ok(false);
        }
        // whatever is being read, blanks too: nothing makes the buffer grow beyond one object
        if self.rest().len() > self.bytes_max {
            let message = format!("a value has more than {} bytes", self.bytes_max);
            return Err(self.refuse(&codes::JSON_LIMIT_BYTES, &message));
        }
        let before = self.buffer.len();
        loop {
            match self
                .source
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
    pub(super) fn compact(&mut self) {
        if self.done > self.buffer.len() / 2 {
            self.buffer.drain(..self.done);
            self.done = 0;
        }
    }

    pub(super) fn refuse(&self, code: &'static Code, message: &str) -> Finding {
        self.refuse_at(0, code, message)
    }

    pub(super) fn refuse_at(&self, at: usize, code: &'static Code, message: &str) -> Finding {
        Finding::new(code, message).at(b"", 0, 1, &self.place_after(at))
    }
}
