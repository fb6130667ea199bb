//! The object's own identifier (2.9, 3.4) and references to others (3.3).

use super::value;
use super::walk::{Path, Walk, excerpt};
use crate::codes;
use crate::id::{self, Parts};
use crate::json::Value;
use crate::model::{self, Class, Targets, Type};

/// Checks the property `id`.
pub(super) fn own(
    walk: &mut Walk<'_>,
    class: Class,
    model: Option<&'static Type>,
    value: Value<'_>,
    path: &Path<'_>,
) {
    let Some(text) = value::string(walk, value, path) else {
        return;
    };
    let parts = match id::check(text) {
        Ok(parts) => parts,
        Err(error) => {
            return walk.report(
                &codes::ID_FORM,
                value,
                path,
                format!("the identifier `{}` {error}", excerpt(text)),
            );
        }
    };
    if parts.object_type != walk.object_type {
        let message = format!(
            "the identifier begins with `{}`, the type is `{}`",
            excerpt(parts.object_type),
            excerpt(walk.object_type)
        );
        return walk.report(&codes::ID_PREFIX, value, path, message);
    }
    if !parts.is_lower_case() {
        let message = format!(
            "the UUID of `{}` should be written in small letters",
            excerpt(text)
        );
        walk.report(&codes::ID_CASE, value, path, message);
    }
    match (class, model) {
        (Class::Observable, Some(model)) => observable(walk, model, parts, value, path),
        (Class::Observable, None) => {}
        _ if parts.version() != 4 && !predefined(text) => {
            let message = format!(
                "the identifier should hold a UUIDv4, not a UUIDv{}",
                parts.version()
            );
            walk.report(&codes::ID_VERSION, value, path, message);
        }
        _ => {}
    }
}

/// TLP 1 markings have fixed identifiers (7.2.1.4), whatever their version.
fn predefined(text: &str) -> bool {
    crate::marking::tlp_of(text).is_some()
}

/// 2.9: the UUIDv5 of the contributing properties; without any, a UUIDv4.
fn observable(
    walk: &mut Walk<'_>,
    model: &'static Type,
    parts: Parts<'_>,
    value: Value<'_>,
    path: &Path<'_>,
) {
    let expected = id::deterministic_id_of(walk.root, walk.object_type, model.contributing);
    match expected {
        Ok(None) if parts.version() != 4 => {
            let message = format!(
                "without contributing properties `{}` must have a UUIDv4, not a UUIDv{}",
                walk.object_type,
                parts.version()
            );
            walk.report(&codes::ID_RANDOM, value, path, message);
        }
        Ok(Some(expected)) if expected.as_str() != value.as_str().unwrap_or_default() => {
            let message = format!("the contributing properties give `{expected}`");
            walk.report(&codes::ID_DETERMINISTIC, value, path, message);
        }
        _ => {}
    }
}

/// Checks a reference to another object.
pub(super) fn reference(walk: &mut Walk<'_>, targets: Targets, value: Value<'_>, path: &Path<'_>) {
    let Some(text) = value::string(walk, value, path) else {
        return;
    };
    match id::check(text) {
        Err(error) => walk.report(
            &codes::REFERENCE_FORM,
            value,
            path,
            format!("the reference `{}` {error}", excerpt(text)),
        ),
        Ok(parts) if !allows(targets, parts.object_type) => {
            let message = format!(
                "`{}` cannot lead to `{}`, only to {}",
                path.property(),
                excerpt(parts.object_type),
                describe(targets)
            );
            walk.report(&codes::REFERENCE_TARGET, value, path, message);
        }
        Ok(_) => {}
    }
}

/// True when `targets` has `object_type`. The family of a type of one's own is not known here, so it passes as any.
fn allows(targets: Targets, object_type: &str) -> bool {
    let classes: &[Class] = match targets {
        Targets::Types(types) => return types.contains(&object_type),
        Targets::Object => return object_type != "bundle",
        Targets::Domain => &[Class::Domain],
        Targets::Observable => &[Class::Observable],
        Targets::DomainOrObservable => &[Class::Domain, Class::Observable],
        Targets::ObservableOrRelationship => &[Class::Observable, Class::Relationship],
    };
    object_type != "bundle"
        && model::object_type(object_type).is_none_or(|model| classes.contains(&model.class))
}

fn describe(targets: Targets) -> String {
    match targets {
        Targets::Types(types) => types
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Targets::Object => "a STIX Object".into(),
        Targets::Domain => "a domain object".into(),
        Targets::Observable => "an observable".into(),
        Targets::DomainOrObservable => "a domain object or an observable".into(),
        Targets::ObservableOrRelationship => "an observable or a relationship".into(),
    }
}
