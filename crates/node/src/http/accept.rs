//! What the client says it can read, and what it says it sends (TAXII 2.1 section 3.1).

/// The media type of every TAXII answer.
pub const TAXII: &str = "application/taxii+json;version=2.1";
/// The media type of the objects in a collection.
pub const STIX: &str = "application/stix+json;version=2.1";

/// Whether a client with this `Accept` header can be given TAXII 2.1. No header takes anything (RFC 9110 section 12.5.1).
///
/// A TAXII type without a version means the newest (3.1). `application/stix+json` is served because clients list it
/// (5.3), `application/json` because OpenCTI sent it alone.
#[must_use]
pub fn acceptable(header: Option<&str>) -> bool {
    let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
        return true;
    };
    let mut best: Option<(u8, bool)> = None;
    let mut other = false;
    for range in split_outside_quotes(header, ',') {
        let Some(range) = MediaRange::parse(range) else {
            continue;
        };
        let wanted = range.quality > 0;
        match range.taxii_specificity() {
            Some(specificity) if best.is_none_or(|(known, _)| specificity >= known) => {
                best = Some((specificity, wanted))
            }
            Some(_) => {}
            None => other |= wanted && range.is_tolerated(),
        }
    }
    other || best.is_some_and(|(_, wanted)| wanted)
}

/// Whether a body of this `Content-Type` is read: a TAXII envelope, or JSON as tools send it.
#[must_use]
pub fn readable_body(content_type: Option<&str>) -> bool {
    content_type
        .and_then(MediaRange::parse)
        .is_some_and(|range| {
            range
                .taxii_specificity()
                .is_some_and(|specificity| specificity >= 2)
                || range.is_tolerated()
        })
}

struct MediaRange<'a> {
    kind: &'a str,
    subtype: &'a str,
    version: Option<&'a str>,
    /// In thousandths.
    quality: u32,
}

impl<'a> MediaRange<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split_outside_quotes(text, ';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let mut range = Self {
            kind: kind.trim(),
            subtype: subtype.trim(),
            version: None,
            quality: 1_000,
        };
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"');
            match name.trim() {
                name if name.eq_ignore_ascii_case("version") => range.version = Some(value),
                // a quality nobody can read counts as 1, as in most servers
                name if name.eq_ignore_ascii_case("q") => {
                    range.quality = quality(value).unwrap_or(1_000)
                }
                _ => {}
            }
        }
        Some(range)
    }

    fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// How exactly this range names TAXII 2.1; `None` when it does not.
    fn taxii_specificity(&self) -> Option<u8> {
        if self.is("application", "taxii+json") {
            return match self.version {
                Some("2.1") => Some(3),
                None => Some(2),
                Some(_) => None,
            };
        }
        if self.is("application", "*") {
            return Some(1);
        }
        self.is("*", "*").then_some(0)
    }

    fn is_tolerated(&self) -> bool {
        let stix = self.is("application", "stix+json")
            && self.version.is_none_or(|version| version == "2.1");
        stix || self.is("application", "json")
    }
}

/// A weight of RFC 9110 section 12.4.2 in thousandths.
pub(crate) fn quality(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value: u32 = match whole {
        "0" => 0,
        "1" => 1,
        _ => return None,
    };
    for place in 0..3 {
        let digit = fraction
            .as_bytes()
            .get(place)
            .map_or(0, |byte| u32::from(byte - b'0'));
        value = value * 10 + digit;
    }
    (value <= 1_000).then_some(value)
}

/// Splits at `separator`, except inside quoted strings.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        if character == '"' {
            quoted = !quoted;
        }
        character == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_1_accept() {
        for (header, expected) in [
            ("application/taxii+json;version=2.1", true),
            ("application/taxii+json; version=2.1", true),
            ("application/taxii+json", true),
            ("Application/TAXII+JSON;Version=2.1", true),
            (r#"application/taxii+json;version="2.1""#, true),
            ("text/html, application/taxii+json;version=2.1;q=0.5", true),
            ("application/taxii+json ; version=2.1 , */*;q=0.1", true),
            (
                "application/taxii+json;version=2.0, application/taxii+json;version=2.1",
                true,
            ),
            (
                "application/taxii+json;version=2.1,application/stix+json;version=2.1",
                true,
            ),
            ("*/*", true),
            ("application/*", true),
            ("application/json", true),
            ("", true),
            ("application/taxii+json;version=9.9", false),
            ("application/taxii+json;version=2.0", false),
            ("text/html", false),
            ("text/*, image/png", false),
            ("application/taxii+json;q=0", false),
            ("application/taxii+json;version=2.1;q=0, */*", false),
            ("nonsense", false),
            ("*/*;q=0.000", false),
        ] {
            assert_eq!(acceptable(Some(header)), expected, "{header}");
        }
        assert!(acceptable(None));
    }

    #[test]
    fn s5_5_content_type() {
        for good in [
            "application/taxii+json;version=2.1",
            "application/taxii+json",
            "application/taxii+json; version=2.1",
            "application/json",
        ] {
            assert!(readable_body(Some(good)), "{good}");
        }
        for bad in [
            "text/plain",
            "*/*",
            "application/*",
            "application/taxii+json;version=2.0",
            "",
            "multipart/form-data",
        ] {
            assert!(!readable_body(Some(bad)), "{bad}");
        }
        assert!(!readable_body(None));
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(header in ".*") {
            let _verdict = acceptable(Some(&header));
            let _verdict = readable_body(Some(&header));
        }
    }
}
