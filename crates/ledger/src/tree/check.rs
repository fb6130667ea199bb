//! Checking proofs, step by step as RFC 9162 writes it (the hashes are those of RFC 6962).

use super::{PROOF_HASHES_MAX, SIZE_MAX, empty_root, node_hash};
use crate::Hash;

/// The proof does not show what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofInvalid {
    /// The index is not within the tree, the old tree is larger than the new one, or a size is out of range.
    #[error("index or sizes of the proof are out of range")]
    Range,
    /// Too few or too many hashes for these sizes.
    #[error("the proof has a wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Checks that `leaf` is entry `index` of the tree with `size` leaves and this root (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// See [`ProofInvalid`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    path: &[Hash],
) -> Result<(), ProofInvalid> {
    if index >= size || size > SIZE_MAX {
        return Err(ProofInvalid::Range);
    }
    if path.len() > PROOF_HASHES_MAX {
        return Err(ProofInvalid::Length);
    }
    let (mut fn_, mut sn) = (index, size - 1);
    let mut r = *leaf;
    for p in path {
        if sn == 0 {
            return Err(ProofInvalid::Length);
        }
        if fn_ & 1 == 1 || fn_ == sn {
            r = node_hash(p, &r);
            while fn_ & 1 == 0 && fn_ != 0 {
                fn_ >>= 1;
                sn >>= 1;
            }
        } else {
            r = node_hash(&r, p);
        }
        fn_ >>= 1;
        sn >>= 1;
    }
    if sn != 0 {
        return Err(ProofInvalid::Length);
    }
    if r == *root {
        Ok(())
    } else {
        Err(ProofInvalid::Root)
    }
}

/// Checks that the tree (`new`, `new_root`) begins with all of (`old`, `old_root`) (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// See [`ProofInvalid`].
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), ProofInvalid> {
    if old > new || new > SIZE_MAX {
        return Err(ProofInvalid::Range);
    }
    if path.len() > PROOF_HASHES_MAX {
        return Err(ProofInvalid::Length);
    }
    // RFC 9162 leaves these two out: every tree begins with the empty one, and with itself; the proof is empty
    if old == 0 || old == new {
        let expected = if old == new { *new_root } else { empty_root() };
        return match path {
            [] if *old_root == expected => Ok(()),
            [] => Err(ProofInvalid::Root),
            _ => Err(ProofInvalid::Length),
        };
    }
    // step 2: a perfect old tree is its own first node
    let (first, rest) = if old.is_power_of_two() {
        (old_root, path)
    } else {
        path.split_first().ok_or(ProofInvalid::Length)?
    };
    // steps 3 and 4
    let (mut fn_, mut sn) = (old - 1, new - 1);
    let shift = fn_.trailing_ones();
    fn_ >>= shift;
    sn >>= shift;
    // steps 5 and 6
    let (mut fr, mut sr) = (*first, *first);
    for c in rest {
        if sn == 0 {
            return Err(ProofInvalid::Length);
        }
        if fn_ & 1 == 1 || fn_ == sn {
            fr = node_hash(c, &fr);
            sr = node_hash(c, &sr);
            while fn_ & 1 == 0 && fn_ != 0 {
                fn_ >>= 1;
                sn >>= 1;
            }
        } else {
            sr = node_hash(&sr, c);
        }
        fn_ >>= 1;
        sn >>= 1;
    }
    // step 7
    if sn != 0 {
        return Err(ProofInvalid::Length);
    }
    if fr == *old_root && sr == *new_root {
        Ok(())
    } else {
        Err(ProofInvalid::Root)
    }
}
