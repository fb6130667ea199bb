//! The predefined TLP markings that exported objects refer to: whoever reads the file need not know them by heart.

use std::borrow::Cow;
use std::collections::BTreeSet;

use comity_stix::marking::{TLP2_EXTENSION_ID, extension_definition, predefined, tlp2_of};
use serde::Deserialize;

/// What was referred to, and what is there.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    wanted: BTreeSet<String>,
    present: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    object_marking_refs: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    granular_markings: Vec<Granular<'a>>,
}

#[derive(Deserialize)]
struct Granular<'a> {
    #[serde(borrow)]
    marking_ref: Option<Cow<'a, str>>,
}

impl Definitions {
    /// Looks at one object that is in the file.
    pub(super) fn note(&mut self, object: &[u8]) {
        let Ok(object) = serde_json::from_slice::<Object<'_>>(object) else {
            return;
        };
        if predefined(&object.id).is_some() || object.id == TLP2_EXTENSION_ID {
            self.present.insert(object.id.into_owned());
        }
        let parts = object.granular_markings.into_iter();
        let named = object
            .object_marking_refs
            .into_iter()
            .chain(parts.filter_map(|part| part.marking_ref));
        for id in named.filter(|id| predefined(id).is_some()) {
            if !self.wanted.contains(&*id) {
                self.wanted.insert(id.into_owned());
            }
        }
    }

    /// What is still to be added, those of TLP 2.0 with their extension definition.
    pub(super) fn missing(&self) -> impl Iterator<Item = &'static str> {
        let missing: Vec<&String> = self.wanted.difference(&self.present).collect();
        let any = missing.iter().any(|id| tlp2_of(id).is_some());
        let extension =
            (any && !self.present.contains(TLP2_EXTENSION_ID)).then(extension_definition);
        missing
            .into_iter()
            .filter_map(|id| predefined(id))
            .collect::<Vec<_>>()
            .into_iter()
            .chain(extension)
    }
}

#[cfg(test)]
mod tests {
    use comity_stix::marking::Tlp;

    use super::*;

    #[test]
    fn what_is_referred_to_is_added_once() {
        let mut definitions = Definitions::default();
        let (amber, red) = (Tlp::Amber.id(), Tlp::Red.id());
        definitions.note(
            format!(
                r#"{{"id":"tool--1","object_marking_refs":["{amber}","marking-definition--x"]}}"#
            )
            .as_bytes(),
        );
        definitions.note(format!(r#"{{"id":"tool--2","granular_markings":[{{"marking_ref":"{red}"}},{{"lang":"uk"}}]}}"#).as_bytes());
        definitions.note(format!(r#"{{"id":"{red}"}}"#).as_bytes());
        let missing: Vec<_> = definitions.missing().collect();
        assert_eq!(missing.len(), 2);
        assert!(missing[0].contains(amber) && missing[1].contains(TLP2_EXTENSION_ID));
    }
}
