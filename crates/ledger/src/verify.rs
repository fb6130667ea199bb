//! The verifier: from a signed head to the contents of a record, each step resting on the one before.
//!
//! ```text
//! note        a trusted key of this log signed the head            -> VerifiedCheckpoint
//! root, leaf  the entry is in the tree with that root              -> VerifiedEntry
//! content     the entry commits to this content under this salt    -> VerifiedRecord
//! ```
//!
//! Only this module makes the `Verified*` types, so holding one *is* the proof that the checks were made, in this order,
//! on the same bytes. There is no way to check an inclusion against a root nobody signed, and this does not compile:
//!
//! ```compile_fail,E0451
//! # fn unsigned(checkpoint: comity_ledger::checkpoint::Checkpoint) {
//! comity_ledger::verify::VerifiedCheckpoint { checkpoint, signers: vec![] };
//! # }
//! ```
//!
//! Not here yet: a quorum of witnesses (tlog-proof step 3). It belongs into [`TrustedLog`] and `signed`.

use crate::Hash;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::entry::{Entry, EntryError, commitment};
use crate::note::{NoteError, NoteInvalid, SignedNote, VerifierKey};
use crate::proof::{Opening, Proof, ProofError};
use crate::tree::{ProofInvalid, leaf_hash, verify_consistency, verify_inclusion};

/// A log and the keys that may speak for it, from configuration, never from the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    /// The origin line its checkpoints must have.
    pub origin: String,
    /// Its keys, of which one must have signed. Several while a key is being replaced.
    pub keys: Vec<VerifierKey>,
}

/// A head that the log signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    signers: Vec<VerifierKey>,
}

/// An entry that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    entry: Entry,
    index: u64,
    checkpoint: VerifiedCheckpoint,
}

/// A record's contents that the log has committed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRecord {
    content_sha256: Hash,
    entry: VerifiedEntry,
}

/// The first step that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The proof is not well-formed.
    #[error("the proof cannot be read")]
    Proof(#[from] ProofError),
    /// The checkpoint is not a note.
    #[error("the checkpoint cannot be read")]
    Note(#[from] NoteError),
    /// The note is not signed as it must be.
    #[error("the checkpoint's signature does not hold")]
    Signature(#[from] NoteInvalid),
    /// The signed text is not a checkpoint.
    #[error("the signed text is no checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is another log's.
    #[error("the checkpoint is of log `{0}`, not of the one expected")]
    Origin(String),
    /// The leaf is not in the tree, or the trees are not one another's continuation.
    #[error("the log does not contain this")]
    Tree(#[from] ProofInvalid),
    /// The proof does not carry the entry.
    #[error("the proof carries no entry")]
    NoEntry,
    /// The entry is not well-formed.
    #[error("the entry cannot be read")]
    Entry(#[from] EntryError),
    /// The proof does not carry the salt: it is one for observers.
    #[error("the proof carries no salt, so it says nothing about contents")]
    NoSalt,
    /// The entry commits to other contents.
    #[error("the entry was made for other contents")]
    Content,
}

/// All of it: `proof` shows that `log` committed to the contents with this SHA-256 (of their canonical bytes).
///
/// # Errors
/// The first step that failed, see [`VerifyError`].
pub fn record(
    log: &TrustedLog,
    proof: &[u8],
    content_sha256: &Hash,
) -> Result<VerifiedRecord, VerifyError> {
    let (entry, salt) = opened(log, proof)?;
    entry.record(&salt.ok_or(VerifyError::NoSalt)?, content_sha256)
}

/// All but the contents, for observers: `proof` shows that the entry it carries is in the log.
///
/// # Errors
/// The first step that failed, see [`VerifyError`].
pub fn entry(log: &TrustedLog, proof: &[u8]) -> Result<VerifiedEntry, VerifyError> {
    opened(log, proof).map(|(entry, _)| entry)
}

fn opened(
    log: &TrustedLog,
    proof: &[u8],
) -> Result<(VerifiedEntry, Option<[u8; 32]>), VerifyError> {
    let proof = Proof::parse(proof)?;
    // note -> root
    let checkpoint = signed(log, proof.checkpoint())?;
    // root -> leaf
    let opening = proof
        .extra()
        .and_then(Opening::parse)
        .ok_or(VerifyError::NoEntry)?;
    let entry = checkpoint.entry(proof.index(), &opening.entry, proof.path())?;
    Ok((entry, opening.salt))
}

/// The head alone, from the note's bytes.
///
/// # Errors
/// See [`VerifyError`].
pub fn checkpoint(log: &TrustedLog, note: &[u8]) -> Result<VerifiedCheckpoint, VerifyError> {
    signed(log, &SignedNote::parse(note)?)
}

/// "Check that the checkpoint origin line is acceptable, and that the checkpoint is signed by a log public key configured
/// for that origin line" (tlog-proof, "Verifying a tlog proof").
fn signed(log: &TrustedLog, note: &SignedNote) -> Result<VerifiedCheckpoint, VerifyError> {
    let note = note.verify(&log.keys)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin() != log.origin {
        return Err(VerifyError::Origin(checkpoint.origin().to_owned()));
    }
    Ok(VerifiedCheckpoint {
        checkpoint,
        signers: note.signers().to_vec(),
    })
}

/// Nothing was changed or removed between two heads of a log: the newer tree begins with all of the older one.
///
/// # Errors
/// [`VerifyError::Origin`] for heads of two logs, [`VerifyError::Tree`] otherwise.
pub fn consistency(
    old: &VerifiedCheckpoint,
    new: &VerifiedCheckpoint,
    path: &[Hash],
) -> Result<(), VerifyError> {
    let (old, new) = (&old.checkpoint, &new.checkpoint);
    if old.origin() != new.origin() {
        return Err(VerifyError::Origin(new.origin().to_owned()));
    }
    Ok(verify_consistency(
        old.size(),
        old.root(),
        new.size(),
        new.root(),
        path,
    )?)
}

impl VerifiedCheckpoint {
    /// The head.
    #[must_use]
    pub fn head(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The trusted keys that signed it.
    #[must_use]
    pub fn signers(&self) -> &[VerifierKey] {
        &self.signers
    }

    /// Root -> leaf, for many entries under one head whose signature was checked once: `entry`, the 76 logged bytes, is at
    /// `index` in this tree. The bytes are not authenticated, so the leaf is computed from them and must be in the tree.
    ///
    /// # Errors
    /// [`VerifyError::Tree`] or [`VerifyError::Entry`].
    pub fn entry(&self, index: u64, entry: &[u8], path: &[Hash]) -> Result<VerifiedEntry, VerifyError> {
        let (leaf, head) = (leaf_hash(entry), &self.checkpoint);
        verify_inclusion(&leaf, index, head.size(), head.root(), path)?;
        // leaf -> what it says
        Ok(VerifiedEntry {
            entry: Entry::decode(entry)?,
            index,
            checkpoint: self.clone(),
        })
    }
}

impl VerifiedEntry {
    /// What was logged.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Its place in the log.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The head it was proved against.
    #[must_use]
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// Leaf -> content: the entry commits to the contents with this SHA-256 under this salt.
    ///
    /// # Errors
    /// [`VerifyError::Content`].
    pub fn record(self, salt: &[u8; 32], content_sha256: &Hash) -> Result<VerifiedRecord, VerifyError> {
        if commitment(salt, content_sha256) != self.entry.commitment {
            return Err(VerifyError::Content);
        }
        Ok(VerifiedRecord {
            content_sha256: *content_sha256,
            entry: self,
        })
    }
}

impl VerifiedRecord {
    /// SHA-256 of the record's canonical bytes.
    #[must_use]
    pub fn content_sha256(&self) -> &Hash {
        &self.content_sha256
    }

    /// The entry that commits to it.
    #[must_use]
    pub fn entry(&self) -> &VerifiedEntry {
        &self.entry
    }
}
