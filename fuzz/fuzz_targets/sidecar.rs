//! What another node says beside the objects of an envelope: nothing panics, and every label in it is a canonical one.
#![no_main]

use comity_access::LabelSet;
use comity_node::handling::read_sidecar;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(carried) = read_sidecar(bytes) {
        for carried in carried.into_values() {
            let text = carried.label.to_json();
            assert_eq!(LabelSet::from_json(&text).as_ref(), Ok(&carried.label));
        }
    }
});
