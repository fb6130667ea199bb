//! Time-stamp responses: no input is ever a token by an authority nobody has a key of.
#![no_main]

use comity_verify::tsp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(tsp::verify(bytes, b"text", &[], Some(&[])).is_err());
    assert!(tsp::verify(bytes, b"text", &[bytes.to_vec()], None).is_err());
    let _pem = tsp::certificates(bytes);
    if let Ok(plain) = tsp::plain_response(bytes) {
        assert_eq!(tsp::plain_response(&plain).as_ref(), Ok(&plain));
    }
});
