//! Items, exhibits and custody lines: what is read prints back to the same bytes, and folding what was read cannot panic.
#![no_main]

use comity_evidence::custody::{Chain, Line, linked};
use comity_evidence::{Exhibit, FileLine, Item};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = comity_evidence::json::parse(bytes) {
        assert_eq!(value.to_string().as_bytes(), bytes);
    }
    let mut events = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if let Ok(item) = Item::parse_line(line) {
            assert_eq!(item.to_line().as_bytes(), line);
        }
        if let Ok(file) = FileLine::parse_line(line) {
            assert_eq!(file.to_line().as_bytes(), line);
        }
        if let Ok(exhibit) = Exhibit::parse_line(line) {
            assert_eq!(exhibit.to_line().as_bytes(), line);
        }
        if let Ok(custody) = Line::parse_line(line) {
            assert_eq!(custody.to_line().as_bytes(), line);
            let _ = custody.verify(&[], &[]);
            events.push(custody.event_unverified().clone());
        }
    }
    let _ = Chain::of(&events);
    let _ = linked(&events);
});
