//! Proofs from our own log, for the API, the command line, what goes to peers and receipts. The one place that chooses the
//! head they are made under.

use comity_ledger::Hash;
use comity_ledger::entry::ENTRY_BYTES;
use comity_ledger::note::SignedNote;
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::{Paths, consistency_proof};
use comity_store::{ReadError, Store};

use crate::witnesses::proof::{ProofHead, WitnessState, head_for};

/// Makes proofs under one head; what they have in common is read and hashed once.
pub struct Prover {
    store: Store,
    paths: Paths<Store>,
    note: SignedNote,
    head: ProofHead,
}

impl Prover {
    /// Under the newest signed head.
    ///
    /// # Errors
    /// When the register cannot be read or has no entry yet.
    pub fn new(store: &Store) -> Result<Self, ReadError> {
        let head = store.head()?;
        let newest = ProofHead {
            size: head.size,
            note: head.note,
            witnesses: WitnessState::None,
        };
        Self::under(store, newest)
    }

    /// Under the newest head that witnesses cosigned, if it covers the entry at `index`; else under the newest of all.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn witnessed(store: &Store, has_witnesses: bool, index: u64) -> Result<Self, ReadError> {
        Self::under(store, head_for(store, has_witnesses, index)?)
    }

    fn under(store: &Store, head: ProofHead) -> Result<Self, ReadError> {
        Ok(Self {
            note: SignedNote::parse(head.note.as_bytes()).map_err(damaged)?,
            paths: Paths::new(store.clone(), head.size).map_err(damaged)?,
            store: store.clone(),
            head,
        })
    }

    /// Entries of the log under this head.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head.size
    }

    /// What witnesses have said of this head.
    #[must_use]
    pub fn witnesses(&self) -> WitnessState {
        self.head.witnesses
    }

    /// The signed head.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.head.note
    }

    /// The hashes that lead from an entry to the root.
    ///
    /// # Errors
    /// When the register cannot be read, or the entry came after this head.
    pub fn path(&mut self, entry_index: u64) -> Result<Vec<Hash>, ReadError> {
        self.paths.inclusion(entry_index).map_err(damaged)
    }

    /// The proof of an entry, with the salt for those who may read all of what it is about.
    ///
    /// # Errors
    /// As [`Self::path`].
    pub fn proof(
        &mut self,
        entry_index: u64,
        entry: &[u8],
        salt: Option<[u8; 32]>,
    ) -> Result<Proof, ReadError> {
        let entry: [u8; ENTRY_BYTES] = entry.try_into().map_err(damaged)?;
        let opening = Opening { entry, salt };
        let path = self.path(entry_index)?;
        Proof::new(
            entry_index,
            path,
            self.note.clone(),
            Some(opening.to_bytes()),
        )
        .map_err(damaged)
    }

    /// That this head continues the one with `from` entries.
    ///
    /// # Errors
    /// When the register cannot be read, or the other head is newer.
    pub fn consistency(&self, from: u64) -> Result<Vec<Hash>, ReadError> {
        consistency_proof(&self.store, from, self.head.size).map_err(damaged)
    }
}

/// The proof of one entry, by its index, and how far the head it is made under is witnessed.
///
/// # Errors
/// When the register cannot be read or has no such entry.
pub fn proof_for(
    store: &Store,
    has_witnesses: bool,
    entry_index: u64,
    salt: Option<[u8; 32]>,
) -> Result<(Proof, WitnessState), ReadError> {
    let entry = store
        .entries(entry_index, entry_index.saturating_add(1))?
        .pop()
        .ok_or_else(|| ReadError::OutOfRange(format!("entry {entry_index}")))?;
    let mut prover = Prover::witnessed(store, has_witnesses, entry_index)?;
    Ok((prover.proof(entry_index, &entry, salt)?, prover.witnesses()))
}

fn damaged(error: impl std::fmt::Display) -> ReadError {
    ReadError::Damaged(error.to_string())
}
