//! The lines of a receipt: one spelling, what is refused, limits, round trips.

use comity_ledger::note::SignedNote;
use comity_ledger::receipt::{
    LABEL_BYTES_MAX, REASON_BYTES_MAX, Receipt, ReceiptError, ReceiptEvent,
};
use proptest::prelude::*;

use crate::receipt::{KEY, check, of, proof, receipt, signed};
use crate::support::signer;

/// A stored receipt: it must be readable for ever.
const TEXT: &str = "comity-receipt/v1\n\
    event d1\n\
    record indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\n\
    version 2021-06-03T00:00:00.000Z\n\
    content c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0\n\
    sender comity.ua/log/1\n\
    sender-entry 2\n\
    sender-leaf CV4m9YPoVny+C1fAs63JM4oaIba1jaDb9Jt1FjAE6lU=\n\
    receiver comity.eu/log/1\n\
    entry 4\n\
    time 1795000000000000\n\
    label {\"tlp\":\"amber\"}\n";

#[test]
fn a_stored_receipt_stays_readable() {
    assert_eq!(receipt().to_string(), TEXT);
    assert_eq!(Receipt::parse(TEXT), Ok(receipt()));
}

#[test]
fn parse_errors() {
    #[track_caller]
    fn check(from: &str, to: &str, expected: ReceiptError) {
        let changed = TEXT.replacen(from, to, 1);
        assert_ne!(changed, TEXT);
        assert_eq!(Receipt::parse(&changed), Err(expected), "{changed}");
    }
    let line = ReceiptError::Line;
    assert_eq!(Receipt::parse(""), Err(ReceiptError::Header));
    check("comity-receipt/v1\n", "", ReceiptError::Header);
    check("v1", "v2", ReceiptError::Header);
    check("/v1\n", "/v1", ReceiptError::Header);
    check("comity", " comity", ReceiptError::Header);
    for wrong in ["D1", "0xd1", "d", "d11", "01", "ff", " d1", "d1 ", ""] {
        check("event d1", &format!("event {wrong}"), line("event"));
    }
    check("event d1\n", "", line("event"));
    check("event d1\n", "event d1\nevent d1\n", line("record"));
    check("event d1\nrecord", "record", line("event"));
    check("indicator--", "indicator --", line("record"));
    check("indicator", &"i".repeat(300), line("record"));
    check(
        "version 2021-06-03T00:00:00.000Z",
        "version ",
        line("version"),
    );
    check("version ", "version  ", line("version"));
    check("version ", "Version ", line("version"));
    check("content c0", "content C0", line("content"));
    check("content c0", "content ", line("content"));
    check("content c0", "content c0c0", line("content"));
    check("sender comity", "sender \u{7}comity", line("sender"));
    check(
        "sender comity.ua/log/1",
        &format!("sender {}", "s".repeat(256)),
        line("sender"),
    );
    check("sender-entry 2", "sender-entry 02", line("sender-entry"));
    check(
        "sender-entry 2",
        "sender-entry 9223372036854775808",
        line("sender-entry"),
    );
    check("6lU=", "6lV=", line("sender-leaf"));
    check("6lU=", "6lU", line("sender-leaf"));
    check("receiver ", "receiver", line("receiver"));
    check("\nentry 4", "\nentry -4", line("entry"));
    check("time 1795000000000000", "time 1.8e15", line("time"));
    check("label {", "label [", line("label"));
    check("label ", "labels ", ReceiptError::Trailing);
    check("amber\"}\n", "amber\"}\n\n", ReceiptError::Trailing);
    check("amber\"}\n", "amber\"}\nx", ReceiptError::Trailing);
    check("amber\"}\n", "amber\"}", line("label"));
    check("amber\"}\n", "amber\"}\nlabel {}\n", ReceiptError::Trailing);
    check("label", "reason \"x\"\nlabel", ReceiptError::Trailing);
    check(
        "label {\"tlp\":\"amber\"}\n",
        "reason \"x\"\n",
        ReceiptError::Reason,
    );
    check("event d1", "event e1", ReceiptError::Label);
    check("event d1", "event c4", ReceiptError::Label);
    // two lines swapped
    let lines: Vec<&str> = TEXT.split_inclusive('\n').collect();
    for at in 0..lines.len() - 1 {
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        assert!(
            Receipt::parse(&swapped.concat()).is_err(),
            "lines {at} and {}",
            at + 1
        );
    }
    // one left out; only the label may be
    for at in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(at);
        assert_eq!(
            Receipt::parse(&fewer.concat()).is_ok(),
            at == lines.len() - 1,
            "line {at}"
        );
    }
}

/// The reason is a JSON string in the spelling of RFC 8785, and in no other.
#[test]
fn reasons() {
    let text = |json: &str| {
        of(ReceiptEvent::RefusedByNode)
            .to_string()
            .replace("\"no legal basis\"", json)
    };
    let read = |json: &str| Receipt::parse(&text(json)).map(|receipt| receipt.reason.unwrap());
    for (json, reason) in [
        (r#""""#, ""),
        (r#""a\"b\\c/d""#, "a\"b\\c/d"),
        (r#""\b\t\n\f\r\u0000\u001f""#, "\u{8}\t\n\u{c}\r\0\u{1f}"),
        (
            "\"\u{7f}\u{2028}\u{20ac}\u{1f600}\"",
            "\u{7f}\u{2028}\u{20ac}\u{1f600}",
        ),
    ] {
        assert_eq!(read(json).as_deref(), Ok(reason));
        let said = Receipt {
            reason: Some(reason.to_owned()),
            ..of(ReceiptEvent::Kept)
        };
        assert!(
            said.to_string().ends_with(&format!("reason {json}\n")),
            "{said}"
        );
        assert!(check(&signed(&said), &proof(&said)).is_ok());
    }
    for wrong in [
        "",
        "\"",
        "no",
        "\"a\"\"",
        "\"a\\\"",
        r#""\/""#,
        r#""\u0041""#,
        r#""\u000A""#,
        r#""\u001F""#,
        r#""\u00e9""#,
        r#""\ud800""#,
        r#""\u00""#,
        r#""\x""#,
        "\"a\" ",
        " \"a\"",
        "\"a\tb\"",
    ] {
        assert_eq!(read(wrong), Err(ReceiptError::Line("reason")), "{wrong}");
    }
    for event in ReceiptEvent::ALL {
        let with = Receipt {
            reason: Some("x".to_owned()),
            label: None,
            ..of(event)
        };
        let without = Receipt {
            reason: None,
            label: None,
            ..of(event)
        };
        assert_eq!(
            (with.check().is_ok(), without.check().is_ok()),
            (event.needs_reason(), !event.needs_reason())
        );
    }
}

#[test]
fn limits() {
    let too_long = |change: fn(&mut Receipt)| {
        let mut said = of(ReceiptEvent::RefusedByOfficer);
        change(&mut said);
        said.sign(&signer(KEY, 3)).unwrap_err()
    };
    assert_eq!(
        too_long(|it| it.reason = Some("r".repeat(REASON_BYTES_MAX + 1))),
        ReceiptError::Line("reason")
    );
    assert_eq!(
        too_long(|it| it.record = "r".repeat(289)),
        ReceiptError::Line("record")
    );
    assert_eq!(
        too_long(|it| it.record = "a\nb".to_owned()),
        ReceiptError::Line("record")
    );
    assert_eq!(
        too_long(|it| it.version = "v".repeat(65)),
        ReceiptError::Line("version")
    );
    assert_eq!(
        too_long(|it| it.version = String::new()),
        ReceiptError::Line("version")
    );
    assert_eq!(
        too_long(|it| it.sender = "a\nb".to_owned()),
        ReceiptError::Line("sender")
    );
    assert_eq!(
        too_long(|it| it.receiver = String::new()),
        ReceiptError::Line("receiver")
    );
    assert_eq!(
        too_long(|it| it.entry = 1 << 63),
        ReceiptError::Line("entry")
    );
    assert_eq!(
        too_long(|it| it.time_micros = 1 << 63),
        ReceiptError::Line("time")
    );
    let label = |length: usize| {
        let label = format!("{{{}}}", " ".repeat(length - 2));
        Receipt {
            label: Some(label),
            ..receipt()
        }
        .check()
    };
    assert_eq!(
        (label(LABEL_BYTES_MAX), label(LABEL_BYTES_MAX + 1)),
        (Ok(()), Err(ReceiptError::Line("label")))
    );
    let newline = Receipt {
        label: Some("{\n}".to_owned()),
        ..receipt()
    };
    assert_eq!(newline.check(), Err(ReceiptError::Line("label")));
    // the longest reason is six times as long in JSON, and still a note
    let longest = Receipt {
        reason: Some("\0".repeat(REASON_BYTES_MAX)),
        ..of(ReceiptEvent::Kept)
    };
    assert!(check(&signed(&longest), &proof(&longest)).is_ok());
}

proptest! {
    #[test]
    fn round_trip(
        event in prop::sample::select(&ReceiptEvent::ALL[..]), record in "[a-z-]{1,20}--[0-9a-f-]{36}", version in "[!-~]{1,64}",
        content_sha256: [u8; 32], sender in "[^\\x00-\\x1f]{1,60}", sender_entry in 0_u64..1 << 63, sender_leaf: [u8; 32],
        receiver in "[^\\x00-\\x1f]{1,60}", entry in 0_u64..1 << 63, time_micros in 0_u64..1 << 63,
        label in prop::option::of("\\{[^\\x00-\\x1f]{0,40}\\}"), reason: String,
    ) {
        let said = Receipt {
            event, record, version, content_sha256, sender, sender_entry, sender_leaf, receiver, entry, time_micros,
            label: label.filter(|_| event == ReceiptEvent::Received),
            reason: Some(reason).filter(|_| event.needs_reason()),
        };
        prop_assert_eq!(&Receipt::parse(&said.to_string()).unwrap(), &said);
        let note = said.sign(&signer(KEY, 3)).unwrap();
        let read = SignedNote::parse(note.to_string().as_bytes()).unwrap();
        let text = read.text_unverified();
        prop_assert_eq!(Receipt::parse(text), Ok(said));
    }

    /// Text with anything changed: what is read prints back to the same text.
    #[test]
    fn reading_is_exact(at in any::<prop::sample::Index>(), cut in 0_usize..4, put in "[ -~\n]{0,4}") {
        let at = at.index(TEXT.len());
        let end = (at + cut).min(TEXT.len());
        let changed = format!("{}{put}{}", &TEXT[..at], &TEXT[end..]);
        if let Ok(receipt) = Receipt::parse(&changed) {
            prop_assert_eq!(receipt.to_string(), changed);
        }
    }
}
