//! One list that stands beside the objects of a bundle or envelope, wherever it stands.

use super::stream::Stream;
use crate::codes;
use crate::finding::Finding;
use crate::json::{Document, Limits, Scratch};
use std::io::Read;

/// Goes through `stream` and hands each item of the top-level list `name` to `each`, in order. Everything else is passed over
/// by brackets and quotes; what is wrong with it, [`super::Reader`] says. Gives the number of items; memory is that of one
/// item, or of one object that is passed over.
///
/// # Errors
/// When `name` is there and is no list, or the text ends inside it.
pub fn beside<R: Read>(
    stream: R,
    name: &str,
    limits: &Limits,
    each: &mut dyn FnMut(&[u8]),
) -> Result<u64, Finding> {
    let mut stream = Stream::new(stream, limits.bytes_max);
    let mut count = 0;
    if stream.peek()? != Some(b'{') {
        return Ok(0);
    }
    stream.take(1);
    while matches!(stream.peek()?, Some(b'"')) {
        let end = stream.value_end(0)?;
        let key = key(&stream, end, limits);
        stream.take(end);
        if stream.peek()? != Some(b':') {
            break;
        }
        stream.take(1);
        let list = stream.peek()? == Some(b'[');
        match key.as_deref() {
            Some(key) if key == name && !list => {
                let message = format!("`{name}` must be a list");
                return Err(stream.refuse(&codes::BUNDLE_FORM, &message));
            }
            Some(key) if key == name => count += items(&mut stream, &mut *each)?,
            _ if list => {
                items(&mut stream, &mut |_| {})?;
            }
            _ => {
                let end = stream.value_end(0)?;
                stream.take(end);
            }
        }
        stream.compact();
        if stream.peek()? != Some(b',') {
            break;
        }
        stream.take(1);
    }
    Ok(count)
}

/// Hands over every item of the list that begins here, and goes behind it.
pub(super) fn items<R: Read>(
    stream: &mut Stream<R>,
    each: &mut dyn FnMut(&[u8]),
) -> Result<u64, Finding> {
    let mut count = 0;
    stream.take(1);
    loop {
        match stream.peek()? {
            Some(b']') => {
                stream.take(1);
                return Ok(count);
            }
            Some(b',') => stream.take(1),
            None => return Err(stream.refuse(&codes::JSON_SYNTAX, "the text ends inside a list")),
            Some(_) => {
                let end = stream.value_end(0)?;
                if end == 0 {
                    return Err(stream.refuse(&codes::JSON_SYNTAX, "here a value must stand"));
                }
                each(stream.text(0, end).trim_ascii_end());
                count += 1;
                stream.take(end);
                stream.compact();
            }
        }
    }
}

fn key<R: Read>(stream: &Stream<R>, end: usize, limits: &Limits) -> Option<String> {
    let text = stream.text(0, end);
    let document = Document::parse_with(text, limits, stream.place(), Scratch::default()).ok()?;
    document.root().as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, &'static str> {
        let mut found = Vec::new();
        let count = beside(text.as_bytes(), "aside", &Limits::default(), &mut |item| {
            found.push(String::from_utf8(item.to_vec()).unwrap());
        })
        .map_err(|finding| finding.code)?;
        assert_eq!(count, found.len() as u64);
        Ok(found)
    }

    #[test]
    fn the_list_is_found_wherever_it_stands() {
        let expected = Ok(vec!["{\"a\":[1,\"]\"]}".to_owned(), "2".to_owned()]);
        for text in [
            r#"{"aside":[{"a":[1,"]"]}, 2 ]}"#,
            r#"{"type":"bundle","objects":[{"aside":[9]},[{}]],"more":true, "\u0061side" : [ {"a":[1,"]"]},2],"z":{}}"#,
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in [
            "",
            "[1]",
            "{}",
            r#"{"objects":[{"aside":[1]}]}"#,
            r#"{"x":{"aside":[1]}}"#,
        ] {
            assert_eq!(read(text), Ok(Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert_eq!(read(r#"{"aside":{}}"#), Err("stix.bundle.form"));
        assert_eq!(read(r#"{"aside":[1"#), Err("json.syntax"));
    }
}
