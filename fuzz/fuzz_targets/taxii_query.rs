//! Query strings and negotiation of TAXII: nothing panics, and equal questions have equal digests.
#![no_main]

use comity_node::http::accept::{acceptable, readable_body};
use comity_node::taxii::query::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _verdicts = (acceptable(Some(text)), readable_body(Some(text)));
    if let Ok(query) = parse(text) {
        let again = parse(text).expect("the same text reads the same way");
        assert_eq!(query.filter_digest(), again.filter_digest());
        assert!(query.limit != Some(0));
    }
});
