//! Signed notes and verifier keys: what is read prints back to the same bytes, and nothing panics.
#![no_main]

use comity_ledger::note::{SignedNote, VerifierKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        let key = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
        let _ = note.verify(&[key]);
    }
    if let Ok(vkey) = str::from_utf8(bytes)
        && let Ok(key) = VerifierKey::parse(vkey)
    {
        assert_eq!(key.to_string(), vkey);
    }
});
