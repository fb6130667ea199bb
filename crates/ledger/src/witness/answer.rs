//! The body of the answer 200 to add-checkpoint, and what the log makes of it.

use std::fmt;

use crate::checkpoint::Checkpoint;
use crate::note::{
    KeyName, NOTE_BYTES_MAX, NoteError, NoteInvalid, NoteSignature, SIGNATURES_MAX, SignedNote,
    VerifiedCosignature, VerifierKey,
};

/// "a sequence of one or more note signature lines", none of them verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    // INVARIANT: 1..=SIGNATURES_MAX.
    lines: Vec<NoteSignature>,
}

/// A cosignature of a witness the log knows, with the line to add to its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// For [`SignedNote::add`].
    pub line: NoteSignature,
    /// Whose, and when.
    pub verified: VerifiedCosignature,
}

/// Why bytes are not an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Longer than a note may be.
    #[error("the witness's answer has {0} bytes, more than {NOTE_BYTES_MAX}")]
    Long(usize),
    /// No line, or more than [`SIGNATURES_MAX`].
    #[error("the witness's answer has no signature line or more than {SIGNATURES_MAX}")]
    Count,
    /// A line that is no signature line.
    #[error("line {0} of the witness's answer is no signature line")]
    Line(usize),
}

/// Why an answer is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerInvalid {
    /// No line by a known key, a wrong one, or two by one key.
    #[error("the witness's cosignature does not hold")]
    Signature(#[from] NoteInvalid),
    /// "the timestamp MUST NOT be zero"
    #[error("the cosignature by `{0}` bears no time")]
    NoTime(KeyName),
    /// A known key signed something other than checkpoints.
    #[error("the key `{0}` is no cosigner's")]
    NoCosigner(KeyName),
}

impl Answer {
    /// Puts an answer together.
    ///
    /// # Errors
    /// [`AnswerError::Count`].
    pub fn new(lines: Vec<NoteSignature>) -> Result<Self, AnswerError> {
        if lines.is_empty() || lines.len() > SIGNATURES_MAX {
            return Err(AnswerError::Count);
        }
        Ok(Self { lines })
    }

    /// Reads an answer: exactly what [`Display`](fmt::Display) prints, and nothing after it.
    ///
    /// # Errors
    /// See [`AnswerError`].
    pub fn parse(body: &[u8]) -> Result<Self, AnswerError> {
        if body.len() > NOTE_BYTES_MAX {
            return Err(AnswerError::Long(body.len()));
        }
        let text = str::from_utf8(body).map_err(|_| AnswerError::Line(1))?;
        let mut lines = Vec::new();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if number == SIGNATURES_MAX {
                return Err(AnswerError::Count);
            }
            lines.push(NoteSignature::parse(line).ok_or(AnswerError::Line(number + 1))?);
        }
        Self::new(lines)
    }

    /// The signature lines as they came.
    #[must_use]
    pub fn lines(&self) -> &[NoteSignature] {
        &self.lines
    }

    /// The cosignatures of `checkpoint` by the keys of this witness: "The client MUST ignore any cosignatures from unknown
    /// keys", and "can move the valid signatures to its own view of the checkpoint". At least one.
    ///
    /// # Errors
    /// See [`AnswerInvalid`].
    pub fn cosignatures(
        &self,
        checkpoint: &Checkpoint,
        witness_keys: &[VerifierKey],
    ) -> Result<Vec<Cosignature>, AnswerInvalid> {
        let note = SignedNote::of(checkpoint.to_string(), self.lines.clone())
            .map_err(|_: NoteError| NoteInvalid::Unknown)?;
        let verified = note.verify(witness_keys)?;
        if let Some(key) = verified.signers().iter().find(|key| !key.is_cosigner()) {
            return Err(AnswerInvalid::NoCosigner(key.name().clone()));
        }
        let mut cosignatures = Vec::new();
        for verified in verified.cosignatures() {
            if verified.time_seconds().is_none() {
                return Err(AnswerInvalid::NoTime(verified.key().name().clone()));
            }
            // the one line by this key, or the note would not have been verified
            let line = self.lines.iter().find(|line| line.is_by(verified.key()));
            cosignatures.extend(line.map(|line| Cosignature {
                line: line.clone(),
                verified: verified.clone(),
            }));
        }
        Ok(cosignatures)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}
