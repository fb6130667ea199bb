//! One STIX object that passed the checks, with the parts a node asks for at hand and the bytes as they came.

use crate::canonical;
pub use crate::granular::GranularMarking;
use crate::id::Identifier;
use crate::json::{Document, Limits, Value};
use crate::marking::{MarkingDefinition, MarkingParts, PAP_EXTENSION_ID};
use crate::timestamp::Timestamp;
use std::ops::Deref;
use std::sync::Arc;

/// Proof that the checks passed; only [`crate::validate`] makes it.
#[derive(Debug, Clone)]
pub struct Valid<T>(T);

impl<T> Valid<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Valid<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// One STIX object. A clone shares everything.
#[derive(Debug, Clone)]
pub struct Object {
    parts: Arc<Parts>,
}

#[derive(Debug)]
pub(crate) struct Parts {
    // INVARIANT: the text of one JSON object, as it came
    pub(crate) text: Box<str>,
    pub(crate) id: Identifier,
    pub(crate) spec_version: Option<Box<str>>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) created_by_ref: Option<Identifier>,
    pub(crate) revoked: bool,
    pub(crate) name: Option<Box<str>>,
    pub(crate) object_marking_refs: Vec<Identifier>,
    pub(crate) granular_markings: Vec<GranularMarking>,
    pub(crate) references: Vec<Reference>,
    pub(crate) fingerprint: u64,
}

/// One reference from the object to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// JSON pointer to the reference, for example `/object_refs/3`.
    pub pointer: String,
    /// The identifier it names.
    pub target: Identifier,
}

impl Object {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// The object's text exactly as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.parts.text.as_bytes()
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> &Identifier {
        &self.parts.id
    }

    /// Its type, for example `indicator`.
    #[must_use]
    pub fn object_type(&self) -> &str {
        self.parts.id.object_type()
    }

    /// `spec_version`, `2.1` where it is left out (3.2).
    #[must_use]
    pub fn spec_version(&self) -> &str {
        self.parts.spec_version.as_deref().unwrap_or("2.1")
    }

    /// When the first version was made; none on observables.
    #[must_use]
    pub fn created(&self) -> Option<&Timestamp> {
        self.parts.created.as_ref()
    }

    /// When this version was made; none on observables and marking definitions.
    #[must_use]
    pub fn modified(&self) -> Option<&Timestamp> {
        self.parts.modified.as_ref()
    }

    /// What tells versions apart: `modified`, else `created`, else nothing (3.6, TAXII 2.1 3.4).
    #[must_use]
    pub fn version(&self) -> Option<&Timestamp> {
        self.modified().or(self.created())
    }

    /// The identity that made it.
    #[must_use]
    pub fn created_by_ref(&self) -> Option<&Identifier> {
        self.parts.created_by_ref.as_ref()
    }

    /// True when this version withdraws the object.
    #[must_use]
    pub fn revoked(&self) -> bool {
        self.parts.revoked
    }

    /// `name`, when the object has one that is a string.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.parts.name.as_deref()
    }

    /// Markings of the whole object.
    #[must_use]
    pub fn object_marking_refs(&self) -> &[Identifier] {
        &self.parts.object_marking_refs
    }

    /// Markings and languages of parts of the object.
    #[must_use]
    pub fn granular_markings(&self) -> &[GranularMarking] {
        &self.parts.granular_markings
    }

    /// Every identifier in a property that ends in `_ref` or `_refs`, in written order, at any depth.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.parts.references
    }

    /// What a marking definition means; `None` for every other type.
    #[must_use]
    pub fn marking(&self) -> Option<MarkingDefinition> {
        if self.object_type() != "marking-definition" {
            return None;
        }
        self.with_document(|document| {
            let root = document.root();
            let text = |value: Option<Value<'_>>, name| {
                value.and_then(|value| value.get(name)?.as_str().map(str::to_owned))
            };
            let (definition, extensions) = (root.get("definition"), root.get("extensions"));
            MarkingDefinition::of(&MarkingParts {
                id: self.id().as_str(),
                name: self.name(),
                definition_type: text(Some(root), "definition_type").as_deref(),
                statement: text(definition, "statement").as_deref(),
                pap_extension: text(extensions.and_then(|all| all.get(PAP_EXTENSION_ID)), "pap")
                    .as_deref(),
            })
        })
    }

    /// Canonical bytes (RFC 8785), the same however the object was written.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        self.with_document(|document| canonical::canonical(document.root()))
            .unwrap_or_default()
    }

    /// A number that objects with the same content share, see [`crate::defaults::fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.parts.fingerprint
    }

    /// Calls `each` with every string a person may search for that no granular marking covers.
    pub fn texts(&self, each: &mut dyn FnMut(&str)) {
        self.with_document(|document| {
            texts::visit(document.root(), self.granular_markings(), each)
        });
    }

    /// Reads the object's text again, for whatever is not kept at hand.
    pub fn with_document<T>(&self, read: impl FnOnce(&Document<'_>) -> T) -> Option<T> {
        // the text passed stricter limits before, so only its own size bounds it here
        let limits = Limits {
            bytes_max: usize::MAX,
            depth_max: usize::MAX,
            nodes_max: usize::MAX,
            key_bytes_max: usize::MAX,
        };
        Document::parse(self.bytes(), &limits)
            .ok()
            .map(|document| read(&document))
    }
}

mod texts;
