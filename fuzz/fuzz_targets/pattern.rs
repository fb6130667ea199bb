//! STIX patterns: any text gives a tree or errors, spans lie in the text, and what is read prints back to the same tree.
#![no_main]

use comity_stix::pattern::{Options, explain, parse, parse_with};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for lenient in [false, true] {
        let parsed = parse_with(text, &Options { lenient, ..Options::default() });
        assert!(parsed.ast.is_some() || !parsed.errors.is_empty());
        for finding in parsed.errors.iter().chain(&parsed.warnings) {
            assert!(text.get(finding.span.clone()).is_some());
        }
        if let Some(tree) = parsed.ast {
            assert_eq!(parse(&tree.to_string()).ast.as_ref(), Some(&tree));
            assert!(!explain(&tree).is_empty());
        }
    }
});
