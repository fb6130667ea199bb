//! Clause 12: what must be supported altogether.

use crate::support::{EVERY_TYPE, checked, clean};
use comity_stix::model::all_types;
use comity_stix::{codes::codes, vocabulary};
use serde_json::Value;

#[test]
fn c12_every_type_with_every_property_passes() {
    let bundle: Value = serde_json::from_str(EVERY_TYPE).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    objects.iter().for_each(clean);
    for model in all_types() {
        let sample = objects
            .iter()
            .find(|object| object["type"] == model.shape.name)
            .unwrap();
        let absent: Vec<_> = model
            .shape
            .properties
            .iter()
            .map(|property| property.name)
            .filter(|name| sample.get(name).is_none())
            .collect();
        // each excludes another property that the sample has
        let exclusive = ["objects", "url", "body_multipart"];
        assert!(
            absent.iter().all(|name| exclusive.contains(name)),
            "{}: {absent:?}",
            model.shape.name
        );
    }
    assert_eq!(all_types().count(), 19 + 2 + 18 + 3);
}

#[test]
fn c12_2_versioning_and_c12_3_markings_are_at_hand() {
    let object = checked(&crate::support::sample("campaign")).object.unwrap();
    assert!(
        object.created().is_some()
            && object.modified().is_some()
            && object.created_by_ref().is_some()
            && !object.revoked()
    );
    assert_eq!(
        (
            object.object_marking_refs().len(),
            object.granular_markings().len()
        ),
        (1, 2)
    );
}

#[test]
fn c12_7_patterns_are_read_at_all_three_levels() {
    for pattern in [
        "[file:name = 'a']",
        "[file:name = 'a'] AND [url:value = 'b']",
        "([file:name = 'a'] FOLLOWEDBY [url:value = 'b']) WITHIN 5 SECONDS",
    ] {
        clean(&crate::support::with(
            "indicator",
            serde_json::json!({"pattern": pattern}),
        ));
    }
}

#[test]
fn c9_errors_of_a_pattern_have_their_place_in_the_string() {
    let object = crate::support::with(
        "indicator",
        serde_json::json!({"pattern": "[file:name = 'é\"' AND file:size >> 5]"}),
    );
    let text = object.to_string();
    let findings = checked(&object).findings;
    let finding = findings
        .iter()
        .find(|finding| finding.code.starts_with("stix.pattern"))
        .unwrap();
    assert_eq!(finding.pointer, "/pattern");
    let place = &text[finding.offset..];
    assert!(place.starts_with(['>', ' ']), "{place}");
}

#[test]
fn c10_vocabularies_are_complete_and_codes_are_unique() {
    assert_eq!(vocabulary::ALL.len(), 32);
    assert!(
        vocabulary::ALL
            .iter()
            .all(|vocabulary| vocabulary.open == vocabulary.name.ends_with("-ov"))
    );
    let mut names: Vec<_> = codes().iter().map(|code| code.code).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
