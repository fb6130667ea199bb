//! What must hold between the properties of one shape.

use super::walk::{Path, Walk, excerpt};
use super::{markings, pattern};
use crate::codes::{self, Code};
use crate::id;
use crate::json::Value;
use crate::model::{self, Rule, Shape};
use crate::timestamp::check as check_time;

/// Checks every rule of `shape` on `object`.
pub(super) fn check(
    walk: &mut Walk<'_>,
    shape: &'static Shape,
    object: Value<'_>,
    path: &Path<'_>,
) {
    for rule in shape.rules {
        check_one(walk, rule, shape, object, path);
    }
}

fn check_one(
    walk: &mut Walk<'_>,
    rule: &'static Rule,
    shape: &'static Shape,
    object: Value<'_>,
    path: &Path<'_>,
) {
    let has = |name: &str| object.get(name).is_some();
    let bool_of = |name: &str| object.get(name).and_then(|value| value.as_bool());
    let broken: Option<(&'static Code, String)> = match rule {
        Rule::AnyOf(names) => (!names.iter().any(|name| has(name))).then(|| {
            (
                &codes::ANY_OF,
                format!("`{}` needs one of {}", shape.name, names_of(names)),
            )
        }),
        Rule::SomethingBeside(names) => (!object
            .members()
            .any(|member| !names.contains(&member.name())))
        .then(|| {
            (
                &codes::ANY_OF,
                format!("`{}` needs at least one property of its own", shape.name),
            )
        }),
        Rule::NotBoth(one, other) => (has(one) && has(other)).then(|| {
            (
                &codes::NOT_BOTH,
                format!("`{one}` and `{other}` exclude each other"),
            )
        }),
        Rule::Needs(one, other) => (has(one) && !has(other))
            .then(|| (&codes::NEEDS, format!("`{one}` needs `{other}` beside it"))),
        Rule::Excludes(one, when, other) => {
            (bool_of(one) == Some(*when) && has(other)).then(|| {
                (
                    &codes::NOT_BOTH,
                    format!("`{other}` cannot stand beside `{one}`: {when}"),
                )
            })
        }
        Rule::Demands(one, when, other) => {
            (bool_of(one) == Some(*when) && !has(other)).then(|| {
                (
                    &codes::NEEDS,
                    format!("`{one}`: {when} needs `{other}` beside it"),
                )
            })
        }
        Rule::Deprecated(name) => {
            has(name).then(|| (&codes::DEPRECATED, format!("`{name}` is deprecated")))
        }
        Rule::Recommended(name) => {
            (!has(name)).then(|| (&codes::RECOMMENDED, format!("`{name}` should be there")))
        }
        Rule::NotAfter(first, second) => {
            return not_after(walk, shape.clause, object, path, first, second, false);
        }
        Rule::Before(first, second) => {
            return not_after(walk, shape.clause, object, path, first, second, true);
        }
        Rule::ExternalId(source, prefix) => {
            return external_id(walk, shape, object, path, source, prefix);
        }
        Rule::Place => {
            let coordinates = has("latitude") && has("longitude");
            (!coordinates && !has("region") && !has("country")).then(|| {
                (
                    &codes::ANY_OF,
                    "`location` needs `region`, `country`, or both `latitude` and `longitude`"
                        .into(),
                )
            })
        }
        Rule::OneObservable(name) => one_observable(object, name).then(|| {
            (
                &codes::ANY_OF,
                format!("`{name}` needs at least one observable"),
            )
        }),
        Rule::Pattern => return pattern::check(walk, object, path),
        Rule::RelationshipEnds => return relationship_ends(walk, object, path),
        Rule::MarkingDefinition => return markings::definition(walk, object, path),
        Rule::GranularMarking => return markings::granular(walk, object, path),
        Rule::Translations => return markings::translations(walk, object, path),
        Rule::ExtensionProperties => return extension_properties(walk, object, path),
    };
    if let Some((code, message)) = broken {
        let finding = crate::finding::Finding {
            clause: shape.clause,
            pointer: path.pointer(),
            ..crate::finding::Finding::new(code, message)
        };
        walk.push(finding, object.span().start, 1);
    }
}

/// Reports `second` when it is earlier than `first` (or equal, when `strict`).
pub(super) fn not_after<'d>(
    walk: &mut Walk<'_>,
    clause: &'static str,
    object: Value<'d>,
    path: &Path<'_>,
    first: &str,
    second: &str,
    strict: bool,
) {
    let (Some(one), Some(other)) = (object.get(first), object.get(second)) else {
        return;
    };
    let key = |value: Option<&'d str>| value.and_then(|text| check_time(text).ok());
    let (Some(early), Some(late)) = (key(one.as_str()), key(other.as_str())) else {
        return;
    };
    if late < early || (strict && late == early) {
        let relation = if strict {
            "must be later than"
        } else {
            "must not be earlier than"
        };
        walk.report_in(
            &codes::ORDER,
            clause,
            other,
            &path.name(second),
            format!("`{second}` {relation} `{first}`"),
        );
    }
}

/// True when the list `name` holds identifiers and not one of them is an observable's.
fn one_observable(object: Value<'_>, name: &str) -> bool {
    let Some(list) = object.get(name) else {
        return false;
    };
    let relationship = |item: Value<'_>| {
        let parts = item.as_str().and_then(|text| id::check(text).ok());
        parts
            .and_then(|parts| model::object_type(parts.object_type))
            .is_some_and(|model| model.class == model::Class::Relationship)
    };
    !list.is_empty() && list.items().all(relationship)
}

/// 4.1.1 and 4.19.1: a reference to CAPEC or CVE has the exact identifier.
fn external_id(
    walk: &mut Walk<'_>,
    shape: &'static Shape,
    object: Value<'_>,
    path: &Path<'_>,
    source: &str,
    prefix: &str,
) {
    let Some(references) = object.get("external_references") else {
        return;
    };
    let list = path.name("external_references");
    for (index, reference) in references.items().enumerate() {
        if reference.get("source_name").and_then(|name| name.as_str()) != Some(source) {
            continue;
        }
        let Some(value) = reference.get("external_id") else {
            continue;
        };
        let text = value.as_str().unwrap_or_default();
        let digits = text.strip_prefix(prefix).unwrap_or_default();
        let right = !digits.is_empty()
            && digits
                .split('-')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if !right {
            let message = format!(
                "`{}` is no identifier of the form `{prefix}...`",
                excerpt(text)
            );
            walk.report_in(
                &codes::EXTERNAL_ID,
                shape.clause,
                value,
                &list.index(index).name("external_id"),
                message,
            );
        }
    }
}

/// 5.1.2: between types of the standard, a relationship should be one that it lists. Ends of other types are not judged.
fn relationship_ends(walk: &mut Walk<'_>, object: Value<'_>, path: &Path<'_>) {
    let end = |name: &str| {
        object
            .get(name)
            .and_then(|value| value.as_str())
            .and_then(|text| id::check(text).ok())
    };
    let Some(value) = object.get("relationship_type") else {
        return;
    };
    let (Some(name), Some(source), Some(target)) =
        (value.as_str(), end("source_ref"), end("target_ref"))
    else {
        return;
    };
    let (source, target) = (source.object_type, target.object_type);
    if model::is_listed_relationship(name, source, target)
        || model::is_common_relationship(name, source, target)
    {
        return;
    }
    if model::object_type(source).is_some() && model::object_type(target).is_some() {
        let message = format!(
            "the standard lists no relationship `{}` from `{source}` to `{target}`",
            excerpt(name)
        );
        walk.report(
            &codes::RELATIONSHIP_UNLISTED,
            value,
            &path.name("relationship_type"),
            message,
        );
    }
}

/// 7.3.1: names at the top of an object come with `toplevel-property-extension`.
fn extension_properties(walk: &mut Walk<'_>, object: Value<'_>, path: &Path<'_>) {
    let names = object.get("extension_properties");
    let top = object.get("extension_types").is_some_and(|types| {
        types
            .items()
            .any(|item| item.as_str() == Some("toplevel-property-extension"))
    });
    match (names, top) {
        (Some(names), false) => {
            let message =
                "`extension_properties` stands only beside the type `toplevel-property-extension`"
                    .into();
            walk.report_in(
                &codes::NOT_BOTH,
                "7.3.1",
                names,
                &path.name("extension_properties"),
                message,
            );
        }
        (None, true) => {
            walk.report_in(
                &codes::RECOMMENDED,
                "7.3.1",
                object,
                path,
                "`extension_properties` should name the properties".into(),
            );
        }
        _ => {}
    }
}

fn names_of(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
