//! What comes in over the network: any bytes give objects or findings; what is accepted has a canonical form that reads back
//! to itself, and streaming finds the same objects as reading at once.
#![no_main]

use comity_stix::bundle::{Reader, envelope};
use comity_stix::canonical::canonical_bytes;
use comity_stix::json::Limits;
use comity_stix::validate::{Options, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes_max: 1 << 20, ..Limits::default() };
    let checked = check(bytes, &Options::default());
    match checked.object {
        Some(object) => {
            assert!(checked.findings.iter().all(|finding| !finding.is_error()));
            let canonical = object.canonical();
            assert_eq!(canonical_bytes(&canonical, &limits).as_deref(), Ok(canonical.as_slice()));
        }
        None => assert!(checked.findings.iter().any(|finding| finding.is_error())),
    }
    if let Ok(envelope) = envelope(bytes, &limits, 20_000) {
        for raw in &envelope.objects {
            assert_eq!(bytes.get(raw.offset..raw.offset + raw.bytes.len()), Some(raw.bytes));
        }
    }
    for object in Reader::new(bytes, limits).flatten() {
        assert!(object.offset + object.bytes.len() <= bytes.len());
    }
});
