//! Clause 7.2: markings.

use crate::support::{checked, clean, refused, sample, with};
use serde_json::{Value, json};

const MARKING: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";

#[test]
fn c7_2_object_markings_are_marking_definitions_and_never_circular() {
    refused(
        &with(
            "campaign",
            json!({"object_marking_refs": ["tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"]}),
        ),
        "stix.reference.target",
    );
    let own = sample("marking-definition")["id"].clone();
    refused(
        &with("marking-definition", json!({"object_marking_refs": [own]})),
        "stix.marking.circular",
    );
    refused(
        &with(
            "marking-definition",
            json!({"granular_markings": [{"marking_ref": own, "selectors": ["name"]}]}),
        ),
        "stix.marking.circular",
    );
}

#[test]
fn c7_2_1_marking_definitions_are_not_versioned() {
    for (name, value) in [
        ("modified", json!("2024-03-01T10:00:00.000Z")),
        ("revoked", json!(false)),
        ("labels", json!(["a"])),
        ("confidence", json!(1)),
        ("lang", json!("en")),
    ] {
        refused(
            &with("marking-definition", json!({name: value})),
            "stix.property.forbidden",
        );
    }
}

#[test]
fn c7_2_1_without_extensions_type_and_definition_are_needed() {
    refused(
        &with("marking-definition", json!({"definition": null})),
        "stix.marking.definition",
    );
    refused(
        &with(
            "marking-definition",
            json!({"definition": null, "definition_type": null}),
        ),
        "stix.marking.definition",
    );
    let extensions = json!({"extension-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f": {"extension_type": "property-extension", "own_property": 1}});
    clean(&with(
        "marking-definition",
        json!({"definition": null, "definition_type": null, "extensions": extensions}),
    ));
}

fn tlp(level: &str) -> Value {
    let bundle: Value = serde_json::from_str(crate::support::EVERY_TYPE).unwrap();
    let objects = bundle["objects"].as_array().unwrap().clone();
    objects
        .into_iter()
        .find(|object| object["definition"]["tlp"] == level)
        .unwrap()
}

#[test]
fn c7_2_1_4_tlp_is_one_of_four_objects_exactly() {
    for level in ["white", "green", "amber", "red"] {
        clean(&tlp(level));
        for (name, value) in [
            (
                "id",
                json!("marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"),
            ),
            ("created", json!("2017-01-20T00:00:00.001Z")),
            ("definition", json!({"tlp": "purple"})),
            ("name", json!("TLP:CLEAR")),
            (
                "created_by_ref",
                json!("identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"),
            ),
        ] {
            let mut object = tlp(level);
            object[name] = value;
            refused(&object, "stix.marking.tlp");
        }
        let mut object = tlp(level);
        object["definition_type"] = "statement".into();
        refused(&object, "stix.marking.tlp");
    }
}

#[test]
fn c7_2_1_4_nothing_else_stands_under_a_tlp_identifier() {
    use comity_stix::marking::{Tlp, predefined, tlp2_definition};
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let own = json!({"extension-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f": {"extension_type": "property-extension", "own_property": 1}});
    let ids = [
        "613f2e26-407d-48c7-9eca-b8e91df99dc9",
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    ];
    for uuid in ids {
        let published = parsed(predefined(&format!("marking-definition--{uuid}")).unwrap());
        clean(&published);
        let mut forged = published;
        forged["extensions"] = own.clone();
        refused(&forged, "stix.marking.tlp");
        for name in ["definition", "definition_type"] {
            forged.as_object_mut().unwrap().remove(name);
        }
        refused(&forged, "stix.marking.tlp");
    }
    for level in Tlp::ALL {
        let published = parsed(tlp2_definition(level));
        clean(&published);
        assert_eq!(predefined(level.id()), Some(tlp2_definition(level)));
        let key = comity_stix::marking::TLP2_EXTENSION_ID;
        let mut forged = published.clone();
        forged["extensions"][key]["tlp_2_0"] =
            if level == Tlp::Clear { "red" } else { "clear" }.into();
        refused(&forged, "stix.marking.tlp");
        let mut forged = published.clone();
        forged["extensions"] = own.clone();
        refused(&forged, "stix.marking.tlp");
        let mut forged = published.clone();
        forged.as_object_mut().unwrap().remove("extensions");
        forged["definition_type"] = "statement".into();
        forged["definition"] = json!({"statement": "free to all"});
        refused(&forged, "stix.marking.tlp");
        let mut foreign = published;
        foreign["id"] = MARKING.into();
        refused(&foreign, "stix.marking.tlp");
    }
}

#[test]
fn c7_2_1_4_the_four_identifiers() {
    let ids = [
        ("white", "613f2e26-407d-48c7-9eca-b8e91df99dc9"),
        ("green", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
        ("amber", "f88d31f6-486f-44da-b317-01333bde0b82"),
        ("red", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
    ];
    for (level, uuid) in ids {
        assert_eq!(tlp(level)["id"], format!("marking-definition--{uuid}"));
        assert!(checked(&tlp(level)).object.unwrap().marking().is_some());
    }
}

#[test]
fn c7_2_3_a_granular_marking_has_a_language_or_a_marking() {
    let entry = |entry: Value| with("campaign", json!({"granular_markings": [entry]}));
    clean(&entry(
        json!({"marking_ref": MARKING, "selectors": ["name"]}),
    ));
    clean(&entry(json!({"lang": "uk", "selectors": ["name"]})));
    refused(
        &entry(json!({"lang": "uk", "marking_ref": MARKING, "selectors": ["name"]})),
        "stix.granular.choice",
    );
    refused(
        &entry(json!({"selectors": ["name"]})),
        "stix.granular.choice",
    );
    refused(
        &entry(json!({"lang": "uk", "selectors": []})),
        "stix.list.empty",
    );
    refused(&entry(json!({"lang": "uk"})), "stix.property.required");
}

#[test]
fn c7_2_3_selectors_lead_to_what_is_there() {
    let selecting = |selector: &str| {
        with(
            "campaign",
            json!({"labels": ["a", "b"], "granular_markings": [{"marking_ref": MARKING, "selectors": [selector]}]}),
        )
    };
    for right in [
        "id",
        "description",
        "labels",
        "labels.[0]",
        "labels.[1]",
        "external_references.[0].url",
        "external_references.[0].hashes.SHA-256",
    ] {
        clean(&selecting(right));
    }
    for wrong in [
        "description.[0]",
        "labels.name",
        "labels.[2]",
        "nothing",
        "external_references.url",
        "labels.0",
    ] {
        refused(&selecting(wrong), "stix.selector.target");
    }
    for wrong in [
        "",
        "labels.",
        ".labels",
        "labels.[]",
        "labels.[-1]",
        "labels.[00]",
        "[0]",
        "labels.[1",
    ] {
        refused(&selecting(wrong), "stix.selector.form");
    }
}
