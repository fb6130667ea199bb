//! A language-content object against the object it translates (7.1.1).

use crate::codes::{self, Code};
use crate::finding::Finding;
use crate::json::{Kind, Value};
use crate::object::Object;
use crate::timestamp::check as check_time;

/// What is wrong with `content` as a translation of `target`; nothing when it is not for that object. Findings have a
/// pointer into `content` and no line.
#[must_use]
pub fn translation(content: &Object, target: &Object) -> Vec<Finding> {
    let findings = content.with_document(|content| {
        target.with_document(|original| {
            let root = content.root();
            let meant =
                root.get("object_ref").and_then(|id| id.as_str()) == Some(target.id().as_str());
            if meant {
                compare(root, target, original.root())
            } else {
                Vec::new()
            }
        })
    });
    findings.flatten().unwrap_or_default()
}

fn compare(content: Value<'_>, target: &Object, original: Value<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let modified = content
        .get("object_modified")
        .and_then(|value| value.as_str());
    let key = modified.and_then(|text| check_time(text).ok());
    if key.is_some() && key != target.version().map(|time| time.key()) {
        let message = format!(
            "`object_modified` is not the version of `{}` at hand",
            target.id()
        );
        report(
            &mut findings,
            &codes::TRANSLATION_VERSION,
            "/object_modified",
            message,
        );
    }
    for language in content
        .get("contents")
        .into_iter()
        .flat_map(|contents| contents.members())
    {
        for property in language.value.members() {
            // properties that the target does not have, or that cannot be translated, are ignored
            let Some(value) = original
                .get(property.name())
                .filter(|_| is_translatable(property.name()))
            else {
                continue;
            };
            let pointer = format!("/contents/{}/{}", language.name(), property.name());
            mirror(&mut findings, value, property.value, &pointer);
        }
    }
    findings
}

/// Common properties that are no text, and references, are not translatable: "Keys that point to non-translatable properties
/// in the target [...] MUST be ignored."
fn is_translatable(name: &str) -> bool {
    let text = ["labels", "external_references"].contains(&name);
    let common = || {
        crate::model::common_properties(crate::model::Class::Domain)
            .iter()
            .any(|property| property.name == name)
    };
    text || !(name.ends_with("_ref") || name.ends_with("_refs") || common())
}

/// A translation has the form of what it translates.
fn mirror(findings: &mut Vec<Finding>, original: Value<'_>, translated: Value<'_>, pointer: &str) {
    match (original.kind(), translated.kind()) {
        (Kind::String, Kind::String) => {}
        (Kind::Array, Kind::Array) if original.len() == translated.len() => {
            for (index, (original, translated)) in
                original.items().zip(translated.items()).enumerate()
            {
                mirror(
                    findings,
                    original,
                    translated,
                    &format!("{pointer}/{index}"),
                );
            }
        }
        (Kind::Array, Kind::Array) => {
            let message = format!(
                "the list has {} items, the original has {}",
                translated.len(),
                original.len()
            );
            report(findings, &codes::TRANSLATION_FORM, pointer, message);
        }
        (Kind::Object, Kind::Object) => {
            for member in translated.members() {
                if let Some(original) = original.get(member.name()) {
                    mirror(
                        findings,
                        original,
                        member.value,
                        &format!("{pointer}/{}", member.name()),
                    );
                }
            }
        }
        // what cannot be translated is ignored; an item left out is an empty string
        (Kind::Null | Kind::Bool(_) | Kind::Number, _) => {}
        (_, Kind::String) if translated.as_str() == Some("") => {}
        (original, translated) => {
            let message = format!(
                "the translation is {}, the original {}",
                translated.name(),
                original.name()
            );
            report(findings, &codes::TRANSLATION_FORM, pointer, message);
        }
    }
}

fn report(findings: &mut Vec<Finding>, code: &'static Code, pointer: &str, message: String) {
    findings.push(Finding {
        pointer: pointer.into(),
        ..Finding::new(code, message)
    });
}
