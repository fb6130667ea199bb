//! Clause 11: custom properties, objects and extensions.

use crate::support::{clean, refused, warned, with};
use serde_json::json;

#[test]
fn c11_1_1_custom_properties_have_names_of_a_form() {
    refused(&with("campaign", json!({"x-own": 1})), "stix.custom.name");
    warned(&with("campaign", json!({"own": 1})), "stix.custom.prefix");
    warned(
        &with("campaign", json!({"x_own": 1})),
        "stix.custom.undefined",
    );
}

#[test]
fn c11_2_1_custom_types_have_names_of_a_form() {
    let typed = |name: &str| json!({"type": name, "id": format!("{name}--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"), "spec_version": "2.1", "created": "2024-03-01T10:00:00.000Z", "modified": "2024-03-01T10:00:00.000Z", "name": "a"});
    warned(&typed("x-own-thing"), "stix.type.custom");
    warned(&typed("own-thing"), "stix.type.prefix");
    for wrong in ["x--own", "X-own", "xo", "x_own", "1own"] {
        refused(&typed(wrong), "stix.type.name");
    }
}

#[test]
fn c11_3_1_custom_extensions_have_names_of_a_form_and_stand_on_observables() {
    let extended = |object_type: &str, name: &str| {
        with(
            object_type,
            json!({"extensions": {name: {"own_property": 1}}}),
        )
    };
    warned(&extended("mutex", "x-own-ext"), "stix.extension.custom");
    warned(&extended("mutex", "own-ext"), "stix.extension.prefix");
    refused(&extended("mutex", "x-own"), "stix.extension.key");
    refused(&extended("campaign", "x-own-ext"), "stix.extension.place");
}

#[test]
fn c11_custom_content_is_taken() {
    let defined = json!({"extension-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f": {"extension_type": "toplevel-property-extension"}});
    clean(&with(
        "campaign",
        json!({"extensions": defined, "x_own": {"list": [1, 2.5, true, {"a": "b"}]}}),
    ));
}
