use std::fmt::Write as _;

use comity_stix::pattern::{Code, Options, parse, parse_with};

/// The findings of a pattern, each under the text it points at.
fn report(text: &str) -> String {
    let parsed = parse(text);
    let mut out = format!("{text}\n");
    for (kind, finding) in parsed
        .errors
        .iter()
        .map(|e| ("error", e))
        .chain(parsed.warnings.iter().map(|w| ("warning", w)))
    {
        let before = text[..finding.span.start].chars().count();
        let under = text[finding.span.clone()].chars().count().max(1);
        writeln!(out, "{}{}", " ".repeat(before), "^".repeat(under)).unwrap();
        writeln!(out, "{kind}[{}] {}", finding.code.as_str(), finding.message).unwrap();
        if let Some(help) = &finding.help {
            writeln!(out, "  help: {help}").unwrap();
        }
    }
    out
}

#[test]
fn all_errors_come_in_one_pass() {
    insta::assert_snapshot!(
        [
            "[file:name == 'a' and file:size > ] REPEATS 0 TIMES WITHIN 5 MINUTES",
            r"[file:name = 'C:\temp' OR file.size = 3 OR file:names[-1] = True]",
            "[ipv4:value = '192.0.2.1'] [file:hashes.sha256 = \"aa\"",
            "file:name = 'x'",
            "[file:name = 'x' AND ipv4-addr:value = '192.0.2.1']",
            "[file:name = 'x'] START t'2020-01-02T00:00:00Z' STOP t'2020-01-01T00:00:00Z'",
            "[file:name IN ('a', 5, 'b') AND file:size = ] FOLLOWEDBY ] AND [url:value =",
            "[file:name = 'a && file:size = 1",
        ]
        .map(report)
        .join("\n")
    );
}

#[test]
fn depth_is_bounded_and_said_once() {
    for (open, close) in [("(", ")"), ("[(", ")]")] {
        let deep = format!("{}[a:b = 1]{}", open.repeat(100_000), close.repeat(100_000));
        let parsed = parse(&deep);
        assert!(parsed.ast.is_none() && !parsed.errors.is_empty());
    }
    let nested = |depth: usize| format!("{}[a:b = 1]{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(64)).valid().is_some());
    let errors = parse(&nested(65)).errors;
    assert_eq!(
        errors.iter().map(|e| e.code).collect::<Vec<_>>(),
        [Code::TooDeep]
    );
    let inside = format!("[{}a:b = 1{}]", "(".repeat(65), ")".repeat(65));
    assert_eq!(
        parse(&inside)
            .errors
            .iter()
            .map(|e| e.code)
            .collect::<Vec<_>>(),
        [Code::TooDeep]
    );
}

#[test]
fn length_and_number_of_findings_are_bounded() {
    let long = format!("[file:name = '{}']", "a".repeat(1 << 20));
    assert_eq!(parse(&long).errors[0].code, Code::TooLong);
    assert!(
        parse_with(
            &long,
            &Options {
                bytes_max: 1 << 21,
                ..Options::default()
            }
        )
        .valid()
        .is_some()
    );
    let many = parse(&"?".repeat(10_000)).errors;
    assert_eq!(many.len(), 51);
    assert_eq!(many[50].code, Code::TooMany);
}

#[test]
fn long_chains_are_flat() {
    let mut text = "[file:name = 'x'".to_owned();
    for number in 0..10_000 {
        write!(text, " OR file:hashes.MD5 = '{number:032x}'").unwrap();
    }
    text.push(']');
    let parsed = parse(&text);
    assert_eq!(parsed.valid().unwrap().leaves().count(), 10_001);
    assert_eq!(parsed.valid().unwrap().to_string(), text);
}

#[test]
fn codes_are_unique_and_carry_a_rule() {
    let mut seen = std::collections::BTreeSet::new();
    for code in Code::ALL {
        assert!(code.as_str().starts_with("stix.pattern.") && seen.insert(code.as_str()));
        assert!(!code.rule().is_empty());
    }
}

#[test]
fn what_is_reported_has_the_severity_that_the_page_says() {
    let patterns = [
        "[file:name = 'x'] START t'2020-01-02T00:00:00Z' STOP t'2020-01-01T00:00:00Z'",
        "[own-thing:name = 'x']",
        "[file:hashes.own = 'x']",
        "[NOT EXISTS file:name]",
        "[NOT file:name EXISTS]",
        "[file:name = 'x' AND url:value = 'y'] REPEATS 0 TIMES",
    ];
    let listed = comity_stix::codes::codes();
    let mut warned = std::collections::BTreeSet::new();
    for pattern in patterns {
        let parsed = parse(pattern);
        let severities = parsed.errors.iter().map(|error| (error, false));
        let severities = severities.chain(parsed.warnings.iter().map(|warning| (warning, true)));
        for (finding, warning) in severities {
            let listed = listed
                .iter()
                .find(|code| code.code == finding.code.as_str())
                .unwrap();
            let says = listed.severity == comity_stix::finding::Severity::Warning;
            assert_eq!(says, warning, "{pattern}: {finding}");
            warned.extend(warning.then_some(finding.code));
        }
    }
    assert_eq!(warned.len(), 4, "{warned:?}");
}
