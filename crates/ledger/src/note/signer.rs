//! The private half of a key that signs the text of notes. Cosigners are in [`crate::cosignature`].

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};

use super::{KeyError, KeyName, NoteSignature, VerifierKey};

/// A private key with its name. Printing it shows no secret.
#[derive(Clone)]
pub struct Signer {
    verifier: VerifierKey,
    key: SigningKey,
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
            name: self.verifier.name().clone(),
            key_id: self.verifier.id(),
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
