//! Heads of logs: ours as witnesses cosigned it, others' as watching saw them, and alarms.
//!
//! A [`WatchedHead`] is what anybody showed of another log at any time: many, without entries, the measure for watching. A
//! [`super::PeerHead`] is one on which records or receipts rest: an entry of ours, the measure for the next delivery.

use serde::{Deserialize, Serialize};

use super::Hash;

/// A head of this node's own log with cosignatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessedHead {
    /// The policy's quorum has cosigned it.
    pub quorum: bool,
    /// Entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
    /// The note, cosignatures included.
    pub note: String,
    /// Time of the newest cosignature, microseconds.
    pub cosigned: i64,
}

/// A verified head of another log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedHead {
    /// Which log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
    /// The note.
    pub note: String,
    /// Who showed it.
    pub source: String,
    /// Time of the newest cosignature, microseconds; 0 for none.
    pub cosigned: i64,
}

/// What somebody must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// Two signed heads that are not one tree: history was written twice.
    Split,
    /// The log shows fewer entries than it showed before.
    Rollback,
    /// The log shows an old head, or none that witnesses would sign, while it goes on.
    Stalled,
    /// A head that says to be this log's and is not signed by it.
    Forged,
    /// A receipt that is not true: not signed, not logged, or not for what was sent.
    FalseReceipt,
    /// Somebody knows a head of our own log that this register does not have.
    OwnRollback,
}

/// Something wrong with a log or a receipt, to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseAlarm {
    /// What.
    pub kind: AlarmKind,
    /// Whose log, by its name here; `None` for our own.
    pub peer: Option<String>,
    /// Which log.
    pub origin: String,
    /// Who showed it: `peer`, or the name of a witness.
    pub source: String,
    /// In words.
    pub detail: String,
    /// The note that was known.
    pub kept: Option<String>,
    /// The note that contradicts it; the receipt and its proof, where a receipt is false.
    pub shown: Option<String>,
    /// Nothing is taken from the peer until it is acknowledged.
    pub pauses: bool,
    /// What makes it the same as one raised before.
    pub evidence: Hash,
}

/// An alarm as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Number.
    pub id: i64,
    /// What it is about.
    #[serde(flatten)]
    pub raised: RaiseAlarm,
    /// When, microseconds.
    pub time: i64,
    /// Entry that logs it; `None` where signing had to stop.
    pub entry_index: Option<u64>,
    /// When an officer took note of it, microseconds.
    pub acknowledged: Option<i64>,
    /// Who did.
    pub acknowledged_by: Option<String>,
    /// In their words.
    pub remark: Option<String>,
}

impl AlarmKind {
    /// The word for it in the register, in JSON and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Rollback => "rollback",
            Self::Stalled => "stalled",
            Self::Forged => "forged",
            Self::FalseReceipt => "false-receipt",
            Self::OwnRollback => "own-rollback",
        }
    }
}
