//! Clause 3.3: references.

use crate::support::{EVERY_TYPE, checked, refused, with};
use comity_stix::object::Reference;
use serde_json::{Value, json};

#[test]
fn c3_3_references_have_the_form_and_lead_to_allowed_types() {
    refused(
        &with("campaign", json!({"created_by_ref": "identity--1"})),
        "stix.reference.form",
    );
    refused(
        &with(
            "campaign",
            json!({"created_by_ref": "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}),
        ),
        "stix.reference.target",
    );
    refused(
        &with(
            "note",
            json!({"object_refs": ["bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"]}),
        ),
        "stix.reference.target",
    );
}

#[test]
fn c3_3_every_reference_of_an_object_is_known() {
    let bundle: Value = serde_json::from_str(EVERY_TYPE).unwrap();
    for object in bundle["objects"].as_array().unwrap() {
        let valid = checked(object).object.unwrap();
        for Reference { pointer, target } in valid.references() {
            assert_eq!(object.pointer(pointer).unwrap(), target.as_str());
        }
        let written = object.to_string().matches("--").count();
        let definitions = object
            .to_string()
            .matches("\"extension-definition--")
            .count();
        let own = 1;
        let keys = if object["type"] == "extension-definition" {
            definitions - 1
        } else {
            definitions
        };
        assert_eq!(valid.references().len() + own + keys, written, "{object}");
    }
}

#[test]
fn c3_3_references_in_custom_content_are_found() {
    let object = with(
        "campaign",
        json!({"x_own": [{"thing_ref": "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"}]}),
    );
    let valid = checked(&object).object.unwrap();
    assert!(
        valid
            .references()
            .iter()
            .any(|reference| reference.pointer == "/x_own/0/thing_ref")
    );
}
