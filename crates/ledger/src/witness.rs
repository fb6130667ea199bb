//! Messages between a log and a witness, and what a witness decides (C2SP tlog-witness v1.0.0).
//!
//! Pure: the caller receives the bytes, looks up what it knows of the origin, asks [`decide`], stores the new head, and only
//! then answers with the cosignatures.
//!
//! ```text
//! bytes --AddCheckpoint::parse--> request --decide(log, latest, request)--> Accepted | Refusal(status, evidence)
//! Accepted --cosign(keys, now)--> Cosigned { answer for the log, note for monitors }
//! ```
//!
//! Nothing but [`decide`] makes an [`Accepted`], and a witness's key signs nothing else. "checking the old size against the
//! latest checkpoint and persisting the new checkpoint must be performed atomically": read `latest`, decide and write in one
//! transaction.

use sha2::{Digest as _, Sha256};

use crate::Hash;
use crate::checkpoint::Checkpoint;
use crate::cosignature::{CosignError, Cosigner};
use crate::note::SignedNote;
use crate::text::{decimal, hex};

mod answer;
mod decide;
mod request;

pub use answer::{Answer, AnswerError, AnswerInvalid, Cosignature};
pub use decide::{Evidence, Reason, Refusal, decide};
pub use request::{ADD_CHECKPOINT_BYTES_MAX, AddCheckpoint, RequestError};

/// "The response MUST have a `Content-Type` of `text/x.tlog.size`": of the answer 409.
pub const CONFLICT_CONTENT_TYPE: &str = "text/x.tlog.size";

/// A head that continues everything the witness has cosigned of this log before, signed by the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    checkpoint: Checkpoint,
    // INVARIANT: the checkpoint's text, with the verified signatures of the log and no others.
    note: SignedNote,
}

/// What a witness stores and then answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    answer: Answer,
    note: SignedNote,
}

impl Accepted {
    /// The head.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The head with the log's signatures that were verified.
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Cosigns with every key of the witness, in this order.
    ///
    /// # Errors
    /// [`CosignError::Time`], [`CosignError::NoCosigner`], and otherwise never in practice.
    pub fn cosign(
        &self,
        cosigners: &[&Cosigner],
        time_seconds: u64,
    ) -> Result<Cosigned, CosignError> {
        let mut note = self.note.clone();
        let mut lines = Vec::new();
        for cosigner in cosigners {
            let line = cosigner.cosign(self, time_seconds)?;
            note.add(line.clone())?;
            lines.push(line);
        }
        let answer = Answer::new(lines).map_err(|_| CosignError::NoCosigner)?;
        Ok(Cosigned { answer, note })
    }
}

impl Cosigned {
    /// The body of the answer 200 to add-checkpoint. Send it once [`Self::note`] is stored.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// What monitors get: "it MUST include the cosignature(s) from the witness's key(s) that were returned from
    /// add-checkpoint and the cosignature from the log key(s) that the witness verified".
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }
}

/// Body of the answer 409: "the tree size of the latest cosigned checkpoint in decimal, followed by a newline".
#[must_use]
pub fn conflict_body(latest_size: u64) -> String {
    format!("{latest_size}\n")
}

/// Reads the body of an answer 409; `None` if it is not exactly that.
#[must_use]
pub fn parse_conflict(body: &[u8]) -> Option<u64> {
    decimal(str::from_utf8(body).ok()?.strip_suffix('\n')?)
}

/// Where monitors find the latest head, below the monitoring prefix: `<origin hash>/checkpoint`.
#[must_use]
pub fn monitoring_path(origin: &str) -> String {
    format!("{}/checkpoint", origin_hash(origin))
}

/// "the SHA-256 hash of the log's origin, hex encoded, in lowercase"
#[must_use]
pub fn origin_hash(origin: &str) -> String {
    let digest: Hash = Sha256::digest(origin).into();
    hex(&digest)
}
