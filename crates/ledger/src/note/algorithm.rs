//! The algorithms notes are signed with: which public keys are keys, and whether a signature holds.
//!
//! To add one: a variant here, and its arms below and in [`super::VerifierKey::parse`]. Nothing else knows which exist.

use ed25519_dalek::VerifyingKey;
use ml_dsa::{EncodedVerifyingKey, MlDsa44, Verifier as _};

use super::key::{
    ED25519_PUBLIC_BYTES, ML_DSA_44_PUBLIC_BYTES, TYPE_COSIGNATURE_ED25519,
    TYPE_COSIGNATURE_ML_DSA_44, TYPE_ED25519,
};
use super::{KeyError, KeyName};
use crate::cosignature;

/// A public key with what it is for.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Algorithm {
    // INVARIANT: canonically encoded, not of small order; see `ed25519`.
    Ed25519(VerifyingKey),
    // INVARIANT: as above.
    CosignatureEd25519(VerifyingKey),
    // Encoded, because the expanded key takes 24 kB. INVARIANT: not one for which anybody could sign.
    CosignatureMlDsa44(Box<[u8; ML_DSA_44_PUBLIC_BYTES]>),
}

/// What a signature that holds was made over.
pub(super) enum Signed {
    /// The text of the note.
    Text,
    /// The checkpoint in the note, at a time.
    Cosigned {
        /// POSIX time; zero if the cosigner says nothing about time.
        time_seconds: u64,
    },
}

impl Algorithm {
    pub(super) fn ed25519(public: &[u8; ED25519_PUBLIC_BYTES]) -> Result<Self, KeyError> {
        ed25519_public(public).map(Self::Ed25519)
    }

    pub(super) fn cosignature_ed25519(
        public: &[u8; ED25519_PUBLIC_BYTES],
    ) -> Result<Self, KeyError> {
        ed25519_public(public).map(Self::CosignatureEd25519)
    }

    /// Every string of this length is an ML-DSA-44 key (FIPS 204 algorithm 23), but if all of `t1` is zero, the challenge
    /// drops out of the verification equation, and whoever picks a short `z` has signed.
    pub(super) fn cosignature_ml_dsa_44(
        public: &[u8; ML_DSA_44_PUBLIC_BYTES],
    ) -> Result<Self, KeyError> {
        const RHO_BYTES: usize = 32;
        if public.iter().skip(RHO_BYTES).all(|byte| *byte == 0) {
            return Err(KeyError::Key);
        }
        Ok(Self::CosignatureMlDsa44(Box::new(*public)))
    }

    pub(super) fn signature_type(&self) -> u8 {
        match self {
            Self::Ed25519(_) => TYPE_ED25519,
            Self::CosignatureEd25519(_) => TYPE_COSIGNATURE_ED25519,
            Self::CosignatureMlDsa44(_) => TYPE_COSIGNATURE_ML_DSA_44,
        }
    }

    pub(super) fn public(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) | Self::CosignatureEd25519(key) => key.as_bytes(),
            Self::CosignatureMlDsa44(key) => key.as_slice(),
        }
    }

    /// What `blob` says if it is the signature of this key, called `name`, for a note with this text.
    pub(super) fn check(&self, name: &KeyName, text: &str, blob: &[u8]) -> Option<Signed> {
        match self {
            Self::Ed25519(key) => {
                ed25519_verifies(key, text.as_bytes(), blob).then_some(Signed::Text)
            }
            Self::CosignatureEd25519(key) => {
                let (time_seconds, signature) = cosignature::split(blob)?;
                let message = cosignature::ed25519_message(time_seconds, text)?;
                ed25519_verifies(key, &message, signature)
                    .then_some(Signed::Cosigned { time_seconds })
            }
            Self::CosignatureMlDsa44(key) => {
                let (time_seconds, signature) = cosignature::split(blob)?;
                let message = cosignature::ml_dsa_44_message(name, time_seconds, text)?;
                ml_dsa_44_verifies(key, &message, signature)
                    .then_some(Signed::Cosigned { time_seconds })
            }
        }
    }
}

/// A key in the only encoding RFC 8032 section 5.1.2 gives it, and not of small order.
fn ed25519_public(public: &[u8; ED25519_PUBLIC_BYTES]) -> Result<VerifyingKey, KeyError> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Key)?;
    if key.is_weak() || key.to_edwards().compress().as_bytes() != public {
        return Err(KeyError::Key);
    }
    Ok(key)
}

/// Strict: no small-order R, no non-canonical S, so a signature has one spelling.
fn ed25519_verifies(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

/// FIPS 204 algorithm 3 with an empty context.
fn ml_dsa_44_verifies(
    key: &[u8; ML_DSA_44_PUBLIC_BYTES],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(key) = EncodedVerifyingKey::<MlDsa44>::try_from(key.as_slice()) else {
        return false;
    };
    let key = ml_dsa::VerifyingKey::<MlDsa44>::decode(&key);
    ml_dsa::Signature::try_from(signature)
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}
