//! Keys, heads and foreign data shared by the tests.

use std::path::PathBuf;

use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::Cosigner;
use comity_ledger::note::{KeyName, SignedNote, Signer};
use comity_ledger::verify::TrustedLog;
use comity_ledger::witness::{Accepted, AddCheckpoint, decide};

pub(crate) fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

pub(crate) fn signer(key_name: &str, seed: u8) -> Signer {
    Signer::from_seed(name(key_name), &[seed; 32]).unwrap()
}

pub(crate) fn ed25519_witness(key_name: &str, seed: u8) -> Cosigner {
    Cosigner::ed25519_from_seed(name(key_name), &[seed; 32]).unwrap()
}

pub(crate) fn ml_dsa_witness(key_name: &str, seed: u8) -> Cosigner {
    Cosigner::ml_dsa_44_from_seed(name(key_name), &[seed; 32]).unwrap()
}

/// What a witness makes of the first head it ever sees of a log.
pub(crate) fn accepted(text: &str) -> Accepted {
    let log = signer("any.example/log", 200);
    let note = SignedNote::sign(text.to_owned(), &[&log]).unwrap();
    let trusted = TrustedLog {
        origin: Checkpoint::parse(text).unwrap().origin().to_owned(),
        keys: vec![log.verifier().clone()],
    };
    let request = AddCheckpoint::new(0, vec![], note).unwrap();
    decide(Some(&trusted), None, &request).unwrap()
}

/// A folder of data that other programs wrote and that is not kept here; says so when it is not there.
pub(crate) fn foreign(folder: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var_os("COMITY_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = data.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: nothing at {}", folder.display());
    None
}
