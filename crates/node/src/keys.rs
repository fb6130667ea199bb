//! The node's own keys on disk: the log's signing seed and the TLS certificate. Files are readable by their owner only,
//! written whole before they get their name, and never shown.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::entropy::Entropy;
use crate::files::{self, FileError};

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("cannot {what} `{path}`: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file does not hold a key.
    #[error(
        "`{path}` does not hold {what}\n  help: restore it from the backup made with the register it belongs to"
    )]
    Content {
        /// What should be there.
        what: &'static str,
        /// Which file.
        path: PathBuf,
    },
    /// The certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
}

/// The seed of an Ed25519 key; wiped from memory when dropped.
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The file with the log's signing seed, below a data directory.
#[must_use]
pub fn log_seed_path(dir: &Path) -> PathBuf {
    dir.join("keys").join("log.seed")
}

/// The file with the seed of the key that signs receipts, below a data directory.
#[must_use]
pub fn receipt_seed_path(dir: &Path) -> PathBuf {
    dir.join("keys").join("receipts.seed")
}

/// The file with the seed of the log's second key (ML-DSA-44), below a data directory.
#[must_use]
pub fn log_mldsa_path(dir: &Path) -> PathBuf {
    dir.join("keys").join("log-mldsa.seed")
}

/// Makes a fresh log seed; refuses to replace one, because a log must never change its key unseen.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn create_log_seed(dir: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    create_seed(&log_seed_path(dir), entropy)
}

/// The seed of the key that signs receipts; made now where there is none yet. The second value says so.
///
/// # Errors
/// When it cannot be made, or the file holds something else.
pub fn ensure_receipt_seed(dir: &Path, entropy: &dyn Entropy) -> Result<(Seed, bool), KeyError> {
    let path = receipt_seed_path(dir);
    let fresh = !path.exists();
    if fresh {
        create_seed(&path, entropy)?;
    }
    Ok((read_seed(&path)?, fresh))
}

/// Makes a fresh seed of 32 bytes in a file of its own; refuses to replace one.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn create_seed(path: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    let seed = crate::entropy::bytes::<32>(entropy).map_err(|source| KeyError::File {
        what: "draw randomness for",
        path: path.to_owned(),
        source,
    })?;
    let seed = Zeroizing::new(seed);
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*seed)));
    Ok(files::put_new(path, text.as_bytes())?)
}

/// Reads a seed of 32 bytes.
///
/// # Errors
/// When the file is missing or holds something else.
pub fn read_seed(path: &Path) -> Result<Seed, KeyError> {
    let text = Zeroizing::new(
        std::fs::read_to_string(path).map_err(|source| KeyError::File {
            what: "read",
            path: path.to_owned(),
            source,
        })?,
    );
    let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new).ok();
    let seed = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    seed.map(|seed| Seed(Zeroizing::new(seed)))
        .ok_or(KeyError::Content {
            what: "a seed (32 bytes in base64)",
            path: path.to_owned(),
        })
}

/// Reads the log seed of a data directory.
///
/// # Errors
/// When the file is missing or holds something else.
pub fn read_log_seed(dir: &Path) -> Result<Seed, KeyError> {
    read_seed(&log_seed_path(dir))
}

/// Where the generated certificate and its key lie.
#[must_use]
pub fn tls_paths(dir: &Path) -> (PathBuf, PathBuf) {
    (
        dir.join("tls").join("certificate.pem"),
        dir.join("tls").join("key.pem"),
    )
}

/// The certificate and key this node shows, as server and to its peers: those configured, else those generated.
#[must_use]
pub fn tls_files(config: &Config) -> (PathBuf, PathBuf) {
    match (&config.tls_certificate.value, &config.tls_key.value) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ => tls_paths(&config.dir),
    }
}

/// Makes a self-signed certificate for `names`, unless there is one. Peers pin its fingerprint.
///
/// # Errors
/// When it cannot be made or written.
pub fn ensure_tls(dir: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), KeyError> {
    let (certificate, key) = tls_paths(dir);
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let made = rcgen::generate_simple_self_signed(names.to_vec())
        .map_err(|error| KeyError::Certificate(error.to_string()))?;
    let pem = Zeroizing::new(made.signing_key.serialize_pem());
    // CRASH POINT: with the key written and no certificate, the next start makes both anew; nobody has pinned them yet
    files::put(&key, pem.as_bytes())?;
    files::put_new(&certificate, made.cert.pem().as_bytes())?;
    Ok((certificate, key))
}

impl From<FileError> for KeyError {
    fn from(error: FileError) -> Self {
        let FileError { what, path, source } = error;
        Self::File { what, path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn a_seed_is_read_back_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        create_log_seed(dir.path(), &SystemEntropy).unwrap();
        let first = *read_log_seed(dir.path()).unwrap().bytes();
        assert!(create_log_seed(dir.path(), &SystemEntropy).is_err());
        assert_eq!(first, *read_log_seed(dir.path()).unwrap().bytes());
    }

    #[test]
    #[cfg(unix)]
    fn keys_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        create_log_seed(dir.path(), &SystemEntropy).unwrap();
        let (_, key) = ensure_tls(dir.path(), &["localhost".to_owned()]).unwrap();
        for path in [log_seed_path(dir.path()), key] {
            assert_eq!(
                std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }
}
