//! Two versions of one object (3.5, 3.6).

use crate::codes::{self, Code};
use crate::finding::Finding;
use crate::object::Object;

/// What is wrong with `after` as another version of `before`; nothing when their identifiers differ. Findings have a
/// pointer into `after` and no line.
#[must_use]
pub fn successor(before: &Object, after: &Object) -> Vec<Finding> {
    let mut findings = Vec::new();
    if before.id() != after.id() {
        return findings;
    }
    let mut report = |code: &'static Code, pointer: &str, message: String| {
        findings.push(Finding {
            pointer: pointer.into(),
            ..Finding::new(code, message)
        });
    };
    if before.version() == after.version() {
        // 3.6: one version always has the same properties and values, however it is written
        if before.canonical() != after.canonical() {
            report(
                &codes::VERSION_CONFLICT,
                "",
                format!(
                    "`{}` differs from the same version known before",
                    after.id()
                ),
            );
        }
        return findings;
    }
    if before.created() != after.created() {
        report(
            &codes::VERSION_CREATED,
            "/created",
            "`created` changed between versions".into(),
        );
    }
    if before.created_by_ref() != after.created_by_ref() {
        report(
            &codes::VERSION_CREATOR,
            "/created_by_ref",
            "`created_by_ref` changed between versions".into(),
        );
    }
    let (older, newer) = if before.version() < after.version() {
        (before, after)
    } else {
        (after, before)
    };
    if older.revoked() {
        let time = newer.version().map_or("", |time| time.as_str());
        report(
            &codes::VERSION_REVOKED,
            "/modified",
            format!("the object was revoked before its version of {time}"),
        );
    }
    findings
}
