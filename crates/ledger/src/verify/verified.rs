//! What has been verified. Only the functions of [`super`] fill these types in.

use crate::Hash;
use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::note::{VerifiedCosignature, VerifierKey};
use crate::policy::PolicyWitness;

/// A head that the log signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    pub(super) checkpoint: Checkpoint,
    pub(super) signers: Vec<VerifierKey>,
}

/// A head that the log signed, and that the witnesses a policy asks for have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedCheckpoint {
    pub(super) checkpoint: VerifiedCheckpoint,
    // INVARIANT: the policy's quorum holds with these.
    pub(super) witnesses: Vec<Witnessing>,
    pub(super) quorum_at_seconds: Option<u64>,
}

/// A witness of the policy that has cosigned a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessing {
    pub(super) witness: PolicyWitness,
    pub(super) time_seconds: Option<u64>,
}

/// An entry that is in the log, under a head of the kind `C`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry<C = VerifiedCheckpoint> {
    pub(super) entry: Entry,
    pub(super) leaf: Hash,
    pub(super) index: u64,
    pub(super) checkpoint: C,
}

/// A record's contents that the log has committed to, under a head of the kind `C`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRecord<C = VerifiedCheckpoint> {
    pub(super) content_sha256: Hash,
    pub(super) entry: VerifiedEntry<C>,
}

/// An entry under a witnessed head.
pub type WitnessedEntry = VerifiedEntry<WitnessedCheckpoint>;
/// A record under a witnessed head.
pub type WitnessedRecord = VerifiedRecord<WitnessedCheckpoint>;

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
}

impl AsRef<Checkpoint> for VerifiedCheckpoint {
    fn as_ref(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl WitnessedCheckpoint {
    /// The head.
    #[must_use]
    pub fn head(&self) -> &Checkpoint {
        &self.checkpoint.checkpoint
    }

    /// As the log signed it.
    #[must_use]
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// The witnesses of the policy that have cosigned it, in the policy's order. With `quorum none`, perhaps none.
    #[must_use]
    pub fn witnesses(&self) -> &[Witnessing] {
        &self.witnesses
    }

    /// The time by which a quorum had cosigned, see [`Policy::met_at_seconds`]: the head, and all that is in it, is no
    /// younger, if those witnesses are honest and their clocks right.
    #[must_use]
    pub fn quorum_at_seconds(&self) -> Option<u64> {
        self.quorum_at_seconds
    }
}

impl AsRef<Checkpoint> for WitnessedCheckpoint {
    fn as_ref(&self) -> &Checkpoint {
        self.head()
    }
}

impl Witnessing {
    pub(super) fn of(
        witness: &PolicyWitness,
        cosignatures: &[VerifiedCosignature],
    ) -> Option<Self> {
        let cosignature = cosignatures.iter().find(|it| it.key() == witness.key())?;
        Some(Self {
            witness: witness.clone(),
            time_seconds: cosignature.time_seconds(),
        })
    }

    /// The line of the policy.
    #[must_use]
    pub fn witness(&self) -> &PolicyWitness {
        &self.witness
    }

    /// When it cosigned, in POSIX seconds by its clock; `None` if it left the time out.
    #[must_use]
    pub fn time_seconds(&self) -> Option<u64> {
        self.time_seconds
    }
}

impl<C> VerifiedEntry<C> {
    /// What was logged.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Its leaf hash, which a receipt refers to.
    #[must_use]
    pub fn leaf(&self) -> &Hash {
        &self.leaf
    }

    /// Its place in the log.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The head it was proved against.
    #[must_use]
    pub fn checkpoint(&self) -> &C {
        &self.checkpoint
    }
}

impl<C> VerifiedRecord<C> {
    /// SHA-256 of the record's canonical bytes.
    #[must_use]
    pub fn content_sha256(&self) -> &Hash {
        &self.content_sha256
    }

    /// The entry that commits to it.
    #[must_use]
    pub fn entry(&self) -> &VerifiedEntry<C> {
        &self.entry
    }
}
