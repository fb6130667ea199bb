//! Properties over random input: parse and print, canonical bytes, agreement with another reader, no panics.

use comity_stix::bundle::{Reader, envelope};
use comity_stix::canonical::canonical_bytes;
use comity_stix::id::Identifier;
use comity_stix::json::{Document, Kind, Limits, Value};
use comity_stix::selector::Selector;
use comity_stix::timestamp::Timestamp;
use comity_stix::validate::{Options, check};
use proptest::prelude::*;
use serde_json::Value as Serde;

/// Our value as serde_json has it.
fn serde(value: Value<'_>) -> Serde {
    match value.kind() {
        Kind::Null => Serde::Null,
        Kind::Bool(value) => value.into(),
        Kind::Number => serde_json::from_str(value.raw()).unwrap(),
        Kind::String => value.as_str().unwrap().into(),
        Kind::Array => value.items().map(serde).collect(),
        Kind::Object => Serde::Object(
            value
                .members()
                .map(|member| (member.name().to_owned(), serde(member.value)))
                .collect(),
        ),
    }
}

fn random_json() -> impl Strategy<Value = Serde> {
    let number = prop_oneof![
        any::<i64>().prop_map(Serde::from),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Serde::from)
    ];
    let leaf = prop_oneof![
        Just(Serde::Null),
        any::<bool>().prop_map(Serde::from),
        number,
        any::<String>().prop_map(Serde::from)
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Serde::from),
            prop::collection::btree_map(any::<String>(), inner, 0..8)
                .prop_map(|map| Serde::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_reader_agrees_with_serde_json_on_json(value in random_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        // serde_json reads some doubles one unit off, so both sides are read by it
        prop_assert_eq!(serde(document.root()), serde_json::from_str::<Serde>(&text).unwrap());
    }

    #[test]
    fn the_reader_agrees_with_serde_json_on_what_is_json(text in r#"[\[\]{},:"\\a1.eE+\-tu0 \n]{0,24}"#) {
        let ours = Document::parse(text.as_bytes(), &Limits::default());
        match (ours, serde_json::from_str::<Serde>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(serde(ours.root()), theirs),
            (Err(finding), Ok(_)) => prop_assert_eq!(finding.code, "json.key.duplicate"),
            (Ok(_), Err(error)) => prop_assert!(false, "{text}: {error}"),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn canonical_bytes_are_those_of_any_other_writing(value in random_json()) {
        let limits = Limits::default();
        let canonical = canonical_bytes(value.to_string().as_bytes(), &limits).unwrap();
        prop_assert_eq!(&canonical_bytes(&canonical, &limits).unwrap(), &canonical);
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(&canonical_bytes(pretty.as_bytes(), &limits).unwrap(), &canonical);
        prop_assert!(serde_json::from_slice::<Serde>(&canonical).is_ok());
    }

    #[test]
    fn a_timestamp_prints_what_it_read_and_orders_as_time(
        (year, month, day) in (0u16..10_000, 1u8..13, 1u8..29),
        (hour, minute, second) in (0u8..24, 0u8..60, 0u8..60),
        fraction in "(\\.[0-9]{1,12})?",
    ) {
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z");
        let time = Timestamp::parse(&text).unwrap();
        prop_assert_eq!(time.to_string(), &*text);
        let again = Timestamp::parse(&format!("{}Z", time.key())).unwrap();
        prop_assert_eq!(&again, &time);
        // jiff has years up to 9999 and nanoseconds
        let oracle: jiff::Timestamp = text.get(..text.len().min(29)).map(|text| format!("{}Z", text.trim_end_matches('Z'))).unwrap().parse().unwrap();
        prop_assert_eq!(time.unix_micros(), oracle.as_nanosecond().div_euclid(1_000) as i64);
    }

    #[test]
    fn an_identifier_prints_what_it_read(name in "[a-z][a-z0-9-]{2,20}", bytes in any::<[u8; 16]>()) {
        let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let id = Identifier::new(&name, uuid).unwrap();
        prop_assert_eq!(id.object_type(), &*name);
        prop_assert_eq!(id.uuid(), uuid);
        prop_assert_eq!(Identifier::parse(id.as_str()).unwrap(), id);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let limits = Limits::default();
        let _ = Document::parse(&bytes, &limits);
        let _ = check(&bytes, &Options::default());
        let _ = envelope(&bytes, &limits, 1_000);
        let _ = Reader::new(&bytes[..], limits).count();
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Timestamp::parse(&text), Identifier::parse(&text), Selector::parse(&text).is_ok());
    }

    #[test]
    fn any_object_is_checked_without_panic(object_type in prop::sample::select(vec!["indicator", "file", "relationship", "marking-definition", "language-content", "x-own"]), value in random_json(), index in 0usize..40) {
        let mut object = serde_json::json!({"type": object_type, "id": format!("{object_type}--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")});
        let names = ["extensions", "hashes", "granular_markings", "object_marking_refs", "external_references", "definition", "definition_type", "contents", "pattern", "created", "confidence", "x_own", "value"];
        object[names[index % names.len()]] = value;
        let checked = check(object.to_string().as_bytes(), &Options::default());
        prop_assert_eq!(checked.object.is_some(), checked.findings.iter().all(|finding| !finding.is_error()));
        if let Some(object) = checked.object {
            object.texts(&mut |_| {});
            prop_assert!(!object.canonical().is_empty());
        }
    }
}
