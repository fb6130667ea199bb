//! Language content against the object it translates (STIX 2.1 section 7.1.1), where both are at hand.

use comity_stix::object::{Object, Valid};
use comity_stix::related::translation;
use comity_stix::timestamp::Timestamp;
use comity_stix::validate::{self, Options};
use comity_store::Which;

use super::Checked;
use crate::app::App;
use crate::handling::Source;

/// Adds what is wrong with translations among `objects`. The target is looked for among the objects, then in the register:
/// only the very version that is translated counts, for another may have another form.
pub(super) fn hold(app: &App, source: &Source, mut objects: Vec<Checked>) -> Vec<Checked> {
    let mut found = Vec::new();
    for (index, checked) in objects.iter().enumerate() {
        let Some(content) = checked
            .object()
            .filter(|object| object.object_type() == "language-content")
        else {
            continue;
        };
        let Some((id, version)) = target(content) else {
            continue;
        };
        let beside = objects.iter().filter_map(Checked::object).find(|object| {
            object.id().as_str() == id
                && version
                    .as_ref()
                    .is_none_or(|version| object.version() == Some(version))
        });
        let findings = match beside {
            Some(target) => translation(content, target),
            None => kept(app, source, &id, version.as_ref())
                .map(|target| translation(content, &target))
                .unwrap_or_default(),
        };
        found.push((index, findings));
    }
    for (index, findings) in found {
        if let Some(checked) = objects.get_mut(index) {
            checked.add(findings);
        }
    }
    objects
}

/// Which object, and which version of it; the last one where none is named.
fn target(content: &Object) -> Option<(String, Option<Timestamp>)> {
    content
        .with_document(|document| {
            let text = |name: &str| {
                document
                    .root()
                    .get(name)
                    .and_then(|value| value.as_str())
                    .map(str::to_owned)
            };
            let version = text("object_modified").and_then(|text| Timestamp::parse(&text).ok());
            Some((text("object_ref")?, version))
        })
        .flatten()
}

/// The target in the register. A sender learns by it what form that object has, so it is looked for only where the sender is of
/// this party, or the object came from the sender.
fn kept(
    app: &App,
    source: &Source,
    id: &str,
    version: Option<&Timestamp>,
) -> Option<Valid<Object>> {
    let which = version.map_or(Which::Last, |version| Which::Key(version.key().to_owned()));
    let scope = app.release.everything().ok()?;
    let record = app.store.get(id, &which, &scope).ok().flatten()?;
    let may_know = source.party == app.party || record.origin == source.party.as_str();
    may_know
        .then(|| validate::check(&record.bytes, &Options::default()).object)
        .flatten()
}
