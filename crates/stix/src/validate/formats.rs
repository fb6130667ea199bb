//! Strings in a form of their own: hex, base64, languages, addresses, names of hosts, URLs, CPEs.

use super::value;
use super::walk::{Path, Walk, excerpt};
use crate::codes::{self, Code};
use crate::json::Value;
use crate::model::{Format, is_charset};
use std::net::{Ipv4Addr, Ipv6Addr};

/// 2.8: an even number of small hexadecimal digits.
pub(super) fn hex(walk: &mut Walk<'_>, value: Value<'_>, path: &Path<'_>) {
    let Some(text) = value::string(walk, value, path) else {
        return;
    };
    if text.len() % 2 != 0
        || !text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        walk.report(
            &codes::HEX,
            value,
            path,
            format!(
                "`{}` is not an even number of digits 0-9 and a-f",
                excerpt(text)
            ),
        );
    }
}

/// 2.1: base64 of RFC 4648 section 4, padded.
pub(super) fn binary(walk: &mut Walk<'_>, value: Value<'_>, path: &Path<'_>) {
    let Some(text) = value::string(walk, value, path) else {
        return;
    };
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let right = text.len() % 4 == 0
        && padding <= 2
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if !right {
        walk.report(
            &codes::BINARY,
            value,
            path,
            format!("`{}` is not base64", excerpt(text)),
        );
    }
}

/// A tag of RFC 5646.
pub(super) fn language(walk: &mut Walk<'_>, value: Value<'_>, path: &Path<'_>) {
    let Some(text) = value::string(walk, value, path) else {
        return;
    };
    if !is_language(text) {
        walk.report(
            &codes::LANGUAGE,
            value,
            path,
            format!("`{}` is no language tag", excerpt(text)),
        );
    }
}

/// True for a well-formed tag of RFC 5646; the common two letters need no parser.
pub(super) fn is_language(text: &str) -> bool {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase()))
        || oxilangtag::LanguageTag::parse(text).is_ok()
}

/// Checks a string against `format`.
pub(super) fn check(walk: &mut Walk<'_>, format: Format, value: Value<'_>, path: &Path<'_>) {
    let Some(text) = value::string(walk, value, path) else {
        return;
    };
    let address = matches!(
        format,
        Format::Ipv4 | Format::Ipv6 | Format::Mac | Format::Domain | Format::Email | Format::Url
    );
    // 3.2: a defanged value is altered on purpose
    if address && walk.defanged {
        return;
    }
    let rule: (bool, &'static Code, &str) = match format {
        Format::Ipv4 => (
            is_cidr::<Ipv4Addr>(text, 32),
            &codes::ADDRESS,
            "is no IPv4 address or CIDR block",
        ),
        Format::Ipv6 => (
            is_cidr::<Ipv6Addr>(text, 128),
            &codes::ADDRESS,
            "is no IPv6 address or CIDR block",
        ),
        Format::Mac => (
            is_mac(text),
            &codes::MAC,
            "is no MAC address such as `d2:fb:49:24:37:18`",
        ),
        Format::Domain => (is_domain(text), &codes::DOMAIN, "is no domain name"),
        Format::Email => (
            is_email(text),
            &codes::EMAIL,
            "is no email address without display name",
        ),
        Format::Url => (is_url(text), &codes::URL, "is no URL of RFC 3986"),
        Format::LinkedUrl => (is_url(text), &codes::LINK, "is no URL of RFC 3986"),
        Format::Cpe => (is_cpe(text), &codes::CPE, "is no CPE 2.3 name"),
        Format::RegistryKey => (
            !has_short_hive(text),
            &codes::REGISTRY_KEY,
            "abbreviates its hive",
        ),
        Format::Decoded => (
            !has_encoded_word(text),
            &codes::ENCODED_WORD,
            "holds an encoded word",
        ),
        Format::Mime => (is_mime(text), &codes::MIME, "is no MIME type"),
        Format::Country => (
            is_country(text),
            &codes::COUNTRY,
            "is no country of two capital letters",
        ),
        Format::Area => (
            is_area(text),
            &codes::COUNTRY,
            "is no area code of ISO 3166-2",
        ),
        Format::Priority => (
            text.ends_with("_CLASS"),
            &codes::PRIORITY,
            "should end in `_CLASS`",
        ),
        Format::Charset => (
            is_charset(text),
            &codes::CHARSET,
            "is not the name the IANA registry prefers",
        ),
        Format::RelationshipType => (
            is_relationship_type(text),
            &codes::RELATIONSHIP_TYPE,
            "is not written in a-z, 0-9 and hyphens",
        ),
        Format::KillChain => (
            is_kill_chain(text),
            &codes::KILL_CHAIN,
            "should be in small letters, words joined by hyphens",
        ),
    };
    let (right, code, complaint) = rule;
    if !right {
        let clause = if matches!(format, Format::Ipv6) {
            "6.9"
        } else {
            code.clause
        };
        walk.report_in(
            code,
            clause,
            value,
            path,
            format!("`{}` {complaint}", excerpt(text)),
        );
    }
}

/// An address, or a block of them as `address/bits`.
fn is_cidr<A: std::str::FromStr>(text: &str, bits_max: u8) -> bool {
    let (address, bits) = text.split_once('/').unwrap_or((text, "0"));
    let plain =
        !bits.is_empty() && bits.len() <= 3 && bits.bytes().all(|byte| byte.is_ascii_digit());
    address.parse::<A>().is_ok() && plain && bits.parse::<u8>().is_ok_and(|bits| bits <= bits_max)
}

/// 6.10: colons, small letters, leading zeros.
fn is_mac(text: &str) -> bool {
    text.len() == 17
        && text
            .bytes()
            .enumerate()
            .all(|(place, byte)| match place % 3 {
                2 => byte == b':',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
}

/// 6.4: labels of 1 to 63 octets, 253 in all (RFC 1034 3.1). Underscores are let through: they stand in real names and
/// RFC 1034 restricts only host names. Letters beyond ASCII are U-labels of RFC 5890.
fn is_domain(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let letter = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '-' | '_')
            || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(letter)
    };
    (1..=253).contains(&text.len()) && text.split('.').all(label)
}

/// 6.5: an addr-spec of RFC 5322 3.4.1, seen from afar: something, `@`, something, no display name and no blanks outside
/// quotes.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    let plain = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ','))
    };
    (quoted || plain(local)) && plain(domain)
}

/// RFC 3986: a scheme, a colon, and only characters and percent escapes that may stand in a URI.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme_right = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    scheme_right && !rest.is_empty() && is_uri_text(rest.as_bytes())
}

fn is_uri_text(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'%' => match bytes.get(at + 1..at + 3) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => 3,
                _ => return false,
            },
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=b' ' | 0x7F.. => {
                return false;
            }
            _ => 1,
        };
    }
    true
}

/// 6.14: `cpe:2.3:` and eleven components; a colon inside a component is escaped.
fn is_cpe(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("cpe:2.3:") else {
        return false;
    };
    let plain = rest.replace("\\\\", "__").replace("\\:", "__");
    let parts: Vec<&str> = plain.split(':').collect();
    let part_right = parts
        .first()
        .is_some_and(|part| matches!(*part, "a" | "h" | "o" | "*" | "-"));
    parts.len() == 11
        && part_right
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// 5.1.2 and 3.1: a literal of 3 to 250 characters.
fn is_relationship_type(text: &str) -> bool {
    (3..=250).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// 2.11: small letters, hyphens instead of blanks and underscores.
fn is_kill_chain(text: &str) -> bool {
    !text.is_empty()
        && !text
            .chars()
            .any(|c| c.is_uppercase() || c.is_whitespace() || c == '_')
}

/// 6.17.1: the hive "MUST be fully expanded and not truncated".
fn has_short_hive(text: &str) -> bool {
    let hive = text.split('\\').next().unwrap_or_default();
    ["HKLM", "HKCU", "HKCR", "HKU", "HKCC", "HKPD", "HKDD"]
        .iter()
        .any(|short| hive.eq_ignore_ascii_case(short))
}

/// RFC 2047 section 2: `=?charset?B-or-Q?text?=`.
fn has_encoded_word(text: &str) -> bool {
    text.match_indices("=?").any(|(at, _)| {
        let mut parts = text.get(at..).unwrap_or_default().splitn(5, '?').skip(1);
        let charset = parts
            .next()
            .is_some_and(|name| !name.is_empty() && !name.contains(' '));
        let encoding = parts
            .next()
            .is_some_and(|letter| matches!(letter, "B" | "b" | "Q" | "q"));
        charset
            && encoding
            && parts.next().is_some_and(|word| !word.contains(' '))
            && parts.next().is_some_and(|rest| rest.starts_with('='))
    })
}

/// `type/subtype` in the characters of RFC 6838 section 4.2; parameters may follow.
fn is_mime(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let name = |name: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.len() <= 127
            && name.bytes().all(letter)
    };
    essence
        .split_once('/')
        .is_some_and(|(top, sub)| name(top) && name(sub))
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A country, a hyphen, and up to three letters or digits.
fn is_area(text: &str) -> bool {
    let Some((country, area)) = text.split_once('-') else {
        return false;
    };
    is_country(country)
        && (1..=3).contains(&area.len())
        && area
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
