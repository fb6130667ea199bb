//! The stream reader and envelopes, beyond clause 8.

use comity_stix::bundle::{Reader, envelope};
use comity_stix::finding::Position;
use comity_stix::json::Limits;
use comity_stix::validate::{Options, check_at};
use std::io::Read;

/// Gives a few bytes at a time, as a socket may.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// Objects without end: a bundle of `left` objects.
struct Endless {
    left: usize,
    pending: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.pending.is_empty() && self.left > 0 {
            self.left -= 1;
            self.pending = format!(
                "{{\"n\":{},\"pad\":\"{}\"}}{}",
                self.left,
                "x".repeat(1_000),
                if self.left == 0 { "]}" } else { "," }
            )
            .into_bytes();
        }
        let count = self.pending.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.pending[..count]);
        self.pending.drain(..count);
        Ok(count)
    }
}

fn texts(text: &str) -> Result<Vec<String>, &'static str> {
    let raw: Result<Vec<_>, _> = Reader::new(text.as_bytes(), Limits::default()).collect();
    raw.map(|all| {
        all.into_iter()
            .map(|raw| String::from_utf8(raw.bytes).unwrap())
            .collect()
    })
    .map_err(|finding| finding.code)
}

#[test]
fn every_kind_of_text_is_understood() {
    let one = r#"{"type":"url","objects":[1]}"#;
    assert_eq!(
        texts(one).unwrap(),
        [one],
        "a single object, though it has a list called objects"
    );
    assert_eq!(
        texts(" [ {\"a\":1} , {\"b\":[2]} ] ").unwrap(),
        ["{\"a\":1}", "{\"b\":[2]}"]
    );
    assert_eq!(texts("[]").unwrap(), Vec::<String>::new());
    assert_eq!(
        texts("{}").unwrap(),
        Vec::<String>::new(),
        "an empty envelope"
    );
    assert_eq!(
        texts(r#"{"more":true,"next":"x","objects":[{"a":"]}"}]}"#).unwrap(),
        [r#"{"a":"]}"}"#]
    );
    assert_eq!(texts(r#"{"objects":[{"a":1}],"id":"bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","type":"bundle"}"#).unwrap(), ["{\"a\":1}"]);
}

#[test]
fn what_is_broken_around_the_objects_is_refused() {
    for (text, code) in [
        ("", "json.syntax"),
        ("7", "json.syntax"),
        ("[1", "json.syntax"),
        ("[1,]", "json.syntax"),
        ("[1 {}]", "json.syntax"),
        ("[1]]", "json.trailing"),
        ("{\"objects\":[1]", "json.syntax"),
        ("{\"objects\":[1]} x", "json.trailing"),
        ("{\"objects\":[1],\"objects\":[2]}", "json.key.duplicate"),
        ("{\"id\":1,\"id\":2,\"objects\":[]}", "json.key.duplicate"),
        ("{\"id\":tru,\"objects\":[]}", "json.syntax"),
        ("{\"objects\":[{}}", "json.syntax"),
        ("{\"\\ud800\":1,\"objects\":[]}", "json.surrogate"),
        ("\u{feff}[]", "json.bom"),
    ] {
        // a stray `[1 {}]` is one piece for the cutter and refused by the strict reader
        let result = texts(text);
        let strict = result.as_ref().ok().and_then(|all| {
            all.iter().find_map(|one| {
                comity_stix::json::Document::parse(one.as_bytes(), &Limits::default())
                    .err()
                    .map(|finding| finding.code)
            })
        });
        assert!(
            result == Err(code) || strict.is_some(),
            "{text}: {result:?}"
        );
    }
}

#[test]
fn places_are_those_in_the_whole_text() {
    let text = "{\"type\": \"bundle\",\n \"id\": \"bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\",\n \"objects\": [\n  {\"type\": \"x\"},\n  {\"ключ\": 1,\n   \"type\": 5}\n ]}";
    for step in [1, 2, 3, 7, 1_000] {
        let all: Vec<_> = Reader::new(Drip(text.as_bytes(), step), Limits::default())
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            (
                all[1].line,
                all[1].column,
                all[1].index,
                all[1].pointer.as_str()
            ),
            (5, 3, 1, "/objects/1")
        );
        assert!(text[all[1].offset..].starts_with("{\"ключ\""));
        let finding = check_at(&all[1].bytes, &all[1].position(), &Options::default())
            .findings
            .remove(0);
        assert_eq!(
            (finding.line, finding.column, finding.pointer.as_str()),
            (6, 12, "/objects/1/type")
        );
        assert!(text[finding.offset..].starts_with("5}"));
    }
}

#[test]
fn memory_is_that_of_one_object() {
    let head = b"{\"type\":\"bundle\",\"objects\":[".as_slice();
    let stream = head.chain(Endless {
        left: 20_000,
        pending: Vec::new(),
    });
    let mut reader = Reader::new(stream, Limits::default());
    let count = reader.by_ref().map(Result::unwrap).count();
    assert_eq!(count, 20_000);
    assert!(reader.buffer_bytes() < 1 << 20, "{}", reader.buffer_bytes());
}

#[test]
fn an_object_beyond_the_limit_ends_the_reading() {
    let limits = Limits {
        bytes_max: 1_000,
        ..Limits::default()
    };
    let text = format!("[{{\"a\":1}},{{\"b\":\"{}\"}}]", "x".repeat(500_000));
    let all: Vec<_> = Reader::new(text.as_bytes(), limits).collect();
    assert!(all[0].is_ok());
    assert_eq!(
        all.last().unwrap().as_ref().unwrap_err().code,
        "json.limit.bytes"
    );
}

#[test]
fn an_envelope_is_split_where_it_lies() {
    let text = "{\"more\": false, \"x_own\": {\"a\": 1},\n\"objects\": [ {\"a\":1}, {\"b\":2} ], \"next\": \"n\\u0031\"}";
    let parts = envelope(text.as_bytes(), &Limits::default(), 1_000).unwrap();
    assert_eq!(
        (parts.more, parts.next.as_deref()),
        (Some(false), Some("n1"))
    );
    assert_eq!(
        parts.custom,
        [("x_own".to_owned(), b"{\"a\": 1}".as_slice())]
    );
    let texts: Vec<_> = parts
        .objects
        .iter()
        .map(|raw| (raw.bytes, raw.line, raw.column))
        .collect();
    assert_eq!(
        texts,
        [
            (b"{\"a\":1}".as_slice(), 2, 14),
            (b"{\"b\":2}".as_slice(), 2, 23)
        ]
    );
    assert!(
        envelope(b"{}", &Limits::default(), 1_000)
            .unwrap()
            .objects
            .is_empty()
    );
}

#[test]
fn a_broken_envelope_is_refused() {
    for text in [
        "",
        "[]",
        "{",
        "{\"objects\":{}}",
        "{\"objects\":[1}",
        "{\"more\":1}",
        "{\"next\":1}",
        "{\"a\":1,\"a\":2}",
        "{} {}",
        "{\"a\":}",
        "{\"objects\":[,]}",
        "{\"a\":\"\\ud800\"}",
    ] {
        assert!(
            envelope(text.as_bytes(), &Limits::default(), 1_000).is_err(),
            "{text}"
        );
    }
    assert_eq!(Position::default(), Position::START);
}

#[test]
fn blanks_without_end_do_not_fill_the_memory() {
    let limits = Limits {
        bytes_max: 1 << 20,
        ..Limits::default()
    };
    for head in ["", "{", "[", "{\"objects\": [1,", "{\"a\":"] {
        let stream = head.as_bytes().chain(std::io::repeat(b' '));
        let last = Reader::new(stream, limits.clone()).last().unwrap();
        assert_eq!(last.unwrap_err().code, "json.limit.bytes", "{head}");
    }
}
