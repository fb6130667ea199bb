//! Proof files: what is read prints back to the same bytes, and no input is ever verified.
#![no_main]

use comity_ledger::note::VerifierKey;
use comity_ledger::proof::Proof;
use comity_ledger::verify::{self, TrustedLog};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = Proof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    // a key nobody here can sign with
    let key = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
    let log = TrustedLog { origin: "example.com/foo".to_owned(), keys: vec![key] };
    assert!(verify::record(&log, bytes, &[0; 32]).is_err());
});
