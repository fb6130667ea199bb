//! Clause 3.2: common properties.

use crate::support::{clean, refused, sample, with};
use serde_json::json;

#[test]
fn c3_2_created_and_modified_have_at_least_three_digits() {
    refused(
        &with("campaign", json!({"created": "2024-03-01T10:00:00Z"})),
        "stix.timestamp.precision",
    );
    refused(
        &with("campaign", json!({"modified": "2024-03-05T10:00:00.12Z"})),
        "stix.timestamp.precision",
    );
    clean(&with(
        "campaign",
        json!({"modified": "2024-03-05T10:00:00.123456Z"}),
    ));
}

#[test]
fn c3_2_modified_is_not_before_created() {
    refused(
        &with("campaign", json!({"modified": "2024-02-29T10:00:00.000Z"})),
        "stix.property.order",
    );
    clean(&with(
        "campaign",
        json!({"modified": "2024-03-01T10:00:00.000Z"}),
    ));
}

#[test]
fn c3_2_spec_version_is_required_except_on_observables() {
    refused(
        &with("campaign", json!({"spec_version": null})),
        "stix.property.required",
    );
    refused(
        &with("campaign", json!({"spec_version": "2.0"})),
        "stix.spec-version",
    );
    refused(
        &with("campaign", json!({"spec_version": 2.1})),
        "stix.spec-version",
    );
    let address = crate::support::checked(&with("ipv4-addr", json!({"spec_version": null})))
        .object
        .unwrap();
    assert_eq!(address.spec_version(), "2.1");
}

#[test]
fn c3_2_defanged_stands_only_on_observables() {
    for object_type in [
        "campaign",
        "relationship",
        "marking-definition",
        "language-content",
        "extension-definition",
    ] {
        refused(
            &with(object_type, json!({"defanged": false})),
            "stix.property.forbidden",
        );
    }
    clean(&with("ipv4-addr", json!({"defanged": true})));
}

#[test]
fn c3_2_observables_have_no_versions_labels_or_languages() {
    let campaign = sample("campaign");
    for name in [
        "created",
        "modified",
        "revoked",
        "created_by_ref",
        "labels",
        "confidence",
        "lang",
        "external_references",
    ] {
        refused(
            &with("mutex", json!({name: campaign[name]})),
            "stix.property.forbidden",
        );
    }
}

#[test]
fn c3_2_lang_is_a_tag_of_rfc_5646() {
    for right in ["en", "uk", "zh-Hant-TW", "de-CH-1996", "x-own"] {
        clean(&with("campaign", json!({"lang": right})));
    }
    for wrong in ["e", "en_GB", "english language", ""] {
        refused(&with("campaign", json!({"lang": wrong})), "stix.language");
    }
}

#[test]
fn c3_2_confidence_is_0_to_100() {
    clean(&with("campaign", json!({"confidence": 0})));
    clean(&with("campaign", json!({"confidence": 100})));
    refused(
        &with("campaign", json!({"confidence": -1})),
        "stix.integer.range",
    );
}
