//! Growing the tree: one hash per leaf, and exactly the tiles that changed.

use super::prove::{perfect_root, read_tile};
use super::{SIZE_MAX, TileSource, TreeError, fold, node_hash};
use crate::Hash;
use crate::tile::{self, TileId, WIDTH_MAX};

/// The right edge of a tree: all that is needed to append to it and to know its root. At most 66 kB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    // INVARIANT: size <= SIZE_MAX.
    size: u64,
    // INVARIANT: edge[l] holds the hashes of the partial tile at level l, (size >> 8l) mod 256 of them.
    edge: [Vec<Hash>; 8],
    // INVARIANT: one root per set bit of size, largest subtree first (the compact range of RFC 9162 section 2.1.2).
    subtrees: Vec<Hash>,
}

/// What an append asks to be written, and the state after it.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The frontier to go on from; take it only once the tiles are durable.
    pub frontier: Frontier,
    /// The new root.
    pub root: Hash,
    /// Every tile that changed, each once, in its new width: insert or overwrite by (level, index).
    pub tiles: Vec<TileWrite>,
}

/// A tile to insert or overwrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileWrite {
    /// Which, and how wide it is now.
    pub id: TileId,
    /// Its hashes, `id.width()` of them.
    pub hashes: Vec<Hash>,
}

impl TileWrite {
    /// The blob: the hashes one after the other.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.hashes.as_flattened()
    }
}

/// The tree cannot grow beyond [`SIZE_MAX`] leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree is full")]
pub struct TreeFull;

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The frontier of a stored tree of `size` leaves, checked against the root its head has.
    ///
    /// # Errors
    /// When tiles are missing or too short; [`TreeError::Root`] means that tiles or head were changed behind our back.
    pub fn load<S: TileSource>(
        source: &S,
        size: u64,
        root: &Hash,
    ) -> Result<Self, TreeError<S::Error>> {
        if size > SIZE_MAX {
            return Err(TreeError::Range {
                inner: size,
                size: SIZE_MAX,
            });
        }
        let mut frontier = Self {
            size,
            ..Self::default()
        };
        for id in tile::right_edge(size) {
            if let Some(edge) = frontier.edge.get_mut(usize::from(id.level())) {
                *edge = read_tile(source, id)?;
            }
        }
        frontier.subtrees = compact(&frontier.edge);
        if frontier.root() == *root {
            Ok(frontier)
        } else {
            Err(TreeError::Root)
        }
    }

    /// Leaves in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.subtrees)
    }

    /// The tree with `leaves` (leaf hashes) added. `self` stays as it is: if the write fails, nothing has happened.
    ///
    /// # Errors
    /// [`TreeFull`].
    pub fn append(&self, leaves: &[Hash]) -> Result<Appended, TreeFull> {
        let added = u64::try_from(leaves.len()).map_err(|_| TreeFull)?;
        let size = self
            .size
            .checked_add(added)
            .filter(|size| *size <= SIZE_MAX)
            .ok_or(TreeFull)?;
        let mut next = self.clone();
        let mut tiles = Vec::with_capacity(leaves.len() / usize::from(WIDTH_MAX) + 4);
        for leaf in leaves {
            next.push(*leaf, &mut tiles);
        }
        debug_assert_eq!(next.size, size);
        for id in tile::right_edge(size) {
            let level = u32::from(id.level()) * 8;
            let changed = self.size >> level != size >> level;
            if let (true, Some(hashes)) = (changed, next.edge.get(usize::from(id.level()))) {
                tiles.push(TileWrite {
                    id,
                    hashes: hashes.clone(),
                });
            }
        }
        Ok(Appended {
            root: next.root(),
            frontier: next,
            tiles,
        })
    }

    /// Adds one leaf: joins it with every finished subtree of its own height, from the bottom up. Each time a subtree of
    /// 256^l leaves is complete, its root is the next hash of the tile at level l.
    fn push(&mut self, leaf: Hash, full: &mut Vec<TileWrite>) {
        let mut node = leaf;
        let mut height: u32 = 0;
        loop {
            if height.is_multiple_of(8) {
                self.push_tile(height / 8, node, full);
            }
            if self.size >> height & 1 == 0 {
                break;
            }
            // INVARIANT: a set bit of size has its subtree
            let Some(left) = self.subtrees.pop() else {
                break;
            };
            node = node_hash(&left, &node);
            height += 1;
        }
        self.subtrees.push(node);
        self.size += 1;
    }

    fn push_tile(&mut self, level: u32, node: Hash, full: &mut Vec<TileWrite>) {
        let (Ok(number), Ok(place)) = (u8::try_from(level), usize::try_from(level)) else {
            return;
        };
        let Some(edge) = self.edge.get_mut(place) else {
            return;
        };
        if edge.capacity() == 0 {
            edge.reserve_exact(usize::from(WIDTH_MAX));
        }
        edge.push(node);
        if edge.len() < usize::from(WIDTH_MAX) {
            return;
        }
        // self.size does not count this leaf yet, so its hashes at this level are still the ones before
        let index = (self.size >> (level * 8)) / u64::from(WIDTH_MAX);
        if let Some(id) = TileId::new(number, index, WIDTH_MAX) {
            full.push(TileWrite {
                id,
                hashes: std::mem::take(edge),
            });
        }
    }
}

/// The perfect subtrees of a tree with this right edge, largest first: those of the highest level come first.
fn compact(edge: &[Vec<Hash>; 8]) -> Vec<Hash> {
    let mut subtrees = Vec::new();
    for hashes in edge.iter().rev() {
        let mut rest: &[Hash] = hashes;
        while let Some(height) = rest.len().checked_ilog2() {
            let (subtree, after) = rest.split_at(1 << height);
            subtrees.push(perfect_root(subtree.to_vec()));
            rest = after;
        }
    }
    subtrees
}
