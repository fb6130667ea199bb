//! What is answered to whom, what is awaited from whom, the heads seen on the way, and alarms.

use comity_ledger::entry::Event;
use serde::{Deserialize, Serialize};

use super::{Hash, Seq};

/// A leaf in another party's log that an entry here answers. Verified by the caller: the leaf is in that log, and it was
/// made for what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consigned {
    /// The party that is answered.
    pub party: String,
    /// Origin of its log.
    pub origin: String,
    /// Index of its entry there.
    pub entry: u64,
    /// Leaf of that entry.
    pub leaf: Hash,
    /// The record, as far as the envelope says.
    pub id: String,
    /// Its version as written.
    pub version: String,
}

/// A last version asks to remove what came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Who asks.
    pub party: String,
    /// Why.
    pub reason: String,
    /// What this node does about it.
    pub act: WithdrawalAct,
}

/// What is done about a withdrawal when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawalAct {
    /// It is our own asking.
    Own,
    /// The earlier versions go at once.
    Remove,
    /// A person decides.
    Ask,
}

/// A person answers for a record that another party's node gave us: opened, refused.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The record.
    pub seq: Seq,
    /// [`Event::ContentHandover`] or [`Event::ConsignmentRejection`].
    pub event: Event,
    /// Why, for a refusal.
    pub reason: Option<String>,
    /// Who.
    pub by: String,
    /// Salt; each entry gets its own from it.
    pub salt: [u8; 32],
}

/// A person decides about a withdrawal that waits.
#[derive(Clone, Debug)]
pub struct Decide {
    /// The last version, which asks.
    pub seq: Seq,
    /// Remove what came before, or keep it.
    pub remove: bool,
    /// Why it is kept.
    pub reason: Option<String>,
    /// Who.
    pub by: String,
    /// Salt; each entry gets its own from it.
    pub salt: [u8; 32],
}

/// A head of another party's log that this node acts on. Verified by the caller, and consistent with the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenHead {
    /// The party.
    pub party: String,
    /// Entries of its log.
    pub size: u64,
    /// Root of its log.
    pub root: Hash,
    /// The checkpoint's text, without signatures: the entry commits to it.
    pub text: String,
    /// The signed note.
    pub note: String,
    /// Salt of the entry.
    pub salt: [u8; 32],
}

/// A receipt of another party. Verified by the caller: it is for this record of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReceipt {
    /// Who gave it.
    pub party: String,
    /// Index in that party's log.
    pub entry: u64,
    /// What it says.
    pub event: Event,
    /// The record here.
    pub seq: Seq,
    /// By that party's clock, microseconds.
    pub time_micros: i64,
    /// Under which label it is kept there.
    pub label: Option<String>,
    /// Why it was refused or kept.
    pub reason: Option<String>,
    /// The signed receipt.
    pub note: String,
    /// The proof of its entry.
    pub proof: String,
}

/// No receipt came in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expire {
    /// From whom it was awaited.
    pub party: String,
    /// For which record.
    pub seq: Seq,
    /// Salt of the entry.
    pub salt: [u8; 32],
}

/// A receipt this node owes or gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The entry here.
    pub entry_index: u64,
    /// To whom.
    pub party: String,
    /// What it says.
    pub event: Event,
    /// The record, unless it was refused.
    pub seq: Option<Seq>,
    /// The record.
    pub id: String,
    /// Its version as written.
    pub version: String,
    /// SHA-256 of the canonical form of what came.
    pub content_sha256: Hash,
    /// Opens the entry's commitment; `None` once the record was erased and the receipt taken.
    pub salt: Option<[u8; 32]>,
    /// Origin of the sender's log.
    pub sender: String,
    /// Index there.
    pub sender_entry: u64,
    /// Leaf there.
    pub sender_leaf: Hash,
    /// The label it is kept under.
    pub label: Option<String>,
    /// Why it was refused or kept.
    pub reason: Option<String>,
    /// Taken by the other side, microseconds.
    pub taken: Option<i64>,
    /// Refused by the other side, in its words.
    pub refused: Option<String>,
    /// The entry's bytes.
    pub entry: Vec<u8>,
}

/// A receipt that is awaited or came or did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Awaited {
    /// From whom.
    pub party: String,
    /// For which record.
    pub seq: Seq,
    /// Since when, microseconds.
    pub since: i64,
    /// Until when it was agreed to come, microseconds.
    pub due: i64,
    /// It came.
    pub settled: bool,
    /// Entry that says that it did not come in time.
    pub expiry: Option<u64>,
}

/// A receipt that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who gave it.
    pub party: String,
    /// Index in that party's log.
    pub entry: u64,
    /// What it says.
    pub event: Event,
    /// The record here.
    pub seq: Seq,
    /// By that party's clock, microseconds.
    pub time_micros: i64,
    /// By ours, microseconds.
    pub received_micros: i64,
    /// After the expiry was logged.
    pub late: bool,
    /// Under which label it is kept there.
    pub label: Option<String>,
    /// Why it was refused or kept.
    pub reason: Option<String>,
    /// The signed receipt.
    pub note: String,
    /// The proof of its entry.
    pub proof: String,
}

/// A head of another party's log that was acted on: the cross-link. What watching sees is a [`super::WatchedHead`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerHead {
    /// The entry here.
    pub entry_index: u64,
    /// The party.
    pub party: String,
    /// Entries of its log.
    pub size: u64,
    /// Root of its log.
    pub root: Hash,
    /// The signed note.
    pub note: String,
}

/// A withdrawal, asked by us or of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawalRow {
    /// The last version, which asks.
    pub seq: Seq,
    /// The record.
    pub id: String,
    /// Who asks.
    pub party: String,
    /// Why.
    pub reason: String,
    /// When, microseconds.
    pub asked: i64,
    /// What was decided.
    pub decision: Decision,
    /// When, microseconds.
    pub decided: Option<i64>,
    /// By whom.
    pub by: Option<String>,
    /// Why it is kept.
    pub words: Option<String>,
}

/// What was decided about a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Nothing yet.
    Open,
    /// What came before is removed.
    Removed,
    /// What came before is kept.
    Kept,
    /// It is our own asking.
    Own,
}

/// What is awaited from and owed to one party, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReceiptCounts {
    /// Records handed over for which a receipt came.
    pub received: u64,
    /// For which one is awaited, in time.
    pub awaited: u64,
    /// For which none came in time.
    pub expired: u64,
    /// Since when the oldest is awaited, microseconds.
    pub oldest: Option<i64>,
    /// Receipts we owe.
    pub owed: u64,
    /// Receipts of ours that were taken.
    pub given: u64,
    /// Receipts of ours that were refused.
    pub refused: u64,
}
