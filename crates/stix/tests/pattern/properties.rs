use comity_stix::pattern::{Level, Observation, Options, Part, check, explain, parse, parse_with};
use proptest::prelude::*;

use super::strategy::pattern;

proptest! {
    // `PROPTEST_CASES` asks for more
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_back_to_the_same_tree(pattern in pattern()) {
        let text = pattern.to_string();
        let parsed = parse(&text);
        prop_assert_eq!(parsed.ast.as_ref(), Some(&pattern), "{} {:?}", text, parsed.errors);
        prop_assert_eq!(parsed.ast.unwrap().to_string(), text);
    }

    #[test]
    fn spans_point_at_the_parts(pattern in pattern()) {
        let text = pattern.to_string();
        let parsed = parse(&text);
        for (number, leaf) in pattern.leaves().enumerate() {
            let span = &parsed.spans.leaves[number];
            prop_assert_eq!(&text[span.whole.clone()], leaf.to_string());
            prop_assert_eq!(&text[span.path.clone()], leaf.path.to_string());
            prop_assert_eq!(&text[parsed.spans.of(Part::ObjectType(number))], leaf.path.object_type.as_str());
        }
        prop_assert_eq!(parsed.spans.leaves.len(), pattern.leaves().count());
        for (number, qualifier) in pattern.qualifiers().into_iter().enumerate() {
            prop_assert_eq!(&text[parsed.spans.qualifiers[number].clone()], qualifier.to_string());
        }
    }

    #[test]
    fn a_checked_tree_has_the_errors_of_its_text(pattern in pattern()) {
        let remarks = check(&pattern);
        let parsed = parse(&pattern.to_string());
        let errors = remarks.iter().filter(|remark| !remark.code.is_warning()).count();
        prop_assert_eq!(parsed.errors.len(), errors.min(51));
        prop_assert_eq!(parsed.valid().is_some(), errors == 0);
        prop_assert!(!explain(&pattern).is_empty());
    }

    #[test]
    fn level_is_three_exactly_with_qualifiers_or_order(pattern in pattern()) {
        fn ordered(expression: &Observation) -> bool {
            match expression {
                Observation::Single(_) => false,
                Observation::And(items) | Observation::Or(items) => items.iter().any(ordered),
                Observation::FollowedBy(_) | Observation::Qualified(..) => true,
            }
        }
        prop_assert_eq!(pattern.level() == Level::Three, ordered(&pattern.root));
        prop_assert_eq!(pattern.level() == Level::One, matches!(pattern.root, Observation::Single(_)));
    }

    /// Any text, any soup of the language's own pieces, any damage to a pattern: findings, never a panic.
    #[test]
    fn nothing_panics(text in any::<String>()) { survives(&text)?; }

    #[test]
    fn no_soup_panics(pieces in proptest::collection::vec(piece(), 0..40)) { survives(&pieces.concat())?; }

    #[test]
    fn no_damage_panics(pattern in pattern(), at in any::<proptest::sample::Index>(), piece in piece(), cut in 0..6_usize) {
        let mut chars: Vec<char> = pattern.to_string().chars().collect();
        let at = at.index(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, piece.chars());
        survives(&chars.into_iter().collect::<String>())?;
    }
}

fn piece() -> impl Strategy<Value = String> {
    const FIXED: [&str; 56] = [
        "[",
        "]",
        "(",
        ")",
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "WITHIN",
        "REPEATS",
        "START",
        "STOP",
        "TIMES",
        "SECONDS",
        "IN",
        "EXISTS",
        "LIKE",
        "=",
        "!=",
        "<>",
        "==",
        ">=",
        ":",
        ".",
        ",",
        "*",
        "'",
        "\\",
        "t'",
        "h'",
        "b'",
        "'a'",
        "a:b",
        "5",
        "-1",
        "+2",
        "1.5",
        ".5",
        "1e9",
        "true",
        "False",
        " ",
        "\n",
        "\u{a0}",
        "//",
        "/*",
        "*/",
        "\"",
        "\u{201c}",
        "é",
        "💥",
        "t'2020-01-01T00:00:00Z'",
        "file:name = 'x'",
        "[file:name = 'x']",
        "&&",
        "||",
    ];
    proptest::sample::select(&FIXED[..]).prop_map(str::to_owned)
}

fn survives(text: &str) -> Result<(), TestCaseError> {
    for lenient in [false, true] {
        let parsed = parse_with(
            text,
            &Options {
                lenient,
                ..Options::default()
            },
        );
        prop_assert!(
            parsed.ast.is_some() || !parsed.errors.is_empty(),
            "neither tree nor error: {text:?}"
        );
        for finding in parsed.errors.iter().chain(&parsed.warnings) {
            prop_assert!(
                text.get(finding.span.clone()).is_some(),
                "{finding:?} in {text:?}"
            );
        }
        if let Some(tree) = parsed.ast {
            // whatever was tolerated is printed as the standard has it
            let again = parse(&tree.to_string());
            prop_assert_eq!(again.ast.as_ref(), Some(&tree));
        }
    }
    Ok(())
}
