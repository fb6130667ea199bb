//! The keys of a witness: one Ed25519 and one ML-DSA-44 seed, each in a file of its own, made for this witness and used for
//! nothing else ("MUST use distinct public keys for each cosigner", tlog-cosignature).

use std::path::{Path, PathBuf};

use comity_ledger::cosignature::Cosigner;
use comity_ledger::note::KeyName;

use super::WitnessError;
use crate::entropy::Entropy;
use crate::keys::{KeyError, create_seed, read_seed};

/// Where the seeds lie below the witness's directory: Ed25519, ML-DSA-44.
#[must_use]
pub fn paths(dir: &Path) -> [PathBuf; 2] {
    let keys = dir.join("keys");
    [
        keys.join("witness-ed25519.seed"),
        keys.join("witness-mldsa44.seed"),
    ]
}

/// Makes both seeds.
///
/// # Errors
/// When one exists or cannot be written.
pub fn create(dir: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    paths(dir)
        .iter()
        .try_for_each(|path| create_seed(path, entropy))
}

/// Reads both keys. ML-DSA-44 comes second: a reader that knows one kind of key skips the other line.
///
/// # Errors
/// When a file is missing or holds something else.
pub fn read(dir: &Path, name: &str) -> Result<Vec<Cosigner>, WitnessError> {
    let internal = |error: comity_ledger::note::KeyError| WitnessError::Internal(error.to_string());
    let name = KeyName::new(name).map_err(internal)?;
    let [ed25519, ml_dsa] = paths(dir);
    Ok(vec![
        Cosigner::ed25519_from_seed(name.clone(), read_seed(&ed25519)?.bytes())
            .map_err(internal)?,
        Cosigner::ml_dsa_44_from_seed(name, read_seed(&ml_dsa)?.bytes()).map_err(internal)?,
    ])
}
