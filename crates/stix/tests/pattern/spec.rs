//! Statements of section 9, named after their clause.

use comity_stix::pattern::{
    Comparison, Constant, Level, Observation, Options, Pattern, Qualifier, Step, Test, parse,
    parse_with,
};

/// The examples of 9.3 and 9.8 as published, one a line.
const EXAMPLES: &str = include_str!("../data/patterns-spec.txt");

fn tree(text: &str) -> Pattern {
    let parsed = parse(text);
    assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
    parsed.ast.unwrap()
}

fn codes(text: &str) -> Vec<&'static str> {
    parse(text)
        .errors
        .iter()
        .map(|error| error.code.as_str().trim_start_matches("stix.pattern."))
        .collect()
}

/// The same tree by another spelling.
#[track_caller]
fn same(one: &str, other: &str) {
    assert_eq!(tree(one), tree(other), "{one} / {other}");
}

#[track_caller]
fn differ(one: &str, other: &str) {
    assert_ne!(tree(one), tree(other), "{one} / {other}");
}

#[test]
fn s9_8_examples() {
    for line in EXAMPLES.lines() {
        let pattern = tree(line);
        same(line, &pattern.to_string());
    }
}

#[test]
fn s9_2_strings_escape_only_apostrophe_and_backslash() {
    let pattern = tree(r"[file:name = 'a\'b\\c']");
    assert_eq!(
        pattern.leaves().next().unwrap().constants(),
        [Constant::String("a'b\\c".into())]
    );
    assert_eq!(
        codes(r"[file:name = 'C:\Windows\System32']"),
        ["escape", "escape"]
    );
    assert_eq!(codes(r"[file:name = 'a\']"), ["unterminated"]);
    same("[file:name = 'línea\nnueva']", "[file:name='línea\nnueva']");
}

#[test]
fn s9_2_hex_is_even_and_lower_case() {
    let constant = |text: &str| tree(text).leaves().next().unwrap().constants().to_vec();
    assert_eq!(
        constant("[file:magic_number_hex = h'ffc3']"),
        [Constant::Hex(vec![0xff, 0xc3])]
    );
    assert_eq!(
        constant("[file:magic_number_hex = h'']"),
        [Constant::Hex(vec![])]
    );
    for wrong in ["h'f'", "h'FFC3'", "h'zz'", "h'f f'"] {
        assert_eq!(
            codes(&format!("[file:magic_number_hex = {wrong}]")),
            ["hex"],
            "{wrong}"
        );
    }
}

#[test]
fn s9_2_binary_is_base64_and_line_feeds_are_ignored() {
    let constant = |text: &str| tree(text).leaves().next().unwrap().constants().to_vec();
    let expected = [Constant::Binary(b"this is a test".to_vec())];
    assert_eq!(
        constant("[artifact:payload_bin = b'dGhpcyBpcyBhIHRlc3Q=']"),
        expected
    );
    assert_eq!(
        constant("[artifact:payload_bin = b'dGhpcyBp\ncyBhIH\r\nRlc3Q=']"),
        expected
    );
    for wrong in ["b'===='", "b'dGhpcyBpcyBhIHRlc3Q'", "b'a b='", "b'_-8='"] {
        assert_eq!(
            codes(&format!("[artifact:payload_bin = {wrong}]")),
            ["binary"],
            "{wrong}"
        );
    }
}

#[test]
fn s9_2_numbers() {
    let constant = |text: &str| {
        tree(&format!("[file:size = {text}]"))
            .leaves()
            .next()
            .unwrap()
            .constants()[0]
            .clone()
    };
    assert_eq!(constant("-0"), Constant::Integer(0));
    assert_eq!(
        constant("9007199254740991"),
        Constant::Integer(9_007_199_254_740_991)
    );
    assert_eq!(constant("-1.50").to_string(), "-1.5");
    assert_eq!(constant(".5").to_string(), "0.5");
    assert_eq!(constant("1.0").to_string(), "1.0");
    assert_ne!(constant("1"), constant("1.0"));
    for (wrong, code) in [
        ("+1", "number"),
        ("007", "number"),
        ("1e5", "number"),
        ("1.", "number"),
        ("192.0.2.1", "number"),
        ("9007199254740992", "number-range"),
        ("99999999999999999999999", "number-range"),
    ] {
        assert_eq!(codes(&format!("[file:size = {wrong}]")), [code], "{wrong}");
    }
}

#[test]
fn s9_2_booleans_are_lower_case() {
    tree("[file:is_encrypted = true OR file:is_encrypted != false]");
    assert_eq!(codes("[file:is_encrypted = True]"), ["keyword-case"]);
    assert_eq!(codes("[file:is_encrypted > true]"), ["operand"]);
}

#[test]
fn s2_16_timestamps() {
    for right in [
        "2014-01-13T07:03:17Z",
        "2014-01-13T07:03:17.123456789012Z",
        "2024-02-29T00:00:00Z",
        "2016-12-31T23:59:60Z",
    ] {
        tree(&format!("[file:created = t'{right}']"));
    }
    same(
        "[file:created = t'2014-01-13T07:03:17Z']",
        "[file:created = t'2014-01-13T07:03:17.000Z']",
    );
    for wrong in [
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00z",
        "2024-01-01t00:00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+00:00",
        "2024-01-01",
        "",
    ] {
        assert_eq!(
            codes(&format!("[file:created = t'{wrong}']")),
            ["timestamp"],
            "{wrong}"
        );
    }
}

#[test]
fn s9_4_any_unicode_white_space_separates() {
    same(
        "[file:name\u{a0}=\u{2003}'x'\r\nAND\tfile:size\u{3000}=  1]\n\n REPEATS\u{2028}5 TIMES",
        "[file:name = 'x' AND file:size = 1] REPEATS 5 TIMES",
    );
    same("[file:name='x']", "  [ file : name = 'x' ]  ");
    same(
        "[file:name MATCHES'^a'AND file:size IN(1,2)]",
        "[file:name MATCHES '^a' AND file:size IN (1, 2)]",
    );
}

#[test]
fn s9_5_brackets_delimit() {
    assert_eq!(codes("file:name = 'x'"), ["expected"]);
    assert_eq!(codes("[file:name = 'x'"), ["unclosed"]);
    assert_eq!(codes("file:name = 'x']"), ["expected"]);
    assert_eq!(codes("[]"), ["expected"]);
    assert_eq!(codes(""), ["empty"]);
    assert_eq!(codes("[[file:name = 'x']]"), ["expected", "trailing"]);
}

#[test]
fn s9_5_and_of_different_types_is_refused_or_is_not() {
    assert_eq!(
        codes("[file:name = 'x' AND url:value = 'y']"),
        ["and-types"]
    );
    assert_eq!(
        codes("[file:name = 'x' AND (url:value = 'y' OR mutex:name = 'z')]"),
        ["and-types"]
    );
    assert_eq!(
        codes(
            "[(file:name = 'x' OR url:value = 'y') AND (url:value = 'y' OR mutex:name = 'z') AND file:size = 1]"
        ),
        ["and-types"]
    );
    tree("[file:name = 'x' OR url:value = 'y']");
    tree("[(file:name = 'W' AND file:size = 1) OR (url:value = 'Y' AND url:value = 'Z')]");
    tree("[file:name = 'x' AND (url:value = 'y' OR file:name = 'z')]");
    // there is a tree to show, and none to match with
    let parsed = parse("[file:name = 'x' AND url:value = 'y']");
    assert!(parsed.ast.is_some() && parsed.valid().is_none());
    assert_eq!(parsed.errors[0].span, 21..24);
}

#[test]
fn s9_5_and_binds_tighter_than_or() {
    same(
        "[a:b = 1 AND a:c = 2 OR a:d = 3]",
        "[(a:b = 1 AND a:c = 2) OR a:d = 3]",
    );
    same(
        "[a:b = 1 OR a:c = 2 AND a:d = 3]",
        "[a:b = 1 OR (a:c = 2 AND a:d = 3)]",
    );
    differ(
        "[a:b = 1 OR a:c = 2 AND a:d = 3]",
        "[(a:b = 1 OR a:c = 2) AND a:d = 3]",
    );
}

#[test]
fn s9_5_3_observation_precedence_is_and_or_followedby() {
    same(
        "[a:b=1] AND [a:b=2] OR [a:b=3]",
        "([a:b=1] AND [a:b=2]) OR [a:b=3]",
    );
    same(
        "[a:b=1] OR [a:b=2] FOLLOWEDBY [a:b=3] AND [a:b=4]",
        "([a:b=1] OR [a:b=2]) FOLLOWEDBY ([a:b=3] AND [a:b=4])",
    );
    let Observation::FollowedBy(chain) = tree("[a:b=1] FOLLOWEDBY [a:b=2] FOLLOWEDBY [a:b=3]").root
    else {
        panic!()
    };
    assert_eq!(chain.len(), 3);
    same("(([a:b=1]))", "[((a:b=1))]");
}

#[test]
fn s9_5_2_a_qualifier_binds_to_the_one_expression_before_it() {
    same(
        "[a:b=1] FOLLOWEDBY [a:b=2] REPEATS 5 TIMES",
        "[a:b=1] FOLLOWEDBY ([a:b=2] REPEATS 5 TIMES)",
    );
    differ(
        "[a:b=1] FOLLOWEDBY [a:b=2] REPEATS 5 TIMES",
        "([a:b=1] FOLLOWEDBY [a:b=2]) REPEATS 5 TIMES",
    );
}

#[test]
fn s9_5_1_qualifiers() {
    let pattern = tree(
        "[a:b=1] REPEATS 5 TIMES WITHIN 0.5 SECONDS START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'",
    );
    let Observation::Qualified(_, qualifiers) = &pattern.root else {
        panic!()
    };
    assert!(matches!(
        &qualifiers[..],
        [
            Qualifier::Repeats(_),
            Qualifier::Within(_),
            Qualifier::StartStop { .. }
        ]
    ));
    same("[a:b=1] WITHIN 5 SECONDS", "[a:b=1] WITHIN 5.0 SECONDS");
    for (wrong, code) in [
        ("REPEATS 0 TIMES", "repeats"),
        ("REPEATS -1 TIMES", "repeats"),
        ("REPEATS 1.5 TIMES", "repeats"),
        ("REPEATS TIMES", "expected"),
        ("REPEATS 5", "expected"),
        ("WITHIN 0 SECONDS", "within"),
        ("WITHIN -5 SECONDS", "within"),
        ("WITHIN 0.0 SECONDS", "within"),
        ("WITHIN 'a' SECONDS", "within"),
        ("WITHIN 5 MINUTES", "expected"),
        ("within 5 SECONDS", "keyword-case"),
        (
            "START '2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'",
            "operand",
        ),
        ("START t'2016-06-01T00:00:00Z'", "expected"),
        ("REPEATS 2 TIMES REPEATS 3 TIMES", "duplicate-qualifier"),
        (
            "WITHIN 5 SECONDS REPEATS 2 TIMES WITHIN 6 SECONDS",
            "duplicate-qualifier",
        ),
    ] {
        assert_eq!(codes(&format!("[a:b=1] {wrong}")), [code], "{wrong}");
    }
    // outside parentheses it is another expression
    tree("([a:b=1] REPEATS 2 TIMES) REPEATS 3 TIMES");
    assert_eq!(
        codes("([a:b=1]) WITHIN 5 SECONDS WITHIN 6 SECONDS"),
        ["duplicate-qualifier"]
    );
}

#[test]
fn s9_6_1_operators() {
    for right in [
        "= 'x'",
        "!= 'x'",
        "< 'x'",
        "<= 1",
        "> 1.5",
        ">= t'2020-01-01T00:00:00Z'",
        "IN ('a', 'b')",
        "IN (1, 2.5)",
        "LIKE 'a%'",
        "MATCHES '^a'",
        "NOT = 'x'",
        "NOT IN (1)",
        "NOT LIKE 'a'",
        "IN (h'00', b'AA==')",
    ] {
        tree(&format!("[file:name {right}]"));
    }
    for (wrong, code) in [
        ("== 'x'", "operator"),
        ("<> 'x'", "operator"),
        ("~ 'x'", "character"),
        ("'x'", "expected"),
        ("=", "expected"),
        ("= x", "expected"),
        ("= \"x\"", "character"),
        ("LIKE 5", "operand"),
        ("MATCHES h'00'", "operand"),
        ("IN ()", "set"),
        ("IN 'a'", "set"),
        ("IN ('a',)", "expected"),
        ("IN ('a' 'b')", "set"),
        ("IN ('a', 1)", "set"),
        ("NOT NOT = 1", "expected"),
        ("EXISTS", "expected"),
    ] {
        assert_eq!(codes(&format!("[file:name {wrong}]")), [code], "{wrong}");
    }
}

#[test]
fn s9_6_1_exists() {
    let pattern =
        tree("[EXISTS windows-registry-key:values AND NOT EXISTS windows-registry-key:key]");
    let leaves: Vec<_> = pattern.leaves().collect();
    assert!(leaves[0].test == Test::Exists && !leaves[0].negated && leaves[1].negated);
    assert_eq!(
        parse("[NOT EXISTS file:name]").warnings[0].code.as_str(),
        "stix.pattern.not-exists"
    );
    assert_eq!(codes("[EXISTS file:name = 'x']"), ["expected"]);
    assert_eq!(codes("[NOT file:name = 'x']"), ["expected"]);
}

#[test]
fn s9_6_1_sets_of_addresses() {
    tree(
        "[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv6-addr:value ISSUPERSET '2001:db8::/32']",
    );
    tree("[ipv4-addr:value ISSUBSET '198.51.100.1']");
    tree("[network-traffic:dst_ref.value ISSUBSET '2001:0db8:dead:beef:0000:0000:0000:0000/64']");
    for wrong in [
        "ipv4-addr:value ISSUBSET '198.51.100.0/33'",
        "ipv4-addr:value ISSUBSET '1.2'",
        "ipv4-addr:value ISSUBSET '2001:db8::/32'",
        "ipv6-addr:value ISSUPERSET '2001:db8::/129'",
        "file:name ISSUBSET '198.51.100.0/24'",
        "network-traffic:dst_port ISSUBSET '198.51.100.0/24'",
    ] {
        assert_eq!(codes(&format!("[{wrong}]")), ["subset"], "{wrong}");
    }
}

#[test]
fn s9_7_paths() {
    let path = |text: &str| {
        tree(&format!("[EXISTS {text}]"))
            .leaves()
            .next()
            .unwrap()
            .path
            .clone()
    };
    let sections = path("file:extensions.'windows-pebinary-ext'.sections[*].entropy");
    assert_eq!(sections.object_type, "file");
    assert_eq!(sections.steps[1], Step::Key("windows-pebinary-ext".into()));
    assert_eq!(sections.steps[3], Step::Any);
    assert!(path("network-traffic:src_ref.value").follows_reference());
    assert!(!path("network-traffic:src_ref").follows_reference());
    assert_eq!(path("file:hashes.'SHA-256'").last_key(), Some("SHA-256"));
    assert_eq!(
        path("process:environment_variables.7z").last_key(),
        Some("7z")
    );
    assert_eq!(path("a:'b'[0][1]"), path("a : b [0] [1]"));
    assert_eq!(path("IN:AND.OR").to_string(), "IN:'AND'.'OR'");
    for (wrong, code) in [
        ("file", "expected"),
        ("file.name", "expected"),
        ("file:", "expected"),
        ("file:name.", "expected"),
        ("file:hashes.SHA-256", "unquoted-name"),
        ("file:hashes.''", "empty-name"),
        ("file:names[-1]", "index"),
        ("file:names[x]", "index"),
        ("file:names[1.5]", "index"),
        ("file:names[]", "index"),
        ("'file':name", "expected"),
    ] {
        assert_eq!(codes(&format!("[EXISTS {wrong}]")), [code], "{wrong}");
    }
}

#[test]
fn s12_7_levels() {
    assert_eq!(tree("[file:name = 'x']").level(), Level::One);
    assert_eq!(tree("([file:name = 'x'])").level(), Level::One);
    assert_eq!(
        tree("[file:name = 'x'] AND [file:name = 'y'] OR [file:size > 0]").level(),
        Level::Two
    );
    assert_eq!(
        tree("[file:name = 'x'] FOLLOWEDBY [file:name = 'y']").level(),
        Level::Three
    );
    assert_eq!(
        tree("[file:name = 'x'] OR [file:name = 'y'] REPEATS 2 TIMES").level(),
        Level::Three
    );
}

#[test]
fn lenient_takes_what_others_write_and_warns() {
    let options = Options {
        lenient: true,
        ..Options::default()
    };
    for (given, right) in [
        ("[file:name == 'x']", "[file:name = 'x']"),
        ("[file:name <> 'x']", "[file:name != 'x']"),
        ("[file:size = +5]", "[file:size = 5]"),
        (
            "[file:magic_number_hex = h'FFC3']",
            "[file:magic_number_hex = h'ffc3']",
        ),
        (
            "[file:hashes.SHA-256 = 'x']",
            "[file:hashes.'SHA-256' = 'x']",
        ),
        ("[file:name /* which */ = 'x'] // end", "[file:name = 'x']"),
    ] {
        let parsed = parse_with(given, &options);
        assert_eq!(
            parsed.valid().map(Pattern::to_string).as_deref(),
            Some(right),
            "{:?}",
            parsed.errors
        );
        assert!(!parsed.warnings.is_empty());
        assert!(parse(given).ast.is_none());
    }
}

#[test]
fn anchors_are_the_values_that_must_be_met() {
    let pattern = tree(
        "[file:name = 'a' OR file:name IN ('b', 'c') OR file:name NOT = 'd' OR file:name != 'e' OR file:name LIKE 'f']",
    );
    let anchors: Vec<&str> = pattern
        .leaves()
        .flat_map(|leaf| leaf.anchors())
        .filter_map(Constant::as_str)
        .collect();
    assert_eq!(anchors, ["a", "b", "c"]);
    assert!(matches!(
        tree("[a:b = 1]").root,
        Observation::Single(Comparison::Leaf(_))
    ));
}
