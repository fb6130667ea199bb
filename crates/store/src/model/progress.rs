//! Bookkeeping that is not history: it may be rebuilt or lost without breaking the log.

use serde::{Deserialize, Serialize};

use super::{CollectionKey, RaiseAlarm, Seq, WatchedHead, WitnessedHead};

/// A change of bookkeeping: durable, but no log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A follower has processed every entry before this one.
    Position {
        /// Name of the follower.
        follower: String,
        /// Index of the next entry it wants.
        next_entry: u64,
    },
    /// Records to send to a peer. Those already known for that peer stay as they are.
    Queue {
        /// Key of the peer.
        peer: String,
        /// Which records.
        records: Vec<Seq>,
    },
    /// The state of deliveries to a peer. Makes the delivery if it was not there (skipped by a rule, say).
    Mark {
        /// Key of the peer.
        peer: String,
        /// Which records.
        records: Vec<Seq>,
        /// New state.
        state: DeliveryState,
        /// Reason of a refusal, or the rule that skipped it.
        reason: Option<String>,
        /// The peer's receipt, as it came.
        receipt: Option<String>,
        /// For `Queued`: not before this time, microseconds (back-off).
        not_before: i64,
    },
    /// How far we pulled from a peer.
    Cursor {
        /// Key of the peer.
        peer: String,
        /// What is pulled (the remote collection).
        source: String,
        /// Opaque to the store; `None` starts over.
        value: Option<String>,
    },
    /// The other side has taken receipts of ours, or refused them.
    Settle {
        /// The party.
        party: String,
        /// Their entries here.
        entries: Vec<u64>,
        /// Why they were refused; `None` when they were taken.
        words: Option<String>,
    },
    /// The other side has fetched every receipt up to and including this entry.
    SettleTo {
        /// The party.
        party: String,
        /// The last entry it has.
        last: u64,
    },
    /// A head of our own log that witnesses cosigned. An older one than is kept changes nothing.
    Witnessed(WitnessedHead),
    /// A verified head of another log. A fault if one of that size with another root is kept: that is an alarm.
    Watched(WatchedHead),
    /// An alarm about our own log: without an entry, because nothing may be signed any more.
    OwnAlarm(Box<RaiseAlarm>),
    /// Keep a TAXII status resource.
    Status(Status),
    /// Drop statuses, and other things that expired before this time (microseconds).
    Expire {
        /// Now.
        now: i64,
    },
}

/// A TAXII status resource, kept 24 hours after completion (TAXII 4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// UUIDv4.
    pub id: String,
    /// Who may ask for it.
    pub principal: String,
    /// Where the objects went.
    pub collection: CollectionKey,
    /// Microseconds.
    pub created: i64,
    /// Microseconds.
    pub expires: i64,
    /// The resource as JSON.
    pub body: String,
}

/// Where one record stands on its way to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Waits for its turn.
    Queued,
    /// Handed over; no answer about it yet.
    Sent,
    /// The peer took it.
    Accepted,
    /// The peer refused it, with a reason.
    Refused,
    /// A rule here keeps it from going.
    Skipped,
}

/// One record on its way to one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Key of the peer.
    pub peer: String,
    /// The record.
    pub seq: Seq,
    /// Where it stands.
    pub state: DeliveryState,
    /// Reason of a refusal, or the rule that skipped it.
    pub reason: Option<String>,
    /// The peer's receipt.
    pub receipt: Option<String>,
    /// Times it was sent.
    pub attempts: u32,
    /// When it was queued, microseconds.
    pub queued: i64,
    /// When its state changed last, microseconds.
    pub changed: i64,
    /// Not before this time, microseconds.
    pub not_before: i64,
}

/// Deliveries of one peer by state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryCounts {
    /// Waiting.
    pub queued: u64,
    /// Without an answer.
    pub sent: u64,
    /// Taken.
    pub accepted: u64,
    /// Refused.
    pub refused: u64,
    /// Kept back.
    pub skipped: u64,
}
