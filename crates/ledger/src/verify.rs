//! The verifier: from a signed head to the contents of a record, each step resting on the one before.
//!
//! ```text
//! note        a trusted key of this log signed the head            -> VerifiedCheckpoint
//!             under a policy, a quorum of witnesses cosigned it    -> WitnessedCheckpoint
//! root, leaf  the entry is in the tree with that root              -> VerifiedEntry, WitnessedEntry
//! content     the entry commits to this content under this salt    -> VerifiedRecord, WitnessedRecord
//! ```
//!
//! [`record`] trusts a log alone: enough to hold the log to its word, not to know that it says the same to everybody.
//! [`record_under`] asks for what a [`Policy`] asks for. A proof whose witnesses have not answered yet passes the first and
//! fails the second with [`VerifyError::Quorum`].
//!
//! Only this module makes the `Verified*` types, so holding one *is* the proof that the checks were made, in this order,
//! on the same bytes. There is no way to check an inclusion against a root nobody signed, and this does not compile:
//!
//! ```compile_fail,E0451
//! # fn unsigned(checkpoint: comity_ledger::checkpoint::Checkpoint) {
//! comity_ledger::verify::VerifiedCheckpoint { checkpoint, signers: vec![] };
//! # }
//! ```

use crate::Hash;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::entry::{Entry, EntryError, commitment};
use crate::note::{NoteError, NoteInvalid, SignedNote, VerifierKey};
use crate::policy::{Policy, PolicyName, PolicyWitness};
use crate::proof::{Opening, Proof, ProofError};
use crate::tree::{ProofInvalid, leaf_hash, verify_consistency, verify_inclusion};

mod verified;

pub use verified::{
    VerifiedCheckpoint, VerifiedEntry, VerifiedRecord, WitnessedCheckpoint, WitnessedEntry,
    WitnessedRecord, Witnessing,
};

/// A log and the keys that may speak for it, from configuration, never from the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedLog {
    /// The origin line its checkpoints must have.
    pub origin: String,
    /// Its keys, of which one must have signed. Several while a key is being replaced.
    pub keys: Vec<VerifierKey>,
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
    /// No log of the policy has signed the checkpoint, though a witness has.
    #[error("no key of the log `{0}` has signed the checkpoint")]
    NoLog(String),
    /// Too few witnesses, or not the right ones; perhaps not yet.
    #[error(
        "the quorum `{quorum}` is not reached: of {known} known witnesses, these have cosigned: {}; ask the log for a newer proof",
        names(witnessed)
    )]
    Quorum {
        /// The quorum's name in the policy.
        quorum: PolicyName,
        /// Who has cosigned.
        witnessed: Vec<PolicyName>,
        /// How many witnesses the policy knows.
        known: usize,
    },
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
    commits(opened(proof, |note| signed(log, note))?, content_sha256)
}

/// All of it, as a policy asks for it: a log of the policy committed to the contents, and a quorum of its witnesses saw
/// the head under which they are.
///
/// # Errors
/// The first step that failed, see [`VerifyError`].
pub fn record_under(
    policy: &Policy,
    proof: &[u8],
    content_sha256: &Hash,
) -> Result<WitnessedRecord, VerifyError> {
    commits(
        opened(proof, |note| witnessed(policy, note))?,
        content_sha256,
    )
}

/// All but the contents, for observers: `proof` shows that the entry it carries is in the log.
///
/// # Errors
/// The first step that failed, see [`VerifyError`].
pub fn entry(log: &TrustedLog, proof: &[u8]) -> Result<VerifiedEntry, VerifyError> {
    opened(proof, |note| signed(log, note)).map(|(entry, _)| entry)
}

/// All but the contents, as a policy asks for it.
///
/// # Errors
/// The first step that failed, see [`VerifyError`].
pub fn entry_under(policy: &Policy, proof: &[u8]) -> Result<WitnessedEntry, VerifyError> {
    opened(proof, |note| witnessed(policy, note)).map(|(entry, _)| entry)
}

/// The head alone, from the note's bytes.
///
/// # Errors
/// See [`VerifyError`].
pub fn checkpoint(log: &TrustedLog, note: &[u8]) -> Result<VerifiedCheckpoint, VerifyError> {
    signed(log, &SignedNote::parse(note)?)
}

/// The head alone, as a policy asks for it.
///
/// # Errors
/// See [`VerifyError`].
pub fn checkpoint_under(policy: &Policy, note: &[u8]) -> Result<WitnessedCheckpoint, VerifyError> {
    witnessed(policy, &SignedNote::parse(note)?)
}

/// note -> root -> leaf -> what it says; `head` believes the note or not.
fn opened<C: AsRef<Checkpoint>>(
    proof: &[u8],
    head: impl FnOnce(&SignedNote) -> Result<C, VerifyError>,
) -> Result<(VerifiedEntry<C>, Option<[u8; 32]>), VerifyError> {
    let proof = Proof::parse(proof)?;
    // note -> root
    let checkpoint = head(proof.checkpoint())?;
    // root -> leaf; the extra data is not authenticated, so the leaf is computed from it and must be in the tree
    let opening = proof
        .extra()
        .and_then(Opening::parse)
        .ok_or(VerifyError::NoEntry)?;
    let leaf = leaf_hash(&opening.entry);
    let root = checkpoint.as_ref();
    verify_inclusion(&leaf, proof.index(), root.size(), root.root(), proof.path())?;
    // leaf -> what it says
    let entry = VerifiedEntry {
        entry: Entry::decode(&opening.entry)?,
        leaf,
        index: proof.index(),
        checkpoint,
    };
    Ok((entry, opening.salt))
}

/// what it says -> content
fn commits<C>(
    (entry, salt): (VerifiedEntry<C>, Option<[u8; 32]>),
    content_sha256: &Hash,
) -> Result<VerifiedRecord<C>, VerifyError> {
    let salt = salt.ok_or(VerifyError::NoSalt)?;
    if commitment(&salt, content_sha256) != entry.entry.commitment {
        return Err(VerifyError::Content);
    }
    Ok(VerifiedRecord {
        content_sha256: *content_sha256,
        entry,
    })
}

/// "Check that the checkpoint origin line is acceptable, and that the checkpoint is signed by a log public key configured
/// for that origin line" (tlog-proof, "Verifying a tlog proof", step 2).
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

/// Step 2 for the logs of a policy, then step 3: "Verify all cosignatures for witnesses known to the verifier."
fn witnessed(policy: &Policy, note: &SignedNote) -> Result<WitnessedCheckpoint, VerifyError> {
    // all keys at once, so that one wrong signature by any of them spoils the note
    let logs = policy.logs().iter().map(|log| log.key());
    let witnesses = policy.witnesses().iter().map(PolicyWitness::key);
    let keys: Vec<VerifierKey> = logs.clone().chain(witnesses).cloned().collect();
    let note = note.verify(&keys)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    // "The log's vkey includes a 'key name'. This name MUST correspond to the log's origin line" (tlog-policy)
    let signers: Vec<VerifierKey> = logs
        .filter(|key| key.name().as_str() == checkpoint.origin() && note.signers().contains(key))
        .cloned()
        .collect();
    if signers.is_empty() {
        return Err(VerifyError::NoLog(checkpoint.origin().to_owned()));
    }
    let witnesses: Vec<Witnessing> = policy
        .witnesses()
        .iter()
        .filter_map(|witness| Witnessing::of(witness, note.cosignatures()))
        .collect();
    // "it is cosigned by witnesses according to the defined quorum rule"
    let has_cosigned = |witness: &PolicyWitness| witnesses.iter().any(|it| it.witness == *witness);
    if let Some(quorum) = policy.quorum()
        && !policy.is_met(has_cosigned)
    {
        return Err(VerifyError::Quorum {
            quorum: quorum.clone(),
            witnessed: witnesses
                .iter()
                .map(|it| it.witness.name().clone())
                .collect(),
            known: policy.witnesses().len(),
        });
    }
    Ok(WitnessedCheckpoint {
        quorum_at_seconds: policy.met_at_seconds(note.cosignatures()),
        checkpoint: VerifiedCheckpoint {
            checkpoint,
            signers,
        },
        witnesses,
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

fn names(witnessed: &[PolicyName]) -> String {
    if witnessed.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = witnessed.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
