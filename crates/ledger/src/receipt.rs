//! Receipts: what a receiver says, signed and logged, about a record that came to it.
//!
//! A receipt is a signed note by the receiver's receipt key over a text of fixed lines ([`Receipt`]), and with it goes the
//! proof that the receiver's log has the entry of which the text speaks. [`verify`] checks both in one function:
//!
//! ```text
//! note -> text    a receipt key of the receiver signed the lines
//! proof -> entry  the receiver's log has the entry (as in `crate::verify`)
//! text = entry    event, index, time and the sender's leaf are the same in both
//! entry -> content the entry commits to the record's contents       -> VerifiedReceipt
//! ```
//!
//! The text names the sender's entry; whether that is the entry the sender logged is [`VerifiedReceipt::answers`]. The
//! format is our own; `docs/LOG.md` has it in a table.

use crate::checkpoint::Checkpoint;
use crate::note::{NoteError, NoteInvalid, SignedNote, VerifierKey};
use crate::policy::Policy;
use crate::verify::{
    self, TrustedLog, VerifiedCheckpoint, VerifiedRecord, VerifyError, WitnessedCheckpoint,
};

mod text;

pub use text::{
    LABEL_BYTES_MAX, REASON_BYTES_MAX, RECORD_BYTES_MAX, Receipt, ReceiptError, ReceiptEvent,
    VERSION_BYTES_MAX,
};

/// Why a receipt is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptInvalid {
    /// The receipt is not a note.
    #[error("the receipt cannot be read")]
    Note(#[from] NoteError),
    /// No receipt key of the receiver signed it.
    #[error("the receipt's signature does not hold")]
    Signature(#[from] NoteInvalid),
    /// The signed text is no receipt.
    #[error("the signed text is no receipt")]
    Text(#[from] ReceiptError),
    /// The receipt is another receiver's.
    #[error("the receipt is of `{0}`, whose log the proof is not of")]
    Receiver(String),
    /// The proof does not show the entry or the contents.
    #[error("the receiver's proof does not hold")]
    Proof(#[from] VerifyError),
    /// Receipt and entry differ.
    #[error("the receipt's `{0}` is not that of the entry in the receiver's log")]
    Entry(&'static str),
}

/// A receipt that its receiver signed and logged, under a head of the kind `C`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt<C = VerifiedCheckpoint> {
    receipt: Receipt,
    record: VerifiedRecord<C>,
}

/// A receipt under a witnessed head.
pub type WitnessedReceipt = VerifiedReceipt<WitnessedCheckpoint>;

/// All of it: a receipt key of the receiver signed `note`, and `proof` shows that its log has the entry the note speaks of.
///
/// # Errors
/// The first step that failed, see [`ReceiptInvalid`].
pub fn verify(
    receipt_keys: &[VerifierKey],
    receiver_log: &TrustedLog,
    note: &[u8],
    proof: &[u8],
) -> Result<VerifiedReceipt, ReceiptInvalid> {
    let receipt = signed(receipt_keys, note)?;
    let record = verify::record(receiver_log, proof, &receipt.content_sha256)?;
    VerifiedReceipt::of(receipt, record)
}

/// The same with a head that a policy accepts, whose logs must be the receiver's; see [`Policy::for_log`].
///
/// # Errors
/// The first step that failed, see [`ReceiptInvalid`].
pub fn verify_under(
    receipt_keys: &[VerifierKey],
    policy: &Policy,
    note: &[u8],
    proof: &[u8],
) -> Result<WitnessedReceipt, ReceiptInvalid> {
    let receipt = signed(receipt_keys, note)?;
    let record = verify::record_under(policy, proof, &receipt.content_sha256)?;
    VerifiedReceipt::of(receipt, record)
}

/// note -> text
fn signed(receipt_keys: &[VerifierKey], note: &[u8]) -> Result<Receipt, ReceiptInvalid> {
    let note = SignedNote::parse(note)?;
    Ok(Receipt::parse(note.verify(receipt_keys)?.text())?)
}

impl<C: AsRef<Checkpoint>> VerifiedReceipt<C> {
    /// text = entry; that the contents are the entry's, `record` has shown.
    fn of(receipt: Receipt, record: VerifiedRecord<C>) -> Result<Self, ReceiptInvalid> {
        let logged = record.entry();
        let (entry, head) = (logged.entry(), logged.checkpoint().as_ref());
        if receipt.receiver != head.origin() {
            return Err(ReceiptInvalid::Receiver(receipt.receiver));
        }
        let same = [
            ("event", receipt.event.event() == entry.event),
            ("entry", receipt.entry == logged.index()),
            ("time", receipt.time_micros == entry.time_micros),
            ("sender-leaf", receipt.sender_leaf == entry.link),
        ];
        match same.into_iter().find(|(_, same)| !same) {
            Some((what, _)) => Err(ReceiptInvalid::Entry(what)),
            None => Ok(Self { receipt, record }),
        }
    }
}

impl<C> VerifiedReceipt<C> {
    /// What the receiver said.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The receiver's entry, which commits to the same contents.
    #[must_use]
    pub fn record(&self) -> &VerifiedRecord<C> {
        &self.record
    }

    /// Whether the receipt is for this entry of the sender's log and these contents.
    #[must_use]
    pub fn answers<S: AsRef<Checkpoint>>(&self, sent: &VerifiedRecord<S>) -> bool {
        let (receipt, entry) = (&self.receipt, sent.entry());
        receipt.sender == entry.checkpoint().as_ref().origin()
            && receipt.sender_entry == entry.index()
            && receipt.sender_leaf == *entry.leaf()
            && receipt.content_sha256 == *sent.content_sha256()
    }
}
