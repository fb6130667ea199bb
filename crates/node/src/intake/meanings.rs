//! What the markings mean that objects name and that are none of the predefined ones.

use std::collections::BTreeSet;

use comity_stix::marking::{MarkingDefinition, tlp_of};
use comity_stix::validate::{self, Options};
use comity_store::Which;

use super::Checked;
use crate::app::App;
use crate::handling::{Meaning, Meanings};

/// Meanings of every marking that `objects` or parts of them carry: looked for among the objects themselves, then in the
/// register.
pub(super) fn of(app: &App, objects: &[Checked]) -> Meanings {
    let mut wanted = BTreeSet::new();
    for object in objects.iter().filter_map(Checked::object) {
        let whole = object.object_marking_refs().iter().map(|id| id.as_str());
        let parts = object
            .granular_markings()
            .iter()
            .filter_map(|marking| marking.marking_ref.as_deref());
        wanted.extend(whole.chain(parts).filter(|id| tlp_of(id).is_none()));
    }
    let meaning = |id: &str| {
        let beside = objects
            .iter()
            .filter_map(Checked::object)
            .find(|object| object.id().as_str() == id);
        let definition = match beside {
            Some(object) => object.marking(),
            None => kept(app, id),
        };
        match definition {
            Some(MarkingDefinition::Statement(_)) => Meaning::Statement,
            Some(MarkingDefinition::Pap(pap)) => Meaning::Pap(pap),
            Some(MarkingDefinition::Tlp(_) | MarkingDefinition::Other) | None => Meaning::Unknown,
        }
    };
    wanted
        .into_iter()
        .map(|id| (id.to_owned(), meaning(id)))
        .collect()
}

fn kept(app: &App, id: &str) -> Option<MarkingDefinition> {
    let scope = app.release.everything().ok()?;
    let record = app.store.get(id, &Which::Last, &scope).ok().flatten()?;
    validate::check(&record.bytes, &Options::default())
        .object?
        .marking()
}
