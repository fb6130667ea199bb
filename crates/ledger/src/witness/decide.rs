//! What a witness does with a submitted head: the checks of tlog-witness, in its order.

use super::{Accepted, AddCheckpoint};
use crate::checkpoint::{Checkpoint, Fields};
use crate::note::{NoteInvalid, SignedNote};
use crate::tree::{ProofInvalid, empty_root, verify_consistency};
use crate::verify::TrustedLog;

/// A head that is not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    reason: Reason,
    evidence: Evidence,
}

/// Which check failed, in one sentence for whoever sent the head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// 404: the witness does not serve this log.
    #[error("this witness does not know the log `{0}`; ask its operator to add the log's key")]
    UnknownOrigin(String),
    /// 403: no signature by a key of this log, a wrong one, or two by one key.
    #[error("the checkpoint is not signed by the log: {0}")]
    Signature(NoteInvalid),
    /// 400: the old size is larger than the checkpoint's.
    #[error("the old size {old} is larger than the checkpoint's size {size}")]
    OldSize {
        /// Old size of the request.
        old: u64,
        /// Size of the submitted head.
        size: u64,
    },
    /// 409: another size was cosigned last; send a proof from that one.
    #[error(
        "the latest checkpoint cosigned here has size {latest}, not {old}; send the proof from there"
    )]
    Conflict {
        /// Old size of the request.
        old: u64,
        /// Size of the head cosigned last, zero if there is none.
        latest: u64,
    },
    /// 422: the tree without leaves has another root.
    #[error("the checkpoint gives the empty tree a root it cannot have")]
    EmptyRoot,
    /// 422: the head has the size of the one cosigned last, but another root.
    #[error("another root was cosigned here for the same size")]
    SplitView,
    /// 422: the consistency proof does not lead from the head cosigned last to this one.
    #[error("the consistency proof does not hold: {0}")]
    Proof(ProofInvalid),
}

/// What a refused head says about its log. "the witness MAY log the request [...] as it might be proof of log misbehavior."
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing: the log did not sign it, or it is only out of turn.
    None,
    /// The log signed this head, and nobody has shown that it continues the one cosigned last. Keep it: if the log cannot
    /// give a proof either, it has shown two trees. (A sender with a wrong proof has the same effect.)
    Suspicion(SignedNote),
    /// The log signed what contradicts the head cosigned last, or no tree can be. Keep both: together they prove it.
    Misbehaviour(SignedNote),
}

impl From<NoteInvalid> for Reason {
    fn from(invalid: NoteInvalid) -> Self {
        Self::Signature(invalid)
    }
}

impl From<ProofInvalid> for Reason {
    fn from(invalid: ProofInvalid) -> Self {
        Self::Proof(invalid)
    }
}

impl Refusal {
    /// Which check failed.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The HTTP status that answers it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.reason {
            Reason::UnknownOrigin(_) => 404,
            Reason::Signature(_) => 403,
            Reason::OldSize { .. } => 400,
            Reason::Conflict { .. } => 409,
            Reason::EmptyRoot | Reason::SplitView | Reason::Proof(_) => 422,
        }
    }

    /// With status 409, the size whose [`super::conflict_body`] is the answer.
    #[must_use]
    pub fn conflict_size(&self) -> Option<u64> {
        match self.reason {
            Reason::Conflict { latest, .. } => Some(latest),
            _ => None,
        }
    }

    /// What to keep of it: the head with the log's valid signatures.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// Whether a head may be cosigned. `log` is what the witness has configured for the request's origin, `latest` the head it
/// has cosigned last for it, both looked up by [`AddCheckpoint::origin_unverified`]; if one is for another origin, the
/// request is refused.
///
/// # Errors
/// The first check that failed, in the order of the specification.
pub fn decide(
    log: Option<&TrustedLog>,
    latest: Option<&Checkpoint>,
    request: &AddCheckpoint,
) -> Result<Accepted, Refusal> {
    let unsigned = |reason| Refusal {
        reason,
        evidence: Evidence::None,
    };
    // "If the checkpoint origin is unknown, the witness MUST respond with a 404"
    let origin = request.origin_unverified();
    let log = log
        .filter(|log| log.origin == origin)
        .filter(|_| latest.is_none_or(|latest| latest.origin() == origin))
        .ok_or_else(|| unsigned(Reason::UnknownOrigin(origin.to_owned())))?;
    // "403 [...] if either no signature from a trusted key for the origin is present, or a signature line's key name and ID
    // match a trusted key but the signature itself fails to verify"
    let verified = request
        .note()
        .verify(&log.keys)
        .map_err(|invalid| unsigned(invalid.into()))?;
    let by_log = request
        .note()
        .only(verified.signers())
        .ok_or_else(|| unsigned(NoteInvalid::Unknown.into()))?;
    // from here on the log has said it
    match consistent(latest, request) {
        Ok(checkpoint) => Ok(Accepted {
            checkpoint,
            note: by_log,
        }),
        Err(reason) => Err(Refusal {
            evidence: evidence(&reason, latest, by_log),
            reason,
        }),
    }
}

/// The checks after the signature: is this the log's next head?
fn consistent(latest: Option<&Checkpoint>, request: &AddCheckpoint) -> Result<Checkpoint, Reason> {
    let head = Fields::parse(request.note().text_unverified()); // as `AddCheckpoint` has made sure
    let head = head.map_err(|_| Reason::EmptyRoot)?;
    let (old, latest_size) = (request.old_size(), latest.map_or(0, Checkpoint::size));
    // "The old size MUST be equal to or lower than the checkpoint size. Otherwise [...] 400"
    if old > head.size {
        return Err(Reason::OldSize {
            old,
            size: head.size,
        });
    }
    // "old size matches the size of the latest checkpoint it cosigned [...] (or zero if it never cosigned [...]) [...] 409"
    if old != latest_size {
        return Err(Reason::Conflict {
            old,
            latest: latest_size,
        });
    }
    // "A checkpoint of size zero MUST have the root hash of the empty tree [...] 422"
    if head.size == 0 && head.root != empty_root() {
        return Err(Reason::EmptyRoot);
    }
    // "If the old size matches the checkpoint size, the witness MUST check that the root hashes are also identical [...] 422"
    if contradicts(latest, &head) {
        return Err(Reason::SplitView);
    }
    // "If the proof is not empty when the old size is zero, or if a Merkle Consistency Proof doesn't verify [...] 422"
    let old_root = latest.map_or_else(empty_root, |latest| *latest.root());
    verify_consistency(old, &old_root, head.size, &head.root, request.proof())?;
    Checkpoint::parse(request.note().text_unverified()).map_err(|_| Reason::EmptyRoot)
}

/// Two roots for one size.
fn contradicts(latest: Option<&Checkpoint>, head: &Fields<'_>) -> bool {
    latest.is_some_and(|latest| latest.size() == head.size && latest.root() != &head.root)
}

fn evidence(reason: &Reason, latest: Option<&Checkpoint>, by_log: SignedNote) -> Evidence {
    // also with a wrong old size, which is refused first, a second root is a second root
    let split = Fields::parse(by_log.text_unverified()).is_ok_and(|head| {
        contradicts(latest, &head) || (head.size == 0 && head.root != empty_root())
    });
    match reason {
        _ if split => Evidence::Misbehaviour(by_log),
        Reason::Proof(_) => Evidence::Suspicion(by_log),
        _ => Evidence::None,
    }
}
