//! The Merkle tree of RFC 6962 section 2.1: hashing, appending, proving from tiles, checking proofs.
//!
//! Writing: a [`Frontier`] holds the right edge of the tree; [`Frontier::append`] says which tiles to write, and the
//! frontier to go on from once they are durable. Reading: [`root`], [`inclusion_proof`] and [`consistency_proof`] read a
//! handful of tiles from a [`TileSource`]; [`Paths`] makes many proofs at once. Checking needs neither: [`verify_inclusion`], [`verify_consistency`].

mod append;
mod check;
mod paths;
mod prove;

pub use append::{Appended, Frontier, TileWrite, TreeFull};
pub use check::{ProofInvalid, verify_consistency, verify_inclusion};
pub use paths::Paths;
pub use prove::{
    MemoryTiles, MissingTile, TileSource, TreeError, consistency_proof, inclusion_proof, root,
};

use sha2::{Digest as _, Sha256};

use crate::Hash;

/// Leaves a tree may have: every size and index also fits a signed 64-bit column.
pub const SIZE_MAX: u64 = crate::text::INTEGER_MAX;
/// Longest proof of a tree of that size (tlog-witness: "at most 63").
pub const PROOF_HASHES_MAX: usize = 63;

/// `SHA-256(0x00 || entry)` (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    hasher.finalize().into()
}

/// `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// `SHA-256("")`, the root of the tree without leaves (RFC 6962 section 2.1).
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Root of a row of perfect subtrees, largest first; the empty tree's if there are none.
fn fold(subtrees: &[Hash]) -> Hash {
    subtrees
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(empty_root)
}
