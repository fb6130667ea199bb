//! What the objects of one input say together: versions that do not fit, and translations against what they translate.

use std::collections::BTreeMap;
use std::sync::Arc;

use comity_stix::bundle::{RawObject, Reader, Seen};
use comity_stix::codes;
use comity_stix::finding::{Finding, Position, Severity};
use comity_stix::json::Limits;
use comity_stix::object::Object;
use comity_stix::related::translation;
use comity_stix::timestamp::Timestamp;
use comity_stix::validate::{Checker, Options};

use super::input::Input;

/// Objects remembered of one input, some 250 octets each.
const OBJECTS_MAX: usize = 100_000;
/// Octets of translations kept until their targets are read; there are few, and they are small.
const TRANSLATIONS_BYTES_MAX: usize = 16 << 20;

/// The objects of one input so far.
pub(crate) struct Together {
    seen: Seen,
    translations: Vec<Translation>,
    bytes: usize,
    left_out: bool,
}

struct Translation {
    content: Object,
    position: Position,
    target: String,
    version: Option<Timestamp>,
    /// The target stands in the input in another version.
    other: bool,
    /// It was compared.
    met: bool,
}

impl Together {
    pub(crate) fn new() -> Self {
        Self {
            seen: Seen::new(OBJECTS_MAX),
            translations: Vec::new(),
            bytes: 0,
            left_out: false,
        }
    }

    /// What does not fit what stood before. Findings have a pointer into the object and no other place.
    pub(crate) fn note(&mut self, object: &Object, raw: &RawObject) -> Vec<Finding> {
        if object.object_type() == "language-content" {
            self.keep(object, raw);
        }
        self.seen.note(object)
    }

    /// True when the input had more than is remembered.
    pub(crate) fn left_out(&self) -> bool {
        self.left_out || self.seen.left_out()
    }

    fn keep(&mut self, object: &Object, raw: &RawObject) {
        self.bytes = self.bytes.saturating_add(raw.bytes.len());
        if self.bytes > TRANSLATIONS_BYTES_MAX {
            self.left_out = true;
            return;
        }
        let target = object.with_document(|document| {
            let text = |name: &str| {
                let value = document.root().get(name)?;
                value.as_str().map(str::to_owned)
            };
            let version = text("object_modified").and_then(|text| Timestamp::parse(&text).ok());
            Some((text("object_ref")?, version))
        });
        if let Some((target, version)) = target.flatten() {
            self.translations.push(Translation {
                content: object.clone(),
                position: raw.position(),
                target,
                version,
                other: false,
                met: false,
            });
        }
    }

    /// Reads a file with translations once more and compares each with the object it translates, wherever that stands.
    /// Standard input cannot be read again.
    pub(crate) fn translations(&mut self, input: &Input, limits: &Limits) -> Vec<Finding> {
        if self.translations.is_empty() || !matches!(input, Input::File(_)) {
            return Vec::new();
        }
        let Ok(stream) = input.open(&Arc::default()) else {
            return Vec::new();
        };
        let mut by_target: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, one) in self.translations.iter().enumerate() {
            by_target.entry(one.target.clone()).or_default().push(index);
        }
        let mut found = Vec::new();
        let mut checker = Checker::new(Options {
            limits: limits.clone(),
            ..Options::default()
        });
        for raw in Reader::new(stream, limits.clone()).flatten() {
            let Some(indexes) = id_of(&raw.bytes).and_then(|id| by_target.get(&id)) else {
                continue;
            };
            let Some(target) = checker.check(&raw.bytes).object else {
                continue;
            };
            for index in indexes {
                let Some(one) = self.translations.get_mut(*index) else {
                    continue;
                };
                let meant = one.version.is_none() || one.version.as_ref() == target.version();
                one.other |= !meant;
                if meant && !one.met {
                    one.met = true;
                    let findings = translation(&one.content, &target);
                    found.extend(placed(findings, &one.position));
                }
            }
        }
        let strayed = self.translations.iter().filter(|one| one.other && !one.met);
        found.extend(strayed.map(|one| {
            let message = format!(
                "`{}` stands here in other versions than the one that is translated",
                one.target
            );
            Finding {
                // the version may have come before, or come later
                severity: Severity::Warning,
                pointer: "/object_modified".to_owned(),
                ..Finding::new(&codes::TRANSLATION_VERSION, message)
            }
            .at(b"", 0, 1, &one.position)
        }));
        found
    }
}

fn placed(findings: Vec<Finding>, position: &Position) -> impl Iterator<Item = Finding> {
    findings
        .into_iter()
        .map(|finding| finding.at(b"", 0, 1, position))
}

fn id_of(object: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_slice::<Named>(object)
        .ok()
        .map(|named| named.id)
}
