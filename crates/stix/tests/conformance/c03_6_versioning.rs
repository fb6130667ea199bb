//! Clauses 3.5 and 3.6: versions.

use crate::support::{checked, with};
use comity_stix::object::{Object, Valid};
use comity_stix::related::successor;
use serde_json::{Value, json};

fn campaign(changes: Value) -> Valid<Object> {
    checked(&with("campaign", changes)).object.unwrap()
}

fn codes(before: &Object, after: &Object) -> Vec<&'static str> {
    successor(before, after)
        .iter()
        .map(|finding| finding.code)
        .collect()
}

#[test]
fn c3_6_a_version_is_its_id_and_modified() {
    let object = campaign(json!({}));
    assert_eq!(object.version().unwrap().key(), "2024-03-02T10:00:00");
    let marking = checked(&with("marking-definition", json!({})))
        .object
        .unwrap();
    assert_eq!(marking.version(), marking.created());
    assert!(
        checked(&with("mutex", json!({})))
            .object
            .unwrap()
            .version()
            .is_none()
    );
}

#[test]
fn c3_6_created_and_creator_never_change() {
    let first = campaign(json!({}));
    let later = |changes: Value| {
        let mut changes = changes;
        changes["modified"] = "2024-04-02T10:00:00.000Z".into();
        campaign(changes)
    };
    assert!(codes(&first, &later(json!({"name": "new"}))).is_empty());
    assert_eq!(
        codes(
            &first,
            &later(json!({"created": "2024-03-01T11:00:00.000Z"}))
        ),
        ["stix.version.created"]
    );
    assert_eq!(
        codes(&first, &later(json!({"created_by_ref": null}))),
        ["stix.version.creator"]
    );
}

#[test]
fn c3_6_one_version_always_says_the_same() {
    let first = campaign(json!({}));
    assert_eq!(
        codes(&first, &campaign(json!({"name": "other"}))),
        ["stix.version.conflict"]
    );
    assert!(codes(&first, &campaign(json!({}))).is_empty());
}

#[test]
fn c3_6_a_default_spelled_out_is_no_change() {
    let short = campaign(json!({"revoked": null, "lang": null}));
    for more in [
        json!({"revoked": false, "lang": null}),
        json!({"revoked": null, "lang": "en"}),
    ] {
        let long = campaign(more);
        assert!(codes(&short, &long).is_empty());
        assert_eq!(short.fingerprint(), long.fingerprint());
        assert_ne!(short.canonical(), long.canonical(), "bytes and hash stay");
    }
    assert_eq!(
        codes(&short, &campaign(json!({"revoked": null, "lang": "uk"}))),
        ["stix.version.conflict"]
    );
}

/// Codes found for the last of these objects, in the order given.
fn seen(objects: &[Value]) -> Vec<&'static str> {
    let mut seen = comity_stix::bundle::Seen::new(100);
    let mut last = Vec::new();
    for object in objects {
        last = seen.note(&checked(object).object.unwrap());
    }
    last.iter().map(|finding| finding.code).collect()
}

#[test]
fn c3_6_versions_within_one_input_fit_together() {
    let first = with("campaign", json!({}));
    let later = |mut changes: Value| {
        changes["modified"] = "2024-04-02T10:00:00.000Z".into();
        with("campaign", changes)
    };
    assert!(seen(&[first.clone(), later(json!({}))]).is_empty());
    for (second, code) in [
        (with("campaign", json!({})), "stix.bundle.duplicate"),
        (
            with("campaign", json!({"name": "other"})),
            "stix.version.conflict",
        ),
        (
            later(json!({"created": "2024-03-01T11:00:00.000Z"})),
            "stix.version.created",
        ),
        (
            later(json!({"created_by_ref": null})),
            "stix.version.creator",
        ),
    ] {
        assert_eq!(seen(&[first.clone(), second.clone()]), [code], "{second}");
    }
    let revoked = later(json!({"revoked": true}));
    let last = with("campaign", json!({"modified": "2024-05-02T10:00:00.000Z"}));
    assert_eq!(
        seen(&[first.clone(), revoked.clone(), last.clone()]),
        ["stix.version.revoked"]
    );
    assert_eq!(seen(&[last, first, revoked]), ["stix.version.revoked"]);
}

#[test]
fn c3_6_what_is_remembered_of_an_input_is_bounded() {
    let mut seen = comity_stix::bundle::Seen::new(1);
    let object = |name: &str| checked(&with(name, json!({}))).object.unwrap();
    assert!(seen.note(&object("campaign")).is_empty() && !seen.left_out());
    assert!(seen.note(&object("tool")).is_empty() && seen.left_out());
    assert!(seen.note(&object("tool")).is_empty());
    assert_eq!(
        seen.note(&object("campaign"))[0].code,
        "stix.bundle.duplicate"
    );
}

#[test]
fn c3_6_revoking_is_final() {
    let revoked = campaign(json!({"revoked": true}));
    let later = campaign(json!({"modified": "2024-04-02T10:00:00.000Z"}));
    assert_eq!(codes(&revoked, &later), ["stix.version.revoked"]);
    assert_eq!(
        codes(&later, &revoked),
        ["stix.version.revoked"],
        "whatever the order they come in"
    );
}

#[test]
fn c3_6_an_object_is_kept_as_it_came() {
    let text = "{ \"type\":\"url\",\n \"id\" : \"url--c1477287-23ac-5971-a010-5c287877fa60\", \"value\":\"https:\\/\\/example.com/research/index.html\", \"x_big\": 12345678901234567890 }";
    let checked = comity_stix::validate::check(text.as_bytes(), &Default::default());
    assert_eq!(checked.object.unwrap().bytes(), text.as_bytes());
}
