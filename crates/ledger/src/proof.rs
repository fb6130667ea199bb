//! Proofs that can be checked offline: the `.tlog-proof` file (C2SP tlog-proof).
//!
//! A proof does not contain the entry. In ours the `extra` line carries it, and the salt too if the reader may see the
//! contents ([`Opening`]), so that proof and record are all a third person needs. Extra data "is not authenticated", and
//! nothing believes it: the verifier recomputes the leaf from it.

use std::fmt;

use crate::Hash;
use crate::entry::ENTRY_BYTES;
use crate::note::{NOTE_BYTES_MAX, NoteError, SignedNote};
use crate::text::{base64_decode, base64_encode, base64_hash, decimal, line};
use crate::tree::PROOF_HASHES_MAX;

/// First line of every proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Most extra data read, before base64.
pub const EXTRA_BYTES_MAX: usize = 65_536;
/// Longest proof read: checkpoint, extra line, 63 hashes, the other lines.
pub const PROOF_BYTES_MAX: usize =
    NOTE_BYTES_MAX + EXTRA_BYTES_MAX / 3 * 4 + 8 + PROOF_HASHES_MAX * 45 + 128;

/// A proof as it came: well-formed, not verified; see [`crate::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    // INVARIANT: at most EXTRA_BYTES_MAX.
    extra: Option<Vec<u8>>,
    // INVARIANT: at most tree::SIZE_MAX.
    index: u64,
    // INVARIANT: at most PROOF_HASHES_MAX.
    path: Vec<Hash>,
    checkpoint: SignedNote,
}

/// Why bytes are not a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Longer than [`PROOF_BYTES_MAX`].
    #[error("the proof has {0} bytes, more than {PROOF_BYTES_MAX}")]
    Long(usize),
    /// Another first line, or not UTF-8.
    #[error("the proof does not begin with `{HEADER}`")]
    Header,
    /// The `extra` line is not base64 or too long.
    #[error("the proof's extra line is no base64 or too long")]
    Extra,
    /// No `index` line, or no plain decimal in it.
    #[error("the proof has no index line with a plain decimal")]
    Index,
    /// A line that is not the base64 of 32 bytes, or more than 63 of them.
    #[error(
        "hash {0} of the proof is no base64 of 32 bytes, or there are more than {PROOF_HASHES_MAX}"
    )]
    Path(usize),
    /// The checkpoint is not a signed note.
    #[error("the proof's checkpoint is malformed")]
    Checkpoint(#[from] NoteError),
}

impl Proof {
    /// Puts a proof together.
    ///
    /// # Errors
    /// When index, number of hashes or extra data are beyond their limits.
    pub fn new(
        index: u64,
        path: Vec<Hash>,
        checkpoint: SignedNote,
        extra: Option<Vec<u8>>,
    ) -> Result<Self, ProofError> {
        if index > crate::tree::SIZE_MAX {
            return Err(ProofError::Index);
        }
        if path.len() > PROOF_HASHES_MAX {
            return Err(ProofError::Path(path.len()));
        }
        if extra
            .as_ref()
            .is_some_and(|extra| extra.len() > EXTRA_BYTES_MAX)
        {
            return Err(ProofError::Extra);
        }
        Ok(Self {
            extra,
            index,
            path,
            checkpoint,
        })
    }

    /// Reads a proof: exactly what [`Display`](fmt::Display) prints, and nothing after it.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofError::Long(bytes.len()));
        }
        let text = str::from_utf8(bytes).map_err(|_| ProofError::Header)?;
        let (header, mut rest) = line(text).ok_or(ProofError::Header)?;
        if header != HEADER {
            return Err(ProofError::Header);
        }
        let mut extra = None;
        if let Some(after) = rest.strip_prefix("extra ") {
            let (data, after) = line(after).ok_or(ProofError::Extra)?;
            extra = Some(base64_decode(data).ok_or(ProofError::Extra)?);
            rest = after;
        }
        let (index, mut rest) = rest
            .strip_prefix("index ")
            .and_then(line)
            .ok_or(ProofError::Index)?;
        let index = decimal(index).ok_or(ProofError::Index)?;
        let mut path = Vec::new();
        while let Some((hash, after)) = line(rest) {
            rest = after;
            if hash.is_empty() {
                break;
            }
            if path.len() == PROOF_HASHES_MAX {
                return Err(ProofError::Path(path.len() + 1));
            }
            path.push(base64_hash(hash).ok_or(ProofError::Path(path.len() + 1))?);
        }
        Self::new(index, path, SignedNote::parse(rest.as_bytes())?, extra)
    }

    /// Zero-based index of the entry in the log.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes from the leaf's sibling up to the root's child.
    #[must_use]
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// The signed head, not verified.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }

    /// Application data, not authenticated.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64_encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path
            .iter()
            .try_for_each(|hash| writeln!(f, "{}", base64_encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// What our proofs carry as `extra`: the entry (76 bytes), then the salt (32 bytes) for readers of the record only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The logged bytes.
    pub entry: [u8; ENTRY_BYTES],
    /// Opens the commitment; `None` for observers.
    pub salt: Option<[u8; 32]>,
}

impl Opening {
    /// As `extra` data.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let salt = self.salt.as_ref().map_or(&[][..], |salt| salt);
        [&self.entry, salt].concat()
    }

    /// From `extra` data; `None` unless it is 76 or 108 bytes.
    #[must_use]
    pub fn parse(extra: &[u8]) -> Option<Self> {
        let (entry, salt) = extra.split_first_chunk()?;
        let salt = if salt.is_empty() {
            None
        } else {
            Some(salt.try_into().ok()?)
        };
        Some(Self {
            entry: *entry,
            salt,
        })
    }
}
