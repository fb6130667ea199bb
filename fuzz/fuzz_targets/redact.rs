//! Redaction: any object is cut to a valid object, withheld or refused; without a marking to remove it stays as it came.
#![no_main]

use comity_stix::granular::{Redacted, redact};
use comity_stix::validate::{Options, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Redacted::Object(left)) = redact(bytes, &|_| true) {
        assert!(left == bytes || check(&left, &Options::default()).object.is_some());
    }
    if let Ok(Redacted::Object(left)) = redact(bytes, &|_| false) {
        assert_eq!(left, bytes);
    }
});
