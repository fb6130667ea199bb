//! Which versions and UUIDs a bundle has had so far.

use crate::codes;
use crate::finding::Finding;
use crate::object::Object;
use std::collections::HashMap;

/// Notes the objects of one bundle and finds what stands twice. Memory is bounded: after `objects_max` objects nothing
/// new is noted.
#[derive(Debug)]
pub struct Seen {
    objects_max: usize,
    /// UUID -> the types it stood with, and the version keys of each.
    uuids: HashMap<u128, Entry>,
}

#[derive(Debug)]
struct Entry {
    object_type: Box<str>,
    versions: Vec<Box<str>>,
}

impl Seen {
    /// Nothing seen yet; at most `objects_max` UUIDs are remembered (about 150 bytes each).
    #[must_use]
    pub fn new(objects_max: usize) -> Self {
        Self {
            objects_max,
            uuids: HashMap::new(),
        }
    }

    /// Notes `object`; a finding when this version stood before (3.6), or its UUID with another type (2.9). The finding
    /// has no place: the caller knows where the object stands.
    pub fn note(&mut self, object: &Object) -> Option<Finding> {
        let full = self.uuids.len() >= self.objects_max;
        let version = object.version().map_or("", |version| version.key());
        let Some(entry) = self.uuids.get_mut(&object.id().uuid().as_u128()) else {
            if !full {
                let entry = Entry {
                    object_type: object.object_type().into(),
                    versions: vec![version.into()],
                };
                self.uuids.insert(object.id().uuid().as_u128(), entry);
            }
            return None;
        };
        if *entry.object_type != *object.object_type() {
            let message = format!(
                "the UUID of `{}` stood before with the type `{}`",
                object.id(),
                entry.object_type
            );
            return Some(Finding {
                pointer: "/id".into(),
                ..Finding::new(&codes::BUNDLE_UUID, message)
            });
        }
        if entry.versions.iter().any(|seen| **seen == *version) {
            let message = format!("`{}` stood before in the same version", object.id());
            return Some(Finding {
                pointer: "/id".into(),
                ..Finding::new(&codes::BUNDLE_DUPLICATE, message)
            });
        }
        entry.versions.push(version.into());
        None
    }
}
