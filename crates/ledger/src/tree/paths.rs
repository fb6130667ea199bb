//! Many inclusion proofs from one tree at once: each tile is read once and its inner nodes are hashed once, so a page of a
//! thousand records costs a few thousand hashes instead of a few hundred a record.

use std::collections::HashMap;

use super::prove::read_tile;
use super::{SIZE_MAX, TileSource, TreeError, fold, node_hash};
use crate::Hash;
use crate::tile::TileId;

/// Inclusion proofs of the tree with `size` leaves.
pub struct Paths<S> {
    source: S,
    // INVARIANT: at most SIZE_MAX
    size: u64,
    /// By level and index: the tile's hashes, their parents, theirs, up to one. INVARIANT: only whole pairs have a parent.
    tiles: HashMap<(u8, u64), Vec<Vec<Hash>>>,
    /// Ranges that end where the tree ends are no perfect subtree; nearly every path goes through the same few.
    edges: HashMap<u64, Hash>,
}

impl<S: TileSource> Paths<S> {
    /// Prepares proofs of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError::Range`] when no tree is that large.
    pub fn new(source: S, size: u64) -> Result<Self, TreeError<S::Error>> {
        if size > SIZE_MAX {
            return Err(TreeError::Range {
                inner: size,
                size: SIZE_MAX,
            });
        }
        Ok(Self {
            source,
            size,
            tiles: HashMap::new(),
            edges: HashMap::new(),
        })
    }

    /// Leaves of the tree that is proved from.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What [`super::inclusion_proof`] gives.
    ///
    /// # Errors
    /// As there.
    pub fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, TreeError<S::Error>> {
        let size = self.size;
        if index >= size {
            return Err(TreeError::Range { inner: index, size });
        }
        let (mut low, mut high) = (0, size);
        let mut siblings = Vec::new();
        while high - low > 1 {
            let middle = low + (1 << (high - low - 1).ilog2());
            if index < middle {
                siblings.push((middle, high));
                high = middle;
            } else {
                siblings.push((low, middle));
                low = middle;
            }
        }
        siblings
            .into_iter()
            .rev()
            .map(|(low, high)| self.range(low, high))
            .collect()
    }

    /// Root of `D[low:high]`, which is a perfect subtree or ends where the tree ends.
    fn range(&mut self, low: u64, high: u64) -> Result<Hash, TreeError<S::Error>> {
        if (high - low).is_power_of_two() {
            return self.subtree((high - low).ilog2(), low);
        }
        if let Some(hash) = self.edges.get(&low) {
            return Ok(*hash);
        }
        let mut subtrees = Vec::new();
        let mut at = low;
        while let Some(height) = (high - at).checked_ilog2() {
            subtrees.push(self.subtree(height, at)?);
            at += 1 << height;
        }
        let hash = fold(&subtrees);
        self.edges.insert(low, hash);
        Ok(hash)
    }

    /// Root of the perfect subtree of 2^height leaves that starts at leaf `start`.
    fn subtree(&mut self, height: u32, start: u64) -> Result<Hash, TreeError<S::Error>> {
        let out = TreeError::Range {
            inner: start,
            size: self.size,
        };
        let Ok(level) = u8::try_from(height / 8) else {
            return Err(out);
        };
        let first = start >> (u32::from(level) * 8);
        let Some(id) = TileId::in_tree(level, first / 256, self.size) else {
            return Err(out);
        };
        let rows = match self.tiles.entry((level, id.index())) {
            std::collections::hash_map::Entry::Occupied(rows) => rows.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(rows(read_tile(&self.source, id)?))
            }
        };
        let row = usize::try_from(height % 8).unwrap_or(usize::MAX);
        let place = usize::try_from((first % 256) >> (height % 8)).unwrap_or(usize::MAX);
        let found = rows.get(row).and_then(|row| row.get(place));
        found.copied().ok_or(out)
    }
}

/// A row of hashes and all rows above it.
fn rows(hashes: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut rows = vec![hashes];
    loop {
        let above: Vec<Hash> = rows
            .last()
            .map_or(&[][..], Vec::as_slice)
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
        if above.is_empty() {
            return rows;
        }
        rows.push(above);
    }
}
