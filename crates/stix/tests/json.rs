//! The reader: what it refuses, where it says so, what it keeps.

use comity_stix::canonical::canonical_bytes;
use comity_stix::json::{Document, Kind, Limits};

fn refusal(text: &[u8]) -> (&'static str, usize, String) {
    let finding = Document::parse(text, &Limits::default()).unwrap_err();
    (finding.code, finding.offset, finding.pointer)
}

#[test]
fn what_is_not_json_is_refused_at_its_place() {
    let table: &[(&[u8], &str, usize)] = &[
        (b"", "json.syntax", 0),
        (b"{", "json.syntax", 1),
        (b"[1,]", "json.syntax", 3),
        (b"[1 2]", "json.syntax", 3),
        (b"{\"a\":1,}", "json.syntax", 7),
        (b"{\"a\" 1}", "json.syntax", 5),
        (b"{a:1}", "json.syntax", 1),
        (b"[1}", "json.syntax", 2),
        (b"'a'", "json.syntax", 0),
        (b"tru", "json.syntax", 0),
        (b"nulll", "json.trailing", 4),
        (b"1 2", "json.trailing", 2),
        (b"[NaN]", "json.syntax", 1),
        (b"\"a", "json.syntax", 0),
        (b"\"a\\", "json.escape", 2),
        (b"\"a\\x\"", "json.escape", 2),
        (b"\"a\\u12g4\"", "json.escape", 2),
        (b"\"\\ud800\"", "json.surrogate", 1),
        (b"\"\\udc00\"", "json.surrogate", 1),
        (b"\"\\ud800\\u0041\"", "json.surrogate", 1),
        (b"\"a\nb\"", "json.control", 2),
        (b"\"\x00\"", "json.control", 1),
        (b"\"a\\n\tb\"", "json.control", 4),
        (b"01", "json.number", 0),
        (b"-", "json.number", 0),
        (b"1.", "json.number", 0),
        (b"[1.e5]", "json.number", 1),
        (b"1e", "json.number", 0),
        (b"+1", "json.syntax", 0),
        (b".5", "json.syntax", 0),
        (b"1e400", "json.number.range", 0),
        (b"[\"a\xFF\"]", "json.utf8", 3),
        (b"\"\xED\xA0\x80\"", "json.utf8", 1),
        (b"\xEF\xBB\xBF{}", "json.bom", 0),
        (b"{\"a\":1,\"a\":2}", "json.key.duplicate", 7),
        (b"{\"a\":1,\"\\u0061\":2}", "json.key.duplicate", 7),
    ];
    for (text, code, offset) in table {
        let found = refusal(text);
        assert_eq!(
            (found.0, found.1),
            (*code, *offset),
            "{}",
            String::from_utf8_lossy(text)
        );
    }
}

#[test]
fn a_refusal_has_line_column_and_pointer() {
    let finding =
        Document::parse("{\"a\": [1,\n  \"é\", tru]}".as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(
        (finding.line, finding.column, finding.pointer.as_str()),
        (2, 8, "/a/2")
    );
}

#[test]
fn limits_hold() {
    let limits = Limits {
        bytes_max: 100,
        depth_max: 3,
        nodes_max: 10,
        key_bytes_max: 5,
    };
    let code = |text: &str| Document::parse(text.as_bytes(), &limits).unwrap_err().code;
    assert_eq!(code(&" ".repeat(101)), "json.limit.bytes");
    assert_eq!(code("[[[[]]]]"), "json.limit.depth");
    assert_eq!(code("[1,1,1,1,1,1,1,1,1,1]"), "json.limit.nodes");
    assert_eq!(code("{\"abcdef\":1}"), "json.limit.key");
    assert!(Document::parse(b"[[[1,1,1,1,1,1,1]]]", &limits).is_ok());
}

#[test]
fn depth_costs_no_stack() {
    let limits = Limits {
        depth_max: usize::MAX,
        ..Limits::default()
    };
    let text = "[".repeat(500_000) + &"]".repeat(500_000);
    assert!(Document::parse(text.as_bytes(), &limits).is_ok());
    assert_eq!(
        Document::parse("[".repeat(100_000).as_bytes(), &Limits::default())
            .unwrap_err()
            .code,
        "json.limit.depth"
    );
}

#[test]
fn a_wide_object_is_read_in_time_and_its_duplicate_found() {
    let members: Vec<_> = (0..200_000)
        .map(|number| format!("\"k{number}\":1"))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    assert!(Document::parse(text.as_bytes(), &Limits::default()).is_ok());
    let twice = format!("{{{},\"k777\":2}}", members.join(","));
    assert_eq!(refusal(twice.as_bytes()).0, "json.key.duplicate");
}

#[test]
fn numbers_are_kept_as_written() {
    let text = b"[0, -0, 1.50, 1E+2, 123456789012345678901234567890]";
    let document = Document::parse(text, &Limits::default()).unwrap();
    let numbers: Vec<_> = document
        .root()
        .items()
        .map(|item| item.number().unwrap().as_str())
        .collect();
    assert_eq!(
        numbers,
        ["0", "-0", "1.50", "1E+2", "123456789012345678901234567890"]
    );
}

#[test]
fn spans_are_those_of_the_text() {
    let text = r#"{ "a" : [ true , "x\ty" ] }"#;
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let list = document.root().get("a").unwrap();
    assert_eq!(list.raw(), r#"[ true , "x\ty" ]"#);
    let string = list.items().nth(1).unwrap();
    assert_eq!((string.raw(), string.as_str()), (r#""x\ty""#, Some("x\ty")));
    assert_eq!(list.items().next().unwrap().kind(), Kind::Bool(true));
}

#[test]
fn canonical_json_is_that_of_rfc_8785() {
    // section 3.2.2 and 3.2.3, with the members and numbers of its examples
    let table = [
        (
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
        ),
        (
            "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}",
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}",
        ),
        (
            "[-0, 1.0, 100000000000000000000000, 1e21, 123456789012345678]",
            "[0,1,1e+23,1e+21,123456789012345680]",
        ),
        (" { } ", "{}"),
    ];
    for (text, expected) in table {
        let canonical = canonical_bytes(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(String::from_utf8(canonical).unwrap(), expected);
    }
}
