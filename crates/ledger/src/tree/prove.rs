//! Making proofs from tiles.

use std::collections::BTreeMap;

use super::{SIZE_MAX, TileWrite, fold, node_hash};
use crate::Hash;
use crate::tile::TileId;

/// Where tiles come from: a database, files, a peer, memory.
pub trait TileSource {
    /// Why a tile cannot be had.
    type Error;

    /// The first `width` hashes of the tile. More may be returned (a blob that has grown since, the full tile in place of
    /// a partial one); fewer are an error of the proof. Called at most about six times a proof. Tiles are not trusted:
    /// whoever signs or believes a root compares it.
    ///
    /// # Errors
    /// When the tile is not there or cannot be read.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error>;
}

impl<S: TileSource + ?Sized> TileSource for &S {
    type Error = S::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        (**self).tile(level, index, width)
    }
}

/// Tiles in memory: for tests, for rebuilding a tree from its entries, for a verifier that fetched some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryTiles(BTreeMap<(u8, u64), Vec<Hash>>);

impl MemoryTiles {
    /// Inserts or overwrites, as a store does.
    pub fn write(&mut self, tiles: Vec<TileWrite>) {
        self.0.extend(
            tiles
                .into_iter()
                .map(|tile| ((tile.id.level(), tile.id.index()), tile.hashes)),
        );
    }

    /// Every tile, by level and index.
    pub fn iter(&self) -> impl Iterator<Item = ((u8, u64), &[Hash])> {
        self.0.iter().map(|(id, hashes)| (*id, hashes.as_slice()))
    }
}

/// The tile is not among those in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tile is missing")]
pub struct MissingTile;

impl TileSource for MemoryTiles {
    type Error = MissingTile;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, MissingTile> {
        self.0.get(&(level, index)).cloned().ok_or(MissingTile)
    }
}

/// Why a proof cannot be made, or a frontier not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError<E> {
    /// The source failed.
    #[error("tile {0:?} cannot be read")]
    Tile(TileId, #[source] E),
    /// The source gave a tile that is too short.
    #[error("tile {0:?} has only {1} hashes")]
    Short(TileId, usize),
    /// The caller asked for an entry or tree that is not there.
    #[error("{inner} is not within a tree of {size} leaves")]
    Range {
        /// Index or old size asked for.
        inner: u64,
        /// Size of the tree asked about.
        size: u64,
    },
    /// Loading only: the tiles are not those of the tree that was signed. Never append to them.
    #[error("the tiles give another root than the head has")]
    Root,
}

/// Root of the tree's first `size` leaves.
///
/// # Errors
/// When tiles are missing or too short.
pub fn root<S: TileSource>(source: &S, size: u64) -> Result<Hash, TreeError<S::Error>> {
    Reader::new(source, size)?.range(0, size)
}

/// `PATH(index, D[size])` of RFC 6962 section 2.1.1: from the leaf's sibling up to the root's child.
///
/// # Errors
/// [`TreeError::Range`] unless `index < size`; when tiles are missing or too short.
pub fn inclusion_proof<S: TileSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, TreeError<S::Error>> {
    if index >= size {
        return Err(TreeError::Range { inner: index, size });
    }
    let (mut low, mut high) = (0, size);
    let mut siblings = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            siblings.push((middle, high));
            high = middle;
        } else {
            siblings.push((low, middle));
            low = middle;
        }
    }
    Reader::new(source, size)?.ranges(siblings)
}

/// `PROOF(old, D[new])` of RFC 6962 section 2.1.2; empty if `old` is 0 or `new`.
///
/// # Errors
/// [`TreeError::Range`] unless `old <= new`; when tiles are missing or too short.
pub fn consistency_proof<S: TileSource>(
    source: &S,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, TreeError<S::Error>> {
    if old > new {
        return Err(TreeError::Range {
            inner: old,
            size: new,
        });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let (mut low, mut high) = (0, new);
    let mut parts = Vec::new();
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            parts.push((middle, high));
            high = middle;
        } else {
            parts.push((low, middle));
            low = middle;
        }
    }
    // SUBPROOF(m, D[m], false): the verifier does not have this subtree's root; with low == 0 it is the old root itself
    if low != 0 {
        parts.push((low, high));
    }
    Reader::new(source, new)?.ranges(parts)
}

/// The largest power of two smaller than `leaves` (RFC 6962 section 2.1), for at least two leaves.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// Reads each tile once.
struct Reader<'a, S> {
    source: &'a S,
    size: u64,
    // two a level at most: a list is faster than a map
    cache: Vec<(TileId, Vec<Hash>)>,
}

impl<'a, S: TileSource> Reader<'a, S> {
    fn new(source: &'a S, size: u64) -> Result<Self, TreeError<S::Error>> {
        if size > SIZE_MAX {
            return Err(TreeError::Range {
                inner: size,
                size: SIZE_MAX,
            });
        }
        Ok(Self {
            source,
            size,
            cache: Vec::new(),
        })
    }

    /// Roots of ranges found from the top down, given from the bottom up.
    fn ranges(&mut self, top_down: Vec<(u64, u64)>) -> Result<Vec<Hash>, TreeError<S::Error>> {
        top_down
            .into_iter()
            .rev()
            .map(|(low, high)| self.range(low, high))
            .collect()
    }

    /// Root of `D[low:high]`, which is a perfect subtree or ends where the tree ends.
    fn range(&mut self, low: u64, high: u64) -> Result<Hash, TreeError<S::Error>> {
        let mut subtrees = Vec::new();
        let mut at = low;
        while let Some(height) = (high - at).checked_ilog2() {
            subtrees.push(self.subtree(height, at)?);
            at += 1 << height;
        }
        Ok(fold(&subtrees))
    }

    /// Root of the perfect subtree of 2^height leaves that starts at leaf `start`.
    fn subtree(&mut self, height: u32, start: u64) -> Result<Hash, TreeError<S::Error>> {
        let level = height / 8;
        let first = start >> (level * 8);
        let range_error = TreeError::Range {
            inner: start,
            size: self.size,
        };
        let Some(id) = u8::try_from(level)
            .ok()
            .and_then(|level| TileId::in_tree(level, first / 256, self.size))
        else {
            return Err(range_error);
        };
        let hashes = self.tile(id)?;
        let offset = usize::try_from(first % 256).unwrap_or(usize::MAX);
        let wanted = hashes
            .get(offset..)
            .and_then(|rest| rest.get(..1 << (height % 8)));
        wanted
            .map(|hashes| perfect_root(hashes.to_vec()))
            .ok_or(range_error)
    }

    fn tile(&mut self, id: TileId) -> Result<&[Hash], TreeError<S::Error>> {
        let found = self.cache.iter().position(|(cached, _)| *cached == id);
        if found.is_none() {
            let hashes = read_tile(self.source, id)?;
            self.cache.push((id, hashes));
        }
        let place = found.unwrap_or(self.cache.len() - 1);
        Ok(self.cache.get(place).map_or(&[], |(_, hashes)| hashes))
    }
}

/// A tile in exactly the width asked for.
pub(super) fn read_tile<S: TileSource>(
    source: &S,
    id: TileId,
) -> Result<Vec<Hash>, TreeError<S::Error>> {
    let mut hashes = source
        .tile(id.level(), id.index(), id.width())
        .map_err(|error| TreeError::Tile(id, error))?;
    if hashes.len() < usize::from(id.width()) {
        return Err(TreeError::Short(id, hashes.len()));
    }
    hashes.truncate(usize::from(id.width()));
    Ok(hashes)
}

/// Root over a power of two of neighbouring hashes.
pub(super) fn perfect_root(mut row: Vec<Hash>) -> Hash {
    while row.len() > 1 {
        row = row
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    row.first().copied().unwrap_or_else(super::empty_root)
}
