//! Clause 2.16.1: timestamps.

use crate::support::{clean, refused, with};
use comity_stix::timestamp::{Timestamp, TimestampError};
use serde_json::json;

#[test]
fn c2_16_1_timestamps_are_rfc_3339_in_utc() {
    for right in [
        "2016-01-20T12:31:12.123Z",
        "2016-01-20T12:31:12Z",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "2024-02-29T00:00:00.0000000000000000000001Z",
    ] {
        clean(&with(
            "campaign",
            json!({"first_seen": right, "last_seen": null}),
        ));
        assert_eq!(Timestamp::parse(right).unwrap().as_str(), right);
    }
    let wrong = [
        ("2016-01-20T12:31:12.Z", TimestampError::BarePoint),
        ("2016-01-20T12:31:12", TimestampError::Zone),
        ("2016-01-20T12:31:12z", TimestampError::Zone),
        ("2016-01-20T12:31:12+01:00", TimestampError::Zone),
        ("2016-01-20t12:31:12Z", TimestampError::Form),
        ("2016-01-20 12:31:12Z", TimestampError::Form),
        ("2016-1-20T12:31:12Z", TimestampError::Form),
        ("2016-01-20T12:31:12,5Z", TimestampError::Form),
        ("2016-13-20T12:31:12Z", TimestampError::Range),
        ("2023-02-29T12:31:12Z", TimestampError::Range),
        ("2016-01-20T24:00:00Z", TimestampError::Range),
        ("2016-01-20T12:31:60Z", TimestampError::Range),
        ("", TimestampError::Form),
    ];
    for (text, error) in wrong {
        assert_eq!(Timestamp::parse(text).unwrap_err(), error, "{text}");
        refused(
            &with("campaign", json!({"first_seen": text})),
            "stix.timestamp.form",
        );
    }
}

#[test]
fn c2_16_1_trailing_zeros_change_the_text_and_not_the_instant() {
    let one = Timestamp::parse("2017-01-20T00:00:00.100Z").unwrap();
    let other = Timestamp::parse("2017-01-20T00:00:00.1Z").unwrap();
    assert_eq!((one.key(), &one), ("2017-01-20T00:00:00.1", &other));
    assert_ne!(one.as_str(), other.as_str());
    assert_eq!(
        Timestamp::parse("2017-01-20T00:00:00.000Z").unwrap().key(),
        "2017-01-20T00:00:00"
    );
}

#[test]
fn c2_16_1_instants_order() {
    let ordered = [
        "2016-12-31T23:59:59.9Z",
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.5Z",
        "2017-01-01T00:00:00Z",
        "2017-01-01T00:00:00.000001Z",
    ];
    for pair in ordered.windows(2) {
        assert!(
            Timestamp::parse(pair[0]).unwrap() < Timestamp::parse(pair[1]).unwrap(),
            "{pair:?}"
        );
    }
    assert_eq!(
        Timestamp::parse("1970-01-01T00:00:00.000001Z")
            .unwrap()
            .unix_micros(),
        1
    );
    assert_eq!(
        Timestamp::parse("2017-01-20T00:00:00.000Z")
            .unwrap()
            .unix_micros(),
        1_484_870_400_000_000
    );
    assert_eq!(
        Timestamp::parse("1969-12-31T23:59:59.5Z")
            .unwrap()
            .unix_micros(),
        -500_000
    );
}
