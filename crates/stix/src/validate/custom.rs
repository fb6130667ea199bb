//! Properties that the standard does not know (11.1), kept as they came.

use super::value;
use super::walk::{Path, Walk, excerpt};
use crate::codes;
use crate::id;
use crate::json::{Kind, Member, Value};
use crate::model;

/// A property that no table has.
pub(super) fn property<'d>(walk: &mut Walk<'_>, member: Member<'d>, path: &Path<'_>) {
    let name = member.name();
    if model::is_reserved(name) {
        // reserved for what would complete the stubs: an extension that does so is taken at its word (docs/STIX.md)
        let code = if walk.completed {
            &codes::RESERVED_COMPLETED
        } else {
            &codes::RESERVED
        };
        let message = format!("the name `{name}` is reserved for later versions");
        walk.report(code, member.key, path, message);
        if !walk.completed {
            return;
        }
    }
    if !is_property_name(name) {
        walk.report(
            &codes::CUSTOM_NAME,
            member.key,
            path,
            format!("`{}` is no property name", excerpt(name)),
        );
    } else if !walk.custom_defined {
        undefined(walk, member, path);
    }
    references(walk, member, path);
    match member.value.kind() {
        Kind::Null => walk.report(
            &codes::NULL,
            member.value,
            path,
            format!("`{}` is null, leave it out instead", excerpt(name)),
        ),
        Kind::Array | Kind::Object => deeper(walk, member.value, path),
        _ => value(walk, member.value, path),
    }
}

/// 3.1 and 11.1.1 on names.
pub(super) fn is_property_name(name: &str) -> bool {
    (3..=250).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Counts a custom property without definition; all of an object make one finding.
fn undefined(walk: &mut Walk<'_>, member: Member<'_>, path: &Path<'_>) {
    if !member.name().starts_with("x_") {
        let message = format!(
            "the custom property `{}` should begin with `x_`",
            excerpt(member.name())
        );
        walk.report(&codes::CUSTOM_PREFIX, member.key, path, message);
    }
    let first = walk
        .custom
        .map_or(member.key.span().start, |(first, _)| first);
    walk.custom = Some((first, walk.custom.map_or(0, |(_, count)| count) + 1));
}

/// The one finding about all custom properties of the object.
pub(super) fn summary(walk: &mut Walk<'_>) {
    let Some((first, count)) = walk.custom else {
        return;
    };
    let key = walk
        .text
        .get(first..)
        .and_then(|rest| rest.split('"').nth(1))
        .unwrap_or_default();
    let len = key.len() + 2;
    let message = match count {
        1 => format!(
            "no extension in the object defines the custom property `{}`",
            excerpt(key)
        ),
        _ => format!(
            "no extension in the object defines `{}` and {} more custom properties",
            excerpt(key),
            count - 1
        ),
    };
    walk.push(
        crate::finding::Finding::new(&codes::CUSTOM_UNDEFINED, message),
        first,
        len,
    );
}

/// 3.1: a name that ends in `_ref` or `_refs` announces identifiers.
fn references(walk: &mut Walk<'_>, member: Member<'_>, path: &Path<'_>) {
    let doubtful = match member.value.kind() {
        Kind::String if member.name().ends_with("_ref") => !is_identifier(member.value),
        Kind::Array if member.name().ends_with("_refs") => {
            member.value.items().any(|item| !is_identifier(item))
        }
        _ => false,
    };
    if doubtful {
        let message = format!(
            "`{}` is named as a reference and holds something else",
            excerpt(member.name())
        );
        walk.report(&codes::REFERENCE_CUSTOM, member.value, path, message);
    }
}

fn is_identifier(value: Value<'_>) -> bool {
    value.as_str().is_some_and(|text| id::check(text).is_ok())
}

/// What holds for every value whatever its property: proper keys (2.3), nothing empty or null.
pub(super) fn value(walk: &mut Walk<'_>, value: Value<'_>, path: &Path<'_>) {
    match value.kind() {
        Kind::String | Kind::Bool(_) => {}
        Kind::Number => {
            let Some(number) = value.number() else { return };
            let digits = number.as_str().bytes().filter(u8::is_ascii_digit).count();
            if digits > 15 && !keeps_its_digits(number.as_str()) {
                let message = format!(
                    "`{}` has more digits than a double keeps",
                    excerpt(number.as_str())
                );
                walk.report(&codes::NUMBER_PRECISION, value, path, message);
            }
        }
        // 2.3 and 2.12 forbid empty ones for properties; what the parts of a custom value are only its producer knows,
        // the committee's own schemas let them pass, and ICS ATT&CK has empty lists in `x_mitre_related_assets`
        Kind::Array | Kind::Object if !value.is_empty() => deeper(walk, value, path),
        Kind::Null | Kind::Array | Kind::Object => {
            let message = format!(
                "`{}` is empty or null, leave it out instead",
                excerpt(path.property())
            );
            walk.report(&codes::CUSTOM_EMPTY, value, path, message);
        }
    }
}

fn deeper(walk: &mut Walk<'_>, value: Value<'_>, path: &Path<'_>) {
    if value.kind() == Kind::Array {
        value::list(walk, value, path, self::value);
    } else {
        value::dictionary(walk, value, path, self::value);
    }
}

/// True when the nearest double is the number itself, for integers; for fractions, when at most 17 digits are written.
fn keeps_its_digits(text: &str) -> bool {
    match text.parse::<i64>() {
        Ok(whole) => whole.unsigned_abs() <= model::INTEGER_MAX.unsigned_abs(),
        Err(_) => {
            text.contains(['.', 'e', 'E']) && text.bytes().filter(u8::is_ascii_digit).count() <= 17
        }
    }
}
