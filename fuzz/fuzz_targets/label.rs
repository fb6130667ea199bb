//! Labels of other nodes: whatever reads as one is its own text, and says the same when made again.
#![no_main]

use comity_access::LabelSet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(label) = LabelSet::from_json(text) {
        assert_eq!(label.to_json(), text);
        let again = LabelSet::new(label.to_draft()).expect("a label's draft makes a label");
        assert_eq!(again, label);
    }
});
