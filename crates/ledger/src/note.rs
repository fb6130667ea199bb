//! Signed notes: text with signature lines (C2SP signed-note v1.0.0).
//!
//! The text of a note must not be believed before a known key's signature on it was checked: [`SignedNote`] keeps it
//! private, [`SignedNote::verify`] hands it out as a [`VerifiedNote`], which cannot be made in any other way.
//!
//! Keys and algorithms are in [`key`]. One call checks a log's signature and the cosignatures of witnesses, whatever their
//! types. A signature line of a type or key we do not know is kept as it came and ignored, as the specification demands.

use std::fmt;

use crate::text::{base64_decode, base64_encode};

mod algorithm;
pub mod key;
mod signer;

use algorithm::Signed;
pub use key::{KeyError, KeyName, VerifierKey};
pub use signer::Signer;

/// Longest note read. Room for 100 post-quantum signatures of 5 kB and a text of half a megabyte.
pub const NOTE_BYTES_MAX: usize = 1_000_000;
/// Most signature lines read ("MUST accept at least up to 16").
pub const SIGNATURES_MAX: usize = 100;
/// What a signature line begins with: em dash, space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// A note as it came: well-formed, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    // INVARIANT: see `check_text`.
    text: String,
    // INVARIANT: 1..=SIGNATURES_MAX.
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    key_id: u32,
    // INVARIANT: not empty.
    signature: Vec<u8>,
}

/// A note whose text a known key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNote<'a> {
    text: &'a str,
    // INVARIANT: not empty, no key twice.
    signers: Vec<VerifierKey>,
    // INVARIANT: those of the signers that cosign, in their order.
    cosignatures: Vec<VerifiedCosignature>,
}

/// A cosignature that a known key made of the checkpoint in a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCosignature {
    key: VerifierKey,
    // INVARIANT: at most 2^63-1.
    time_seconds: u64,
}

/// Why bytes are not a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note has {0} bytes, more than {NOTE_BYTES_MAX}")]
    Long(usize),
    /// Not UTF-8.
    #[error("the note is not valid UTF-8")]
    Utf8,
    /// A control character other than newline.
    #[error("the note has a control character at byte {0}")]
    Control(usize),
    /// No empty line between text and signatures, or the text does not end in a newline.
    #[error("the note has no empty line between text and signatures")]
    Separator,
    /// Nothing after the empty line.
    #[error("the note has no signature")]
    Unsigned,
    /// More than [`SIGNATURES_MAX`] signature lines.
    #[error("the note has more than {SIGNATURES_MAX} signatures")]
    Signatures,
    /// A line that is no signature line.
    #[error("signature line {0} is malformed")]
    Line(usize),
}

/// Why a note is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteInvalid {
    /// No line is by a known key.
    #[error("no known key has signed the note")]
    Unknown,
    /// A line by a known key whose signature is wrong.
    #[error("the signature by `{0}` is wrong")]
    Wrong(KeyName),
    /// Two lines by one known key, which the specification leaves open.
    #[error("the note has two signatures by `{0}`")]
    Twice(KeyName),
}

impl SignedNote {
    /// Signs a text with every signer, in this order.
    ///
    /// # Errors
    /// When the text cannot stand in a note, or there is no signer.
    pub fn sign(text: String, signers: &[&Signer]) -> Result<Self, NoteError> {
        check_text(&text)?;
        let signatures = signers.iter().map(|signer| signer.sign(&text)).collect();
        Self::of(text, signatures)
    }

    /// The same text with those signature lines only that are by one of `keys`; for instance to pass on nothing that was
    /// not verified. `None` if there is no such line.
    #[must_use]
    pub fn only(&self, keys: &[VerifierKey]) -> Option<Self> {
        let by = |line: &&NoteSignature| keys.iter().any(|key| line.is_by(key));
        let lines = self.signatures.iter().filter(by).cloned().collect();
        Self::of(self.text.clone(), lines).ok()
    }

    pub(crate) fn of(text: String, lines: Vec<NoteSignature>) -> Result<Self, NoteError> {
        let mut note = Self {
            text,
            signatures: Vec::new(),
        };
        lines.into_iter().try_for_each(|line| note.add(line))?;
        if note.signatures.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(note)
    }

    /// Adds a signature line, for instance a witness's. It is not checked here.
    ///
    /// # Errors
    /// [`NoteError::Signatures`] when there are enough.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(NoteError::Signatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Reads a note: exactly what [`Display`](fmt::Display) prints, and nothing after it.
    ///
    /// # Errors
    /// See [`NoteError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Long(bytes.len()));
        }
        let note = str::from_utf8(bytes).map_err(|_| NoteError::Utf8)?;
        check_characters(note)?;
        // "the text is separated from the signatures by the last empty line in the note"
        let (text, lines) = note
            .rfind("\n\n")
            .and_then(|end| note.split_at_checked(end + 1))
            .ok_or(NoteError::Separator)?;
        let lines = lines.strip_prefix('\n').ok_or(NoteError::Separator)?;
        if lines.is_empty() {
            return Err(NoteError::Unsigned);
        }
        let mut note = Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        };
        for (number, line) in lines.split_inclusive('\n').enumerate() {
            note.add(NoteSignature::parse(line).ok_or(NoteError::Line(number + 1))?)?;
        }
        Ok(note)
    }

    /// The signature lines, none of them checked.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The text, believed by nobody yet: only to find out whose keys to ask for, or to sign it in turn.
    #[must_use]
    pub fn text_unverified(&self) -> &str {
        &self.text
    }

    /// Checks the signatures of all `known` keys: at least one has signed, and none wrongly.
    ///
    /// # Errors
    /// See [`NoteInvalid`].
    pub fn verify(&self, known: &[VerifierKey]) -> Result<VerifiedNote<'_>, NoteInvalid> {
        let mut signers: Vec<VerifierKey> = Vec::new();
        let mut cosignatures = Vec::new();
        for line in &self.signatures {
            let Some(key) = known.iter().find(|key| line.is_by(key)) else {
                continue; // "Verifiers MUST ignore signatures from unknown keys"
            };
            if signers.contains(key) {
                return Err(NoteInvalid::Twice(line.name.clone()));
            }
            // "If a signature from a known key fails to verify, clients SHOULD reject the whole note"
            let signed = key
                .check(&self.text, &line.signature)
                .ok_or_else(|| NoteInvalid::Wrong(line.name.clone()))?;
            if let Signed::Cosigned { time_seconds } = signed {
                cosignatures.push(VerifiedCosignature {
                    key: key.clone(),
                    time_seconds,
                });
            }
            signers.push(key.clone());
        }
        if signers.is_empty() {
            Err(NoteInvalid::Unknown)
        } else {
            Ok(VerifiedNote {
                text: &self.text,
                signers,
                cosignatures,
            })
        }
    }
}

impl<'a> VerifiedNote<'a> {
    /// The signed text, with its final newline.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The known keys that have signed or cosigned it; at least one.
    #[must_use]
    pub fn signers(&self) -> &[VerifierKey] {
        &self.signers
    }

    /// Those of them that cosigned it at a time, with the time.
    #[must_use]
    pub fn cosignatures(&self) -> &[VerifiedCosignature] {
        &self.cosignatures
    }
}

impl VerifiedCosignature {
    /// Whose.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// When, in POSIX seconds, by the cosigner's clock: "as of the specified time", this was the largest tree it had seen of
    /// this log. `None` if the cosigner left the time out and so says no more than that the tree continues those it had seen.
    #[must_use]
    pub fn time_seconds(&self) -> Option<u64> {
        // "These two values MAY be zero if the cosigner doesn't make any statement as to the tree being the largest observed"
        (self.time_seconds != 0).then_some(self.time_seconds)
    }
}

impl NoteSignature {
    /// For signers; `None` if the signature is empty.
    #[must_use]
    pub fn new(name: KeyName, key_id: u32, signature: Vec<u8>) -> Option<Self> {
        (!signature.is_empty()).then_some(Self {
            name,
            key_id,
            signature,
        })
    }

    /// Name of the key that is said to have signed.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// Short identifier of that key.
    #[must_use]
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The bytes after the key ID; their meaning is the key's algorithm's.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether it says to be by this key: "The tuple of key name and key ID uniquely identifies the key".
    #[must_use]
    pub fn is_by(&self, key: &VerifierKey) -> bool {
        key.name() == &self.name && key.id() == self.key_id
    }

    /// "em dash, space, key name, space, base64-encoded signature, newline"
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (name, blob) = line
            .strip_prefix(SIGNATURE_PREFIX)?
            .strip_suffix('\n')?
            .split_once(' ')?;
        let blob = base64_decode(blob)?;
        let (key_id, signature) = blob.split_first_chunk()?;
        Self::new(
            KeyName::new(name).ok()?,
            u32::from_be_bytes(*key_id),
            signature.to_vec(),
        )
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.key_id.to_be_bytes(), self.signature.as_slice()].concat();
        writeln!(
            f,
            "{SIGNATURE_PREFIX}{} {}",
            self.name,
            base64_encode(&blob)
        )
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| signature.fmt(f))
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > NOTE_BYTES_MAX / 2 {
        return Err(NoteError::Long(text.len()));
    }
    check_characters(text)?;
    if text.ends_with('\n') {
        Ok(())
    } else {
        Err(NoteError::Separator)
    }
}

/// "MUST NOT contain any ASCII control characters (those below U+0020) other than newline"
fn check_characters(text: &str) -> Result<(), NoteError> {
    match text.bytes().position(|b| b < 0x20 && b != b'\n') {
        Some(offset) => Err(NoteError::Control(offset)),
        None => Ok(()),
    }
}
