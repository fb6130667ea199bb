//! Keys that sign notes: names, identifiers, vkeys, algorithms.
//!
//! Three signature types: one over the text as it is ([`TYPE_ED25519`]), two that cosign a checkpoint at a time
//! ([`TYPE_COSIGNATURE_ED25519`], [`TYPE_COSIGNATURE_ML_DSA_44`]; what they sign is in [`crate::cosignature`]).

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::algorithm::{Algorithm, Signed};
use crate::text::{base64_decode, base64_encode};

/// Longest key name.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest vkey: a name, an ID, and room for a post-quantum key of 1,312 bytes in base64.
const VKEY_BYTES_MAX: usize = 4096;
/// Signature type of Ed25519 over the text of the note (signed-note, "Signature types").
pub const TYPE_ED25519: u8 = 0x01;
/// Signature type of timestamped Ed25519 cosignatures of checkpoints (tlog-cosignature).
pub const TYPE_COSIGNATURE_ED25519: u8 = 0x04;
/// Signature type of timestamped ML-DSA-44 cosignatures of checkpoints (tlog-cosignature).
pub const TYPE_COSIGNATURE_ML_DSA_44: u8 = 0x06;
/// Length of an Ed25519 public key (RFC 8032).
pub const ED25519_PUBLIC_BYTES: usize = 32;
/// Length of an ML-DSA-44 public key (FIPS 204 table 2).
pub const ML_DSA_44_PUBLIC_BYTES: usize = 1312;

/// Name of a key, such as `csirt.example/log/1`: "non-empty and MUST NOT contain any Unicode spaces or plus".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

/// A public key that may sign notes.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: u32,
    algorithm: Algorithm,
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
    #[error("the public key is not a valid key of its type")]
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
            TYPE_ED25519 => Self::ed25519(name, sized(public)?),
            TYPE_COSIGNATURE_ED25519 => Self::cosignature_ed25519(name, sized(public)?),
            TYPE_COSIGNATURE_ML_DSA_44 => Self::cosignature_ml_dsa_44(name, sized(public)?),
            other => Err(KeyError::Type(other)),
        }
    }

    /// An Ed25519 key from its 32 bytes (RFC 8032), which signs the text of notes.
    ///
    /// # Errors
    /// [`KeyError::Key`] for a point of small order or one not encoded canonically.
    pub fn ed25519(name: KeyName, public: &[u8; ED25519_PUBLIC_BYTES]) -> Result<Self, KeyError> {
        Ok(Self::new(name, Algorithm::ed25519(public)?))
    }

    /// An Ed25519 key that cosigns checkpoints.
    ///
    /// # Errors
    /// As [`Self::ed25519`].
    pub fn cosignature_ed25519(
        name: KeyName,
        public: &[u8; ED25519_PUBLIC_BYTES],
    ) -> Result<Self, KeyError> {
        Ok(Self::new(name, Algorithm::cosignature_ed25519(public)?))
    }

    /// An ML-DSA-44 key (FIPS 204) that cosigns checkpoints: a witness's, or a log's own.
    ///
    /// # Errors
    /// [`KeyError::Key`] for a key for which anybody could sign.
    pub fn cosignature_ml_dsa_44(
        name: KeyName,
        public: &[u8; ML_DSA_44_PUBLIC_BYTES],
    ) -> Result<Self, KeyError> {
        Ok(Self::new(name, Algorithm::cosignature_ml_dsa_44(public)?))
    }

    fn new(name: KeyName, algorithm: Algorithm) -> Self {
        let id = key_id(&name, algorithm.signature_type(), algorithm.public());
        Self {
            name,
            id,
            algorithm,
        }
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

    /// The signature type identifier byte (signed-note, "Signature types").
    #[must_use]
    pub fn signature_type(&self) -> u8 {
        self.algorithm.signature_type()
    }

    /// Whether it cosigns checkpoints at a time, rather than signing the text of notes.
    #[must_use]
    pub fn is_cosigner(&self) -> bool {
        self.signature_type() != TYPE_ED25519
    }

    /// The bytes of the public key, without name and type: 32 or 1,312 of them. Two keys with the same bytes are the same
    /// underlying key, whatever they are called.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.algorithm.public()
    }

    /// What `signature` says if it is this key's for a note with this text; `None` if it is not.
    pub(super) fn check(&self, text: &str, signature: &[u8]) -> Option<Signed> {
        self.algorithm.check(&self.name, text, signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.signature_type()], self.public_key()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, base64_encode(&key))
    }
}

/// The vkey.
impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(vkey: &str) -> Result<Self, KeyError> {
        Self::parse(vkey)
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

fn sized<const N: usize>(public: &[u8]) -> Result<&[u8; N], KeyError> {
    public.try_into().map_err(|_| KeyError::Key)
}
