//! What is logged: a fixed record of 76 bytes that says when which kind of thing happened, and commits to it.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | event code, see [`Event`] |
//! | 2 | 2 | reserved, 0 |
//! | 4 | 8 | time, microseconds since 1970-01-01 UTC, big-endian |
//! | 12 | 32 | commitment, see [`commitment`] |
//! | 44 | 32 | link: a hash this entry answers to (a peer's root, the entry before), or zeros |
//!
//! No name, no text, no label: an observer who holds every entry learns kinds, times and number, nothing else.

use sha2::{Digest as _, Sha256};

use crate::{Hash, tree};

/// Length of an encoded entry.
pub const ENTRY_BYTES: usize = 76;
/// The version this crate writes and reads.
pub const VERSION: u8 = 1;
/// The link of an entry that answers to nothing.
pub const LINK_NONE: Hash = [0; 32];
/// Domain of the commitment, so that its preimage can be mistaken for nothing else.
const COMMITMENT_DOMAIN: &[u8] = b"comity-entry/v1\0";

/// One line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// When, by this node's clock: microseconds since 1970 UTC, at most `i64::MAX`. The order is the index, not the time.
    pub time_micros: u64,
    /// Salted hash of what it happened to.
    pub commitment: Hash,
    /// Hash of what this answers to, or [`LINK_NONE`].
    pub link: Hash,
}

/// Kinds of events. The code's hex digits are the number ETSI EN 319 522-1 gives the event (`0xa1` is A.1), so that a
/// qualified provider or a court can map them one to one; codes below `0x80` are ours.
/// (The list of events was read through public profiles of the standard; check it against the standard itself.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Event {
    /// A record went from here to a reader of another party.
    Disclosure = 0x01,
    /// A record was deleted here; leaf, hash and reason stay.
    Deletion = 0x02,
    /// The author asked all who hold the record to remove it.
    Withdrawal = 0x03,
    /// Principals, tokens, collections, peers or settings changed.
    Administration = 0x04,
    /// A peer's head was seen and verified here: the link is its root, the commitment is over the checkpoint's text without
    /// signatures. Whatever the peer logged up to that head was logged before this entry, and nobody can change that later.
    PeerHead = 0x05,
    /// A.1: the record was accepted from its author.
    SubmissionAcceptance = 0xa1,
    /// A.2: the record was refused to its author.
    SubmissionRejection = 0xa2,
    /// B.1: the peer's node took the record over.
    RelayAcceptance = 0xb1,
    /// B.2: the peer's node refused it.
    RelayRejection = 0xb2,
    /// B.3: it could not be passed to the peer's node.
    RelayFailure = 0xb3,
    /// C.1: the recipient was asked to accept.
    NotificationForAcceptance = 0xc1,
    /// C.2: the recipient could not be asked.
    NotificationForAcceptanceFailure = 0xc2,
    /// C.3: the recipient accepted.
    ConsignmentAcceptance = 0xc3,
    /// C.4: the recipient refused.
    ConsignmentRejection = 0xc4,
    /// C.5: the time to accept or refuse ran out.
    AcceptanceRejectionExpiry = 0xc5,
    /// D.1: the record was made available to the recipient.
    ContentConsignment = 0xd1,
    /// D.2: it could not be made available in time.
    ContentConsignmentFailure = 0xd2,
    /// D.3: the recipient was told that it is available.
    ConsignmentNotification = 0xd3,
    /// D.4: the recipient could not be told.
    ConsignmentNotificationFailure = 0xd4,
    /// E.1: the recipient opened it.
    ContentHandover = 0xe1,
    /// E.2: the recipient could not open it.
    ContentHandoverFailure = 0xe2,
    /// F.1: passed to a system that gives no receipts.
    RelayToNonErds = 0xf1,
    /// F.2: could not be passed to such a system.
    RelayToNonErdsFailure = 0xf2,
    /// F.3: came from a system that gives no proofs.
    ReceivedFromNonErds = 0xf3,
}

/// Every event with the standard's name for it, in the order of the codes.
const EVENTS: [(Event, &str); 24] = [
    (Event::Disclosure, "Disclosure"),
    (Event::Deletion, "Deletion"),
    (Event::Withdrawal, "Withdrawal"),
    (Event::Administration, "Administration"),
    (Event::PeerHead, "PeerHead"),
    (Event::SubmissionAcceptance, "SubmissionAcceptance"),
    (Event::SubmissionRejection, "SubmissionRejection"),
    (Event::RelayAcceptance, "RelayAcceptance"),
    (Event::RelayRejection, "RelayRejection"),
    (Event::RelayFailure, "RelayFailure"),
    (
        Event::NotificationForAcceptance,
        "NotificationForAcceptance",
    ),
    (
        Event::NotificationForAcceptanceFailure,
        "NotificationForAcceptanceFailure",
    ),
    (Event::ConsignmentAcceptance, "ConsignmentAcceptance"),
    (Event::ConsignmentRejection, "ConsignmentRejection"),
    (
        Event::AcceptanceRejectionExpiry,
        "AcceptanceRejectionExpiry",
    ),
    (Event::ContentConsignment, "ContentConsignment"),
    (
        Event::ContentConsignmentFailure,
        "ContentConsignmentFailure",
    ),
    (Event::ConsignmentNotification, "ConsignmentNotification"),
    (
        Event::ConsignmentNotificationFailure,
        "ConsignmentNotificationFailure",
    ),
    (Event::ContentHandover, "ContentHandover"),
    (Event::ContentHandoverFailure, "ContentHandoverFailure"),
    (Event::RelayToNonErds, "RelayToNonERDS"),
    (Event::RelayToNonErdsFailure, "RelayToNonERDSFailure"),
    (Event::ReceivedFromNonErds, "ReceivedFromNonERDS"),
];

impl Event {
    /// Every event, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        EVENTS.into_iter().map(|(event, _)| event)
    }

    /// The byte in the entry.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The event with this code, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::all().find(|event| event.code() == code)
    }

    /// The standard's name, for people and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        EVENTS
            .into_iter()
            .find(|(event, _)| *event == self)
            .map_or("", |(_, name)| name)
    }
}

/// Why bytes are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not 76 bytes.
    #[error("an entry has 76 bytes, not {0}")]
    Length(usize),
    /// A version this program does not know.
    #[error("entry version {0} is unknown")]
    Version(u8),
    /// An event code this program does not know.
    #[error("event code 0x{0:02x} is unknown")]
    Event(u8),
    /// The reserved bytes are not zero.
    #[error("reserved bytes of the entry are not zero")]
    Reserved,
    /// A time beyond `i64::MAX` microseconds.
    #[error("entry time {0} is out of range")]
    Time(u64),
}

impl Entry {
    /// The bytes that are logged.
    ///
    /// # Errors
    /// [`EntryError::Time`], the only way in which an entry in memory can be wrong.
    pub fn encode(&self) -> Result<[u8; ENTRY_BYTES], EntryError> {
        checked_time(self.time_micros)?;
        let mut bytes = [0; ENTRY_BYTES];
        let fields: [&[u8]; 5] = [
            &[VERSION, self.event.code()],
            &[0, 0],
            &self.time_micros.to_be_bytes(),
            &self.commitment,
            &self.link,
        ];
        for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        Ok(bytes)
    }

    /// Reads an entry; accepts exactly what [`Self::encode`] writes.
    ///
    /// # Errors
    /// See [`EntryError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let length = || EntryError::Length(bytes.len());
        let (&[version, event, reserved @ ..], rest) =
            bytes.split_first_chunk::<4>().ok_or_else(length)?;
        let (time, rest) = rest.split_first_chunk::<8>().ok_or_else(length)?;
        let (commitment, rest) = rest.split_first_chunk::<32>().ok_or_else(length)?;
        let link: &Hash = rest.try_into().map_err(|_| length())?;
        if version != VERSION {
            return Err(EntryError::Version(version));
        }
        if reserved != [0, 0] {
            return Err(EntryError::Reserved);
        }
        Ok(Self {
            event: Event::from_code(event).ok_or(EntryError::Event(event))?,
            time_micros: checked_time(u64::from_be_bytes(*time))?,
            commitment: *commitment,
            link: *link,
        })
    }

    /// The leaf this entry has in the tree.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn leaf_hash(&self) -> Result<Hash, EntryError> {
        self.encode().map(|bytes| tree::leaf_hash(&bytes))
    }
}

fn checked_time(micros: u64) -> Result<u64, EntryError> {
    if i64::try_from(micros).is_ok() {
        Ok(micros)
    } else {
        Err(EntryError::Time(micros))
    }
}

/// Commits to a content without showing it: `SHA-256("comity-entry/v1\0" || salt || content_sha256)`.
///
/// The salt is random, one per record, and goes only to readers of the record; without it a guessable content cannot be
/// found by trying. `content_sha256` is the SHA-256 of the record's canonical form (RFC 8785), so the proof survives any
/// re-serialisation on the way. Destroying salt and content later leaves the log verifiable.
#[must_use]
pub fn commitment(salt: &[u8; 32], content_sha256: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(COMMITMENT_DOMAIN);
    hasher.update(salt);
    hasher.update(content_sha256);
    hasher.finalize().into()
}
