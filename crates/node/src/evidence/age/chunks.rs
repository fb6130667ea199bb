//! Consecutive chunks of an age file as they come over a line: in pieces of any size, broken off anywhere.

use super::{AgeError, CHUNK, CHUNK_SEALED, HEADER, Payload, TAG, chunk_count};

/// Which octets of a file hold these chunks, and how far they have come.
#[derive(Debug)]
pub struct Chunks {
    size: u64,
    next: u64,
    end: u64,
    held: Vec<u8>,
}

impl Chunks {
    /// Chunks `from..end` of the file for contents of `size` octets.
    #[must_use]
    pub fn new(size: u64, from: u64, end: u64) -> Self {
        Self {
            size,
            next: from,
            end: end.min(chunk_count(size)),
            held: Vec::new(),
        }
    }

    /// All have come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.next >= self.end
    }

    /// The chunk that is awaited.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The line broke: what came of the awaited chunk is forgotten. Gives the octets to ask for, first and one after the last.
    pub fn ask(&mut self) -> (u64, u64) {
        self.held.clear();
        (place(self.size, self.next), place(self.size, self.end))
    }

    /// Takes what came and adds what is whole to `out`, decrypted.
    ///
    /// # Errors
    /// [`AgeError::Chunk`]; [`AgeError::Trailing`] when more came than [`Self::ask`] said.
    pub fn push(
        &mut self,
        payload: &Payload,
        mut bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), AgeError> {
        while !bytes.is_empty() {
            if self.is_done() {
                return Err(AgeError::Trailing);
            }
            // never more than one chunk is held, whatever comes
            let len = self.awaited_len();
            let room = len.saturating_sub(self.held.len()).min(bytes.len());
            let (now, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.held.extend_from_slice(now);
            bytes = rest;
            if self.held.len() == len {
                out.extend_from_slice(payload.open_chunk(self.next, &mut self.held)?);
                self.held.clear();
                self.next += 1;
            }
        }
        Ok(())
    }

    /// Octets of the awaited chunk with its tag. All are full but the last, which is empty only in an empty file.
    fn awaited_len(&self) -> usize {
        let left = self
            .size
            .saturating_sub(self.next.saturating_mul(CHUNK as u64));
        usize::try_from(left).unwrap_or(CHUNK).min(CHUNK) + TAG
    }
}

/// Where chunk `number` begins; the end of the file for the one after the last.
fn place(size: u64, number: u64) -> u64 {
    if number >= chunk_count(size) {
        return super::sealed_size(size).unwrap_or(u64::MAX);
    }
    (HEADER as u64).saturating_add(number.saturating_mul(CHUNK_SEALED as u64))
}
