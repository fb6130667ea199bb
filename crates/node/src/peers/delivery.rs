//! What a Comity node puts beside records to prove its side: for each the entry of its log, with the path to a signed head
//! that goes with the envelope once. Here both ends: what is sent, and what a receiver makes of it.
//!
//! **Architecture Invariant:** a record from a Comity peer is taken only with a proof that its sender logged it; a receipt is
//! owed only for a leaf that was proved.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_ledger::Hash;
use comity_ledger::tree::leaf_hash;
use comity_ledger::verify::VerifiedCheckpoint;
use comity_store::{Consigned, Op, ReadError, SeenHead, Withdrawal, WithdrawalAct};

use super::head::{Consistency, hashes};
use super::settings::OnWithdrawal;
use crate::handling::{SIDECAR_PROPERTY, SidecarItem};
use crate::proof::Prover;

/// The custom envelope property with the sender's signed head (TAXII 2.1 section 7.1.1).
pub const CHECKPOINT_PROPERTY: &str = "x_comity_checkpoint";
/// The custom envelope property with the proof that this head continues the one the receiver knows.
pub const CONSISTENCY_PROPERTY: &str = "x_comity_consistency";

/// What stands beside the objects of an envelope, unread.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// `x_comity_handling`.
    pub handling: Option<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
    consistency: Option<Vec<u8>>,
}

impl Beside {
    /// Of the custom properties of an envelope.
    #[must_use]
    pub fn of<'a>(custom: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut beside = Self::default();
        for (name, text) in custom {
            match name {
                SIDECAR_PROPERTY => beside.handling = Some(text.to_vec()),
                CHECKPOINT_PROPERTY => beside.checkpoint = Some(text.to_vec()),
                CONSISTENCY_PROPERTY => beside.consistency = Some(text.to_vec()),
                _ => {}
            }
        }
        beside
    }

    /// The signed head, if there is one that can be read.
    #[must_use]
    pub fn checkpoint(&self) -> Option<String> {
        serde_json::from_slice(self.checkpoint.as_deref()?).ok()
    }

    /// The proof that it continues an older one, if there is one that can be read.
    #[must_use]
    pub fn consistency(&self) -> Option<Consistency> {
        serde_json::from_slice(self.consistency.as_deref()?).ok()
    }
}

/// One record's entry in the sender's log, as the sender says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Version as written.
    pub version: String,
    /// Index in the sender's log.
    pub index: u64,
    /// The logged bytes.
    pub entry: Vec<u8>,
    /// From the entry to the root; `None` when there is none, or it is none.
    pub path: Option<Vec<Hash>>,
    /// Opens the entry's commitment.
    pub salt: Option<[u8; 32]>,
    /// The version asks to remove what came before, and why.
    pub withdrawal: Option<String>,
    /// It says that the record is the receiver's own: no receipt is owed for its coming back.
    pub own: bool,
}

impl Offered {
    /// What one line of the sidecar says about the sender's log.
    ///
    /// # Errors
    /// The name of the field that is malformed.
    pub fn of(item: &SidecarItem) -> Result<Self, &'static str> {
        let entry = match &item.logged {
            Some(text) => STANDARD.decode(text).map_err(|_| "logged")?,
            None => Vec::new(),
        };
        if !entry.is_empty() && STANDARD.encode(leaf_hash(&entry)) != item.leaf {
            return Err("leaf");
        }
        let salt = match &item.salt {
            Some(text) => {
                let bytes = STANDARD.decode(text).map_err(|_| "salt")?;
                Some(bytes.try_into().map_err(|_| "salt")?)
            }
            None => None,
        };
        Ok(Self {
            version: item.version.clone(),
            index: item.entry,
            entry,
            path: item.path.as_deref().and_then(hashes),
            salt,
            withdrawal: item
                .withdraw
                .then(|| item.reason.clone().unwrap_or_default()),
            own: false,
        })
    }
}

/// By (id, version key).
pub type OfferedRecords = BTreeMap<(String, String), Offered>;

/// Records of one envelope of a Comity peer, and how each is proved.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The party whose log it is.
    pub party: String,
    /// Origin of that log.
    pub origin: String,
    /// Its head; without one nothing of the delivery is taken, and this says why.
    pub checkpoint: Result<VerifiedCheckpoint, String>,
    /// To be committed first.
    pub seen: Option<SeenHead>,
    /// What is said of each record.
    pub offered: OfferedRecords,
    /// What is done about withdrawals of this peer.
    pub on_withdrawal: OnWithdrawal,
}

impl Delivery {
    /// What must be committed before the records.
    #[must_use]
    pub fn first(&self) -> Option<Op> {
        self.seen.clone().map(Op::SeeHead)
    }

    /// The sender's leaf of a record with this content, proved.
    ///
    /// # Errors
    /// Why it is not, for the sender.
    pub fn prove(
        &self,
        id: &str,
        version_key: &str,
        content_sha256: &Hash,
        granular: bool,
    ) -> Result<(Consigned, &Offered), String> {
        let key = (id.to_owned(), version_key.to_owned());
        let offered = self
            .offered
            .get(&key)
            .ok_or_else(|| "it comes without the proof that its sender logged it".to_owned())?;
        if offered.salt.is_none() && !granular {
            return Err("it comes without the salt of its sender's log entry".to_owned());
        }
        Ok((self.verify(id, offered, content_sha256)?, offered))
    }

    /// The same for an object that is not valid, so that its version cannot be believed: the one line that names it.
    #[must_use]
    pub fn prove_invalid(&self, id: &str, content_sha256: &Hash) -> Option<Consigned> {
        let from = (id.to_owned(), String::new());
        let mut lines = self
            .offered
            .range(from..)
            .take_while(|((name, _), _)| name == id);
        let (_, offered) = lines.next()?;
        if lines.next().is_some() {
            return None;
        }
        self.verify(id, offered, content_sha256).ok()
    }

    fn verify(
        &self,
        id: &str,
        offered: &Offered,
        content_sha256: &Hash,
    ) -> Result<Consigned, String> {
        let head = self.checkpoint.as_ref().map_err(Clone::clone)?;
        if offered.entry.is_empty() {
            return Err("it comes without its sender's log entry".to_owned());
        }
        let path = offered
            .path
            .as_ref()
            .ok_or_else(|| "it comes without the path to its sender's head".to_owned())?;
        let bad = |error: comity_ledger::verify::VerifyError| {
            format!("its sender's proof does not hold: {error}")
        };
        let entry = head
            .entry(offered.index, &offered.entry, path)
            .map_err(bad)?;
        let leaf = *entry.leaf();
        // records with parts left out come without salt: the parts could be guessed by it
        if let Some(salt) = &offered.salt {
            entry.record(salt, content_sha256).map_err(bad)?;
        }
        Ok(Consigned {
            party: self.party.clone(),
            origin: self.origin.clone(),
            entry: offered.index,
            leaf,
            id: id.to_owned(),
            version: offered.version.clone(),
        })
    }

    /// What a last version asks for, if it does.
    #[must_use]
    pub fn withdrawal(&self, offered: &Offered, revoked: bool) -> Option<Withdrawal> {
        let reason = offered.withdrawal.as_ref().filter(|_| revoked)?;
        Some(Withdrawal {
            party: self.party.clone(),
            reason: reason.clone(),
            act: match self.on_withdrawal {
                OnWithdrawal::Remove => WithdrawalAct::Remove,
                OnWithdrawal::Ask => WithdrawalAct::Ask,
            },
        })
    }
}

/// Writes the sidecar, the head and, if `known` entries of our log are known there, the proof that it continues, as the last
/// properties of an envelope that was opened and is not closed yet.
///
/// # Errors
/// When the register cannot be read.
pub fn write_beside(
    body: &mut Vec<u8>,
    items: &mut [SidecarItem],
    prover: &mut Prover,
    known: Option<u64>,
) -> Result<(), ReadError> {
    for item in items.iter_mut() {
        let path = prover.path(item.entry)?;
        item.path = Some(path.iter().map(|hash| STANDARD.encode(hash)).collect());
    }
    put(body, SIDECAR_PROPERTY, &*items)?;
    put(body, CHECKPOINT_PROPERTY, prover.note())?;
    if let Some(from) = known.filter(|from| *from < prover.size()) {
        let proof = Consistency::new(from, &prover.consistency(from)?);
        put(body, CONSISTENCY_PROPERTY, &proof)?;
    }
    Ok(())
}

fn put<T: serde::Serialize + ?Sized>(
    body: &mut Vec<u8>,
    name: &str,
    value: &T,
) -> Result<(), ReadError> {
    body.extend_from_slice(format!(",\"{name}\":").as_bytes());
    serde_json::to_writer(body, value).map_err(|error| ReadError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::handling::read_sidecar;

    fn item() -> impl Strategy<Value = SidecarItem> {
        let hash = || any::<[u8; 32]>();
        (
            any::<[u8; 76]>().prop_map(|bytes| bytes.to_vec()),
            any::<u64>(),
            prop::option::of(hash()),
            prop::option::of(prop::collection::vec(hash(), 0..63)),
            prop::option::of("[a-zA-Z \\u{400}-\\u{4ff}\"\\\\]{0,40}"),
        )
            .prop_map(|(entry, index, salt, path, reason)| SidecarItem {
                id: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".to_owned(),
                version: "2026-01-01T00:00:00.000Z".to_owned(),
                label: r#"{"tlp":"AMBER","originator":"ua","parties":["eu"]}"#.to_owned(),
                leaf: STANDARD.encode(leaf_hash(&entry)),
                entry: index,
                salt: salt.map(|salt| STANDARD.encode(salt)),
                logged: Some(STANDARD.encode(&entry)),
                path: path.map(|path| path.iter().map(|hash| STANDARD.encode(hash)).collect()),
                withdraw: reason.is_some(),
                reason,
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_beside_a_record_is_read_again(item in item()) {
            let text = serde_json::to_vec(&[&item]).unwrap();
            let sidecar = read_sidecar(&text).unwrap();
            let (key, offered) = sidecar.offered.into_iter().next().unwrap();
            prop_assert_eq!(key.0, item.id);
            prop_assert_eq!(offered.index, item.entry);
            prop_assert_eq!(STANDARD.encode(&offered.entry), item.logged.unwrap());
            prop_assert_eq!(offered.salt.map(|salt| STANDARD.encode(salt)), item.salt);
            let path = offered.path.map(|path| path.iter().map(|hash| STANDARD.encode(hash)).collect::<Vec<_>>());
            prop_assert_eq!(path, item.path);
            prop_assert_eq!(offered.withdrawal, item.reason);
        }

        #[test]
        fn whatever_stands_there_is_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _refused = read_sidecar(&text);
            let beside = Beside::of([(CHECKPOINT_PROPERTY, text.as_slice()), (CONSISTENCY_PROPERTY, text.as_slice())]);
            prop_assert!(beside.checkpoint().is_none_or(|note| note.len() <= text.len()));
            let _proof = beside.consistency();
        }
    }
}
