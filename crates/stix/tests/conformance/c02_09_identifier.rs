//! Clause 2.9 and 3.4: identifiers.

use crate::support::{EVERY_TYPE, clean, found, refused, sample, warned, with};
use comity_stix::bundle::Seen;
use comity_stix::id::{Identifier, deterministic_id};
use comity_stix::json::{Document, Limits};
use serde_json::{Value, json};

const UUID4: &str = "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

#[test]
fn c2_9_an_identifier_is_its_type_and_a_uuid() {
    for wrong in [
        "campaign",
        "campaign--",
        "campaign-8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "campaign--8e2e2d2b17d44cbf938f98ee46b3cd3f",
        "campaign--{8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3}",
    ] {
        refused(&with("campaign", json!({"id": wrong})), "stix.id.form");
    }
    refused(
        &with("campaign", json!({"id": format!("tool--{UUID4}")})),
        "stix.id.prefix",
    );
}

#[test]
fn c2_9_a_uuid_serves_one_type_only() {
    let tool = with("tool", json!({"id": format!("tool--{UUID4}")}));
    let campaign = with("campaign", json!({"id": format!("campaign--{UUID4}")}));
    let mut seen = Seen::new(100);
    let tool = crate::support::checked(&tool).object.unwrap();
    let campaign = crate::support::checked(&campaign).object.unwrap();
    assert!(seen.note(&tool).is_empty());
    assert_eq!(seen.note(&campaign)[0].code, "stix.bundle.uuid");
    assert_eq!(seen.note(&tool)[0].code, "stix.bundle.duplicate");
}

#[test]
fn c2_9_domain_objects_should_have_a_uuid_of_version_4() {
    for object_type in [
        "campaign",
        "relationship",
        "language-content",
        "extension-definition",
        "marking-definition",
    ] {
        let id = format!("{object_type}--8e2e2d2b-17d4-5cbf-938f-98ee46b3cd3f");
        warned(&with(object_type, json!({"id": id})), "stix.id.version");
    }
}

#[test]
fn c2_9_observables_should_have_the_deterministic_uuid() {
    let random = with("ipv4-addr", json!({"id": format!("ipv4-addr--{UUID4}")}));
    warned(&random, "stix.id.deterministic");
    clean(&sample("ipv4-addr"));
}

#[test]
fn c2_9_without_contributing_properties_a_uuid_of_version_4_is_a_must() {
    let account = |id: &str| json!({"type": "user-account", "id": id, "display_name": "Olena"});
    refused(
        &account("user-account--0d5b424b-93b8-5cd8-ac36-306e1789d63c"),
        "stix.id.random",
    );
    clean(&account(
        "user-account--0d5b424b-93b8-4cd8-ac36-306e1789d63c",
    ));
    refused(
        &with(
            "process",
            json!({"id": "process--0d5b424b-93b8-5cd8-ac36-306e1789d63c"}),
        ),
        "stix.id.random",
    );
}

#[test]
fn c6_contributing_properties_give_the_identifiers_another_program_gives() {
    // `every-type.json` holds what python-stix2 3.0.2 computed
    let bundle: Value = serde_json::from_str(EVERY_TYPE).unwrap();
    let mut computed = 0;
    for object in bundle["objects"].as_array().unwrap() {
        let text = object.to_string();
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        if let Some(id) = deterministic_id(document.root()).unwrap() {
            assert_eq!(id.as_str(), object["id"], "{}", object["type"]);
            computed += 1;
        }
    }
    assert_eq!(computed, 17, "every observable but process");
}

#[test]
fn c6_each_contributing_property_counts_and_no_other() {
    let table: [(&str, &[&str], &str); 9] = [
        ("artifact", &["hashes", "payload_bin"], "mime_type"),
        (
            "email-message",
            &["from_ref", "subject", "body"],
            "content_type",
        ),
        (
            "file",
            &["hashes", "name", "extensions", "parent_directory_ref"],
            "size",
        ),
        (
            "network-traffic",
            &[
                "start",
                "end",
                "src_ref",
                "dst_ref",
                "src_port",
                "dst_port",
                "protocols",
                "extensions",
            ],
            "ipfix",
        ),
        (
            "software",
            &["name", "cpe", "swid", "vendor", "version"],
            "languages",
        ),
        (
            "user-account",
            &["account_type", "user_id", "account_login"],
            "display_name",
        ),
        ("windows-registry-key", &["key", "values"], "modified_time"),
        ("x509-certificate", &["hashes", "serial_number"], "issuer"),
        ("directory", &["path"], "path_enc"),
    ];
    for (object_type, contributing, other) in table {
        for name in contributing {
            assert_ne!(
                computed(&with(object_type, json!({*name: null}))).as_deref(),
                sample(object_type)["id"].as_str(),
                "{object_type} {name}"
            );
        }
        assert_eq!(
            computed(&with(object_type, json!({other: null}))).as_deref(),
            sample(object_type)["id"].as_str(),
            "{object_type} {other}"
        );
    }
}

#[test]
fn c6_of_several_hashes_the_first_known_counts() {
    let file = |hashes: Value| computed(&json!({"type": "file", "hashes": hashes})).unwrap();
    let md5 = json!({"MD5": "d41d8cd98f00b204e9800998ecf8427e"});
    let sha256 =
        json!({"SHA-256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"});
    let both = json!({"SHA-256": sha256["SHA-256"], "MD5": md5["MD5"]});
    assert_eq!(file(both), file(md5.clone()));
    assert_ne!(file(md5), file(sha256));
}

#[test]
fn c2_9_the_way_an_observable_is_written_does_not_matter() {
    let one = r#"{"type":"email-message","subject":"\u0442","body":"b\/"}"#;
    let other = "{ \"body\" : \"b/\",\n\"type\":\"email-message\", \"subject\":\"т\"}";
    let id = |text: &str| {
        deterministic_id(
            Document::parse(text.as_bytes(), &Limits::default())
                .unwrap()
                .root(),
        )
        .unwrap()
        .unwrap()
    };
    assert_eq!(id(one), id(other));
}

#[test]
fn c2_9_small_letters_are_expected() {
    assert!(
        found(&with(
            "campaign",
            json!({"id": format!("campaign--{}", UUID4.to_uppercase())})
        ))
        .contains(&"stix.id.case")
    );
    assert_eq!(
        Identifier::parse(&format!("x-own--{UUID4}"))
            .unwrap()
            .object_type(),
        "x-own"
    );
}

fn computed(object: &Value) -> Option<String> {
    let text = object.to_string();
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    deterministic_id(document.root())
        .unwrap()
        .map(|id| id.to_string())
}
