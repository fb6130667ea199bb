//! Receipts: what is read prints back to the same text, and no input is ever verified.
#![no_main]

use comity_ledger::note::VerifierKey;
use comity_ledger::receipt::{self, Receipt};
use comity_ledger::verify::TrustedLog;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(receipt) = Receipt::parse(text) {
        assert_eq!(receipt.to_string(), text);
        assert_eq!(receipt.check(), Ok(()));
    }
    // a key nobody here can sign with
    let key = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
    let log = TrustedLog { origin: "example.com/foo".to_owned(), keys: vec![key.clone()] };
    let (note, proof) = text.split_once("\n\n\n").unwrap_or((text, ""));
    assert!(receipt::verify(&[key], &log, note.as_bytes(), proof.as_bytes()).is_err());
});
