//! What is printed is read back the same, over random values.

use comity_evidence::custody::{Event, Kind, Line};
use comity_evidence::json::{Object, Value, parse};
use comity_evidence::{Hex, Item, ItemName, Time, parse_hex};
use proptest::prelude::*;

use crate::support::{authority, fields, person};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::String),
        (0..=comity_evidence::json::INTEGER_MAX).prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Bool),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map("[ -~]{0,8}", inner, 0..6)
                .prop_map(|map: Object| Value::Object(map)),
        ]
    })
}

fn line_of_text() -> impl Strategy<Value = String> {
    "[^\\p{C}\\p{Z}]{1,20}( [^\\p{C}]{0,20})?".prop_filter("one line", |text| {
        !text.trim().is_empty() && !text.chars().any(char::is_control)
    })
}

proptest! {
    #[test]
    fn json(value in value()) {
        let text = value.to_string();
        prop_assert_eq!(parse(text.as_bytes()).unwrap(), value);
    }

    #[test]
    fn json_reads_only_what_it_would_write(text in "[\\[\\]{},:\"a\\\\nu01tre ]{0,24}") {
        if let Ok(value) = parse(text.as_bytes()) {
            prop_assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn names(path in prop::collection::vec(any::<u8>(), 1..40)) {
        if let Ok(name) = ItemName::encode(&path) {
            prop_assert_eq!(name.decode(), path);
            prop_assert_eq!(ItemName::parse(name.as_str()).unwrap(), name);
        }
    }

    #[test]
    fn times(seconds in -62_167_219_200_i64..=253_402_300_799, nanos in 0_u32..1_000_000_000) {
        let time = Time::new(seconds, nanos).unwrap();
        prop_assert_eq!(Time::parse(&time.to_string()), Some(time));
    }

    #[test]
    fn hashes(hash in any::<[u8; 32]>()) {
        prop_assert_eq!(parse_hex(&Hex(&hash).to_string()), Some(hash));
    }

    #[test]
    fn items(number in 1_u64..=10_000_000, size in 0..=comity_evidence::json::INTEGER_MAX, sha256 in any::<[u8; 32]>(), name in "[a-zé\n]{1,9}(/[a-z%]{1,9})?", modified in prop::option::of(0_i64..9_999_999_999)) {
        let item = Item {
            number, size, sha256, media_type: None,
            name: ItemName::encode(name.as_bytes()).unwrap(),
            modified: modified.and_then(|seconds| Time::new(seconds, 5)),
        };
        prop_assert_eq!(Item::parse_line(item.to_line().as_bytes()).unwrap(), item);
    }

    #[test]
    fn events(
        kind in prop::sample::select(Kind::all().collect::<Vec<_>>()), basis in line_of_text(), place in line_of_text(),
        reason in prop::option::of(line_of_text()), anomaly in prop::option::of(line_of_text()),
        previous in prop::option::of(any::<[u8; 32]>()), micros in 0_i64..9_999_999_999_999_999,
    ) {
        let mut fields = fields(kind, "ua", 1);
        fields.basis = basis;
        fields.place = place;
        fields.reason = reason.or(fields.reason);
        fields.anomaly = anomaly;
        fields.previous = previous;
        fields.time = Time::from_micros(micros);
        let event = Event::new(fields).unwrap();
        prop_assert_eq!(&Event::parse(event.to_json().as_bytes()).unwrap(), &event);
        let line = Line::sign(event, &person("ua"), &authority("ua")).unwrap();
        prop_assert_eq!(Line::parse_line(line.to_line().as_bytes()).unwrap(), line);
    }

    /// One changed octet of a line is another event, an unsigned one, or no line.
    #[test]
    fn a_changed_octet_is_found(place in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let line = Line::sign(Event::new(fields(Kind::Sealed, "ua", 1)).unwrap(), &person("ua"), &authority("ua")).unwrap();
        let mut bytes = line.to_line().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let keys = [authority("ua").verifier().clone()];
        if let Ok(changed) = Line::parse_line(&bytes) {
            prop_assert!(changed.verify(&keys, &[]).is_err());
        }
    }
}
