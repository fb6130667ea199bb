//! Clause 8: bundles.

use comity_stix::bundle::Reader;
use comity_stix::finding::Finding;
use comity_stix::json::Limits;

fn read(text: &str) -> (Vec<String>, Vec<Finding>) {
    let mut reader = Reader::new(text.as_bytes(), Limits::default());
    let objects = reader
        .by_ref()
        .map(|raw| String::from_utf8(raw.unwrap().bytes).unwrap())
        .collect();
    (objects, reader.findings().to_vec())
}

const ID: &str = "bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

#[test]
fn c8_1_a_bundle_has_type_id_and_objects_and_nothing_else() {
    let (objects, findings) = read(&format!(
        r#"{{"type":"bundle","id":"{ID}","objects":[{{"a":1}}, {{"b":2}}]}}"#
    ));
    assert_eq!(objects, [r#"{"a":1}"#, r#"{"b":2}"#]);
    assert!(findings.is_empty());
    let (_, findings) = read(&format!(
        r#"{{"type":"bundle","id":"{ID}","spec_version":"2.0","objects":[1]}}"#
    ));
    assert_eq!(findings[0].code, "stix.bundle.property");
    assert_eq!(findings[0].pointer, "/spec_version");
}

#[test]
fn c8_1_the_identifier_is_that_of_a_bundle() {
    for id in [
        "bundle--1",
        "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "",
    ] {
        let (_, findings) = read(&format!(r#"{{"type":"bundle","id":"{id}","objects":[1]}}"#));
        assert_eq!(findings[0].code, "stix.bundle.form", "{id}");
    }
    assert_eq!(
        read(r#"{"type":"bundle","objects":[1]}"#).1[0].code,
        "stix.bundle.form"
    );
}

#[test]
fn c8_1_objects_may_be_left_out_and_not_empty() {
    assert!(
        read(&format!(r#"{{"type":"bundle","id":"{ID}"}}"#))
            .1
            .is_empty()
    );
    assert_eq!(
        read(&format!(r#"{{"type":"bundle","id":"{ID}","objects":[]}}"#)).1[0].code,
        "stix.list.empty"
    );
}

#[test]
fn c8_1_objects_that_are_no_list_are_not_passed_over() {
    for text in [
        format!(r#"{{"type":"bundle","id":"{ID}","objects":{{"a":1}}}}"#),
        format!(r#"{{"objects":null,"id":"{ID}","type":"bundle"}}"#),
        r#"{"more":false,"objects":{"type":"tool"}}"#.to_owned(),
    ] {
        let read: Vec<_> = Reader::new(text.as_bytes(), Limits::default()).collect();
        let finding = read[0].as_ref().unwrap_err();
        assert_eq!(
            (read.len(), finding.code),
            (1, "stix.bundle.form"),
            "{text}"
        );
        assert!(
            finding.is_error() && finding.pointer == "/objects",
            "{finding}"
        );
    }
}

#[test]
fn c8_1_a_list_that_is_kept_is_passed_over_however_long() {
    let items = vec![r#"{"id":"x"}"#; 2_000_000].join(",");
    for text in [
        format!(r#"{{"type":"bundle","id":"{ID}","objects":[{{"a":1}}],"aside":[{items}]}}"#),
        format!(r#"{{"type":"bundle","aside":[{items}],"id":"{ID}","objects":[{{"a":1}}]}}"#),
    ] {
        let mut reader = Reader::new(text.as_bytes(), Limits::default()).keeping("aside");
        let read: Vec<_> = reader.by_ref().map(|raw| raw.unwrap().bytes).collect();
        assert_eq!(read, [br#"{"a":1}"#]);
        assert!(reader.findings().is_empty() && reader.buffer_bytes() < 1 << 20);
    }
    let twice = format!(r#"{{"type":"bundle","id":"{ID}","aside":[],"objects":[1],"aside":[]}}"#);
    let last = Reader::new(twice.as_bytes(), Limits::default())
        .keeping("aside")
        .last();
    assert_eq!(last.unwrap().unwrap_err().code, "json.key.duplicate");
}

#[test]
fn c8_2_nothing_refers_to_a_bundle_and_none_stands_in_another() {
    use crate::support::{refused, with};
    refused(
        &with("relationship", serde_json::json!({"target_ref": ID})),
        "stix.reference.target",
    );
    refused(
        &serde_json::json!({"type": "bundle", "id": ID}),
        "stix.type.bundle",
    );
}
