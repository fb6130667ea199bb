//! Lines out of pieces, with the place of each, and never more than one in memory.

use comity_evidence::LINE_BYTES_MAX;

/// Takes pieces, gives lines with their line feed.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
    /// Where the open line begins.
    start: u64,
    /// A line was too long, and the rest is passed over.
    broken: bool,
}

impl Lines {
    /// Calls `each` for every line that ends in this piece: its offset, and the line, or `None` if it is too long.
    pub(super) fn push(&mut self, piece: &[u8], mut each: impl FnMut(u64, Option<&[u8]>)) {
        if self.broken {
            return;
        }
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.open.len() + part.len() > LINE_BYTES_MAX {
                self.broken = true;
                each(self.start, None);
                return;
            }
            if part.ends_with(b"\n") && self.open.is_empty() {
                each(self.start, Some(part));
                self.start += part.len() as u64;
            } else {
                self.open.extend_from_slice(part);
                if part.ends_with(b"\n") {
                    each(self.start, Some(&self.open));
                    self.start += self.open.len() as u64;
                    self.open.clear();
                }
            }
        }
    }

    /// What stands after the last line feed, with its place; nothing should.
    pub(super) fn rest(&self) -> Option<u64> {
        (!self.open.is_empty() && !self.broken).then_some(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_same_lines() {
        let text = b"one\n\nthree\nrest";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in text.chunks(size) {
                lines.push(piece, |at, line| found.push((at, line.unwrap().to_vec())));
            }
            assert_eq!(
                found,
                [
                    (0, b"one\n".to_vec()),
                    (4, b"\n".to_vec()),
                    (5, b"three\n".to_vec())
                ]
            );
            assert_eq!(lines.rest(), Some(11));
        }
    }

    #[test]
    fn a_long_line_is_named_once() {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        lines.push(b"x\n", |at, line| found.push((at, line.is_some())));
        for _ in 0..5 {
            lines.push(&[b'y'; LINE_BYTES_MAX / 2 + 1], |at, line| {
                found.push((at, line.is_some()));
            });
        }
        assert_eq!(found, [(0, true), (2, false)]);
    }
}
