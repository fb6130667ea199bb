//! New identifiers for copies of a data set, and counting objects of a page.

use std::collections::HashSet;

/// The same envelope with every identifier `type--UUID` changed by `copy`: the first 8 hexadecimal digits are replaced by a
/// mix of themselves and the number of the copy, so that references stay consistent inside it. Copy 0 is the data itself.
pub(crate) fn reminted(envelope: &[u8], copy: u32) -> Vec<u8> {
    let mut made = envelope.to_vec();
    if copy == 0 {
        return made;
    }
    let mut at = 0;
    while at + 38 <= made.len() {
        if made[at] == b'-' && made[at + 1] == b'-' && is_uuid(&made[at + 2..at + 38]) {
            let text = std::str::from_utf8(&made[at + 2..at + 10]).unwrap_or("00000000");
            let mixed = u32::from_str_radix(text, 16).unwrap_or(0) ^ copy.wrapping_mul(0x9e37_79b1);
            made[at + 2..at + 10].copy_from_slice(format!("{mixed:08x}").as_bytes());
            at += 38;
        } else {
            at += 1;
        }
    }
    made
}

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(n, b)| match n {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_digit() || (b'a'..=b'f').contains(b),
    })
}

/// Objects in the envelope's `objects`, by depth; `seen` gathers a hash of each object's own text.
pub(crate) fn count_objects(page: &[u8], seen: &mut HashSet<u64>) -> usize {
    use std::hash::{DefaultHasher, Hasher};

    let (mut depth, mut in_text, mut escaped, mut start, mut count) = (0u32, false, false, 0, 0);
    for (at, byte) in page.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                if *byte == b'{' && depth == 3 {
                    start = at;
                }
            }
            b'}' | b']' => {
                if *byte == b'}' && depth == 3 {
                    count += 1;
                    let mut hasher = DefaultHasher::new();
                    hasher.write(&page[start..=at]);
                    seen.insert(hasher.finish());
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    count
}
