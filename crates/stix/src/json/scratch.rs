//! The memory of a document and of its reading.

use super::Node;

/// The memory of a document, kept to be used again.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) nodes: Vec<Node>,
    /// Strings that held escapes, resolved, one after the other.
    pub(super) arena: String,
    /// Where each of them ends in `arena`.
    pub(super) arena_ends: Vec<u32>,
    pub(super) open: Vec<Open>,
}

impl Scratch {
    /// The resolved string number `extra` (from 1).
    pub(super) fn unescaped(&self, extra: u32) -> Option<&str> {
        let number = (extra as usize).checked_sub(1)?;
        let end = *self.arena_ends.get(number)?;
        let start = number
            .checked_sub(1)
            .map_or(Some(0), |before| self.arena_ends.get(before).copied())?;
        self.arena.get(start as usize..end as usize)
    }

    /// Forgets the last document and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.arena.clear();
        self.arena_ends.clear();
        self.open.clear();
    }
}

/// A container whose end has not been read.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) node: u32,
    pub(super) count: u32,
    pub(super) object: bool,
    /// One bit per key hash: a clear bit proves that a key is new.
    pub(super) keys_seen: u128,
    /// Node of the newest key or item, for pointers.
    pub(super) newest: u32,
}
