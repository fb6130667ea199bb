//! What a log and a witness say to each other: it prints back to the same bytes, and no input is ever cosigned or believed.
#![no_main]

use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::VerifierKey;
use comity_ledger::verify::TrustedLog;
use comity_ledger::witness::{AddCheckpoint, Answer, conflict_body, decide, parse_conflict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // keys nobody here can sign with
    let log = VerifierKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
    let witness = VerifierKey::parse("w0.example+ade739f0+BEHo/eEyrWcOU0zYsnXSzX7sd3M8ZvjbSKHK2n+r/EVV").unwrap();
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
        let origin = request.origin_unverified().to_owned();
        let latest = Checkpoint::new(&*origin, request.old_size().max(1), [7; 32]).unwrap();
        let log = TrustedLog { origin, keys: vec![log] };
        assert_eq!(decide(Some(&log), Some(&latest), &request).unwrap_err().status(), 403);
        assert_eq!(decide(Some(&log), None, &request).unwrap_err().status(), 403);
    }
    if let Ok(answer) = Answer::parse(bytes) {
        assert_eq!(answer.to_string().as_bytes(), bytes);
        let checkpoint = Checkpoint::new("example.com/foo", 9, [7; 32]).unwrap();
        assert!(answer.cosignatures(&checkpoint, &[witness]).is_err());
    }
    if let Some(size) = parse_conflict(bytes) {
        assert_eq!(conflict_body(size).as_bytes(), bytes);
    }
});
