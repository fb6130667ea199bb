//! Which versions and UUIDs an input has had so far.

use crate::codes;
use crate::finding::Finding;
use crate::object::Object;
use crate::related::{Facts, succession};
use std::collections::HashMap;

/// Notes the objects of one input and finds what does not fit together: the same version twice (3.6), versions that change
/// what must not change (3.5, 3.6), one UUID for two types (2.9). Memory is bounded: after `objects_max` objects nothing
/// new is noted.
#[derive(Debug)]
pub struct Seen {
    objects_max: usize,
    /// UUID -> the type it stood with, and what is known of its versions.
    uuids: HashMap<u128, Entry>,
    left_out: bool,
}

#[derive(Debug)]
struct Entry {
    object_type: Box<str>,
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    facts: Facts,
    fingerprint: u64,
}

/// Versions of one object that are remembered: what must not change is told by any of them.
const VERSIONS_MAX: usize = 64;

impl Seen {
    /// Nothing seen yet; at most `objects_max` UUIDs are remembered (about 250 bytes each).
    #[must_use]
    pub fn new(objects_max: usize) -> Self {
        Self {
            objects_max,
            uuids: HashMap::new(),
            left_out: false,
        }
    }

    /// True when there was more than is remembered, so that something may have been missed.
    #[must_use]
    pub fn left_out(&self) -> bool {
        self.left_out
    }

    /// Notes `object` and says what does not fit what stood before. Findings have a pointer into the object and no other
    /// place: the caller knows where the object stands.
    pub fn note(&mut self, object: &Object) -> Vec<Finding> {
        let full = self.uuids.len() >= self.objects_max;
        let version = Version {
            facts: Facts::of(object),
            fingerprint: object.fingerprint(),
        };
        let Some(entry) = self.uuids.get_mut(&object.id().uuid().as_u128()) else {
            self.left_out |= full;
            if !full {
                let entry = Entry {
                    object_type: object.object_type().into(),
                    versions: vec![version],
                };
                self.uuids.insert(object.id().uuid().as_u128(), entry);
            }
            return Vec::new();
        };
        if *entry.object_type != *object.object_type() {
            let message = format!(
                "the UUID of `{}` stood before with the type `{}`",
                object.id(),
                entry.object_type
            );
            return vec![found(&codes::BUNDLE_UUID, "/id", message)];
        }
        let same = entry
            .versions
            .iter()
            .find(|seen| seen.facts.version == version.facts.version);
        if let Some(same) = same {
            return vec![if same.fingerprint == version.fingerprint {
                let message = format!("`{}` stood before in the same version", object.id());
                found(&codes::BUNDLE_DUPLICATE, "/id", message)
            } else {
                let message = format!(
                    "`{}` stood before in the same version with other content",
                    object.id()
                );
                found(&codes::VERSION_CONFLICT, "", message)
            }];
        }
        let mut findings: Vec<Finding> = entry
            .versions
            .first()
            .map(|first| succession(&first.facts, &version.facts))
            .unwrap_or_default();
        // whichever of them is revoked ends the object
        let ended = entry.versions.iter().skip(1).find_map(|seen| {
            succession(&seen.facts, &version.facts)
                .into_iter()
                .find(|finding| finding.code == codes::VERSION_REVOKED.code)
        });
        if !findings
            .iter()
            .any(|finding| finding.code == codes::VERSION_REVOKED.code)
        {
            findings.extend(ended);
        }
        if entry.versions.len() < VERSIONS_MAX {
            entry.versions.push(version);
        } else {
            self.left_out = true;
        }
        findings
    }
}

fn found(code: &'static codes::Code, pointer: &str, message: String) -> Finding {
    Finding {
        pointer: pointer.into(),
        ..Finding::new(code, message)
    }
}
