//! Heads of logs: ours as witnesses cosigned it, others' as they were seen, and what was wrong with one.

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

/// What can be wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogAlarmKind {
    /// Two signed heads that are not one tree: history was written twice.
    Split,
    /// The log shows fewer entries than it showed before.
    Rollback,
    /// The log shows an old head, or none that witnesses would sign, while it goes on.
    Stalled,
    /// A head that says to be this log's and is not signed by it.
    Forged,
    /// Somebody knows a head of our own log that this register does not have.
    OwnRollback,
}

/// Something wrong with a log, to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseLogAlarm {
    /// What.
    pub kind: LogAlarmKind,
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
    /// The note that contradicts it.
    pub shown: Option<String>,
    /// Nothing is taken from the peer until it is acknowledged.
    pub pauses: bool,
    /// What makes it the same as one raised before.
    pub evidence: Hash,
}

/// An alarm as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogAlarm {
    /// Number.
    pub id: i64,
    /// What it is about.
    #[serde(flatten)]
    pub raised: RaiseLogAlarm,
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

impl LogAlarmKind {
    /// The word for it in the register, in JSON and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Rollback => "rollback",
            Self::Stalled => "stalled",
            Self::Forged => "forged",
            Self::OwnRollback => "own-rollback",
        }
    }
}
