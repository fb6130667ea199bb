//! Contents of evidence from another node: the header of an age file, chunks in pieces of any size, a recipient key.
#![no_main]

use comity_node::evidence::age::chunks::Chunks;
use comity_node::evidence::age::header::{BYTES, Header};
use comity_node::evidence::age::{Payload, sealed_size};
use comity_node::evidence::recipient;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(header) = Header::parse(data) {
        assert_eq!(data.len(), BYTES);
        // there is one spelling
        assert_eq!(header.to_bytes().unwrap(), data);
    }
    if let Some(key) = str::from_utf8(data).ok().and_then(recipient::decode) {
        assert_eq!(recipient::encode(&key).as_bytes(), data);
    }
    let Some((size, rest)) = data.split_first_chunk::<8>() else {
        return;
    };
    let size = u64::from_be_bytes(*size);
    let Ok(payload) = Payload::open(rest.get(..BYTES).unwrap_or(rest), &[7; 32], size) else {
        return;
    };
    let mut chunks = Chunks::new(size, 0, u64::MAX);
    let (first, end) = chunks.ask();
    assert!(first <= end && Some(end) == sealed_size(size).or(Some(u64::MAX)));
    let mut plain = Vec::new();
    for piece in rest.get(BYTES..).unwrap_or_default().chunks(1 + rest.len() % 7_000) {
        if chunks.push(&payload, piece, &mut plain).is_err() {
            return;
        }
    }
});
