//! Entries: decoding accepts exactly what encoding writes.
#![no_main]

use comity_ledger::entry::Entry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode().unwrap(), bytes);
    }
});
