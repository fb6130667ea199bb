//! What an object says, whether or not it spells out defaults.
//!
//! 3.6: "If a property has the same value as the default, it MAY be omitted from a representation, and this does not
//! represent a change to the object." So two texts of one version are compared without the properties that only repeat a
//! default. Bytes, canonical form and hash stay those of the text that came.

use crate::canonical;
use crate::json::{Document, Kind, Limits, Value};

/// True when both texts are the same version with the same content, defaults spelled out or not. Texts that are no JSON
/// are never the same.
///
/// ```
/// let same = comity_stix::defaults::same_content;
/// assert!(same(br#"{"type":"tool","revoked":false}"#, br#"{"type":"tool"}"#));
/// assert!(!same(br#"{"type":"tool","revoked":true}"#, br#"{"type":"tool"}"#));
/// ```
#[must_use]
pub fn same_content(one: &[u8], other: &[u8]) -> bool {
    let limits = Limits::default();
    let text = |bytes| {
        Document::parse(bytes, &limits)
            .ok()
            .map(|document| canonical_without_defaults(document.root()))
    };
    text(one).is_some_and(|one| Some(one) == text(other))
}

/// The canonical text (RFC 8785) of an object without members that only repeat a default.
#[must_use]
pub fn canonical_without_defaults(object: Value<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(object.raw().len());
    canonical::write_object(
        object
            .members()
            .filter(|member| !is_default(object, member.name(), member.value)),
        &mut text,
    );
    text
}

/// The defaults that the standard names: 3.2 `revoked`, `defanged`, `lang`, `spec_version` of observables; 4.7.1
/// `pattern_version`; 5.2.1 `summary`.
fn is_default(object: Value<'_>, name: &str, value: Value<'_>) -> bool {
    let says =
        |name: &str, word: &str| object.get(name).and_then(|value| value.as_str()) == Some(word);
    match name {
        "revoked" | "defanged" => value.as_bool() == Some(false),
        "summary" => value.as_bool() == Some(false) && says("type", "sighting"),
        "lang" => value.as_str() == Some("en"),
        "spec_version" => {
            // only observables may leave it out, and only they have no `created`
            value.as_str() == Some("2.1") && object.get("created").is_none()
        }
        "pattern_version" => {
            // "For the STIX Pattern language, the default value is determined by the specification version of the object"
            value.as_str() == Some("2.1")
                && says("type", "indicator")
                && says("pattern_type", "stix")
        }
        _ => false,
    }
}

/// A number that is the same for texts with the same content. Different contents share one by chance only, but who wants
/// to can make them: use it to tell what stood before in a file, never to decide what is kept.
#[must_use]
pub fn fingerprint(object: Value<'_>) -> u64 {
    object
        .members()
        .filter(|member| !is_default(object, member.name(), member.value))
        .map(|member| mix(text(member.name()), of(member.value)))
        .fold(SEED, u64::wrapping_add)
}

// the reader's depth limit bounds this recursion
fn of(value: Value<'_>) -> u64 {
    match value.kind() {
        Kind::Null => 1,
        Kind::Bool(yes) => 2 + u64::from(yes),
        Kind::Number => mix(
            4,
            value.number().map_or(0, |number| {
                // 0 and -0 are one number, also in canonical form
                (number.as_f64() + 0.0).to_bits()
            }),
        ),
        Kind::String => text(value.as_str().unwrap_or_default()),
        Kind::Array => value.items().fold(5, |sum, item| mix(sum, of(item))),
        // members in any order are the same object
        Kind::Object => mix(
            6,
            value
                .members()
                .map(|member| mix(text(member.name()), of(member.value)))
                .fold(SEED, u64::wrapping_add),
        ),
    }
}

fn text(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut()
        .zip(rest)
        .for_each(|(into, byte)| *into = *byte);
    let sum = words.iter().fold(SEED ^ text.len() as u64, |sum, word| {
        mix(sum, u64::from_le_bytes(*word))
    });
    mix(sum, u64::from_le_bytes(last))
}

/// Both halves of the product of two mixed words.
fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ SEED) * u128::from(other ^ SALT);
    (product as u64) ^ ((product >> 64) as u64)
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const SALT: u64 = 0xd1b5_4a32_d192_ed03;

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> u64 {
        fingerprint(
            Document::parse(text.as_bytes(), &Limits::default())
                .unwrap()
                .root(),
        )
    }

    #[test]
    fn defaults_spelled_out_are_no_change() {
        for (one, other) in [
            (r#""type":"tool","created":"c""#, r#""revoked":false"#),
            (r#""type":"tool","created":"c""#, r#""lang":"en""#),
            (
                r#""type":"url""#,
                r#""defanged":false,"spec_version":"2.1""#,
            ),
            (r#""type":"sighting","created":"c""#, r#""summary":false"#),
            (
                r#""type":"indicator","created":"c","pattern_type":"stix""#,
                r#""pattern_version":"2.1""#,
            ),
        ] {
            let (short, long) = (format!("{{{one}}}"), format!("{{{other},{one}}}"));
            assert!(same_content(short.as_bytes(), long.as_bytes()), "{long}");
            assert_eq!(print(&short), print(&long), "{long}");
        }
    }

    #[test]
    fn everything_else_is_a_change() {
        let base = r#""type":"tool","created":"c""#;
        for more in [
            r#""revoked":true"#,
            r#""lang":"uk""#,
            r#""summary":false"#,
            r#""spec_version":"2.1""#,
            r#""pattern_version":"2.1""#,
            r#""name":"""#,
            r#""x":{"revoked":false}"#,
        ] {
            let (short, long) = (format!("{{{base}}}"), format!("{{{base},{more}}}"));
            assert!(!same_content(short.as_bytes(), long.as_bytes()), "{long}");
            assert_ne!(print(&short), print(&long), "{long}");
        }
    }

    #[test]
    fn the_fingerprint_looks_through_spelling_only() {
        assert_eq!(
            print(r#"{"a":[1,"\u0041",{"b":1.0,"c":-0}]}"#),
            print(r#"{ "a": [1e0, "A", {"c": 0, "b": 1}] }"#)
        );
        for (one, other) in [
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":"b","c":"d"}"#, r#"{"a":"d","c":"b"}"#),
            (r#"{"a":"12345678"}"#, r#"{"a":"12345678\u0000"}"#),
            (r#"{"a":[[],[]]}"#, r#"{"a":[[[]]]}"#),
        ] {
            assert_ne!(print(one), print(other), "{one} {other}");
        }
    }
}
