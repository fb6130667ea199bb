//! What the markings mean that objects name: looked for among the objects themselves, then in the register.

use std::collections::{BTreeMap, BTreeSet};

use comity_stix::marking::{MarkingDefinition, MarkingParts, PAP_EXTENSION_ID, Tlp, tlp_of};
use comity_stix::object::{Object, Valid};
use comity_store::Which;
use serde::Deserialize;

use super::Checked;
use crate::app::App;
use crate::handling::{Meaning, Meanings};

/// The meanings of all markings these objects name, other than the predefined ones.
pub(super) fn meanings(app: &App, objects: &[Checked]) -> Meanings {
    let beside = beside(objects);
    let wanted: BTreeSet<&str> = objects
        .iter()
        .filter_map(|checked| checked.object.as_ref())
        .flat_map(named)
        .collect();
    wanted
        .into_iter()
        .map(|id| {
            let meaning = definition(app, &beside, id);
            let meaning = meaning.map_or(Meaning::Unknown, |bytes| meaning_of(id, &bytes));
            (id.to_owned(), meaning)
        })
        .collect()
}

/// Which of these objects name a marking that is neither among them nor in the register: in a long file it may follow.
#[must_use]
pub fn awaits(app: &App, objects: &[Checked]) -> Vec<bool> {
    let beside = beside(objects);
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    let mut waiting = Vec::with_capacity(objects.len());
    for checked in objects {
        let waits = checked.object.as_ref().is_some_and(|object| {
            named(object).into_iter().any(|id| {
                let here = known
                    .entry(id)
                    .or_insert_with(|| definition(app, &beside, id).is_some());
                !*here
            })
        });
        waiting.push(waits);
    }
    waiting
}

fn beside(objects: &[Checked]) -> BTreeMap<&str, &[u8]> {
    let objects = objects.iter().filter_map(|checked| checked.object.as_ref());
    let definitions = objects.filter(|object| object.object_type() == "marking-definition");
    definitions
        .map(|object| (object.id().as_str(), object.bytes()))
        .collect()
}

/// The markings an object names, of the whole and of parts, that are not predefined.
fn named(object: &Valid<Object>) -> Vec<&str> {
    let parts = object
        .granular_markings()
        .iter()
        .filter_map(|marking| marking.marking_ref.as_deref());
    let whole = object.object_marking_refs().iter().map(|id| id.as_str());
    whole
        .chain(parts)
        .filter(|id| tlp_of(id).is_none())
        .collect()
}

fn definition(app: &App, beside: &BTreeMap<&str, &[u8]>, id: &str) -> Option<Vec<u8>> {
    if let Some(bytes) = beside.get(id) {
        return Some(bytes.to_vec());
    }
    let everything = app.release.everything().ok()?;
    let record = app.store.get(id, &Which::Last, &everything).ok()??;
    Some(record.bytes)
}

fn meaning_of(id: &str, bytes: &[u8]) -> Meaning {
    #[derive(Deserialize)]
    struct Definition {
        name: Option<String>,
        definition_type: Option<String>,
        definition: Option<Said>,
        x_opencti_definition: Option<String>,
        #[serde(default)]
        extensions: BTreeMap<String, serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct Said {
        statement: Option<String>,
    }
    let Ok(definition) = serde_json::from_slice::<Definition>(bytes) else {
        return Meaning::Unknown;
    };
    let statement = definition.definition.and_then(|said| said.statement);
    let texts = [
        &definition.name,
        &statement,
        &definition.x_opencti_definition,
    ];
    if let Some(tlp) = texts.into_iter().flatten().find_map(|text| called(text)) {
        return Meaning::Called(tlp);
    }
    let pap = definition
        .extensions
        .get(PAP_EXTENSION_ID)
        .and_then(|extension| extension.get("pap"))
        .and_then(serde_json::Value::as_str);
    let parts = MarkingParts {
        id,
        name: definition.name.as_deref(),
        definition_type: definition.definition_type.as_deref(),
        statement: statement.as_deref(),
        pap_extension: pap,
    };
    match MarkingDefinition::of(&parts) {
        MarkingDefinition::Statement(_) => Meaning::Statement,
        MarkingDefinition::Pap(pap) => Meaning::Pap(pap),
        MarkingDefinition::Tlp(tlp) => Meaning::Called(tlp),
        MarkingDefinition::Other => Meaning::Unknown,
    }
}

/// A text that is `TLP:` and a level, and nothing else.
fn called(text: &str) -> Option<Tlp> {
    let head = text.trim().get(..4)?;
    head.eq_ignore_ascii_case("TLP:")
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use comity_stix::marking::Pap;

    use super::*;

    #[test]
    fn what_definitions_mean() {
        let of = |rest: &str| meaning_of("marking-definition--x", format!("{{{rest}}}").as_bytes());
        assert_eq!(
            of(r#""definition_type":"statement","definition":{"statement":"(c) 2026"}"#),
            Meaning::Statement
        );
        assert_eq!(
            of(r#""definition_type":"statement","definition":{"statement":"PAP:RED"}"#),
            Meaning::Pap(Pap::Red)
        );
        assert_eq!(
            of(
                r#""definition_type":"statement","definition":{"statement":"custom"},"x_opencti_definition":"TLP:AMBER+STRICT""#
            ),
            Meaning::Called(Tlp::AmberStrict)
        );
        assert_eq!(
            of(r#""definition_type":"acme","definition":{}"#),
            Meaning::Unknown
        );
        assert_eq!(of(r#""definition":7"#), Meaning::Unknown);
    }
}
