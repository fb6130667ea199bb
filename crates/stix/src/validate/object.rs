//! Rules of the object as a whole: type, family, common properties (3.2), own properties, extensions.

use super::walk::{Path, Walk, excerpt};
use super::{Options, custom, extensions, identifiers, markings, rules, value};
use crate::codes;
use crate::finding::{Finding, Position};
use crate::id::is_type_name;
use crate::json::{Document, Kind, Member, Value};
use crate::model::{self, Class, Property, Type};

/// Everything found in `document`.
pub(super) fn check(document: &Document<'_>, base: &Position, options: &Options) -> Vec<Finding> {
    let root = document.root();
    let mut walk = Walk {
        text: document.text(),
        base,
        options,
        root,
        object_type: "",
        defanged: false,
        custom_defined: false,
        completed: false,
        custom: None,
        findings: Vec::new(),
    };
    if root.kind() != Kind::Object {
        let message = format!("a STIX object is expected, not {}", root.kind().name());
        walk.report(&codes::OBJECT, root, &Path::ROOT, message);
    } else if let Some(object_type) = type_name(&mut walk) {
        walk.object_type = object_type;
        walk.defanged = root.get("defanged").and_then(|value| value.as_bool()) == Some(true);
        match model::object_type(object_type) {
            Some(model) => standard(&mut walk, model),
            None => own_type(&mut walk),
        }
        custom::summary(&mut walk);
    }
    walk.findings
}

/// The object's type, when it has a usable one.
fn type_name<'c>(walk: &mut Walk<'c>) -> Option<&'c str> {
    let Some(value) = walk.root.get("type") else {
        missing(walk, "type", "3.2", walk.root, &Path::ROOT);
        return None;
    };
    let path = Path::ROOT;
    let path = path.name("type");
    let Some(name) = value.as_str() else {
        walk.report(
            &codes::WRONG_KIND,
            value,
            &path,
            format!("`type` must be a string, not {}", value.kind().name()),
        );
        return None;
    };
    if name == "bundle" {
        walk.report(
            &codes::TYPE_BUNDLE,
            value,
            &path,
            "a bundle cannot stand where an object is expected".into(),
        );
        return None;
    }
    // 3.1 and 11.2.1
    if !is_type_name(name)
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
        || name.contains("--")
    {
        walk.report(
            &codes::TYPE_NAME,
            value,
            &path,
            format!("`{}` is no type name", excerpt(name)),
        );
        return None;
    }
    Some(name)
}

/// An object of a type that the standard defines.
fn standard(walk: &mut Walk<'_>, model: &'static Type) {
    let coverage = extensions::coverage(walk.root);
    let stub = is_stub(model);
    walk.custom_defined = coverage.top_level || (stub && coverage.new_type.is_some());
    walk.completed = stub && (coverage.top_level || coverage.new_type.is_some());
    members(walk, model.class, Some(model));
    if let Some((_, value)) = coverage.new_type.filter(|_| stub) {
        let message = format!("`{}` is a type of the standard already", model.shape.name);
        walk.report(
            &codes::EXTENSION_STUB,
            value,
            &Path::ROOT.name("extensions"),
            message,
        );
    } else if let Some((class, value)) = coverage.new_type {
        let message = format!(
            "`{}` is a type of the standard, an extension cannot define it as {class:?} anew",
            model.shape.name
        );
        walk.report(
            &codes::EXTENSION_REDEFINES,
            value,
            &Path::ROOT.name("extensions"),
            message,
        );
    }
    rules::check(walk, &model.shape, walk.root, &Path::ROOT);
}

/// 4.6: "The Incident object in STIX 2.1 is a stub. [...] It is suggested that it is used as an extension point." Tools define
/// it anew there, with `new-sdo`.
fn is_stub(model: &Type) -> bool {
    model.shape.name == "incident"
}

/// An object of a type of one's own: by an extension definition (7.3), or custom (11.2).
fn own_type(walk: &mut Walk<'_>) {
    let coverage = extensions::coverage(walk.root);
    walk.custom_defined = true;
    if let Some((class, _)) = coverage.new_type {
        members(walk, class, None);
        return;
    }
    let path = Path::ROOT;
    let (path, value) = (
        path.name("type"),
        walk.root.get("type").unwrap_or(walk.root),
    );
    let name = excerpt(walk.object_type);
    walk.report(
        &codes::TYPE_CUSTOM,
        value,
        &path,
        format!("no extension in the object defines the type `{name}`"),
    );
    if !walk.object_type.starts_with("x-") {
        walk.report(
            &codes::TYPE_PREFIX,
            value,
            &path,
            format!("the custom type `{name}` should begin with `x-`"),
        );
    }
    // the family of a custom object is not said; one without times can only be an observable
    let timed = walk.root.get("created").is_some() || walk.root.get("modified").is_some();
    members(
        walk,
        if timed {
            Class::Domain
        } else {
            Class::Observable
        },
        None,
    );
}

/// Checks every member: own property, common property, property of other families, reserved name, custom property.
fn members(walk: &mut Walk<'_>, class: Class, model: Option<&'static Type>) {
    let own: &'static [Property] = model.map_or(&[], |model| model.shape.properties);
    let common = model::common_properties(class);
    let (mut own_seen, mut common_seen) = (0u64, 0u64);
    for member in walk.root.members() {
        let name = member.name();
        let path = Path::ROOT;
        let path = path.name(name);
        // no name of the standard begins so: most members of published objects need no look-up
        if name.starts_with("x_") {
            custom::property(walk, member, &path);
        } else if let Some((index, property)) = value::find(common, name) {
            common_seen |= 1 << index;
            common_property(walk, class, model, property, member, &path);
        } else if let Some((index, property)) = value::find(own, name) {
            own_seen |= 1 << index;
            value::check(walk, &property.kind, member.value, &path);
        } else if model::not_applicable(class).contains(&name) {
            let message = format!("`{name}` does not apply to `{}`", excerpt(walk.object_type));
            walk.report(&codes::FORBIDDEN, member.key, &path, message);
        } else {
            custom::property(walk, member, &path);
        }
    }
    let clause = model.map_or("11.2.1", |model| model.shape.clause);
    value::required(walk, common, common_seen, "3.2", walk.root, &Path::ROOT);
    value::required(walk, own, own_seen, clause, walk.root, &Path::ROOT);
    advice(walk, class);
}

fn common_property(
    walk: &mut Walk<'_>,
    class: Class,
    model: Option<&'static Type>,
    property: &'static Property,
    member: Member<'_>,
    path: &Path<'_>,
) {
    let value = member.value;
    if model::not_applicable(class).contains(&property.name) {
        let message = format!(
            "`{}` does not apply to `{}`",
            property.name,
            excerpt(walk.object_type)
        );
        walk.report(&codes::FORBIDDEN, member.key, path, message);
        return;
    }
    match property.name {
        "id" => identifiers::own(walk, class, model, value, path),
        "spec_version" if value.as_str() != Some("2.1") => {
            walk.report(
                &codes::SPEC_VERSION,
                value,
                path,
                format!(
                    "`spec_version` must be \"2.1\", not `{}`",
                    excerpt(value.raw())
                ),
            );
        }
        "modified" => {
            value::check(walk, &property.kind, value, path);
            rules::not_after(
                walk,
                "3.2",
                walk.root,
                &Path::ROOT,
                "created",
                "modified",
                false,
            );
        }
        "extensions" => extensions::check(walk, model, value, path),
        "granular_markings" if markings::too_many(value) => {
            let message = format!(
                "the object has more than {} granular markings or selectors",
                markings::SELECTORS_MAX
            );
            walk.report(&codes::LIMIT_SELECTORS, value, path, message);
        }
        _ => value::check(walk, &property.kind, value, path),
    }
}

/// What hardly any published object has (see [`Options`]).
fn advice(walk: &mut Walk<'_>, class: Class) {
    let texts = ["name", "description", "content", "abstract", "explanation"];
    if walk.options.advice
        && class == Class::Domain
        && walk.root.get("lang").is_none()
        && texts.iter().any(|name| walk.root.get(name).is_some())
    {
        walk.report(
            &codes::LANGUAGE_MISSING,
            walk.root,
            &Path::ROOT,
            "the object has texts and does not say their language".into(),
        );
    }
    if walk.options.interop && class == Class::Domain && walk.root.get("created_by_ref").is_none() {
        walk.report_in(
            &codes::RECOMMENDED,
            "Interop 1.1",
            walk.root,
            &Path::ROOT,
            "`created_by_ref` should be there".into(),
        );
    }
}

/// Reports a required property that is not there.
pub(super) fn missing(
    walk: &mut Walk<'_>,
    name: &str,
    clause: &'static str,
    object: Value<'_>,
    path: &Path<'_>,
) {
    // the place is the opening brace: the whole object would be an unreadable excerpt
    let finding = Finding {
        clause,
        pointer: path.pointer(),
        ..Finding::new(
            &codes::REQUIRED,
            format!("the required property `{name}` is missing"),
        )
    };
    walk.push(finding, object.span().start, 1);
}
