//! The pattern of an indicator (4.7.1, clause 9).

use super::walk::{Path, Walk};
use crate::finding::{Finding, Severity};
use crate::json::Value;
use crate::pattern::{self, PatternError};
use std::borrow::Cow;

/// Checks the pattern when its type is `stix`; other languages are carried as they are.
pub(super) fn check(walk: &mut Walk<'_>, indicator: Value<'_>, path: &Path<'_>) {
    let text = |name: &str| indicator.get(name).and_then(|value| value.as_str());
    let (Some("stix"), Some(pattern), Some(value)) = (
        text("pattern_type"),
        text("pattern"),
        indicator.get("pattern"),
    ) else {
        return;
    };
    let parsed = pattern::parse(pattern);
    let below = path.name("pattern");
    for error in parsed.errors {
        report(walk, Severity::Error, error, value, &below);
    }
    for warning in parsed.warnings {
        report(walk, Severity::Warning, warning, value, &below);
    }
}

/// Adds a finding of the pattern language at its place inside the string.
fn report(
    walk: &mut Walk<'_>,
    severity: Severity,
    error: PatternError,
    value: Value<'_>,
    path: &Path<'_>,
) {
    let (start, end) = (
        value.offset_of(error.span.start),
        value.offset_of(error.span.end),
    );
    let finding = Finding {
        code: error.code.as_str(),
        severity,
        message: error.message,
        help: error.help.map(Cow::Owned),
        pointer: path.pointer(),
        line: 1,
        column: 1,
        offset: 0,
        len: 0,
        clause: error.code.clause(),
    };
    walk.push(finding, start, end.saturating_sub(start));
}
