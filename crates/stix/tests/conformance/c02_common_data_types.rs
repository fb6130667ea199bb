//! Clause 2: lists, dictionaries, integers, hex, binary, hashes.

use crate::support::{clean, refused, warned, with};
use serde_json::json;

#[test]
fn c2_12_lists_and_dictionaries_are_never_empty() {
    refused(&with("campaign", json!({"aliases": []})), "stix.list.empty");
    refused(
        &with("campaign", json!({"external_references": []})),
        "stix.list.empty",
    );
    refused(
        &with("file", json!({"hashes": {}})),
        "stix.dictionary.empty",
    );
    refused(
        &with("campaign", json!({"extensions": {}})),
        "stix.dictionary.empty",
    );
}

#[test]
fn c2_3_dictionary_keys_are_ascii_and_at_most_250_long() {
    let with_key = |key: &str| with("process", json!({"environment_variables": {key: "x"}}));
    clean(&with_key("Path_1-a"));
    clean(&with_key(&"k".repeat(250)));
    refused(&with_key(&"k".repeat(251)), "stix.dictionary.key");
    refused(&with_key("a b"), "stix.dictionary.key");
    refused(&with_key("ключ"), "stix.dictionary.key");
    refused(&with_key(""), "stix.dictionary.key");
}

#[test]
fn c2_10_integers_are_within_54_bits() {
    let sized = |text: &str| {
        with(
            "file",
            json!({"size": serde_json::from_str::<serde_json::Value>(text).unwrap()}),
        )
    };
    clean(&sized("9007199254740991"));
    refused(&sized("9007199254740992"), "stix.integer.range");
    refused(&sized("18446744073709551615"), "stix.integer.range");
    refused(&sized("1.5"), "stix.integer.form");
    refused(
        &with("campaign", json!({"confidence": 101})),
        "stix.integer.range",
    );
}

#[test]
fn c2_1_binary_is_base64() {
    refused(
        &with("artifact", json!({"payload_bin": "%%%%"})),
        "stix.binary",
    );
    refused(
        &with("artifact", json!({"payload_bin": "YQ"})),
        "stix.binary",
    );
}

#[test]
fn c2_8_hex_is_even_and_lower_case() {
    refused(
        &with("file", json!({"magic_number_hex": "abc"})),
        "stix.hex",
    );
    refused(&with("file", json!({"magic_number_hex": "AB"})), "stix.hex");
}

#[test]
fn c2_7_hashes_have_the_form_of_their_algorithm() {
    refused(
        &with("file", json!({"hashes": {"SHA-1": "ab"}})),
        "stix.hash.value",
    );
    refused(
        &with("file", json!({"hashes": {"SSDEEP": "no"}})),
        "stix.hash.value",
    );
    refused(
        &with("file", json!({"hashes": {"ab": "cd"}})),
        "stix.hash.key",
    );
    warned(
        &with("file", json!({"hashes": {"MY-HASH": "cd"}})),
        "stix.hash.name",
    );
}

#[test]
fn c2_15_text_holds_any_character() {
    clean(&with(
        "campaign",
        json!({"name": "Операція \u{1F600} \"\\/\n\u{7f}"}),
    ));
}
