//! Packages as tar streams: nothing that comes in is ever verified by a key nobody here has, and nothing panics.
#![no_main]

use comity_ledger::policy::Policy;
use comity_verify::{Source, Trust, Verdict, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let policy = "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\nquorum none\n";
    let trust = Trust {
        policy: Policy::parse(policy.as_bytes()).ok(),
        keys: Some(Vec::new()),
        tsa: Some(Vec::new()),
    };
    let mut input = bytes;
    let report = verify(Source::Stream(&mut input), &trust, 1, &|_| {}).unwrap();
    assert_eq!(report.verdict(), Verdict::NotVerified);
    let _printed = (report.to_json(), report.to_text(comity_verify::Language::Uk));
});
