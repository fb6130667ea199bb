//! A log another program wrote: `testdata/log` of transparency-dev/tessera, which is fetched, not kept here. Put a copy of
//! that repository at `$COMITY_DATA/tessera` (default `../shared/data/tessera` beside the workspace) to run this.

use std::fs;

use comity_ledger::note::VerifierKey;
use comity_ledger::tile::{self, Resource, TileId};
use comity_ledger::tree::{Frontier, MemoryTiles, consistency_proof, leaf_hash};
use comity_ledger::verify::{self, TrustedLog, VerifiedCheckpoint};

use crate::support::foreign;

const VKEY: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

#[test]
fn tessera_log() {
    let Some(folder) = foreign("tessera/testdata/log") else {
        return;
    };
    let log = TrustedLog {
        origin: "example.com/log/testdata".to_owned(),
        keys: vec![VerifierKey::parse(VKEY).unwrap()],
    };
    let read = |resource: &str| fs::read(folder.join(resource)).unwrap();
    let mut heads: Vec<VerifiedCheckpoint> = Vec::new();
    let mut tiles = MemoryTiles::default();
    for number in 0..16_u16 {
        let head = verify::checkpoint(&log, &read(&format!("checkpoint.{number}"))).unwrap();
        let size = head.head().size();
        assert_eq!(size, u64::from(number));
        if let Some(id) = TileId::in_tree(0, 0, size) {
            let stored = read(&Resource::Tile(id).to_string());
            let bundle = read(
                &Resource::Entries {
                    index: 0,
                    width: number,
                }
                .to_string(),
            );
            let leaves: Vec<_> = tile::entries(&bundle, number)
                .unwrap()
                .into_iter()
                .map(leaf_hash)
                .collect();
            assert_eq!(leaves, tile::hashes(&stored).unwrap());
            let appended = Frontier::empty().append(&leaves).unwrap();
            assert_eq!(&appended.root, head.head().root());
            tiles.write(appended.tiles);
        }
        for old in &heads {
            let path = consistency_proof(&tiles, old.head().size(), size).unwrap();
            verify::consistency(old, &head, &path).unwrap();
        }
        heads.push(head);
    }
}
