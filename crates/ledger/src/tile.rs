//! Tiles and entry bundles: how the tree and its entries are cut into resources (C2SP tlog-tiles).
//!
//! A tile is up to 256 consecutive hashes of one height. The node keeps one blob per (level, index) and overwrites it as
//! the tile fills: a narrower partial tile is always a prefix of the wider one, so the widest is the only one needed.

use std::fmt;

use crate::Hash;
use crate::text::decimal;

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH_MAX: u16 = 256;
/// Highest level a tile path may name (tlog-tiles, "Merkle Tree": "between 0 and 63").
pub const LEVEL_MAX: u8 = 63;
/// Longest entry: its length is a uint16 (tlog-tiles, "Log entries").
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// Longest path read: `tile/63/` + seven groups + `.p/255` is 47 bytes; anything longer is no path of ours.
const PATH_BYTES_MAX: usize = 64;

/// Names one tile in one of its widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    // INVARIANT: level <= LEVEL_MAX, 1 <= width <= WIDTH_MAX.
    level: u8,
    index: u64,
    width: u16,
}

impl TileId {
    /// A tile of `width` hashes; `None` if level or width are out of range.
    #[must_use]
    pub fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        (level <= LEVEL_MAX && (1..=WIDTH_MAX).contains(&width)).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// The tile as it is in a tree of `size` leaves; `None` if it is empty there.
    #[must_use]
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size
            .checked_shr(u32::from(level).saturating_mul(8))
            .unwrap_or(0);
        let first = index.checked_mul(u64::from(WIDTH_MAX))?;
        let width = hashes.checked_sub(first)?.min(u64::from(WIDTH_MAX));
        Self::new(level, index, u16::try_from(width).ok()?)
    }

    /// The height of its hashes: a hash at level `l` stands for 256^l leaves.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Its place within the level, from the left, from zero.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes it holds, 1 to 256.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }
}

/// The tiles on the right edge of a tree of `size` leaves that are not full: what an append starts from.
pub fn right_edge(size: u64) -> impl Iterator<Item = TileId> {
    (0..8).filter_map(move |level: u8| {
        let hashes = size >> (u32::from(level) * 8);
        let width = u16::try_from(hashes % u64::from(WIDTH_MAX)).ok()?;
        TileId::new(level, hashes / u64::from(WIDTH_MAX), width)
    })
}

/// A resource of a log, by the path under its URL prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `checkpoint`
    Checkpoint,
    /// `tile/<L>/<N>[.p/<W>]`
    Tile(TileId),
    /// `tile/entries/<N>[.p/<W>]`
    Entries {
        /// The bundle's index: it starts at entry 256 x index.
        index: u64,
        /// Entries in it, 1 to 256.
        width: u16,
    },
}

impl Resource {
    /// Reads a path without leading slash; `None` for anything but the one canonical spelling.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        if path.len() > PATH_BYTES_MAX {
            return None;
        }
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => (groups, partial_width(width)?),
            None => (rest, WIDTH_MAX),
        };
        let index = parse_index(groups)?;
        if level == "entries" {
            return Some(Self::Entries { index, width });
        }
        let level = u8::try_from(decimal(level)?).ok()?;
        Some(Self::Tile(TileId::new(level, index, width)?))
    }
}

/// `<W>`: "between 1 and 255, with no additional leading zeroes"; a full tile has no suffix.
fn partial_width(text: &str) -> Option<u16> {
    let width = u16::try_from(decimal(text)?).ok()?;
    (1..WIDTH_MAX).contains(&width).then_some(width)
}

/// `<N>`: three-digit groups, all but the last begin with `x`; no group more than needed.
fn parse_index(groups: &str) -> Option<u64> {
    let mut index: u64 = 0;
    let mut open = true; // false once the group without `x` was read
    for group in groups.split('/') {
        let digits = match group.strip_prefix('x') {
            _ if !open => return None,
            Some(digits) => digits,
            None => {
                open = false;
                group
            }
        };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if index == 0 && group.starts_with("x000") {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    (!open).then_some(index)
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match self {
            Self::Checkpoint => return f.write_str("checkpoint"),
            Self::Tile(tile) => {
                write!(f, "tile/{}/", tile.level)?;
                (tile.index, tile.width)
            }
            Self::Entries { index, width } => {
                f.write_str("tile/entries/")?;
                (*index, *width)
            }
        };
        write_index(f, index / 1000)?;
        write!(f, "{:03}", index % 1000)?;
        if width < WIDTH_MAX {
            write!(f, ".p/{width}")
        } else {
            Ok(())
        }
    }
}

/// All groups but the last, each with its `x`.
fn write_index(f: &mut fmt::Formatter<'_>, rest: u64) -> fmt::Result {
    if rest == 0 {
        return Ok(());
    }
    write_index(f, rest / 1000)?;
    write!(f, "x{:03}/", rest % 1000)
}

/// Why bytes are not a tile or an entry bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// A tile is a whole number of 32-byte hashes, one to 256 of them.
    #[error("a tile of {0} bytes is not 1 to 256 hashes of 32 bytes")]
    TileLength(usize),
    /// An entry does not fit its length field.
    #[error("an entry of {0} bytes is longer than 65535")]
    EntryLong(usize),
    /// The bundle ends inside an entry or its length.
    #[error("entry bundle ends inside entry {0}")]
    Truncated(usize),
    /// The bundle has more or fewer entries than its path says.
    #[error("entry bundle has not the {0} entries it should have")]
    Width(u16),
}

/// The hashes of a tile's blob.
///
/// # Errors
/// [`TileError::TileLength`] unless it holds 1 to 256 whole hashes.
pub fn hashes(blob: &[u8]) -> Result<&[Hash], TileError> {
    match blob.as_chunks::<32>() {
        (hashes, []) if (1..=usize::from(WIDTH_MAX)).contains(&hashes.len()) => Ok(hashes),
        _ => Err(TileError::TileLength(blob.len())),
    }
}

/// Appends one entry to an entry bundle: big-endian uint16 length, then the entry.
///
/// # Errors
/// [`TileError::EntryLong`] above 65,535 bytes.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle of `width` entries; nothing may follow the last.
///
/// # Errors
/// [`TileError::Truncated`] and [`TileError::Width`].
pub fn entries(mut bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    if !(1..=WIDTH_MAX).contains(&width) {
        return Err(TileError::Width(width));
    }
    let mut entries = Vec::with_capacity(usize::from(width));
    while !bundle.is_empty() {
        if entries.len() == usize::from(width) {
            return Err(TileError::Width(width));
        }
        let (length, rest) = bundle
            .split_first_chunk()
            .ok_or(TileError::Truncated(entries.len()))?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest
            .split_at_checked(length)
            .ok_or(TileError::Truncated(entries.len()))?;
        entries.push(entry);
        bundle = rest;
    }
    if entries.len() == usize::from(width) {
        Ok(entries)
    } else {
        Err(TileError::Width(width))
    }
}
