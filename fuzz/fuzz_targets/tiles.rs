//! Tile paths, tiles and entry bundles: what is read prints back to the same bytes.
#![no_main]

use comity_ledger::tile::{self, Resource};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (width, bytes) = input;
    if let Ok(path) = str::from_utf8(bytes)
        && let Some(resource) = Resource::parse(path)
    {
        assert_eq!(resource.to_string(), path);
    }
    if let Ok(hashes) = tile::hashes(bytes) {
        assert_eq!(hashes.as_flattened(), bytes);
    }
    if let Ok(entries) = tile::entries(bytes, width) {
        assert_eq!(entries.len(), usize::from(width));
        let mut bundle = Vec::new();
        entries.iter().for_each(|entry| tile::push_entry(&mut bundle, entry).unwrap());
        assert_eq!(bundle, bytes);
    }
});
