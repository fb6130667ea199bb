//! Takes the parts of an [`Object`] out of its document.

use crate::defaults;
use crate::id::Identifier;
use crate::json::{Document, Kind, Value};
use crate::object::{GranularMarking, Object, Parts, Reference};
use crate::timestamp::Timestamp;

/// The object of `document`; `None` when a part without which there is no object is missing or malformed.
pub(super) fn object(document: &Document<'_>) -> Option<Object> {
    let root = document.root();
    let mut parts = Parts {
        text: document.text().into(),
        id: Identifier::parse(root.get("id")?.as_str()?).ok()?,
        spec_version: None,
        created: None,
        modified: None,
        created_by_ref: None,
        revoked: false,
        name: None,
        object_marking_refs: Vec::new(),
        granular_markings: Vec::new(),
        references: Vec::new(),
        fingerprint: defaults::fingerprint(root),
    };
    let mut pointer = String::new();
    for member in root.members() {
        let (name, value) = (member.name(), member.value);
        match name {
            "spec_version" => {
                parts.spec_version = value.as_str().filter(|text| *text != "2.1").map(Into::into)
            }
            "created" => parts.created = timestamp(value),
            "modified" => parts.modified = timestamp(value),
            "created_by_ref" => parts.created_by_ref = identifier(value),
            "revoked" => parts.revoked = value.as_bool().unwrap_or_default(),
            "name" => parts.name = value.as_str().map(Into::into),
            "object_marking_refs" => {
                parts.object_marking_refs = value.items().filter_map(identifier).collect()
            }
            "granular_markings" => parts.granular_markings = value.items().map(granular).collect(),
            _ => {}
        }
        collect(name, value, &mut pointer, &mut parts.references);
    }
    Some(Object::new(parts))
}

fn timestamp(value: Value<'_>) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?).ok()
}

fn identifier(value: Value<'_>) -> Option<Identifier> {
    Identifier::parse(value.as_str()?).ok()
}

fn granular(value: Value<'_>) -> GranularMarking {
    GranularMarking {
        marking_ref: value
            .get("marking_ref")
            .and_then(|id| id.as_str())
            .map(Into::into),
        lang: value
            .get("lang")
            .and_then(|lang| lang.as_str())
            .map(Into::into),
        selectors: value
            .get("selectors")
            .map(|list| {
                list.items()
                    .filter_map(|item| item.as_str())
                    .map(Into::into)
                    .collect()
            })
            .unwrap_or_default(),
    }
}

/// Adds the references in member `name`, which stands below `pointer`, to `into`.
fn collect(name: &str, value: Value<'_>, pointer: &mut String, into: &mut Vec<Reference>) {
    let kind = value.kind();
    let one = kind == Kind::String && name.ends_with("_ref");
    let many = kind == Kind::Array && name.ends_with("_refs");
    if !one && !many && !matches!(kind, Kind::Array | Kind::Object) {
        return;
    }
    let before = pointer.len();
    push(pointer, name);
    if one {
        into.extend(identifier(value).map(|target| Reference {
            pointer: pointer.clone(),
            target,
        }));
    } else {
        below(value, many, pointer, into);
    }
    pointer.truncate(before);
}

fn below(value: Value<'_>, references: bool, pointer: &mut String, into: &mut Vec<Reference>) {
    for member in value.members() {
        collect(member.name(), member.value, pointer, into);
    }
    for (index, item) in value.items().enumerate() {
        match item.kind() {
            Kind::String if references => {
                into.extend(identifier(item).map(|target| Reference {
                    pointer: format!("{pointer}/{index}"),
                    target,
                }));
            }
            Kind::Object | Kind::Array => {
                let before = pointer.len();
                push(pointer, &index.to_string());
                below(item, false, pointer, into);
                pointer.truncate(before);
            }
            _ => {}
        }
    }
}

/// Appends one step of a JSON pointer (RFC 6901 section 3).
fn push(pointer: &mut String, step: &str) {
    pointer.push('/');
    if step.contains(['~', '/']) {
        pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(step);
    }
}
