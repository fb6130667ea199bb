//! The lines of a receipt: one spelling, read and printed.

use std::fmt;

use crate::Hash;
use crate::checkpoint::is_origin;
use crate::entry::Event;
use crate::note::{SignedNote, Signer};
use crate::text::{
    base64_encode, base64_hash, decimal, hex, hex_hash, json_string, parse_json_string,
};

/// First line of every receipt.
const HEADER: &str = "comity-receipt/v1";
/// Longest STIX identifier: a type of at most 250 characters (STIX 2.1 section 3.5), `--`, a UUID.
pub const RECORD_BYTES_MAX: usize = 288;
/// Longest version.
pub const VERSION_BYTES_MAX: usize = 64;
/// Longest label, as JSON.
pub const LABEL_BYTES_MAX: usize = 16 * 1024;
/// Longest reason, before it becomes JSON.
pub const REASON_BYTES_MAX: usize = 4 * 1024;

/// What the receiver says. [`Receipt::check`] holds for every value that is signed or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What happened to the record.
    pub event: ReceiptEvent,
    /// STIX identifier of the record.
    pub record: String,
    /// Version of the record, as the object writes it.
    pub version: String,
    /// SHA-256 of its canonical form.
    pub content_sha256: Hash,
    /// Origin of the sender's log.
    pub sender: String,
    /// Index of the sender's entry.
    pub sender_entry: u64,
    /// Leaf of the sender's entry; the link of the receiver's.
    pub sender_leaf: Hash,
    /// Origin of the receiver's log.
    pub receiver: String,
    /// Index of the receiver's entry.
    pub entry: u64,
    /// Time of the receiver's entry: microseconds since 1970 UTC.
    pub time_micros: u64,
    /// The label the record was received under, as canonical JSON on one line; only with [`ReceiptEvent::Received`]. This
    /// crate reads no JSON: whoever sent the label compares it with what it sent.
    pub label: Option<String>,
    /// Why it was refused or kept; exactly with the three events that [need one](ReceiptEvent::needs_reason).
    pub reason: Option<String>,
}

/// What a receiver may say about a record. The byte is the entry's event code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ReceiptEvent {
    /// The record was removed, as its sender had asked.
    Removed = 0x02,
    /// The node refused the record.
    RefusedByNode = 0xa2,
    /// The record was kept, though its sender had asked to remove it.
    Kept = 0xc3,
    /// An officer refused the record.
    RefusedByOfficer = 0xc4,
    /// The record is in the receiver's register, at its officers' disposal.
    Received = 0xd1,
    /// An officer opened it.
    Opened = 0xe1,
}

/// Why a text or its fields are not a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Another first line.
    #[error("the receipt does not begin with `{HEADER}`")]
    Header,
    /// A line that is missing, out of place, empty, not in its only spelling, or beyond its limit.
    #[error(
        "the receipt's line `{0}` is missing, out of place, too long or not in its only spelling"
    )]
    Line(&'static str),
    /// A label with an event that has none.
    #[error("only a receipt of the event d1 has a label")]
    Label,
    /// A reason with an event that has none, or none where one is needed.
    #[error("a receipt has a reason if, and only if, the record was refused or kept (a2, c4, c3)")]
    Reason,
    /// Something after the last line.
    #[error("the receipt has text after its last line")]
    Trailing,
}

impl Receipt {
    /// Signs it.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn sign(&self, signer: &Signer) -> Result<SignedNote, ReceiptError> {
        self.check()?;
        // what `check` lets through can stand in a note
        SignedNote::sign(self.to_string(), &[signer]).map_err(|_| ReceiptError::Header)
    }

    /// Reads the text of a note: exactly what [`Display`](fmt::Display) prints, and nothing after it.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        let mut lines = Lines(text);
        if lines.0.split_once('\n').map(|(line, _)| line) != Some(HEADER) {
            return Err(ReceiptError::Header);
        }
        lines.0 = lines.0.get(HEADER.len() + 1..).unwrap_or_default();
        let receipt = Self {
            event: lines.read("event", ReceiptEvent::parse)?,
            record: lines.read("record", own)?,
            version: lines.read("version", own)?,
            content_sha256: lines.read("content", hex_hash)?,
            sender: lines.read("sender", own)?,
            sender_entry: lines.read("sender-entry", decimal)?,
            sender_leaf: lines.read("sender-leaf", base64_hash)?,
            receiver: lines.read("receiver", own)?,
            entry: lines.read("entry", decimal)?,
            time_micros: lines.read("time", decimal)?,
            label: lines.read_optional("label", own)?,
            reason: lines.read_optional("reason", parse_json_string)?,
        };
        if !lines.0.is_empty() {
            return Err(ReceiptError::Trailing);
        }
        receipt.check()?;
        Ok(receipt)
    }

    /// Whether every field can stand in its line.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn check(&self) -> Result<(), ReceiptError> {
        let word = |text: &str, max: usize| {
            !text.is_empty() && text.len() <= max && text.bytes().all(|b| b > 0x20 && b != 0x7f)
        };
        let label = |text: &String| {
            let braced = text.starts_with('{') && text.ends_with('}');
            braced && text.len() <= LABEL_BYTES_MAX && text.bytes().all(|b| b >= 0x20)
        };
        let fits = |number: u64| i64::try_from(number).is_ok();
        let right = [
            ("record", word(&self.record, RECORD_BYTES_MAX)),
            ("version", word(&self.version, VERSION_BYTES_MAX)),
            ("sender", is_origin(&self.sender)),
            ("sender-entry", fits(self.sender_entry)),
            ("receiver", is_origin(&self.receiver)),
            ("entry", fits(self.entry)),
            ("time", fits(self.time_micros)),
            ("label", self.label.as_ref().is_none_or(label)),
            (
                "reason",
                self.reason
                    .as_ref()
                    .is_none_or(|reason| reason.len() <= REASON_BYTES_MAX),
            ),
        ];
        if let Some((line, _)) = right.into_iter().find(|(_, right)| !right) {
            return Err(ReceiptError::Line(line));
        }
        if self.label.is_some() && self.event != ReceiptEvent::Received {
            return Err(ReceiptError::Label);
        }
        if self.reason.is_some() != self.event.needs_reason() {
            return Err(ReceiptError::Reason);
        }
        Ok(())
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        writeln!(f, "event {:02x}", self.event.code())?;
        writeln!(f, "record {}", self.record)?;
        writeln!(f, "version {}", self.version)?;
        writeln!(f, "content {}", hex(&self.content_sha256))?;
        writeln!(f, "sender {}", self.sender)?;
        writeln!(f, "sender-entry {}", self.sender_entry)?;
        writeln!(f, "sender-leaf {}", base64_encode(&self.sender_leaf))?;
        writeln!(f, "receiver {}", self.receiver)?;
        writeln!(f, "entry {}", self.entry)?;
        writeln!(f, "time {}", self.time_micros)?;
        if let Some(label) = &self.label {
            writeln!(f, "label {label}")?;
        }
        if let Some(reason) = &self.reason {
            writeln!(f, "reason {}", json_string(reason))?;
        }
        Ok(())
    }
}

impl ReceiptEvent {
    /// Every event, in the order of the codes.
    pub const ALL: [Self; 6] = [
        Self::Removed,
        Self::RefusedByNode,
        Self::Kept,
        Self::RefusedByOfficer,
        Self::Received,
        Self::Opened,
    ];

    /// The byte in the receipt and in the entry.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The event of the receiver's entry.
    #[must_use]
    pub fn event(self) -> Event {
        match self {
            Self::Removed => Event::Deletion,
            Self::RefusedByNode => Event::SubmissionRejection,
            Self::Kept => Event::ConsignmentAcceptance,
            Self::RefusedByOfficer => Event::ConsignmentRejection,
            Self::Received => Event::ContentConsignment,
            Self::Opened => Event::ContentHandover,
        }
    }

    /// Whether the receiver must say why: nothing is refused silently.
    #[must_use]
    pub fn needs_reason(self) -> bool {
        matches!(
            self,
            Self::RefusedByNode | Self::RefusedByOfficer | Self::Kept
        )
    }

    /// Two lower-case hexadecimal digits.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|event| format!("{:02x}", event.code()) == text)
    }
}

/// What is left of the text.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    /// `name`, a space, a value, a newline.
    fn read<T>(
        &mut self,
        name: &'static str,
        value: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ReceiptError> {
        self.read_optional(name, value)?
            .ok_or(ReceiptError::Line(name))
    }

    /// The same, or nothing if the next line has another name.
    fn read_optional<T>(
        &mut self,
        name: &'static str,
        value: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ReceiptError> {
        let Some(rest) = self
            .0
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(' '))
        else {
            return Ok(None);
        };
        let (text, rest) = rest.split_once('\n').ok_or(ReceiptError::Line(name))?;
        self.0 = rest;
        value(text).ok_or(ReceiptError::Line(name)).map(Some)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "stands beside parsers that can fail"
)]
fn own(text: &str) -> Option<String> {
    Some(text.to_owned())
}
