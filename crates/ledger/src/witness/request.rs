//! The body of `POST <submission prefix>/add-checkpoint`.

use std::fmt;

use crate::Hash;
use crate::checkpoint::{CheckpointError, Fields};
use crate::note::{NOTE_BYTES_MAX, NoteError, SignedNote};
use crate::text::{base64_encode, base64_hash, decimal, line};
use crate::tree::PROOF_HASHES_MAX;

/// Longest request read: old size line, 63 hashes, empty line, checkpoint.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = NOTE_BYTES_MAX + PROOF_HASHES_MAX * 45 + 32;

/// A head submitted to a witness: well-formed, nothing of it verified; see [`super::decide()`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    // INVARIANT: at most tree::SIZE_MAX.
    old_size: u64,
    // INVARIANT: at most PROOF_HASHES_MAX.
    proof: Vec<Hash>,
    // INVARIANT: its text has the lines of a checkpoint (`Fields::parse`).
    note: SignedNote,
}

/// Why bytes are not such a request. The answer is 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Longer than [`ADD_CHECKPOINT_BYTES_MAX`].
    #[error("the request has {0} bytes, more than {ADD_CHECKPOINT_BYTES_MAX}")]
    Long(usize),
    /// No `old <size>` in the first line.
    #[error("the request does not begin with a line `old <size>`, the size a plain decimal")]
    Old,
    /// A line that is not the base64 of 32 bytes, or more than 63 of them.
    #[error(
        "hash {0} of the consistency proof is no base64 of 32 bytes, or there are more than {PROOF_HASHES_MAX}"
    )]
    Proof(usize),
    /// What follows the empty line is not a signed note.
    #[error("the request's checkpoint is malformed")]
    Note(#[from] NoteError),
    /// The note's text is no checkpoint.
    #[error("the request's checkpoint is malformed")]
    Checkpoint(#[from] CheckpointError),
}

impl AddCheckpoint {
    /// Puts a request together: `proof` leads from the tree of `old_size` leaves, the latest this witness has cosigned, to
    /// the head in `note`. "The submitted checkpoint MAY include multiple signatures", but only the log's are of use.
    ///
    /// # Errors
    /// When sizes are beyond their limits or the note is no checkpoint.
    pub fn new(old_size: u64, proof: Vec<Hash>, note: SignedNote) -> Result<Self, RequestError> {
        if old_size > crate::tree::SIZE_MAX {
            return Err(RequestError::Old);
        }
        // "The client MUST NOT send more than 63 consistency proof lines"
        if proof.len() > PROOF_HASHES_MAX {
            return Err(RequestError::Proof(proof.len()));
        }
        Fields::parse(note.text_unverified())?;
        Ok(Self {
            old_size,
            proof,
            note,
        })
    }

    /// Reads a request: exactly what [`Display`](fmt::Display) prints, and nothing after it.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > ADD_CHECKPOINT_BYTES_MAX {
            return Err(RequestError::Long(body.len()));
        }
        let text = str::from_utf8(body).map_err(|_| NoteError::Utf8)?;
        // "the string `old`, a single space (0x20), and the tree size of the previous checkpoint"
        let (old_size, mut rest) = text
            .strip_prefix("old ")
            .and_then(line)
            .ok_or(RequestError::Old)?;
        let old_size = decimal(old_size).ok_or(RequestError::Old)?;
        let mut proof = Vec::new();
        loop {
            let number = proof.len() + 1;
            let (hash, after) = line(rest).ok_or(RequestError::Proof(number))?;
            rest = after;
            if hash.is_empty() {
                break;
            }
            if number > PROOF_HASHES_MAX {
                return Err(RequestError::Proof(number));
            }
            proof.push(base64_hash(hash).ok_or(RequestError::Proof(number))?);
        }
        Self::new(old_size, proof, SignedNote::parse(rest.as_bytes())?)
    }

    /// The size the sender believes the witness has cosigned last.
    #[must_use]
    pub fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The consistency proof from there.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The head as it came, signed by anybody or nobody.
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Whose head it says to be: to look up the log's keys and the latest head by. Believed by nobody yet.
    #[must_use]
    pub fn origin_unverified(&self) -> &str {
        let text = self.note.text_unverified();
        line(text).map_or(text, |(origin, _)| origin)
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof
            .iter()
            .try_for_each(|hash| writeln!(f, "{}", base64_encode(hash)))?;
        write!(f, "\n{}", self.note)
    }
}
