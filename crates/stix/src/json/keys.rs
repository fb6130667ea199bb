//! Keys of objects: their limit, and that none stands twice (RFC 7493 2.3).

use super::reader::Reader;
use super::scratch::Open;
use super::text::{Broken, excerpt};
use crate::codes;

/// Keys up to which a new key is compared with each before it; wider objects are sorted once at their end.
pub(super) const WIDE: u32 = 64;

impl Reader<'_, '_> {
    /// Counts the key at node `index` and refuses one that the open object already has (RFC 7493 2.3).
    pub(super) fn note_key(&mut self, index: u32) -> Result<(), Broken> {
        let key = self.key_text(index);
        if key.len() > self.limits.key_bytes_max {
            let message = format!(
                "a key has {} bytes, at most {} are accepted",
                key.len(),
                self.limits.key_bytes_max
            );
            return Err(self.broken_at(&codes::JSON_LIMIT_KEY, message, index));
        }
        let bit = key_bit(key.as_bytes());
        let Some(open) = self.tape.open.last() else {
            return Ok(());
        };
        if open.keys_seen & bit != 0 && open.count < WIDE && self.has_key(open, index) {
            return Err(self.duplicate(index));
        }
        if let Some(open) = self.tape.open.last_mut() {
            open.keys_seen |= bit;
            open.count = open.count.saturating_add(1);
            open.newest = index;
        }
        Ok(())
    }

    /// True when a key before node `index` of the open object has the same text.
    fn has_key(&self, open: &Open, index: u32) -> bool {
        let wanted = self.key_text(index);
        let mut at = open.node.saturating_add(1);
        for _ in 0..open.count {
            if self.key_text(at) == wanted {
                return true;
            }
            at = self
                .tape
                .nodes
                .get(at as usize + 1)
                .map_or(u32::MAX, |value| value.next);
        }
        false
    }

    /// Looks for a duplicate key in an object with too many keys to compare each with each.
    pub(super) fn wide_object(&self, node: u32, count: u32) -> Result<(), Broken> {
        let mut keys = Vec::with_capacity(count as usize);
        let mut at = node.saturating_add(1);
        for _ in 0..count {
            keys.push((self.key_text(at), at));
            at = self
                .tape
                .nodes
                .get(at as usize + 1)
                .map_or(u32::MAX, |value| value.next);
        }
        keys.sort_unstable();
        let twice = keys.windows(2).find_map(|pair| match pair {
            [(first, _), (second, index)] if first == second => Some(*index),
            _ => None,
        });
        twice.map_or(Ok(()), |index| Err(self.duplicate(index)))
    }

    pub(super) fn duplicate(&self, index: u32) -> Broken {
        let message = format!(
            "the key `{}` stands twice in one object",
            excerpt(self.key_text(index))
        );
        self.broken_at(&codes::JSON_DUPLICATE_KEY, message, index)
    }

    pub(super) fn key_text(&self, index: u32) -> &str {
        let Some(node) = self.tape.nodes.get(index as usize) else {
            return "";
        };
        match node.extra {
            0 => self
                .text
                .get(node.start as usize + 1..(node.end as usize).saturating_sub(1))
                .unwrap_or_default(),
            extra => self.tape.unescaped(extra).unwrap_or_default(),
        }
    }
}

/// One of 128 bits, from the length and a few bytes of a key.
fn key_bit(key: &[u8]) -> u128 {
    let pick = |index: usize| u32::from(key.get(index).copied().unwrap_or_default());
    let last = key.len().saturating_sub(1);
    let mixed = (key.len() as u32)
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(pick(0).wrapping_mul(0x85EB_CA77))
        .wrapping_add(pick(last / 2).wrapping_mul(0xC2B2_AE3D))
        .wrapping_add(pick(last).wrapping_mul(0x27D4_EB2F));
    1 << (mixed >> 25)
}
