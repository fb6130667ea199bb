//! Where a JSON value ends, by brackets and quotes alone; can stop at the end of a buffer and go on in the next.

use crate::json::plain_end;

/// The search for the end of one value.
#[derive(Debug, Default)]
pub(super) struct Extent {
    depth: usize,
    string: bool,
    begun: bool,
}

impl Extent {
    /// Looks at `bytes` from `at`. `Some` is the index after the value; `None` means that more bytes are needed, which
    /// have to be looked at from `bytes.len()` on (or from the last byte, when that is a backslash).
    pub(super) fn end(&mut self, bytes: &[u8], at: &mut usize) -> Option<usize> {
        loop {
            if self.string && !self.skip_string(bytes, at) {
                return None;
            }
            if self.begun && self.depth == 0 {
                return Some(*at);
            }
            let rest = bytes.get(*at..).unwrap_or_default();
            let Some(found) = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b','))
            else {
                *at = bytes.len();
                return None;
            };
            let place = at.saturating_add(found);
            match rest.get(found) {
                Some(b'"') => self.string = true,
                Some(b'{' | b'[') => self.depth = self.depth.saturating_add(1),
                Some(b'}' | b']') if self.depth > 0 => self.depth = self.depth.saturating_sub(1),
                Some(b',') if self.depth > 0 => {
                    *at = place.saturating_add(1);
                    continue;
                }
                // a comma or bracket that belongs to the container ends a number or word
                _ => return Some(place),
            }
            self.begun = true;
            *at = place.saturating_add(1);
        }
    }

    /// Goes to the end of the string at hand; false when more bytes are needed.
    fn skip_string(&mut self, bytes: &[u8], at: &mut usize) -> bool {
        loop {
            let stop = plain_end(bytes, *at);
            match bytes.get(stop) {
                Some(b'"') => {
                    *at = stop.saturating_add(1);
                    self.string = false;
                    return true;
                }
                Some(b'\\') if stop.saturating_add(1) < bytes.len() => *at = stop.saturating_add(2),
                Some(b'\\') | None => {
                    *at = stop;
                    return false;
                }
                // a control character: the strict reader will say so
                Some(_) => *at = stop.saturating_add(1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Extent;

    #[test]
    fn the_end_is_the_same_however_the_text_is_cut() {
        for text in [
            r#"{"a":["}\"",{}],"b":"\\"}"#,
            r#""a\"b""#,
            "[[],[]]",
            "12",
            "true",
        ] {
            let whole = format!("{text},1]");
            for cut in 0..whole.len() {
                let (mut extent, mut at) = (Extent::default(), 0);
                let end = extent
                    .end(&whole.as_bytes()[..cut], &mut at)
                    .or_else(|| extent.end(whole.as_bytes(), &mut at));
                assert_eq!(end, Some(text.len()), "{text} cut at {cut}");
            }
        }
    }
}
