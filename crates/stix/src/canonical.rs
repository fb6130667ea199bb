//! Canonical JSON (RFC 8785): one text for one value, whatever way it was written.

use crate::finding::Finding;
use crate::json::{Document, Kind, Limits, Member, Value};

/// The canonical text of `value`.
#[must_use]
pub fn canonical(value: Value<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.raw().len());
    write(value, &mut text);
    text
}

/// The canonical text of the JSON in `bytes`.
///
/// # Errors
/// When `bytes` are not I-JSON within `limits`.
pub fn canonical_bytes(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Finding> {
    Ok(canonical(Document::parse(bytes, limits)?.root()))
}

/// Appends the canonical text of `value`. Recursion is bounded by the reader's `depth_max`.
pub(crate) fn write(value: Value<'_>, into: &mut Vec<u8>) {
    match value.kind() {
        Kind::Null => into.extend_from_slice(b"null"),
        Kind::Bool(true) => into.extend_from_slice(b"true"),
        Kind::Bool(false) => into.extend_from_slice(b"false"),
        Kind::Number => number(value, into),
        Kind::String => string(value.as_str().unwrap_or_default(), into),
        Kind::Array => {
            into.push(b'[');
            for (index, item) in value.items().enumerate() {
                if index > 0 {
                    into.push(b',');
                }
                write(item, into);
            }
            into.push(b']');
        }
        Kind::Object => write_object(value.members(), into),
    }
}

/// RFC 8785 3.2.3: members in the order of their names as UTF-16 code units.
pub(crate) fn write_object<'d>(members: impl Iterator<Item = Member<'d>>, into: &mut Vec<u8>) {
    let mut members: Vec<(&str, Value<'_>)> = members
        .map(|member| (member.name(), member.value))
        .collect();
    if members.iter().all(|(name, _)| name.is_ascii()) {
        members.sort_unstable_by_key(|(name, _)| *name);
    } else {
        members.sort_unstable_by(|(left, _), (right, _)| {
            left.encode_utf16().cmp(right.encode_utf16())
        });
    }
    into.push(b'{');
    for (index, (name, member)) in members.into_iter().enumerate() {
        if index > 0 {
            into.push(b',');
        }
        string(name, into);
        into.push(b':');
        write(member, into);
    }
    into.push(b'}');
}

/// RFC 8785 3.2.2.3: the shortest text that ECMAScript prints for the nearest double.
fn number(value: Value<'_>, into: &mut Vec<u8>) {
    let Some(number) = value.number() else { return };
    let text = number.as_str();
    let short = text.len() <= 15 && text != "-0" && number.is_integer();
    if short {
        into.extend_from_slice(text.as_bytes());
    } else {
        into.extend_from_slice(ryu_js::Buffer::new().format(number.as_f64()).as_bytes());
    }
}

/// RFC 8785 3.2.2.2: only what must be escaped is, in the short form where there is one.
pub(crate) fn string(text: &str, into: &mut Vec<u8>) {
    into.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let stop = crate::json::plain_end(bytes, from);
        into.extend_from_slice(bytes.get(from..stop).unwrap_or_default());
        let Some(byte) = bytes.get(stop) else { break };
        match byte {
            b'"' => into.extend_from_slice(b"\\\""),
            b'\\' => into.extend_from_slice(b"\\\\"),
            0x08 => into.extend_from_slice(b"\\b"),
            0x09 => into.extend_from_slice(b"\\t"),
            0x0A => into.extend_from_slice(b"\\n"),
            0x0C => into.extend_from_slice(b"\\f"),
            0x0D => into.extend_from_slice(b"\\r"),
            other => into.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        from = stop.saturating_add(1);
    }
    into.push(b'"');
}
