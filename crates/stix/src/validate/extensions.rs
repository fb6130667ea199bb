//! The `extensions` dictionary (3.2, 3.10, 7.3, 11.3).

use super::walk::{Path, Walk, excerpt};
use super::{custom, value};
use crate::codes;
use crate::id;
use crate::json::{Kind, Member, Value};
use crate::model::{self, Class, Type};
use crate::vocabulary::EXTENSION_TYPE_ENUM;

/// What the extensions of an object define about the object itself.
pub(super) struct Coverage<'d> {
    /// Properties at the top belong to an extension.
    pub(super) top_level: bool,
    /// The type is that of an extension; the family, and where it is said.
    pub(super) new_type: Option<(Class, Value<'d>)>,
}

/// Reads the `extension_type`s of an object.
pub(super) fn coverage(object: Value<'_>) -> Coverage<'_> {
    let mut coverage = Coverage {
        top_level: false,
        new_type: None,
    };
    let Some(extensions) = object.get("extensions") else {
        return coverage;
    };
    for member in extensions.members() {
        let Some(kind) = member.value.get("extension_type") else {
            continue;
        };
        match kind.as_str() {
            Some("toplevel-property-extension") => coverage.top_level = true,
            Some("new-sdo") => coverage.new_type = Some((Class::Domain, kind)),
            Some("new-sro") => coverage.new_type = Some((Class::Relationship, kind)),
            Some("new-sco") => coverage.new_type = Some((Class::Observable, kind)),
            _ => {}
        }
    }
    coverage
}

/// Checks the dictionary of an object of type `model`.
pub(super) fn check(
    walk: &mut Walk<'_>,
    model: Option<&'static Type>,
    extensions: Value<'_>,
    path: &Path<'_>,
) {
    if extensions.kind() != Kind::Object {
        return value::wrong(walk, "a dictionary", extensions, path);
    }
    if extensions.is_empty() {
        walk.report(
            &codes::DICTIONARY_EMPTY,
            extensions,
            path,
            "the dictionary `extensions` is empty".into(),
        );
    }
    for member in extensions.members() {
        let below = path.name(member.name());
        if member.name().starts_with("extension-definition--") {
            defined(walk, member, &below);
        } else {
            named(walk, model, member, &below);
        }
    }
}

/// An extension named by an extension definition (7.3).
fn defined(walk: &mut Walk<'_>, member: Member<'_>, path: &Path<'_>) {
    if id::check(member.name()).is_err() {
        let message = format!(
            "`{}` is no identifier of an extension definition",
            excerpt(member.name())
        );
        walk.report(&codes::EXTENSION_KEY, member.key, path, message);
    }
    if member.value.kind() != Kind::Object {
        return value::wrong(walk, "an object", member.value, path);
    }
    let Some(kind) = member.value.get("extension_type") else {
        let message =
            "an extension named by an extension definition must have `extension_type`".into();
        return walk.report(&codes::EXTENSION_TYPE, member.key, path, message);
    };
    if !kind
        .as_str()
        .is_some_and(|kind| EXTENSION_TYPE_ENUM.has(kind))
    {
        let message = format!(
            "`extension_type` must come from `extension-type-enum`, which has no `{}`",
            excerpt(kind.raw())
        );
        walk.report_in(
            &codes::VOCABULARY_CLOSED,
            "10.5",
            kind,
            &path.name("extension_type"),
            message,
        );
    }
    contents(walk, member.value, path);
}

/// The properties of an extension that the standard does not know. 7.3.2 says how they are to be named, and says it of the
/// schema, not of the objects; OpenCTI's `extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba` has a member `id`.
fn contents(walk: &mut Walk<'_>, extension: Value<'_>, path: &Path<'_>) {
    for member in extension
        .members()
        .filter(|member| member.name() != "extension_type")
    {
        let below = path.name(member.name());
        if !custom::is_property_name(member.name()) {
            let message = format!("`{}` is no property name", excerpt(member.name()));
            walk.report(&codes::EXTENSION_NAME, member.key, &below, message);
        }
        custom::value(walk, member.value, &below);
    }
}

/// An extension with a name: predefined (3.10) or custom (11.3).
fn named(walk: &mut Walk<'_>, model: Option<&'static Type>, member: Member<'_>, path: &Path<'_>) {
    let name = member.name();
    let predefined =
        model.and_then(|model| model.extensions.iter().find(|shape| shape.name == name));
    if let Some(shape) = predefined {
        return value::shape(walk, shape, member.value, path);
    }
    let observable = model.is_none_or(|model| model.class == Class::Observable);
    if model::is_predefined_extension(name) || (!observable && is_custom_name(name)) {
        let message = format!(
            "the extension `{}` is not for `{}`",
            excerpt(name),
            excerpt(walk.object_type)
        );
        return walk.report(&codes::EXTENSION_PLACE, member.key, path, message);
    }
    if !is_custom_name(name) {
        let message = format!("`{}` names no extension", excerpt(name));
        return walk.report(&codes::EXTENSION_KEY, member.key, path, message);
    }
    walk.report(
        &codes::EXTENSION_CUSTOM,
        member.key,
        path,
        format!("no extension definition defines `{}`", excerpt(name)),
    );
    if !name.starts_with("x-") {
        let message = format!(
            "the custom extension `{}` should begin with `x-`",
            excerpt(name)
        );
        walk.report(&codes::EXTENSION_PREFIX, member.key, path, message);
    }
    if member.value.kind() != Kind::Object {
        return value::wrong(walk, "an object", member.value, path);
    }
    if member.value.is_empty() {
        let message = format!("the extension `{}` has no properties", excerpt(name));
        walk.report_in(
            &codes::DICTIONARY_EMPTY,
            "11.3.1",
            member.value,
            path,
            message,
        );
    }
    contents(walk, member.value, path);
}

/// 11.3.1 on names of custom extensions.
fn is_custom_name(name: &str) -> bool {
    id::is_type_name(name) && name.ends_with("-ext")
}
