//! Marking definitions (7.2.1), granular markings (7.2.3), translations (7.1.1).

use super::formats::is_language;
use super::value;
use super::walk::{Path, Walk, excerpt};
use crate::codes;
use crate::defaults::same_content;
use crate::json::{Kind, Value};
use crate::marking;
use crate::selector::Selector;
use crate::timestamp;

/// Checks a marking definition.
pub(super) fn definition(walk: &mut Walk<'_>, object: Value<'_>, path: &Path<'_>) {
    circular(walk, object, path);
    let (kind, definition) = (object.get("definition_type"), object.get("definition"));
    let id = object
        .get("id")
        .and_then(|id| id.as_str())
        .unwrap_or_default();
    // the nine identifiers stand for their level wherever they are named, so nothing else may stand under them
    if let Some(level) = marking::tlp2_of(id) {
        return tlp2(walk, object, level, path);
    }
    if marking::is_tlp1(id) {
        return tlp(walk, object, path);
    }
    let extensions = object.get("extensions");
    if let Some(extension) = extensions.and_then(|all| all.get(marking::TLP2_EXTENSION_ID)) {
        let message = "TLP 2.0 has five marking definitions, and this is none of them".into();
        let below = path.name("extensions");
        return walk.report(&codes::MARKING_TLP, extension, &below, message);
    }
    if kind.is_none() && definition.is_none() && object.get("extensions").is_some() {
        return;
    }
    let (Some(kind), Some(definition)) = (kind, definition) else {
        let message =
            "`definition_type` and `definition` are both needed where there are no extensions"
                .into();
        return walk.report(&codes::MARKING_DEFINITION, object, path, message);
    };
    let below = path.name("definition");
    match kind.as_str() {
        Some("tlp") => tlp(walk, object, path),
        Some("statement") => statement(walk, definition, &below),
        Some(other) => {
            let message = format!(
                "`definition_type` should be `statement` or `tlp`, not `{}`",
                excerpt(other)
            );
            walk.report(
                &codes::MARKING_TYPE,
                kind,
                &path.name("definition_type"),
                message,
            );
            value::dictionary(walk, definition, &below, super::custom::value);
        }
        None => {}
    }
}

/// 7.2.1.3
fn statement(walk: &mut Walk<'_>, definition: Value<'_>, path: &Path<'_>) {
    if definition.kind() != Kind::Object {
        return value::wrong(walk, "an object", definition, path);
    }
    match definition.get("statement") {
        Some(statement) => {
            value::string(walk, statement, &path.name("statement"));
        }
        None => super::object::missing(walk, "statement", "7.2.1.3", definition, path),
    }
    for member in definition
        .members()
        .filter(|member| member.name() != "statement")
    {
        super::custom::property(walk, member, &path.name(member.name()));
    }
}

/// 7.2.1.4: one of four objects, and nothing else. `name` came with STIX 2.1 and may be missing on older copies.
fn tlp(walk: &mut Walk<'_>, object: Value<'_>, path: &Path<'_>) {
    const LEVELS: [(&str, &str, &str); 4] = [
        (
            "white",
            "TLP:WHITE",
            "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        ),
        (
            "green",
            "TLP:GREEN",
            "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        ),
        (
            "amber",
            "TLP:AMBER",
            "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        ),
        (
            "red",
            "TLP:RED",
            "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        ),
    ];
    let text = |name: &str| object.get(name).and_then(|value| value.as_str());
    let definition = object.get("definition");
    let level = definition
        .and_then(|definition| definition.get("tlp"))
        .and_then(|level| level.as_str());
    let right = LEVELS.iter().any(|(word, name, id)| {
        level == Some(word)
            && definition.is_some_and(|definition| definition.len() == 1)
            && text("definition_type") == Some("tlp")
            && text("id") == Some(id)
            && text("name").is_none_or(|given| given == *name)
            && text("created").and_then(|created| timestamp::check(created).ok())
                == Some("2017-01-20T00:00:00")
    });
    let known = [
        "type",
        "spec_version",
        "id",
        "created",
        "definition_type",
        "name",
        "definition",
    ];
    let more = object
        .members()
        .find(|member| !known.contains(&member.name()));
    if !right || more.is_some() {
        let at = more.map_or(definition.unwrap_or(object), |member| member.key);
        let message =
            "a marking of type `tlp` must be one of the four that the standard defines, exactly"
                .into();
        walk.report(&codes::MARKING_TLP, at, &path.name("definition"), message);
    }
}

/// One of the five that OASIS publishes (cti-stix-common-objects, TLP 2.0), and nothing else.
fn tlp2(walk: &mut Walk<'_>, object: Value<'_>, level: marking::Tlp, path: &Path<'_>) {
    let published = marking::tlp2_definition(level).as_bytes();
    if !same_content(object.raw().as_bytes(), published) {
        let message = format!(
            "this identifier is that of {level}, and the object is not the one published for it"
        );
        walk.report(&codes::MARKING_TLP, object, path, message);
    }
}

/// 3.2: a marking definition does not mark itself.
fn circular(walk: &mut Walk<'_>, object: Value<'_>, path: &Path<'_>) {
    let own = object.get("id").and_then(|id| id.as_str());
    let whole = object
        .get("object_marking_refs")
        .into_iter()
        .flat_map(|list| list.items());
    let parts = object
        .get("granular_markings")
        .into_iter()
        .flat_map(|list| list.items())
        .filter_map(|entry| entry.get("marking_ref"));
    for value in whole
        .chain(parts)
        .filter(|value| value.as_str().is_some() && value.as_str() == own)
    {
        let below = path.name("object_marking_refs");
        walk.report(
            &codes::MARKING_CIRCULAR,
            value,
            &below,
            "a marking definition cannot mark itself".into(),
        );
    }
}

/// Selectors of one object. Each is followed through the object, so their number times its size is work.
pub(super) const SELECTORS_MAX: usize = 1_000;

/// True when `granular_markings` has more selectors or entries than are followed.
pub(super) fn too_many(markings: Value<'_>) -> bool {
    let selectors = |entry: Value<'_>| entry.get("selectors").map_or(0, |list| list.len());
    markings.len() > SELECTORS_MAX || markings.items().map(selectors).sum::<usize>() > SELECTORS_MAX
}

/// 7.2.3: a language or a marking, for content that is there.
pub(super) fn granular(walk: &mut Walk<'_>, entry: Value<'_>, path: &Path<'_>) {
    if entry.get("lang").is_some() == entry.get("marking_ref").is_some() {
        let message = "a granular marking must have either `lang` or `marking_ref`".into();
        walk.report(&codes::GRANULAR_CHOICE, entry, path, message);
    }
    let Some(selectors) = entry.get("selectors") else {
        return;
    };
    let below = path.name("selectors");
    for (index, value) in selectors.items().enumerate() {
        let Some(text) = value.as_str() else { continue };
        let place = below.index(index);
        match Selector::parse(text) {
            Err(error) => walk.report(
                &codes::SELECTOR_FORM,
                value,
                &place,
                format!("`{}` is no selector: {error}", excerpt(text)),
            ),
            Ok(selector) if selector.resolve(walk.root).is_none() => {
                walk.report(
                    &codes::SELECTOR_TARGET,
                    value,
                    &place,
                    format!("`{}` selects nothing in this object", excerpt(text)),
                );
            }
            Ok(_) => {}
        }
    }
}

/// 7.1.1: `contents` has a dictionary of translations for each language.
pub(super) fn translations(walk: &mut Walk<'_>, object: Value<'_>, path: &Path<'_>) {
    let Some(contents) = object.get("contents") else {
        return;
    };
    let path = path.name("contents");
    if contents.kind() != Kind::Object {
        return value::wrong(walk, "a dictionary", contents, &path);
    }
    if contents.is_empty() {
        walk.report(
            &codes::DICTIONARY_EMPTY,
            contents,
            &path,
            "the dictionary `contents` is empty".into(),
        );
    }
    for member in contents.members() {
        let below = path.name(member.name());
        if !is_language(member.name()) {
            let message = format!("`{}` is no language tag", excerpt(member.name()));
            walk.report(&codes::LANGUAGE, member.key, &below, message);
        }
        value::dictionary(walk, member.value, &below, translation);
    }
}

/// A string, or a list or object of them that mirrors the original.
fn translation(walk: &mut Walk<'_>, value: Value<'_>, path: &Path<'_>) {
    match value.kind() {
        Kind::String => {}
        Kind::Array => value::list(walk, value, path, translation),
        Kind::Object => value::dictionary(walk, value, path, translation),
        other => walk.report(
            &codes::TRANSLATION,
            value,
            path,
            format!("a translation cannot be {}", other.name()),
        ),
    }
}
