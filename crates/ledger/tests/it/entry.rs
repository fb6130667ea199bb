//! Entries and commitments. The literal below is a stored entry: it must be readable for ever.

use std::collections::BTreeSet;

use comity_ledger::entry::{ENTRY_BYTES, Entry, EntryError, Event, LINK_NONE, commitment};
use comity_ledger::tree::leaf_hash;
use proptest::prelude::*;

use crate::hex;

const STORED: &str = "01a1000000065eec5beb7cc0\
    9a55a8f47a4d1a1bd1d8cbd60f3cb4a1b3ab7ec21f79c6b18dc6d8b9cba0b1e2\
    0000000000000000000000000000000000000000000000000000000000000000";

fn stored() -> Entry {
    Entry {
        event: Event::SubmissionAcceptance,
        time_micros: 0x0006_5eec_5beb_7cc0,
        commitment: hex(STORED)[12..44].try_into().unwrap(),
        link: LINK_NONE,
    }
}

#[test]
fn a_stored_entry_stays_readable() {
    assert_eq!(Entry::decode(&hex(STORED)).unwrap(), stored());
    assert_eq!(stored().encode().unwrap().to_vec(), hex(STORED));
    assert_eq!(stored().leaf_hash().unwrap(), leaf_hash(&hex(STORED)));
}

#[test]
fn decode_errors() {
    fn check(at: usize, value: u8, expected: EntryError) {
        let mut bytes = hex(STORED);
        bytes[at] = value;
        assert_eq!(Entry::decode(&bytes), Err(expected));
    }
    check(0, 0, EntryError::Version(0));
    check(0, 2, EntryError::Version(2));
    check(1, 0, EntryError::Event(0));
    check(1, 0xa3, EntryError::Event(0xa3));
    check(2, 1, EntryError::Reserved);
    check(3, 0x80, EntryError::Reserved);
    check(4, 0x80, EntryError::Time(0x8006_5eec_5beb_7cc0));
    for length in (0..200).filter(|length| *length != ENTRY_BYTES) {
        let bytes: Vec<u8> = hex(STORED)
            .into_iter()
            .chain([0; 200])
            .take(length)
            .collect();
        assert_eq!(Entry::decode(&bytes), Err(EntryError::Length(length)));
    }
    let late = Entry {
        time_micros: u64::MAX,
        ..stored()
    };
    assert_eq!(late.encode(), Err(EntryError::Time(u64::MAX)));
    assert_eq!(late.leaf_hash(), Err(EntryError::Time(u64::MAX)));
}

#[test]
fn every_changed_bit_is_another_leaf_or_refused() {
    let mut leaves = BTreeSet::from([leaf_hash(&hex(STORED))]);
    for bit in 0..ENTRY_BYTES * 8 {
        let mut bytes = hex(STORED);
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(leaves.insert(leaf_hash(&bytes)));
        assert_ne!(Entry::decode(&bytes).ok(), Some(stored()));
    }
}

#[test]
fn events() {
    assert_eq!(
        Event::all().map(Event::code).collect::<BTreeSet<_>>().len(),
        Event::all().count()
    );
    for code in 0..=255 {
        assert_eq!(Event::from_code(code).map_or(code, Event::code), code);
    }
    let named = |code| Event::from_code(code).map(Event::name);
    assert_eq!(
        (named(0xa1), named(0xd1), named(0xe1)),
        (
            Some("SubmissionAcceptance"),
            Some("ContentConsignment"),
            Some("ContentHandover")
        )
    );
    assert_eq!(
        (named(0xc5), named(0xf3), named(0x00)),
        (
            Some("AcceptanceRejectionExpiry"),
            Some("ReceivedFromNonERDS"),
            None
        )
    );
    for event in Event::all() {
        assert_eq!(
            event.name().to_lowercase(),
            format!("{event:?}").to_lowercase()
        );
    }
}

/// Computed with `printf 'comity-entry/v1\0%s%s' SALT DIGEST | sha256sum` for 32 bytes `s` and 32 bytes `c`.
#[test]
fn commitment_vector() {
    let expected = "bca762546bd70328b6a6dd804abf98bbd8c68caf40e9df5d452117be8771bf97";
    assert_eq!(commitment(&[b's'; 32], &[b'c'; 32]).to_vec(), hex(expected));
    assert_ne!(
        commitment(&[b's'; 32], &[b'd'; 32]),
        commitment(&[b's'; 32], &[b'c'; 32])
    );
    assert_ne!(
        commitment(&[b't'; 32], &[b'c'; 32]),
        commitment(&[b's'; 32], &[b'c'; 32])
    );
}

proptest! {
    #[test]
    fn round_trip(code in 0_usize..24, time_micros in 0..=i64::MAX as u64, commitment: [u8; 32], link: [u8; 32]) {
        let entry = Entry { event: Event::all().nth(code).unwrap(), time_micros, commitment, link };
        prop_assert_eq!(Entry::decode(&entry.encode().unwrap()), Ok(entry));
    }

    #[test]
    fn decoding_is_exact(bytes in prop::collection::vec(any::<u8>(), 76), event in 0_usize..24) {
        let head = [1, Event::all().nth(event).unwrap().code(), 0, 0, 0];
        let bytes: Vec<u8> = head.into_iter().chain(bytes).take(76).collect();
        prop_assert_eq!(Entry::decode(&bytes).unwrap().encode().unwrap().to_vec(), bytes);
    }
}
