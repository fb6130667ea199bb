//! One value against the kind its property has.

use super::walk::{Path, Walk, excerpt};
use super::{custom, extensions, formats, hashes, identifiers, object, rules};
use crate::codes;
use crate::json::{Kind as Json, Value};
use crate::model::{Kind, Precision, Property, Shape};
use crate::timestamp;
use crate::vocabulary::Vocabulary;

/// The property of that name and its place in the table.
pub(super) fn find(
    properties: &'static [Property],
    name: &str,
) -> Option<(usize, &'static Property)> {
    properties
        .iter()
        .enumerate()
        .find(|(_, property)| property.name == name)
}

/// Reports required properties whose bit in `seen` is not set.
pub(super) fn required(
    walk: &mut Walk<'_>,
    properties: &[Property],
    seen: u64,
    clause: &'static str,
    object: Value<'_>,
    path: &Path<'_>,
) {
    for (index, property) in properties.iter().enumerate() {
        if property.required && seen & (1 << index) == 0 {
            object::missing(walk, property.name, clause, object, path);
        }
    }
}

/// Checks `value` against `kind`.
pub(super) fn check(walk: &mut Walk<'_>, kind: &'static Kind, value: Value<'_>, path: &Path<'_>) {
    match kind {
        Kind::Any => custom::value(walk, value, path),
        Kind::Checked => {}
        Kind::String => {
            string(walk, value, path);
        }
        Kind::Boolean if value.as_bool().is_none() => wrong(walk, "a boolean", value, path),
        Kind::Boolean => {}
        Kind::Integer(least, most) => integer(walk, *least, *most, value, path),
        Kind::Float(least, most) => float(walk, *least, *most, value, path),
        Kind::Timestamp(precision) => time(walk, *precision, value, path),
        Kind::Hex => formats::hex(walk, value, path),
        Kind::Binary => formats::binary(walk, value, path),
        Kind::Hashes => hashes::check(walk, value, path),
        Kind::Language => formats::language(walk, value, path),
        Kind::Word(vocabulary) => word(walk, vocabulary, value, path),
        Kind::Format(format) => formats::check(walk, *format, value, path),
        Kind::Reference(targets) => identifiers::reference(walk, *targets, value, path),
        Kind::List(kind) => list(walk, value, path, |walk, item, path| {
            check(walk, kind, item, path)
        }),
        Kind::Words(vocabulary) => list(walk, value, path, |walk, item, path| {
            word(walk, vocabulary, item, path)
        }),
        Kind::References(targets) => {
            list(walk, value, path, |walk, item, path| {
                identifiers::reference(walk, *targets, item, path)
            });
        }
        Kind::Shapes(shape_of) => list(walk, value, path, |walk, item, path| {
            shape(walk, shape_of, item, path)
        }),
        Kind::Dictionary(kind) => dictionary(walk, value, path, |walk, item, path| {
            check(walk, kind, item, path)
        }),
        Kind::Shape(shape_of) => shape(walk, shape_of, value, path),
        Kind::IntegerOrString if value.as_str().is_some() => {}
        Kind::IntegerOrString => integer(
            walk,
            -crate::model::INTEGER_MAX,
            crate::model::INTEGER_MAX,
            value,
            path,
        ),
        Kind::Extensions => extensions::check(walk, None, value, path),
    }
}

/// Reports a value of the wrong JSON type.
pub(super) fn wrong(walk: &mut Walk<'_>, expected: &str, value: Value<'_>, path: &Path<'_>) {
    let message = format!(
        "`{}` must be {expected}, not {}",
        excerpt(path.property()),
        value.kind().name()
    );
    walk.report(&codes::WRONG_KIND, value, path, message);
}

/// The string, or a finding that it is none.
pub(super) fn string<'d>(
    walk: &mut Walk<'_>,
    value: Value<'d>,
    path: &Path<'_>,
) -> Option<&'d str> {
    let text = value.as_str();
    if text.is_none() {
        wrong(walk, "a string", value, path);
    }
    text
}

/// 2.12: a list has at least one item.
pub(super) fn list<'d>(
    walk: &mut Walk<'_>,
    value: Value<'d>,
    path: &Path<'_>,
    mut each: impl FnMut(&mut Walk<'_>, Value<'d>, &Path<'_>),
) {
    if value.kind() != Json::Array {
        return wrong(walk, "a list", value, path);
    }
    if value.is_empty() {
        walk.report(
            &codes::LIST_EMPTY,
            value,
            path,
            format!("the list `{}` is empty", excerpt(path.property())),
        );
    }
    for (index, item) in value.items().enumerate() {
        each(walk, item, &path.index(index));
    }
}

/// 2.3: a dictionary has at least one key, and keys of a certain form.
pub(super) fn dictionary<'d>(
    walk: &mut Walk<'_>,
    value: Value<'d>,
    path: &Path<'_>,
    mut each: impl FnMut(&mut Walk<'_>, Value<'d>, &Path<'_>),
) {
    if value.kind() != Json::Object {
        return wrong(walk, "a dictionary", value, path);
    }
    if value.is_empty() {
        walk.report(
            &codes::DICTIONARY_EMPTY,
            value,
            path,
            format!("the dictionary `{}` is empty", excerpt(path.property())),
        );
    }
    for member in value.members() {
        let below = path.name(member.name());
        if !is_key(member.name()) {
            let message = format!("`{}` is no dictionary key", excerpt(member.name()));
            walk.report(&codes::DICTIONARY_KEY, member.key, &below, message);
        }
        each(walk, member.value, &below);
    }
}

/// 2.3 on keys.
pub(super) fn is_key(key: &str) -> bool {
    (1..=250).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// An object inside the object.
pub(super) fn shape(walk: &mut Walk<'_>, shape: &'static Shape, value: Value<'_>, path: &Path<'_>) {
    if value.kind() != Json::Object {
        return wrong(walk, "an object", value, path);
    }
    let mut seen = 0u64;
    for member in value.members() {
        let below = path.name(member.name());
        match find(shape.properties, member.name()) {
            Some((index, property)) => {
                seen |= 1 << index;
                check(walk, &property.kind, member.value, &below);
            }
            None => custom::property(walk, member, &below),
        }
    }
    required(walk, shape.properties, seen, shape.clause, value, path);
    rules::check(walk, shape, value, path);
}

/// 2.10: a whole number a double holds exactly, within the bounds of its property.
fn integer(walk: &mut Walk<'_>, least: i64, most: i64, value: Value<'_>, path: &Path<'_>) {
    let Some(number) = value.number() else {
        return wrong(walk, "an integer", value, path);
    };
    if !number.is_integer() {
        let message = format!(
            "`{}` is not written as an integer",
            excerpt(number.as_str())
        );
        return walk.report(&codes::INTEGER_FORM, value, path, message);
    }
    if !number
        .as_i64()
        .is_some_and(|number| (least..=most).contains(&number))
    {
        let message = format!(
            "`{}` must be from {least} to {most}, not {}",
            path.property(),
            excerpt(number.as_str())
        );
        walk.report(&codes::INTEGER_RANGE, value, path, message);
    }
}

/// 2.6
fn float(walk: &mut Walk<'_>, least: f64, most: f64, value: Value<'_>, path: &Path<'_>) {
    let Some(number) = value.number() else {
        return wrong(walk, "a number", value, path);
    };
    if !(least..=most).contains(&number.as_f64()) {
        let message = format!(
            "`{}` must be from {least} to {most}, not {}",
            path.property(),
            excerpt(number.as_str())
        );
        walk.report(&codes::FLOAT_RANGE, value, path, message);
    }
}

/// 2.16.1, and the precision the property asks for.
fn time(walk: &mut Walk<'_>, precision: Precision, value: Value<'_>, path: &Path<'_>) {
    let Some(text) = string(walk, value, path) else {
        return;
    };
    let key = match timestamp::check(text) {
        Ok(key) => key,
        Err(error) => {
            return walk.report(
                &codes::TIMESTAMP,
                value,
                path,
                format!("the timestamp `{}` {error}", excerpt(text)),
            );
        }
    };
    let digits = text.len().saturating_sub("2017-01-20T00:00:00.Z".len());
    let expected = match precision {
        Precision::Millisecond if digits < 3 => "at least three digits after the seconds",
        Precision::Second if key.len() > 19 => "no fraction of a second",
        _ => return,
    };
    walk.report(
        &codes::TIMESTAMP_PRECISION,
        value,
        path,
        format!("`{}` needs {expected}", path.property()),
    );
}

/// 2.4 and 2.14
fn word(walk: &mut Walk<'_>, vocabulary: &'static Vocabulary, value: Value<'_>, path: &Path<'_>) {
    let Some(text) = string(walk, value, path) else {
        return;
    };
    if vocabulary.has(text) {
        return;
    }
    let (code, verb) = if vocabulary.open {
        (&codes::VOCABULARY_OPEN, "should")
    } else {
        (&codes::VOCABULARY_CLOSED, "must")
    };
    let message = format!(
        "`{}` {verb} come from `{}`, which has no `{}`",
        path.property(),
        vocabulary.name,
        excerpt(text)
    );
    walk.report_in(code, vocabulary.clause, value, path, message);
}
