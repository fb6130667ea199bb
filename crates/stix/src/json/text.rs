//! Escapes of JSON strings (RFC 8259 section 7).

use super::scan::plain_end;
use crate::codes::{self, Code};

/// A broken escape: what, where it begins, how long it is.
pub(super) struct Broken {
    pub(super) code: &'static Code,
    pub(super) message: String,
    pub(super) offset: usize,
    pub(super) len: usize,
}

/// Appends the string that begins at `start` (after the quote) of `text` to `into`, escapes resolved; `escape` is the first
/// backslash. Returns the index of the closing quote.
pub(super) fn unescape(
    text: &str,
    start: usize,
    escape: usize,
    into: &mut String,
) -> Result<usize, Broken> {
    into.push_str(text.get(start..escape).unwrap_or_default());
    let mut at = escape;
    loop {
        match text.as_bytes().get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at = one_escape(text, at, into)?,
            Some(_) => return Err(control(text, at)),
            None => {
                return Err(broken(
                    &codes::JSON_SYNTAX,
                    "the text ends inside a string".into(),
                    text.len(),
                    0,
                ));
            }
        }
        let end = plain_end(text.as_bytes(), at);
        into.push_str(text.get(at..end).unwrap_or_default());
        at = end;
    }
}

/// The finding for an unescaped control character at `at`.
pub(super) fn control(text: &str, at: usize) -> Broken {
    let byte = text.as_bytes().get(at).copied().unwrap_or_default();
    broken(
        &codes::JSON_CONTROL,
        format!("the control character U+{byte:04X} must be escaped in a string"),
        at,
        1,
    )
}

/// Resolves the escape whose backslash stands at `at`; returns the index after it.
fn one_escape(text: &str, at: usize, into: &mut String) -> Result<usize, Broken> {
    let letter = text.as_bytes().get(at.saturating_add(1)).copied();
    let plain = match letter {
        Some(b'u') => return unicode(text, at, into),
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        _ => {
            return Err(broken(
                &codes::JSON_ESCAPE,
                "a backslash begins no escape that JSON knows".into(),
                at,
                2,
            ));
        }
    };
    into.push(plain);
    Ok(at.saturating_add(2))
}

/// Resolves `\uXXXX`, or two of them that name one character.
fn unicode(text: &str, at: usize, into: &mut String) -> Result<usize, Broken> {
    let first = hex4(text, at)?;
    if let Some(plain) = char::from_u32(first) {
        into.push(plain);
        return Ok(at.saturating_add(6));
    }
    let lone = || {
        broken(
            &codes::JSON_SURROGATE,
            format!("`\\u{first:04x}` is half of a surrogate pair"),
            at,
            6,
        )
    };
    let second_at = at.saturating_add(6);
    if first >= 0xDC00
        || !text
            .get(second_at..)
            .is_some_and(|rest| rest.starts_with("\\u"))
    {
        return Err(lone());
    }
    let second = hex4(text, second_at)?;
    if !(0xDC00..0xE000).contains(&second) {
        return Err(lone());
    }
    let pair = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    into.push(char::from_u32(pair).ok_or_else(lone)?);
    Ok(at.saturating_add(12))
}

fn hex4(text: &str, at: usize) -> Result<u32, Broken> {
    text.get(at.saturating_add(2)..at.saturating_add(6))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or_else(|| {
            broken(
                &codes::JSON_ESCAPE,
                "`\\u` needs four hexadecimal digits".into(),
                at,
                2,
            )
        })
}

fn broken(code: &'static Code, message: String, offset: usize, len: usize) -> Broken {
    Broken {
        code,
        message,
        offset,
        len,
    }
}

/// Where the byte `index` of the resolved string stands in `raw`, its text with quotes and escapes.
pub(super) fn source_offset(raw: &str, index: usize) -> usize {
    let (mut at, mut resolved) = (1, 0);
    while resolved < index && at < raw.len() {
        let mut one = String::new();
        let next = match raw.as_bytes().get(at) {
            Some(b'\\') => one_escape(raw, at, &mut one).unwrap_or(raw.len()),
            _ => at.saturating_add(1),
        };
        resolved = resolved.saturating_add(one.len().max(1));
        at = next;
    }
    at
}

/// Enough of a long text to recognise it.
pub(super) fn excerpt(written: &str) -> &str {
    written.get(..40).unwrap_or(written)
}

#[cfg(test)]
mod tests {
    use crate::json::{Document, Limits};

    #[test]
    fn a_place_in_a_string_is_found_behind_escapes() {
        let text = r#"["a\"\u00e9\ud83d\ude00é!"]"#;
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        let string = document.root().items().next().unwrap();
        let resolved = string.as_str().unwrap();
        let bang = string.offset_of(resolved.find('!').unwrap());
        assert_eq!(&text[bang..=bang], "!");
    }
}
