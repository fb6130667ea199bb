//! What is written to disk is what the verifier accepts, whole or not at all.

#[path = "../../../verify/tests/it/fixture.rs"]
mod fixture;

use std::io::{self, Cursor, Read};

use comity_evidence::{Hash, sha256};
use comity_node::evidence::package::{Out, PackageError, write};
use comity_verify::{Source, Trust, Verdict, verify};
use fixture::{SECOND_CONTENTS, World, policy_of};

/// A vault of the fixture's contents.
fn open(world: &World) -> impl Fn(&Hash) -> io::Result<Box<dyn Read>> {
    let all: Vec<Vec<u8>> = world
        .contents
        .iter()
        .cloned()
        .chain([SECOND_CONTENTS.to_vec()])
        .collect();
    move |hash| {
        let found = all.iter().find(|it| sha256(it) == *hash).cloned();
        let found = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Box::new(Cursor::new(found)))
    }
}

#[test]
fn a_package_is_written_as_directory_and_as_tar() {
    let world = World::default();
    let finished = world.finished(None);
    let trust = Trust {
        policy: Some(policy_of(&world)),
        keys: Some(world.keys()),
        tsa: None,
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "one.tar"] {
        let path = folder.path().join(name);
        let out = Out::new(&path).unwrap();
        write(&finished, &open(&world), &out, &|_| {}).unwrap();
        let report = verify(Source::Path(&path), &trust, 2, &|_| {}).unwrap();
        assert_eq!(
            report.verdict(),
            Verdict::Verified,
            "{:?}",
            report.findings()
        );
        // never over anything
        let again = write(&finished, &open(&world), &out, &|_| {});
        assert!(matches!(again, Err(PackageError::Exists(_))));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    for bad in ["", "a b", ".tar/..", "ж"] {
        assert!(Out::new(std::path::Path::new(bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_damaged_object_ends_the_work_and_leaves_nothing() {
    let world = World::default();
    let finished = world.finished(None);
    let folder = tempfile::tempdir().unwrap();
    let good = open(&world);
    for what in ["flipped", "longer", "shorter", "missing"] {
        let bad = |hash: &Hash| -> io::Result<Box<dyn Read>> {
            let mut bytes = Vec::new();
            good(hash)?.read_to_end(&mut bytes)?;
            if bytes.len() == 1_000 {
                match what {
                    "flipped" => bytes[999] ^= 1,
                    "longer" => bytes.push(0),
                    "shorter" => bytes.truncate(999),
                    _ => return Err(io::Error::from(io::ErrorKind::NotFound)),
                }
            }
            Ok(Box::new(Cursor::new(bytes)))
        };
        for name in ["one", "one.tar"] {
            let out = Out::new(&folder.path().join(name)).unwrap();
            let error = write(&finished, &bad, &out, &|_| {}).unwrap_err();
            let named = matches!(error, PackageError::Damaged(_) | PackageError::Read { .. });
            assert!(named, "{what}: {error}");
            assert_eq!(
                std::fs::read_dir(folder.path()).unwrap().count(),
                0,
                "{what}"
            );
        }
    }
}
