//! Tile paths, tiles and entry bundles.

use comity_ledger::tile::{self, Resource, TileError, TileId, WIDTH_MAX};
use proptest::prelude::*;

#[test]
fn paths() {
    fn check(path: &str, expected: Resource) {
        assert_eq!(Resource::parse(path), Some(expected), "{path}");
        assert_eq!(expected.to_string(), path);
    }
    let tile = |level, index, width| Resource::Tile(TileId::new(level, index, width).unwrap());
    check("checkpoint", Resource::Checkpoint);
    check("tile/0/000", tile(0, 0, 256));
    check("tile/0/x001/x234/067", tile(0, 1_234_067, 256)); // the specification's example
    check("tile/63/x001/x234/067.p/8", tile(63, 1_234_067, 8));
    check("tile/1/999.p/255", tile(1, 999, 255));
    check(
        "tile/entries/x001/000",
        Resource::Entries {
            index: 1000,
            width: 256,
        },
    );
    check(
        "tile/entries/000.p/1",
        Resource::Entries { index: 0, width: 1 },
    );
    check(
        "tile/0/x018/x446/x744/x073/x709/x551/615",
        tile(0, u64::MAX, 256),
    );
}

#[test]
fn paths_refused() {
    for path in [
        "",
        "/checkpoint",
        "checkpoint/",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/64/000",
        "tile/00/000",
        "tile/+1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/x001",
        "tile/0/-01",
        "tile/0/+01",
        "tile/0/X001/002",
        "tile/0/xx01/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/000/",
        "tile/0//000",
        "tile/0/../000",
        "tile/entries/",
        "tile/Entries/000",
        "tile/data/000",
        "tile/0/000 ",
        "tile/0/00\u{661}",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
    ] {
        assert_eq!(Resource::parse(path), None, "{path:?}");
    }
    assert_eq!(
        Resource::parse(&format!("tile/0/{}000", "x001/".repeat(1000))),
        None
    );
}

#[test]
fn widths_in_a_tree() {
    let width = |level, index, size| TileId::in_tree(level, index, size).map(|id| id.width());
    assert_eq!(
        (
            width(0, 273, 70_000),
            width(1, 1, 70_000),
            width(2, 0, 70_000)
        ),
        (Some(112), Some(17), Some(1))
    );
    assert_eq!(
        (width(0, 0, 256), width(1, 0, 256), width(0, 1, 256)),
        (Some(256), Some(1), None)
    );
    assert_eq!(
        (
            width(0, 274, 70_000),
            width(3, 0, 70_000),
            width(0, u64::MAX, 70_000)
        ),
        (None, None, None)
    );
    assert_eq!(
        (width(63, 0, u64::MAX), width(64, 0, u64::MAX)),
        (None, None)
    );
    assert_eq!(
        (
            TileId::new(0, 0, 0),
            TileId::new(0, 0, 257),
            TileId::new(64, 0, 1)
        ),
        (None, None, None)
    );
    let edge: Vec<_> = tile::right_edge(70_000)
        .map(|id| (id.level(), id.index(), id.width()))
        .collect();
    assert_eq!(edge, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
    assert_eq!(
        (
            tile::right_edge(0).count(),
            tile::right_edge(65_536).count()
        ),
        (0, 1)
    );
}

#[test]
fn tiles() {
    for length in [0, 1, 31, 33, 257 * 32] {
        assert_eq!(
            tile::hashes(&vec![0; length]),
            Err(TileError::TileLength(length))
        );
    }
    assert_eq!(tile::hashes(&[7; 64]).unwrap(), [[7; 32]; 2]);
    assert_eq!(
        tile::hashes(&[0; 8192]).unwrap().len(),
        usize::from(WIDTH_MAX)
    );
}

#[test]
fn bundles() {
    let mut bundle = Vec::new();
    for entry in [b"".as_slice(), b"a", &[9; 65_535]] {
        tile::push_entry(&mut bundle, entry).unwrap();
    }
    assert_eq!(
        tile::entries(&bundle, 3).unwrap(),
        [b"".as_slice(), b"a", &[9; 65_535]]
    );
    assert_eq!(
        tile::push_entry(&mut bundle, &[0; 65_536]),
        Err(TileError::EntryLong(65_536))
    );
    assert_eq!(tile::entries(&bundle, 2), Err(TileError::Width(2)));
    assert_eq!(tile::entries(&bundle, 4), Err(TileError::Width(4)));
    assert_eq!(tile::entries(&bundle, 0), Err(TileError::Width(0)));
    assert_eq!(tile::entries(&bundle, 257), Err(TileError::Width(257)));
    assert_eq!(
        tile::entries(&bundle[..bundle.len() - 1], 3),
        Err(TileError::Truncated(2))
    );
    assert_eq!(tile::entries(&[0, 0, 0], 2), Err(TileError::Truncated(1)));
    bundle.push(0);
    assert!(tile::entries(&bundle, 3).is_err(), "trailing byte");
}

proptest! {
    #[test]
    fn path_round_trip(level in 0_u8..64, index: u64, width in 1_u16..=256, entries: bool) {
        let resource = if entries {
            Resource::Entries { index, width }
        } else {
            Resource::Tile(TileId::new(level, index, width).unwrap())
        };
        prop_assert_eq!(Resource::parse(&resource.to_string()), Some(resource));
        if !entries && index < i64::MAX as u64 && level < 63 {
            let theirs = tlog_tiles::Tile::new(8, level, index, u32::from(width), false);
            prop_assert_eq!(theirs.path().replacen("tile/8/", "tile/", 1), resource.to_string());
        }
    }

    #[test]
    fn reading_is_exact(path in "tile/([0-9]|0[0-9]|[1-5][0-9]|6[0-3]|entries)/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/(0?[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?") {
        // the oracle's paths name the tile height, ours are always of height 8; on levels above 63 and width 0 it panics
        let theirs = tlog_tiles::Tile::from_path(&path.replacen("tile/", "tile/8/", 1));
        let resource = Resource::parse(&path);
        prop_assert_eq!(resource.is_some(), theirs.is_ok() || path.contains("entries") && resource.is_some(), "{}", path);
        if let Some(resource) = resource {
            prop_assert_eq!(resource.to_string(), path);
        }
    }

    #[test]
    fn bundle_round_trip(list in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20)) {
        let mut bundle = Vec::new();
        list.iter().for_each(|entry| tile::push_entry(&mut bundle, entry).unwrap());
        prop_assert_eq!(tile::entries(&bundle, u16::try_from(list.len()).unwrap()).unwrap(), list);
    }
}
