//! Clause 7.1: language content.

use crate::support::{checked, clean, refused, sample, with};
use comity_stix::related::translation;
use serde_json::{Value, json};

fn codes(content: Value, target: Value) -> Vec<&'static str> {
    let (content, target) = (
        checked(&content).object.unwrap(),
        checked(&target).object.unwrap(),
    );
    translation(&content, &target)
        .iter()
        .map(|finding| finding.code)
        .collect()
}

#[test]
fn c7_1_1_object_ref_and_contents_are_required() {
    clean(&sample("language-content"));
    refused(
        &with("language-content", json!({"object_ref": null})),
        "stix.property.required",
    );
    refused(
        &with("language-content", json!({"contents": null})),
        "stix.property.required",
    );
    refused(
        &with(
            "language-content",
            json!({"contents": {"not a tag": {"name": "x"}}}),
        ),
        "stix.language",
    );
}

#[test]
fn c7_1_1_object_modified_is_that_of_the_target() {
    let content = with(
        "language-content",
        json!({"contents": {"de": {"name": "x"}}}),
    );
    assert!(codes(content.clone(), sample("campaign")).is_empty());
    let older = with("campaign", json!({"modified": "2024-03-01T10:00:00.000Z"}));
    assert_eq!(codes(content, older), ["stix.translation.version"]);
}

#[test]
fn c7_1_1_contents_mirror_the_target() {
    let target = with("campaign", json!({"labels": ["one", "two"]}));
    let content = |labels: Value| {
        with(
            "language-content",
            json!({"contents": {"de": {"labels": labels}}}),
        )
    };
    assert!(codes(content(json!(["eins", ""])), target.clone()).is_empty());
    assert_eq!(
        codes(content(json!(["eins"])), target.clone()),
        ["stix.translation.form"]
    );
    assert_eq!(
        codes(content(json!("eins")), target.clone()),
        ["stix.translation.form"]
    );
    // 7.1.1: what the target does not have, or what cannot be translated, is ignored
    let other = with(
        "language-content",
        json!({"contents": {"de": {"nothing": "x", "confidence": "hoch"}}}),
    );
    assert!(codes(other, target).is_empty());
}

#[test]
fn c7_1_1_what_cannot_be_translated_is_ignored() {
    let content = |members: Value| with("language-content", json!({"contents": {"de": members}}));
    for members in [
        json!({"confidence": 5}),
        json!({"revoked": true}),
        json!({"name": null}),
    ] {
        crate::support::warned(&content(members.clone()), "stix.translation");
    }
    for members in [
        json!({"confidence": 5}),
        json!({"id": ["x"]}),
        json!({"created_by_ref": {"x": "y"}}),
        json!({"object_marking_refs": "x"}),
    ] {
        assert!(
            codes(content(members.clone()), sample("campaign")).is_empty(),
            "{members}"
        );
    }
    assert_eq!(
        codes(content(json!({"name": ["x"]})), sample("campaign")),
        ["stix.translation.form"]
    );
}
