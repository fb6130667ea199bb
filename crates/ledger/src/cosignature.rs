//! Cosignatures: statements that a head continues all earlier ones, made at a time (C2SP tlog-cosignature v1.1).
//!
//! A [`Cosigner`] signs two kinds of heads and no others: those its owner has accepted as a witness
//! ([`crate::witness::Accepted`]), and those of its own log ([`Cosigner::sign_own`]). Cosignatures are verified where all
//! signature lines are, in [`crate::note::SignedNote::verify`], against the messages built here.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use ml_dsa::{MlDsa44, SignatureEncoding as _};

use crate::checkpoint::{Checkpoint, Fields};
use crate::note::{KeyError, KeyName, NoteError, NoteSignature, VerifierKey};
use crate::text::INTEGER_MAX;
use crate::witness::Accepted;

pub use crate::note::VerifiedCosignature;

/// First line of what an Ed25519 cosignature signs.
const ED25519_HEADER: &str = "cosignature/v1";
/// "uint8 label\[12\]" of what an ML-DSA-44 cosignature signs.
const ML_DSA_44_LABEL: &[u8; 12] = b"subtree/v1\n\0";
/// Largest time: "It MUST NOT exceed 2^63 - 1".
pub const TIME_SECONDS_MAX: u64 = INTEGER_MAX;

/// A private key that cosigns checkpoints. Printing it shows no secret.
#[derive(Clone)]
pub struct Cosigner {
    verifier: VerifierKey,
    key: PrivateKey,
}

#[derive(Clone)]
enum PrivateKey {
    Ed25519(Box<SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

/// Why a head is not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// Zero, which says nothing about time, or beyond [`TIME_SECONDS_MAX`].
    #[error("{0} is no time a cosignature can bear; give POSIX seconds")]
    Time(u64),
    /// The key is not the one of this log.
    #[error(
        "the key `{key}` does not speak for the log `{origin}`; its name must be the log's origin"
    )]
    NotOwn {
        /// Name of the key.
        key: KeyName,
        /// Origin of the head.
        origin: String,
    },
    /// Nobody to cosign.
    #[error("there is no key to cosign with; give at least one")]
    NoCosigner,
    /// More lines than a note may have.
    #[error("the note has no room for the cosignature")]
    Note(#[from] NoteError),
    /// The algorithm gave up, which FIPS 204 lets it do with negligible probability.
    #[error("the ML-DSA-44 signature could not be made; sign again with another time")]
    Signing,
}

impl Cosigner {
    /// The Ed25519 cosigner of a 32-byte seed (RFC 8032 section 5.1.5). The caller has the randomness. The seed must serve
    /// no other cosigner, because what is signed does not name the cosigner: "MUST use distinct public keys for each".
    ///
    /// # Errors
    /// [`KeyError::Key`] never in practice: no seed gives a weak key.
    pub fn ed25519_from_seed(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::cosignature_ed25519(name, key.verifying_key().as_bytes())?;
        Ok(Self {
            verifier,
            key: PrivateKey::Ed25519(Box::new(key)),
        })
    }

    /// The ML-DSA-44 cosigner of a 32-byte seed (FIPS 204 algorithm 6). The caller has the randomness.
    ///
    /// # Errors
    /// [`KeyError::Key`] never in practice.
    pub fn ml_dsa_44_from_seed(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ml_dsa::SigningKey::<MlDsa44>::from_seed(&(*seed).into());
        let public: &ml_dsa::VerifyingKey<MlDsa44> = key.as_ref();
        let verifier = VerifierKey::cosignature_ml_dsa_44(name, &public.encode().into())?;
        Ok(Self {
            verifier,
            key: PrivateKey::MlDsa44(Box::new(key)),
        })
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// A witness's signature line for a head it has accepted.
    ///
    /// # Errors
    /// [`CosignError::Time`], and never in practice [`CosignError::Signing`].
    pub fn cosign(
        &self,
        accepted: &Accepted,
        time_seconds: u64,
    ) -> Result<NoteSignature, CosignError> {
        self.sign(accepted.checkpoint(), time_seconds)
    }

    /// A log's signature line for its own head ("Logs SHOULD use ML-DSA-44 cosignatures to sign the checkpoint",
    /// tlog-checkpoint). Add it to the note that the log's Ed25519 key has signed.
    ///
    /// # Errors
    /// [`CosignError::NotOwn`] unless the key has the log's name; otherwise as [`Self::cosign`].
    pub fn sign_own(
        &self,
        checkpoint: &Checkpoint,
        time_seconds: u64,
    ) -> Result<NoteSignature, CosignError> {
        if self.verifier.name().as_str() != checkpoint.origin() {
            return Err(CosignError::NotOwn {
                key: self.verifier.name().clone(),
                origin: checkpoint.origin().to_owned(),
            });
        }
        self.sign(checkpoint, time_seconds)
    }

    fn sign(
        &self,
        checkpoint: &Checkpoint,
        time_seconds: u64,
    ) -> Result<NoteSignature, CosignError> {
        // "the timestamp MUST NOT be zero" (tlog-witness); "It MUST NOT exceed 2^63 - 1"
        if time_seconds == 0 || time_seconds > TIME_SECONDS_MAX {
            return Err(CosignError::Time(time_seconds));
        }
        let (name, text) = (self.verifier.name(), checkpoint.to_string());
        let signature = match &self.key {
            PrivateKey::Ed25519(key) => {
                ed25519_message(time_seconds, &text).map(|message| key.sign(&message).to_vec())
            }
            PrivateKey::MlDsa44(key) => ml_dsa_44_message(name, time_seconds, &text)
                .and_then(|message| key.try_sign(&message).ok())
                .map(|signature: ml_dsa::Signature<MlDsa44>| signature.to_vec()),
        }
        .ok_or(CosignError::Signing)?;
        // "struct timestamped_signature": big-endian time, signature
        let blob = [time_seconds.to_be_bytes().as_slice(), &signature].concat();
        NoteSignature::new(name.clone(), self.verifier.id(), blob).ok_or(CosignError::Signing)
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cosigner")
            .field(&self.verifier.to_string())
            .finish()
    }
}

/// "struct timestamped_signature": the time, and the signature, whose length is its algorithm's to check. `None` without
/// eight bytes, or with a time that "MUST NOT" be.
pub(crate) fn split(blob: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = blob.split_first_chunk()?;
    let time_seconds = u64::from_be_bytes(*time);
    (time_seconds <= TIME_SECONDS_MAX).then_some((time_seconds, signature))
}

/// "two newline terminated lines (one header line and one timestamp line) followed by the whole note body of the cosigned
/// checkpoint", extension lines included. `None` if the text is no checkpoint: only checkpoints are cosigned.
pub(crate) fn ed25519_message(time_seconds: u64, text: &str) -> Option<Vec<u8>> {
    Fields::parse(text).ok()?;
    Some(format!("{ED25519_HEADER}\ntime {time_seconds}\n{text}").into_bytes())
}

/// "struct cosigned_message" of the whole tree: it names the cosigner, and leaves extension lines out. `None` if the text
/// is no checkpoint.
pub(crate) fn ml_dsa_44_message(name: &KeyName, time_seconds: u64, text: &str) -> Option<Vec<u8>> {
    let Fields {
        origin, size, root, ..
    } = Fields::parse(text).ok()?;
    let mut message = ML_DSA_44_LABEL.to_vec();
    push_opaque(&mut message, name.as_str())?; // cosigner_name<1..2^8-1>
    message.extend(time_seconds.to_be_bytes());
    push_opaque(&mut message, origin)?; // log_origin<1..2^8-1>
    message.extend(0_u64.to_be_bytes()); // start: "If signing a checkpoint, it MUST be zero"
    message.extend(size.to_be_bytes()); // end: "If signing a checkpoint, it is the size of the tree"
    message.extend(root);
    Some(message)
}

/// A vector of RFC 8446 section 3.4 whose length takes one byte.
fn push_opaque(message: &mut Vec<u8>, text: &str) -> Option<()> {
    message.push(u8::try_from(text.len()).ok().filter(|length| *length > 0)?);
    message.extend(text.as_bytes());
    Some(())
}
