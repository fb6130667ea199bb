//! Keys that sign notes: names, identifiers, vkeys, algorithms.
//!
//! To add an algorithm (0x04 and 0x06 of tlog-cosignature are next): a variant in `Algorithm`, its arm in
//! `VerifierKey::parse` and in `VerifierKey::verifies`. A signature is verified over the note's text, so the timestamp of
//! a cosignature is read from the signature's own bytes there. Nothing else knows which algorithms exist.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::NoteSignature;
use crate::text::{base64_decode, base64_encode};

/// Longest key name.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest vkey: a name, an ID, and room for a post-quantum key of 1,312 bytes in base64.
const VKEY_BYTES_MAX: usize = 4096;
/// Signature type of Ed25519 over the text of the note (signed-note, "Signature types").
pub const TYPE_ED25519: u8 = 0x01;

/// Name of a key, such as `csirt.example/log/1`: "non-empty and MUST NOT contain any Unicode spaces or plus".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

/// A public key that may sign notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: u32,
    algorithm: Algorithm,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Algorithm {
    // INVARIANT: canonically encoded, not of small order.
    Ed25519(VerifyingKey),
}

/// A private key with its name. Printing it shows no secret.
#[derive(Clone)]
pub struct Signer {
    verifier: VerifierKey,
    key: SigningKey,
}

/// Why text is not a key name or a vkey.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, too long, or with a space, plus or control character.
    #[error("key name `{0}` is empty, too long, or has a space, a plus or a control character")]
    Name(String),
    /// Not `name+id+key`.
    #[error(
        "a verifier key has the form name+id+key, with 8 lower-case hexadecimal digits as id and base64 as key"
    )]
    Form,
    /// The identifier is not that of this name and key.
    #[error("the verifier key's id is {said:08x}, but its name and key give {is:08x}")]
    Id {
        /// As written in the vkey.
        said: u32,
        /// As computed.
        is: u32,
    },
    /// A signature type this program cannot verify.
    #[error("signature type 0x{0:02x} is not supported")]
    Type(u8),
    /// The bytes are no public key, or one for which anybody could sign.
    #[error("the public key is not a valid Ed25519 key")]
    Key,
}

impl KeyName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: impl Into<String>) -> Result<Self, KeyError> {
        let name = name.into();
        let refused = |c: char| c.is_whitespace() || c == '+' || c < '\u{20}';
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(refused) {
            return Err(KeyError::Name(name));
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl VerifierKey {
    /// Reads a vkey: `<key name>+hex(32-bit key ID)+base64(signature type || public key)`.
    ///
    /// # Errors
    /// See [`KeyError`]. The key ID must be the recommended one, so that a mistyped key is found when it is configured.
    pub fn parse(vkey: &str) -> Result<Self, KeyError> {
        if vkey.len() > VKEY_BYTES_MAX {
            return Err(KeyError::Form);
        }
        // base64 may contain a plus, name and ID may not
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let name = KeyName::new(name)?;
        let said = parse_id(id).ok_or(KeyError::Form)?;
        let key = base64_decode(key).ok_or(KeyError::Form)?;
        let (signature_type, public) = key.split_first().ok_or(KeyError::Form)?;
        let is = key_id(&name, *signature_type, public);
        if said != is {
            return Err(KeyError::Id { said, is });
        }
        match *signature_type {
            TYPE_ED25519 => Self::ed25519(name, public.try_into().map_err(|_| KeyError::Key)?),
            other => Err(KeyError::Type(other)),
        }
    }

    /// An Ed25519 key from its 32 bytes (RFC 8032).
    ///
    /// # Errors
    /// [`KeyError::Key`] for a point of small order or one not encoded canonically.
    pub fn ed25519(name: KeyName, public: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Key)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != public {
            return Err(KeyError::Key);
        }
        let id = key_id(&name, TYPE_ED25519, public);
        Ok(Self {
            name,
            id,
            algorithm: Algorithm::Ed25519(key),
        })
    }

    /// Its name, usually the log's origin.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The first four bytes of `SHA-256(name || 0x0A || signature type || public key)`.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// SHA-256 over the vkey, for comparing keys by voice or on paper: the four-byte ID is easily forged.
    #[must_use]
    pub fn fingerprint(&self) -> crate::Hash {
        Sha256::digest(self.to_string()).into()
    }

    /// Whether `signature` is this key's over `text`.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        match &self.algorithm {
            // strict: no small-order R, no non-canonical S, so a signature has one spelling
            Algorithm::Ed25519(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok()),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match &self.algorithm {
            Algorithm::Ed25519(key) => [&[TYPE_ED25519], key.as_bytes().as_slice()].concat(),
        };
        write!(f, "{}+{:08x}+{}", self.name, self.id, base64_encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(vkey: &str) -> Result<Self, KeyError> {
        Self::parse(vkey)
    }
}

impl Signer {
    /// The Ed25519 signer of a 32-byte seed (RFC 8032 section 5.1.5). The caller has the randomness.
    ///
    /// # Errors
    /// [`KeyError::Key`] never in practice: no seed gives a weak key.
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::ed25519(name, key.verifying_key().as_bytes())?;
        Ok(Self { verifier, key })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature line for a text.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.id,
            signature: self.key.sign(text.as_bytes()).to_vec(),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer")
            .field(&self.verifier.to_string())
            .finish()
    }
}

fn key_id(name: &KeyName, signature_type: u8, public: &[u8]) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(name.as_str());
    hasher.update([b'\n', signature_type]);
    hasher.update(public);
    let digest: crate::Hash = hasher.finalize().into();
    digest.first_chunk().map_or(0, |id| u32::from_be_bytes(*id))
}

/// "fixed length lowercase Base 16 encoding of its zero-padded big endian representation"
fn parse_id(id: &str) -> Option<u32> {
    let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if id.len() != 8 || !id.bytes().all(lower_hex) {
        return None;
    }
    u32::from_str_radix(id, 16).ok()
}
