//! Two versions of one object (3.5, 3.6).

use crate::codes::{self, Code};
use crate::defaults::same_content;
use crate::finding::Finding;
use crate::json::{Document, Limits};
use crate::object::Object;
use crate::timestamp;

/// What must not change from version to version, and what ends an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Sort key of the version; empty for objects without versions.
    pub version: Box<str>,
    /// Sort key of `created`.
    pub created: Option<Box<str>>,
    /// `created_by_ref`.
    pub created_by_ref: Option<Box<str>>,
    /// This version withdraws the object.
    pub revoked: bool,
}

impl Facts {
    /// Those of `object`.
    #[must_use]
    pub fn of(object: &Object) -> Self {
        Self {
            version: object.version().map_or("", |time| time.key()).into(),
            created: object.created().map(|time| time.key().into()),
            created_by_ref: object.created_by_ref().map(|id| id.as_str().into()),
            revoked: object.revoked(),
        }
    }

    /// Those of the text of an object that passed the checks once, which may have become stricter since; `None` when it is
    /// no JSON.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let document = Document::parse(bytes, &Limits::default()).ok()?;
        let text = |name: &str| document.root().get(name).and_then(|value| value.as_str());
        let key = |name: &str| text(name).and_then(|text| timestamp::check(text).ok());
        Some(Self {
            version: key("modified")
                .or(key("created"))
                .unwrap_or_default()
                .into(),
            created: key("created").map(Into::into),
            created_by_ref: text("created_by_ref").map(Into::into),
            revoked: document
                .root()
                .get("revoked")
                .and_then(|value| value.as_bool())
                .unwrap_or_default(),
        })
    }
}

/// What is wrong with `after` as another version of `before`; nothing when their identifiers differ. Findings have a
/// pointer into `after` and no line.
#[must_use]
pub fn successor(before: &Object, after: &Object) -> Vec<Finding> {
    if before.id() != after.id() {
        return Vec::new();
    }
    if before.version() == after.version() {
        // 3.6: one version always has the same properties and values, however it is written
        if same_content(before.bytes(), after.bytes()) {
            return Vec::new();
        }
        let message = format!(
            "`{}` differs from the same version known before",
            after.id()
        );
        return vec![found(&codes::VERSION_CONFLICT, "", message)];
    }
    succession(&Facts::of(before), &Facts::of(after))
}

/// What is wrong with one version after, or before, another version of the same object.
#[must_use]
pub fn succession(before: &Facts, after: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if before.created != after.created {
        let message = "`created` changed between versions".into();
        findings.push(found(&codes::VERSION_CREATED, "/created", message));
    }
    if before.created_by_ref != after.created_by_ref {
        let message = "`created_by_ref` changed between versions".into();
        findings.push(found(&codes::VERSION_CREATOR, "/created_by_ref", message));
    }
    let (older, newer) = if before.version < after.version {
        (before, after)
    } else {
        (after, before)
    };
    if older.revoked {
        let message = format!(
            "the object was revoked before its version of {}Z",
            newer.version
        );
        findings.push(found(&codes::VERSION_REVOKED, "/modified", message));
    }
    findings
}

fn found(code: &'static Code, pointer: &str, message: String) -> Finding {
    Finding {
        pointer: pointer.into(),
        ..Finding::new(code, message)
    }
}
