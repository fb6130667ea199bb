//! Salts that say more than nothing: the salt of an entry is itself a commitment, to the label its record was taken in under
//! and to the circumstances (from whom, by whom, where to). So an entry proves these too, and shows none of them.
//!
//! ```text
//! label_nonce         = SHA-256("comity-label/v1\0" || seed)
//! circumstances_nonce = SHA-256("comity-circumstances/v1\0" || seed)
//! circumstances       = SHA-256(circumstances_nonce || SHA-256(circumstances text))
//! salt                = SHA-256("comity-salt/v1\0" || label_nonce || SHA-256(label text) || circumstances)
//! ```
//!
//! The seed is random, one per entry, and never leaves the node. Whoever gets the salt to check a record learns nothing about
//! the label; whoever is also given a [`LabelOpening`] can check the label, and learns nothing about the circumstances.
//! Refusals bind their own text in the place of the label.

use sha2::{Digest as _, Sha256};

use crate::Hash;

const LABEL_DOMAIN: &[u8] = b"comity-label/v1\0";
const CIRCUMSTANCES_DOMAIN: &[u8] = b"comity-circumstances/v1\0";
const SALT_DOMAIN: &[u8] = b"comity-salt/v1\0";

/// What shows, with the label's text, that an entry was made under that label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelOpening {
    /// Hides the label from who has the salt alone: there are few labels, and they could all be tried.
    pub nonce: [u8; 32],
    /// The circumstances, hidden.
    pub circumstances: Hash,
}

/// Length of a [`LabelOpening`] as bytes.
pub const OPENING_BYTES: usize = 64;

impl LabelOpening {
    /// The opening of the entry with this seed.
    #[must_use]
    pub fn new(seed: &[u8; 32], circumstances: &str) -> Self {
        Self {
            nonce: hash(&[LABEL_DOMAIN, seed]),
            circumstances: hash(&[
                &hash(&[CIRCUMSTANCES_DOMAIN, seed]),
                &hash(&[circumstances.as_bytes()]),
            ]),
        }
    }

    /// The salt an entry made under `label` has: equal to the one in the proof, or the label was another.
    #[must_use]
    pub fn salt(&self, label: &str) -> [u8; 32] {
        self.salt_of_digest(&hash(&[label.as_bytes()]))
    }

    /// [`Self::salt`] for who keeps the label's SHA-256: many entries have one label.
    #[must_use]
    pub fn salt_of_digest(&self, label_sha256: &Hash) -> [u8; 32] {
        hash(&[SALT_DOMAIN, &self.nonce, label_sha256, &self.circumstances])
    }

    /// Nonce, then circumstances.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; OPENING_BYTES] {
        let mut bytes = [0; OPENING_BYTES];
        let (nonce, circumstances) = bytes.split_at_mut(32);
        nonce.copy_from_slice(&self.nonce);
        circumstances.copy_from_slice(&self.circumstances);
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (nonce, circumstances) = bytes.split_at_checked(32)?;
        Some(Self {
            nonce: nonce.try_into().ok()?,
            circumstances: circumstances.try_into().ok()?,
        })
    }
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_proved_by_its_opening_and_no_other_is() {
        let opening = LabelOpening::new(&[7; 32], r#"{"origin":"ua"}"#);
        let salt = opening.salt("AMBER");
        assert_ne!(salt, opening.salt("GREEN"));
        for other in [
            LabelOpening::new(&[8; 32], r#"{"origin":"ua"}"#),
            LabelOpening::new(&[7; 32], r#"{"origin":"eu"}"#),
        ] {
            assert_ne!(salt, other.salt("AMBER"));
        }
        let again = LabelOpening::from_bytes(&opening.to_bytes()).unwrap();
        assert_eq!((again, again.salt("AMBER")), (opening, salt));
        assert_eq!(LabelOpening::from_bytes(&[0; 63]), None);
        assert_eq!(LabelOpening::from_bytes(&[0; 65]), None);
    }

    /// From Python: `hashlib` over the formula above. A change here would make every label of every log unprovable.
    #[test]
    fn the_formula_never_changes() {
        let salt = LabelOpening::new(&[7; 32], "c").salt("l");
        let text: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, EXPECTED);
    }

    const EXPECTED: &str = "35ccad85becb38c7323d37b62347cc9c189492c9775c942a931f3f39a3bba265";
}
