//! The one integration-test binary of the crate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

mod checkpoint;
mod cosignature;
mod entry;
mod foreign_log;
mod foreign_witness;
mod note;
mod policy;
mod proof;
mod quorum;
mod receipt;
mod receipt_text;
mod scripts;
mod support;
mod tile;
mod tree;
mod tree_vectors;
mod verify;
mod witness;
mod witness_decides;
mod witnessed;

use comity_ledger::Hash;
use comity_ledger::tree::{Frontier, MemoryTiles, leaf_hash};

/// Leaves that differ, without randomness.
fn leaf(number: u64) -> Hash {
    leaf_hash(&number.to_be_bytes())
}

fn leaves(from: u64, to: u64) -> Vec<Hash> {
    (from..to).map(leaf).collect()
}

/// A log built in batches of the given sizes, its tiles as a store would hold them.
fn grown(batches: &[u64]) -> (Frontier, MemoryTiles) {
    let (mut frontier, mut tiles) = (Frontier::empty(), MemoryTiles::default());
    for batch in batches {
        let appended = frontier
            .append(&leaves(frontier.size(), frontier.size() + batch))
            .unwrap();
        tiles.write(appended.tiles);
        frontier = appended.frontier;
    }
    (frontier, tiles)
}

fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
