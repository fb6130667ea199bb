//! One spelling only.

use comity_evidence::json::parse;

#[test]
fn canonical_text_is_read_and_printed_back() {
    for text in [
        "{}",
        "[]",
        "\"\"",
        "0",
        "9007199254740991",
        "true",
        "false",
        r#"{"a":1,"b":[true,{"c":"\u0001\b\t\n\f\r\"\\/é😀"}]}"#,
        r#"{"":0,"A":0,"a":0}"#,
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
    }
}

#[test]
fn every_other_spelling_is_refused_with_its_place() {
    for (text, offset) in [
        ("", 0),
        (" {}", 0),
        ("{} ", 2),
        ("{}\n", 2),
        ("{\"a\": 1}", 5),
        ("{ }", 1),
        (r#"{"b":1,"a":2}"#, 7),
        (r#"{"a":1,"a":2}"#, 7),
        (r#"{"é":1}"#, 1),
        ("01", 0),
        ("-0", 0),
        ("-1", 0),
        ("1.0", 1),
        ("1e2", 1),
        ("9007199254740992", 0),
        ("null", 0),
        ("99999999999999999999999", 0),
        ("tru", 0),
        (r#""\/""#, 1),
        (r#""\u0041""#, 1),
        (r#""\u000A""#, 1),
        (r#""\u000a""#, 1),
        (r#""\u001F""#, 1),
        (r#""\ud83d\ude00""#, 1),
        ("\"\u{1}\"", 1),
        ("\"a", 1),
        ("[1,]", 3),
        ("[1 ]", 2),
        ("{\"a\"}", 4),
        ("{1:2}", 1),
        ("[[[[[[[[[[1]]]]]]]]]]", 9),
        ("{\"a\":1,}", 7),
    ] {
        let error = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("octet {offset}:")),
            "{text}: {error}"
        );
    }
    assert!(parse(b"\"\xff\"").is_err());
    assert!(parse(&vec![b'['; 300 << 10]).is_err());
}
