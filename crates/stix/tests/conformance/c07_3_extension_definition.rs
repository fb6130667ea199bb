//! Clause 7.3: extensions.

use crate::support::{checked, clean, refused, sample, warned, with};
use serde_json::{Value, json};

const KEY: &str = "extension-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

#[test]
fn c7_3_1_required_properties() {
    for name in [
        "name",
        "schema",
        "version",
        "extension_types",
        "created_by_ref",
    ] {
        refused(
            &with("extension-definition", json!({name: null})),
            "stix.property.required",
        );
    }
}

#[test]
fn c7_3_1_extension_properties_only_with_top_level_properties() {
    refused(
        &with(
            "extension-definition",
            json!({"extension_types": ["new-sdo"]}),
        ),
        "stix.property.exclusive",
    );
    warned(
        &with(
            "extension-definition",
            json!({"extension_properties": null}),
        ),
        "stix.property.recommended",
    );
}

#[test]
fn c7_3_an_extension_says_its_type() {
    let extended = |extension: Value| with("campaign", json!({"extensions": {KEY: extension}}));
    for right in ["property-extension", "toplevel-property-extension"] {
        clean(&extended(json!({"extension_type": right})));
    }
    refused(&extended(json!({"own_property": 1})), "stix.extension.type");
    refused(
        &extended(json!({"extension_type": "new-thing"})),
        "stix.vocabulary.closed",
    );
    refused(
        &extended(json!({"extension_type": "new-sdo"})),
        "stix.extension.redefines",
    );
    refused(&extended(json!("text")), "stix.property.kind");
}

#[test]
fn c7_3_top_level_properties_need_no_prefix() {
    let extensions = json!({KEY: {"extension_type": "toplevel-property-extension"}});
    clean(&with(
        "campaign",
        json!({"toxicity": 5, "extensions": extensions}),
    ));
}

#[test]
fn c7_3_new_types_follow_the_rules_of_their_family() {
    let typed = |family: &str| json!({KEY: {"extension_type": family}});
    clean(&sample("comity-thing"));
    refused(
        &with("comity-thing", json!({"modified": null})),
        "stix.property.required",
    );
    refused(
        &with("comity-thing", json!({"defanged": true})),
        "stix.property.forbidden",
    );
    let observable = json!({"type": "own-thing", "id": "own-thing--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "extensions": typed("new-sco"), "value": 1});
    clean(&observable);
    let mut labelled = observable;
    labelled["labels"] = json!(["a"]);
    refused(&labelled, "stix.property.forbidden");
    clean(&with(
        "comity-thing",
        json!({"extensions": typed("new-sro")}),
    ));
}

#[test]
fn c7_3_unknown_extensions_are_kept() {
    let object = with(
        "campaign",
        json!({"extensions": {KEY: {"extension_type": "property-extension", "deep": {"deeper": [1, {"a": "b"}]}}}}),
    );
    let valid = checked(&object).object.unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(valid.bytes()).unwrap(),
        object
    );
}

/// Objects as OpenCTI 6 writes them: an identity, and an incident that its extension defines anew.
#[test]
fn c7_3_objects_of_opencti_are_taken() {
    let opencti = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";
    let extension = |kind: &str, name: &str| {
        json!({opencti: {"extension_type": kind, "id": "82e80255-9793-4283-b34b-872b30f23f57", "type": name,
            "created_at": "2025-03-25T09:59:17.024Z", "updated_at": "2025-03-25T09:59:44.832Z", "is_inferred": false,
            "creator_ids": ["88ec0c6a-13ce-5e39-b486-354fe4a7084f"]}})
    };
    let identity = with(
        "identity",
        json!({"extensions": extension("property-extension", "Organization"), "confidence": 100, "lang": "en"}),
    );
    warned(&identity, "stix.extension.name");
    let mut incident = with(
        "incident",
        json!({"extensions": extension("new-sdo", "Incident"), "incident_type": "alert", "severity": "high",
            "first_seen": "2025-03-25T09:59:10.000Z", "last_seen": "2025-03-25T09:59:10.000Z", "source": "SIEM"}),
    );
    for code in [
        "stix.extension.name",
        "stix.extension.stub",
        "stix.property.reserved-in-stub",
    ] {
        warned(&incident, code);
    }
    incident["extensions"] = json!({KEY: {"extension_type": "toplevel-property-extension"}});
    warned(&incident, "stix.property.reserved-in-stub");
    // without an extension to complete it, and elsewhere, the rule stands
    incident["extensions"] = json!({KEY: {"extension_type": "property-extension"}});
    refused(&incident, "stix.property.reserved");
    refused(
        &with(
            "campaign",
            json!({"severity": "high", "extensions": {KEY: {"extension_type": "toplevel-property-extension"}}}),
        ),
        "stix.property.reserved",
    );
}

#[test]
fn c3_10_predefined_extensions_stand_on_their_object() {
    for (object_type, name) in [
        ("file", "ntfs-ext"),
        ("network-traffic", "tcp-ext"),
        ("process", "windows-process-ext"),
        ("user-account", "unix-account-ext"),
    ] {
        let extension = sample(object_type)["extensions"][name].clone();
        refused(
            &with("mutex", json!({"extensions": {name: extension}})),
            "stix.extension.place",
        );
    }
}
