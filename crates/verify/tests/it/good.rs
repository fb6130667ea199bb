//! A good package is accepted from wherever it comes.

use comity_verify::{Report, Source, Trust, Verdict, verify};

use crate::fixture::{Files, World, policy_of, tar_of, write_directory};

pub(crate) fn trust(world: &World) -> Trust {
    Trust {
        policy: Some(policy_of(world)),
        keys: Some(world.keys()),
        tsa: None,
    }
}

pub(crate) fn stream(tar: &[u8], trust: &Trust) -> Report {
    let mut input = tar;
    verify(Source::Stream(&mut input), trust, 2, &|_| {}).unwrap()
}

/// From all three, which must say the same.
pub(crate) fn report(files: &Files, trust: &Trust) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("package");
    write_directory(files, &directory);
    let tar = tar_of(&files.clone().into_iter().collect::<Vec<_>>());
    let file = folder.path().join("package.tar");
    std::fs::write(&file, &tar).unwrap();
    let read = |path| verify(Source::Path(path), trust, 2, &|_| {}).unwrap();
    let first = read(&directory);
    assert_eq!(first, read(&file), "directory and tar file");
    assert_eq!(first, stream(&tar, trust), "directory and stream");
    first
}

#[test]
fn a_good_package_is_verified_from_directory_file_and_stream() {
    let world = World::default();
    let report = report(&world.files(None), &trust(&world));
    assert_eq!(report.findings(), []);
    assert_eq!(report.verdict(), Verdict::Verified);
}

#[test]
fn without_keys_from_the_caller_it_says_so() {
    let world = World::default();
    let report = report(&world.files(None), &Trust::default());
    assert_eq!(report.findings(), []);
    assert_eq!(report.verdict(), Verdict::OwnKeys);
    assert_eq!(
        report.own_key_codes(),
        ["own.custody", "own.log", "own.receipts"]
    );
}

#[test]
fn a_package_of_another_world_does_not_pass_for_ours() {
    let ours = World::default();
    let theirs = World {
        seed: 40,
        ..World::default()
    };
    let report = report(&theirs.files(None), &trust(&ours));
    assert_eq!(report.verdict(), Verdict::NotVerified);
}
