//! The `next` of TAXII 2.1 section 3.5: a position, bound to what it was given for.
//!
//! It holds no right: every page is evaluated anew for the caller, so a copied one shows nothing its holder may not read
//! (Appendix B). It survives a restart, because OpenCTI keeps it as its cursor between runs, and it stays good when the
//! same client sends it with another `added_after` or `limit`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What a position belongs to: the collection (and the object, for one object's pages) and the match fields.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// UUID of the collection.
    pub collection: &'a str,
    /// Identifier of the object, or nothing.
    pub object: &'a str,
    /// Digest of the match fields.
    pub filter: [u8; 32],
}

/// Writes the position after the membership added at `last_added` (microseconds).
#[must_use]
pub fn encode(last_added: i64, binding: &Binding<'_>) -> String {
    let mut bytes = Vec::with_capacity(8 + CHECK_BYTES);
    bytes.extend_from_slice(&last_added.to_be_bytes());
    bytes.extend_from_slice(&check(last_added, binding));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a position; `None` for anything [`encode`] did not write for this binding.
#[must_use]
pub fn decode(text: &str, binding: &Binding<'_>) -> Option<i64> {
    if text.len() > 64 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (position, given) = bytes.split_first_chunk::<8>()?;
    let last_added = i64::from_be_bytes(*position);
    (given == check(last_added, binding)).then_some(last_added)
}

const CHECK_BYTES: usize = 10;

fn check(last_added: i64, binding: &Binding<'_>) -> [u8; CHECK_BYTES] {
    let mut hash = Sha256::new();
    hash.update(b"comity-next/v1\0");
    hash.update(last_added.to_be_bytes());
    for text in [binding.collection, binding.object] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(binding.filter);
    let digest: [u8; 32] = hash.finalize().into();
    let mut short = [0; CHECK_BYTES];
    for (to, from) in short.iter_mut().zip(digest) {
        *to = from;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Binding<'static> = Binding {
        collection: "c",
        object: "",
        filter: [7; 32],
    };

    #[test]
    fn a_position_is_good_for_its_own_list_only() {
        let next = encode(1_622_678_400_000_001, &HERE);
        assert_eq!(decode(&next, &HERE), Some(1_622_678_400_000_001));
        assert_eq!(
            decode(
                &next,
                &Binding {
                    collection: "d",
                    ..HERE
                }
            ),
            None
        );
        assert_eq!(
            decode(
                &next,
                &Binding {
                    object: "x",
                    ..HERE
                }
            ),
            None
        );
        assert_eq!(
            decode(
                &next,
                &Binding {
                    filter: [8; 32],
                    ..HERE
                }
            ),
            None
        );
    }

    #[test]
    fn garbage_is_refused() {
        let next = encode(5, &HERE);
        let mut cut = next.clone();
        cut.pop();
        for bad in [
            "",
            "garbage",
            "AAAA",
            &cut,
            &format!("{next}A"),
            &format!("{cut}?"),
            &"A".repeat(5_000),
        ] {
            assert_eq!(decode(bad, &HERE), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(added in proptest::prelude::any::<i64>(), filter in proptest::prelude::any::<[u8; 32]>()) {
            let binding = Binding { collection: "c", object: "o", filter };
            proptest::prop_assert_eq!(decode(&encode(added, &binding), &binding), Some(added));
        }
    }
}
