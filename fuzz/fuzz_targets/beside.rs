//! What a peer puts beside records, and receipts it posts: nothing panics, every label is a canonical one, and what is
//! read is written the same way.
#![no_main]

use comity_access::LabelSet;
use comity_node::handling::read_sidecar;
use comity_node::peers::delivery::{Beside, CHECKPOINT_PROPERTY, CONSISTENCY_PROPERTY};
use comity_node::peers::receipts::Batch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let beside = Beside::of([(CHECKPOINT_PROPERTY, bytes), (CONSISTENCY_PROPERTY, bytes)]);
    let _texts = (beside.checkpoint(), beside.consistency().map(|proof| proof.hashes()));
    if let Ok(sidecar) = read_sidecar(bytes) {
        assert_eq!(sidecar.by_record.len(), sidecar.offered.len());
        for carried in sidecar.by_record.into_values() {
            let text = carried.label.to_json();
            assert_eq!(LabelSet::from_json(&text).as_ref(), Ok(&carried.label));
        }
    }
    if let Ok(batch) = serde_json::from_slice::<Batch>(bytes) {
        let again = serde_json::to_vec(&batch).expect("strings and numbers");
        let again: Batch = serde_json::from_slice(&again).expect("the same again");
        assert_eq!(again.receipts, batch.receipts);
    }
});
