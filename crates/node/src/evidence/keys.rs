//! Keys that sign custody: one of the authority, one of each person. Seeds are files like the log's; public halves are told.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_evidence::custody::custody_key_name;
use comity_ledger::note::{KeyName, Signer};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::files;
use crate::keys::KeyError;

/// The file with the authority's custody seed.
#[must_use]
pub fn custody_seed_path(dir: &Path) -> PathBuf {
    dir.join("keys").join("custody.seed")
}

/// The file with a person's seed, when the node keeps it.
#[must_use]
pub fn person_seed_path(dir: &Path, principal: &str) -> PathBuf {
    dir.join("keys")
        .join("persons")
        .join(format!("{principal}.seed"))
}

/// The authority's signer; its seed is made at the first start.
///
/// # Errors
/// When the file cannot be read or made.
pub fn custody(dir: &Path, party: &str, entropy: &dyn Entropy) -> Result<Signer, KeyError> {
    let path = custody_seed_path(dir);
    if !path.exists() {
        create(&path, entropy)?;
    }
    read(&path, &custody_key_name(party))
}

/// A secret of the node's own, `keys/<name>.seed`, made at the first start: `recipient` opens what is encrypted to this node,
/// from `transfer` the keys for contents on their way to peers are derived.
///
/// # Errors
/// When the file cannot be read or made.
pub fn secret(
    dir: &Path,
    name: &str,
    entropy: &dyn Entropy,
) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let path = dir.join("keys").join(format!("{name}.seed"));
    if !path.exists() {
        create(&path, entropy)?;
    }
    seed(&path)
}

/// Makes a fresh seed; refuses to replace one.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    let seed = crate::entropy::bytes::<32>(entropy).map_err(|source| KeyError::File {
        what: "draw randomness for",
        path: path.to_owned(),
        source,
    })?;
    let seed = Zeroizing::new(seed);
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*seed)));
    Ok(files::put_new(path, text.as_bytes())?)
}

/// The signer of a seed file, under the name `name`.
///
/// # Errors
/// When the file is missing or holds something else, or nobody of that name can have a key.
pub fn read(path: &Path, name: &str) -> Result<Signer, KeyError> {
    let content = |what| KeyError::Content {
        what,
        path: path.to_owned(),
    };
    // C2SP signed-note: no plus in a key's name, which an account may have
    let name =
        KeyName::new(name).map_err(|_| content("the key of somebody whose name has no `+`"))?;
    Signer::from_seed(name, &*seed(path)?).map_err(|_| content("a usable key"))
}

fn seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let text = std::fs::read_to_string(path).map_err(|source| KeyError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    let text = Zeroizing::new(text);
    let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new).ok();
    bytes
        .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| KeyError::Content {
            what: "a seed (32 bytes in base64)",
            path: path.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn the_authoritys_key_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = custody(dir.path(), "ua", &SystemEntropy).unwrap();
        let again = custody(dir.path(), "ua", &SystemEntropy).unwrap();
        assert_eq!(first.verifier(), again.verifier());
        assert_eq!(first.verifier().name().as_str(), "comity.ua/custody/1");
    }

    #[test]
    fn a_persons_key_has_the_persons_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = person_seed_path(dir.path(), "olena@ua");
        create(&path, &SystemEntropy).unwrap();
        assert!(create(&path, &SystemEntropy).is_err());
        assert_eq!(
            read(&path, "olena@ua").unwrap().verifier().name().as_str(),
            "olena@ua"
        );
        assert!(read(&path, "olena+x@ua").is_err());
        std::fs::write(&path, "x").unwrap();
        assert!(read(&path, "olena@ua").is_err());
    }
}
