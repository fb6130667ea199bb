//! Finding the end of a plain piece of string, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Index at or after `from` of the first quote, backslash or control character; `bytes.len()` if there is none.
pub(crate) fn plain_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return at.saturating_add((stops.trailing_zeros() / 8) as usize);
        }
        at = at.saturating_add(8);
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at.saturating_add(
        tail.iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F))
            .unwrap_or(tail.len()),
    )
}

/// High bit set in each byte that is a quote, a backslash or below 0x20. Only the lowest set bit is exact: a borrow can
/// mark later bytes too, never earlier ones.
fn stops(word: u64) -> u64 {
    let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGHS;
    let control = word.wrapping_sub(ONES.wrapping_mul(0x20)) & !word & HIGHS;
    zero(word ^ ONES.wrapping_mul(u64::from(b'"')))
        | zero(word ^ ONES.wrapping_mul(u64::from(b'\\')))
        | control
}

#[cfg(test)]
mod tests {
    use super::plain_end;

    #[test]
    fn every_byte_at_every_place_is_seen() {
        for stop in 0..=255u8 {
            for place in 0..20 {
                let mut text = vec![b'\xC3'; 24];
                text[place] = stop;
                let expected = if stop < 0x20 || stop == b'"' || stop == b'\\' {
                    place
                } else {
                    24
                };
                assert_eq!(plain_end(&text, 0), expected, "byte {stop:#x} at {place}");
            }
        }
    }
}
