//! Append, prove and check, on many sizes, against `tlog_tiles` and `ct-merkle`.

use std::cell::RefCell;

use comity_ledger::Hash;
use comity_ledger::tile::TileId;
use comity_ledger::tree::{
    Frontier, MemoryTiles, ProofInvalid, TileSource, TreeError, consistency_proof, empty_root,
    inclusion_proof, leaf_hash, node_hash, root, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use tlog_tiles::tlog;

use crate::{grown, leaf, leaves};

/// The definition of RFC 6962 section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

/// `tlog_tiles` keeps every node in one list.
struct Oracle(RefCell<Vec<tlog::Hash>>);

impl tlog::HashReader for Oracle {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes
            .iter()
            .map(|i| self.0.borrow()[usize::try_from(*i).unwrap()])
            .collect())
    }
}

fn oracle(size: u64) -> Oracle {
    let oracle = Oracle(RefCell::default());
    for n in 0..size {
        let hashes = tlog::stored_hashes(n, &n.to_be_bytes(), &oracle).unwrap();
        oracle.0.borrow_mut().extend(hashes);
    }
    oracle
}

fn raw(hashes: &[tlog::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| hash.0).collect()
}

#[test]
fn every_small_size_every_proof() {
    let oracle = oracle(70);
    let (_, tiles) = grown(&[70]);
    let all = leaves(0, 70);
    for size in 0..=70_u64 {
        let expected = mth(&all[..usize::try_from(size).unwrap()]);
        assert_eq!(root(&tiles, size).unwrap(), expected);
        assert_eq!(tlog::tree_hash(size, &oracle).unwrap().0, expected);
        for index in 0..size {
            let path = inclusion_proof(&tiles, index, size).unwrap();
            assert_eq!(
                path,
                raw(&tlog::prove_record(size, index, &oracle).unwrap())
            );
            verify_inclusion(&leaf(index), index, size, &expected, &path).unwrap();
        }
        for old in 1..=size {
            let path = consistency_proof(&tiles, old, size).unwrap();
            assert_eq!(
                path,
                raw(&tlog::prove_tree(size, old, &oracle).unwrap()),
                "{old} {size}"
            );
            verify_consistency(old, &root(&tiles, old).unwrap(), size, &expected, &path).unwrap();
        }
    }
}

#[test]
fn tiles_are_those_of_the_oracle() {
    let size = 70_000; // the example of tlog-tiles, "Partial Tiles"
    let oracle = oracle(size);
    let (frontier, tiles) = grown(&[1, 255, 1, 511, 20_000, size - 20_768]);
    assert_eq!(frontier.root(), tlog::tree_hash(size, &oracle).unwrap().0);
    let mut widths = [Vec::new(), Vec::new(), Vec::new()];
    for ((level, index), hashes) in tiles.iter() {
        let id = TileId::in_tree(level, index, size).unwrap();
        let theirs = tlog_tiles::Tile::new(8, level, index, id.width().into(), false);
        assert_eq!(
            hashes.as_flattened(),
            theirs.read_data(&oracle).unwrap(),
            "{id:?}"
        );
        widths[usize::from(level)].push(hashes.len());
    }
    assert_eq!(widths[0].len(), 274);
    assert!(widths[0][..273].iter().all(|width| *width == 256));
    assert_eq!(
        (widths[0][273], &widths[1][..], &widths[2][..]),
        (112, &[256, 17][..], &[1][..])
    );
}

#[test]
fn an_append_writes_only_what_changed() {
    let (frontier, _) = grown(&[65_530]);
    let appended = frontier.append(&leaves(65_530, 65_540)).unwrap();
    let ids: Vec<_> = appended
        .tiles
        .iter()
        .map(|t| (t.id.level(), t.id.index(), t.id.width()))
        .collect();
    assert_eq!(ids, [(0, 255, 256), (1, 0, 256), (0, 256, 4), (2, 0, 1)]);
    assert!(frontier.append(&[]).unwrap().tiles.is_empty());
    assert_eq!(frontier.append(&[]).unwrap().frontier, frontier);
}

#[test]
fn load_refuses_changed_or_missing_tiles() {
    let (frontier, tiles) = grown(&[1000]);
    let root = frontier.root();
    assert_eq!(Frontier::load(&tiles, 1000, &root).unwrap(), frontier);
    assert!(matches!(
        Frontier::load(&tiles, 999, &root),
        Err(TreeError::Root)
    ));
    assert!(matches!(
        Frontier::load(&tiles, 1001, &root),
        Err(TreeError::Short(..))
    ));
    assert!(matches!(
        Frontier::load(&MemoryTiles::default(), 1000, &root),
        Err(TreeError::Tile(..))
    ));
    assert!(matches!(
        Frontier::load(&tiles, u64::MAX, &root),
        Err(TreeError::Range { .. })
    ));
    assert_eq!(
        Frontier::load(&MemoryTiles::default(), 0, &empty_root()).unwrap(),
        Frontier::empty()
    );
}

/// Counts what a proof reads.
struct Counting<'a>(&'a MemoryTiles, RefCell<usize>);

impl TileSource for Counting<'_> {
    type Error = comity_ledger::tree::MissingTile;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        *self.1.borrow_mut() += 1;
        self.0.tile(level, index, width)
    }
}

#[test]
fn a_proof_reads_few_tiles() {
    let size = 1_003_520;
    let (frontier, tiles) = grown(&[size]);
    for index in [0, 1, 255, 256, 65_535, 500_000, size - 1] {
        let source = Counting(&tiles, RefCell::new(0));
        let path =
            inclusion_proof(&source, index, size - 1 + u64::from(index == size - 1)).unwrap();
        assert!(!path.is_empty());
        assert!(
            *source.1.borrow() <= 6,
            "{} tiles for {index}",
            source.1.borrow()
        );
    }
    let path = inclusion_proof(&tiles, 77, size).unwrap();
    verify_inclusion(&leaf(77), 77, size, &frontier.root(), &path).unwrap();
}

#[test]
fn out_of_range() {
    let (frontier, tiles) = grown(&[10]);
    assert_eq!(
        inclusion_proof(&tiles, 10, 10),
        Err(TreeError::Range {
            inner: 10,
            size: 10
        })
    );
    assert_eq!(
        consistency_proof(&tiles, 11, 10),
        Err(TreeError::Range {
            inner: 11,
            size: 10
        })
    );
    assert!(inclusion_proof(&tiles, 0, u64::MAX).is_err());
    assert!(inclusion_proof(&tiles, 0, 11).is_err());
    let root = frontier.root();
    assert_eq!(
        verify_inclusion(&leaf(0), 10, 10, &root, &[]),
        Err(ProofInvalid::Range)
    );
    assert_eq!(
        verify_inclusion(&leaf(0), 0, u64::MAX, &root, &[]),
        Err(ProofInvalid::Range)
    );
    assert_eq!(
        verify_inclusion(&leaf(0), 0, 10, &root, &[[0; 32]; 64]),
        Err(ProofInvalid::Length)
    );
    assert_eq!(
        verify_consistency(11, &root, 10, &root, &[]),
        Err(ProofInvalid::Range)
    );
    assert_eq!(verify_consistency(10, &root, 10, &root, &[]), Ok(()));
    assert_eq!(
        verify_consistency(10, &root, 10, &root, &[root]),
        Err(ProofInvalid::Length)
    );
    assert_eq!(verify_consistency(0, &empty_root(), 10, &root, &[]), Ok(()));
    assert_eq!(
        verify_consistency(0, &root, 10, &root, &[]),
        Err(ProofInvalid::Root)
    );
    assert_eq!(
        verify_consistency(0, &empty_root(), 0, &root, &[]),
        Err(ProofInvalid::Root)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However a log is cut into batches, roots, tiles and frontier are the same, and a reload changes nothing.
    #[test]
    fn batches_do_not_matter(batches in prop::collection::vec(0_u64..700, 1..12)) {
        let size = batches.iter().sum();
        let (frontier, tiles) = grown(&batches);
        let (at_once, tiles_at_once) = grown(&[size]);
        prop_assert_eq!(&frontier, &at_once);
        prop_assert_eq!(&tiles, &tiles_at_once);
        prop_assert_eq!(frontier.root(), mth(&leaves(0, size)));
        prop_assert_eq!(root(&tiles, size).unwrap(), frontier.root());
        prop_assert_eq!(&Frontier::load(&tiles, size, &frontier.root()).unwrap(), &frontier);
    }

    /// Proofs equal those of both oracles, and both accept ours.
    #[test]
    fn proofs_are_those_of_the_oracles(size in 1_u64..3000, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (frontier, tiles) = grown(&[size]);
        let oracle = oracle(size);
        let mut merkle = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, [u8; 8]>::new();
        (0..size).for_each(|n| merkle.push(n.to_be_bytes()));
        let their_root = merkle.root();
        prop_assert_eq!(their_root.as_bytes().as_slice(), &frontier.root()[..]);

        let index = u64::try_from(a.index(usize::try_from(size).unwrap())).unwrap();
        let path = inclusion_proof(&tiles, index, size).unwrap();
        prop_assert_eq!(&path, &raw(&tlog::prove_record(size, index, &oracle).unwrap()));
        let theirs = merkle.prove_inclusion(usize::try_from(index).unwrap());
        prop_assert_eq!(theirs.as_bytes(), path.as_flattened());
        verify_inclusion(&leaf(index), index, size, &frontier.root(), &path).unwrap();

        let old = 1 + u64::try_from(b.index(usize::try_from(size).unwrap())).unwrap();
        let path = consistency_proof(&tiles, old, size).unwrap();
        prop_assert_eq!(&path, &raw(&tlog::prove_tree(size, old, &oracle).unwrap()));
        let theirs = merkle.prove_consistency(usize::try_from(size - old).unwrap());
        prop_assert_eq!(theirs.as_bytes(), path.as_flattened());
        verify_consistency(old, &root(&tiles, old).unwrap(), size, &frontier.root(), &path).unwrap();
    }

    /// What `tlog_tiles` accepts we accept, and the other way round, for proofs with anything changed.
    #[test]
    fn verdicts_are_those_of_the_oracle(
        size in 1_u64..600, a in any::<prop::sample::Index>(), shift in -2_i64..3, grow in -2_i64..3,
        change in prop::option::of((any::<prop::sample::Index>(), 0_usize..256)), cut in 0_usize..3, add in 0_usize..2,
    ) {
        let (frontier, tiles) = grown(&[size]);
        let index = u64::try_from(a.index(usize::try_from(size).unwrap())).unwrap();
        let mut path = inclusion_proof(&tiles, index, size).unwrap();
        path.truncate(path.len().saturating_sub(cut));
        path.extend(vec![leaf(7); add]);
        if let (Some((at, bit)), false) = (change, path.is_empty()) {
            let at = at.index(path.len());
            path[at][bit / 8] ^= 1 << (bit % 8);
        }
        let (index, size) = (index.saturating_add_signed(shift), size.saturating_add_signed(grow).max(1));
        let ours = verify_inclusion(&leaf(index), index, size, &frontier.root(), &path);
        let theirs = tlog::check_record(
            &path.iter().map(|hash| tlog::Hash(*hash)).collect(), size, tlog::Hash(frontier.root()), index, tlog::Hash(leaf(index)),
        );
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
    }
}

#[test]
fn every_bit_of_a_proof_counts() {
    let (frontier, tiles) = grown(&[300]);
    let inclusion = inclusion_proof(&tiles, 123, 300).unwrap();
    let consistency = consistency_proof(&tiles, 123, 300).unwrap();
    let old_root = root(&tiles, 123).unwrap();
    for bit in 0..inclusion.len() * 256 {
        let mut path = inclusion.clone();
        path[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
        assert_eq!(
            verify_inclusion(&leaf(123), 123, 300, &frontier.root(), &path),
            Err(ProofInvalid::Root)
        );
    }
    for bit in 0..consistency.len() * 256 {
        let mut path = consistency.clone();
        path[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
        assert!(verify_consistency(123, &old_root, 300, &frontier.root(), &path).is_err());
    }
    // an entry cannot pass as a node, nor a node as an entry
    let node = [leaf(0), leaf(1)].concat();
    assert_ne!(leaf_hash(&node), node_hash(&leaf(0), &leaf(1)));
}

/// Reads each tile once, whatever is asked for.
#[test]
fn many_paths_at_once_are_those_made_one_by_one() {
    for size in [
        1_u64, 2, 3, 255, 256, 257, 300, 511, 513, 1000, 65_535, 65_537, 70_001,
    ] {
        let (_, tiles) = grown(&[size]);
        let counting = Counting(&tiles, RefCell::new(0));
        let mut paths = comity_ledger::tree::Paths::new(&counting, size).unwrap();
        let step = usize::try_from(1 + size / 300).unwrap();
        for index in (0..size).step_by(step).chain([size - 1]) {
            assert_eq!(
                paths.inclusion(index).unwrap(),
                inclusion_proof(&tiles, index, size).unwrap(),
                "{index} of {size}"
            );
        }
        assert!(matches!(
            paths.inclusion(size),
            Err(TreeError::Range { .. })
        ));
        let all = usize::try_from(size.div_ceil(256) + size.div_ceil(65_536) + 1).unwrap();
        assert!(
            *counting.1.borrow() <= all,
            "{size}: {}",
            counting.1.borrow()
        );
    }
}
