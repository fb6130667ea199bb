//! The strings of an object that a person may search for.

use super::GranularMarking;
use crate::json::{Kind, Value};
use crate::selector::Selector;

/// Visits all strings of `object` except those that `markings` restrict.
pub(super) fn visit(object: Value<'_>, markings: &[GranularMarking], each: &mut dyn FnMut(&str)) {
    let covered: Vec<std::ops::Range<usize>> = markings
        .iter()
        .filter(|marking| marking.marking_ref.is_some())
        .flat_map(|marking| &marking.selectors)
        .filter_map(|selector| {
            Selector::parse(selector)
                .ok()?
                .resolve(object)
                .map(|value| value.span())
        })
        .collect();
    for member in object
        .members()
        .filter(|member| !is_machinery(member.name()))
    {
        walk(member.value, &covered, each);
    }
}

fn walk(value: Value<'_>, covered: &[std::ops::Range<usize>], each: &mut dyn FnMut(&str)) {
    if covered.contains(&value.span()) {
        return;
    }
    match value.kind() {
        Kind::String => each(value.as_str().unwrap_or_default()),
        Kind::Array => value.items().for_each(|item| walk(item, covered, each)),
        Kind::Object => {
            for member in value
                .members()
                .filter(|member| !is_machinery(member.name()))
            {
                walk(member.value, covered, each);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number => {}
    }
}

/// Properties whose strings are found by their own filters, or mean nothing to a person.
fn is_machinery(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "type",
        "spec_version",
        "created",
        "modified",
        "granular_markings",
        "payload_bin",
        "pattern_version",
    ];
    NAMES.contains(&name) || name.ends_with("_ref") || name.ends_with("_refs")
}
