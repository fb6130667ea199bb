//! Clause 3.1: names.

use crate::support::{clean, refused, sample, warned, with};
use serde_json::json;

#[test]
fn c3_1_names_are_small_letters_and_3_to_250_long() {
    for wrong in ["ab", "x-own", "X_own", "1x_own", "_x_own", "x_ключ"] {
        refused(&with("campaign", json!({wrong: 1})), "stix.custom.name");
    }
    refused(
        &with("campaign", json!({format!("x_{}", "a".repeat(249)): 1})),
        "stix.custom.name",
    );
    warned(
        &with("campaign", json!({format!("x_{}", "a".repeat(248)): 1})),
        "stix.custom.undefined",
    );
}

#[test]
fn c3_1_a_name_that_ends_in_ref_holds_an_identifier() {
    warned(
        &with("campaign", json!({"x_own_ref": "no identifier"})),
        "stix.reference.custom",
    );
    warned(
        &with("campaign", json!({"x_own_refs": [1]})),
        "stix.reference.custom",
    );
}

#[test]
fn c3_1_required_properties_are_there_and_others_may_be_left_out() {
    clean(&json!({"type": "url", "id": sample("url")["id"], "value": sample("url")["value"]}));
    refused(
        &with("url", json!({"value": null})),
        "stix.property.required",
    );
}

#[test]
fn c3_1_an_encoding_stands_only_beside_what_it_encodes() {
    refused(
        &with("file", json!({"name": null, "name_enc": "iso-8859-1"})),
        "stix.property.needs",
    );
}
