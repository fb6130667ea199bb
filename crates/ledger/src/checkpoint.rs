//! Checkpoints: the text of a signed tree head (C2SP tlog-checkpoint v1.0.0).

use std::fmt;

use crate::Hash;
use crate::note::{NoteError, SignedNote, Signer};
use crate::text::{base64_encode, base64_hash, decimal};
use crate::tree::empty_root;

/// Longest origin line.
pub const ORIGIN_BYTES_MAX: usize = 255;
/// Most extension lines kept of a foreign log; ours has none.
const EXTENSIONS_MAX: usize = 16;
/// Longest checkpoint text.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Head of a log's tree at one size. As such nobody has signed it; see [`crate::verify::checkpoint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    // INVARIANT: not empty, at most ORIGIN_BYTES_MAX, no control characters.
    origin: String,
    // INVARIANT: at most tree::SIZE_MAX; the root of size 0 is the empty tree's.
    size: u64,
    root: Hash,
    // INVARIANT: none of them is empty.
    extensions: Vec<String>,
}

/// Why text is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines, an empty line, no final newline, or too long.
    #[error("a checkpoint has at least three lines, none of them empty")]
    Lines,
    /// Empty, too long, or with control characters.
    #[error("the checkpoint's origin is empty, too long or has control characters")]
    Origin,
    /// Not a decimal without leading zeros, or above 2^63-1.
    #[error("the checkpoint's size is no plain decimal or too large")]
    Size,
    /// Not the base64 of 32 bytes.
    #[error("the checkpoint's root is not the base64 of 32 bytes")]
    Root,
    /// The tree without leaves has another root.
    #[error("the checkpoint gives the empty tree a root it cannot have")]
    EmptyRoot,
}

impl Checkpoint {
    /// A head of our own log, without extension lines ("NOT RECOMMENDED").
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        let origin = origin.into();
        if !is_origin(&origin) {
            return Err(CheckpointError::Origin);
        }
        if size > crate::tree::SIZE_MAX {
            return Err(CheckpointError::Size);
        }
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(Self {
            origin,
            size,
            root,
            extensions: Vec::new(),
        })
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let Fields {
            origin,
            size,
            root,
            extensions,
        } = Fields::parse(text)?;
        Ok(Self {
            extensions: extensions.into_iter().map(str::to_owned).collect(),
            ..Self::new(origin, size, root)?
        })
    }

    /// Signs it: the note that is served and stored.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] without a signer.
    pub fn sign(&self, signers: &[&Signer]) -> Result<SignedNote, NoteError> {
        SignedNote::sign(self.to_string(), signers)
    }

    /// Identifies the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Leaves in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Further lines, opaque.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}\n{}\n{}",
            self.origin,
            self.size,
            base64_encode(&self.root)
        )?;
        self.extensions
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The lines of a checkpoint, read but for one thing: whether the root of the empty tree is right. A witness must tell
/// that error apart, and a head with it can be signed like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields<'a> {
    pub(crate) origin: &'a str,
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) extensions: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// "a sequence of at least three non-empty lines, separated by newlines"
    pub(crate) fn parse(text: &'a str) -> Result<Self, CheckpointError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(CheckpointError::Lines);
        }
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Lines)?
            .split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        if !is_origin(origin) {
            return Err(CheckpointError::Origin);
        }
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = base64_hash(root).ok_or(CheckpointError::Root)?;
        let extensions: Vec<&str> = lines.collect();
        if extensions.len() > EXTENSIONS_MAX || extensions.iter().any(|line| line.is_empty()) {
            return Err(CheckpointError::Lines);
        }
        Ok(Self {
            origin,
            size,
            root,
            extensions,
        })
    }
}

/// "The origin MUST be non-empty"; it is one line of a note; ML-DSA-44 cosignatures have one byte for its length.
pub(crate) fn is_origin(text: &str) -> bool {
    !text.is_empty() && text.len() <= ORIGIN_BYTES_MAX && text.bytes().all(|b| b >= 0x20)
}
