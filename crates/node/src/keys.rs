//! The node's own keys on disk: the log's signing seed and the TLS certificate. Files are readable by their owner only,
//! written whole before they get their name, and never shown.

use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::entropy::Entropy;

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

/// The seed of the log's Ed25519 key; wiped from memory when dropped.
pub struct LogSeed(Zeroizing<[u8; 32]>);

impl LogSeed {
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

/// Makes a fresh log seed; refuses to replace one, because a log must never change its key unseen.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn create_log_seed(dir: &Path, entropy: &dyn Entropy) -> Result<(), KeyError> {
    let path = log_seed_path(dir);
    let seed = crate::entropy::bytes::<32>(entropy).map_err(|source| KeyError::File {
        what: "draw randomness for",
        path: path.clone(),
        source,
    })?;
    let seed = Zeroizing::new(seed);
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(*seed)));
    write_private(&path, text.as_bytes())
}

/// Reads the log seed of a data directory.
///
/// # Errors
/// When the file is missing or holds something else.
pub fn read_log_seed(dir: &Path) -> Result<LogSeed, KeyError> {
    let path = log_seed_path(dir);
    let text = Zeroizing::new(
        std::fs::read_to_string(&path).map_err(|source| KeyError::File {
            what: "read",
            path: path.clone(),
            source,
        })?,
    );
    let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new).ok();
    let seed = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    seed.map(|seed| LogSeed(Zeroizing::new(seed)))
        .ok_or(KeyError::Content {
            what: "a log seed (32 bytes in base64)",
            path,
        })
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
    if key.exists() {
        std::fs::remove_file(&key).map_err(|source| KeyError::File {
            what: "replace",
            path: key.clone(),
            source,
        })?;
    }
    write_private(&key, pem.as_bytes())?;
    write_private(&certificate, made.cert.pem().as_bytes())?;
    Ok((certificate, key))
}

/// Writes a file that only its owner may read: whole, synced, then named; refuses to replace one.
///
/// # Errors
/// When it exists already or cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    let fail = |what: &'static str| {
        let path = path.to_owned();
        move |source: std::io::Error| KeyError::File {
            what,
            path: path.clone(),
            source,
        }
    };
    if path.exists() {
        return Err(fail("create")(std::io::Error::from(
            std::io::ErrorKind::AlreadyExists,
        )));
    }
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(parent).map_err(fail("make the folder of"))?;
    let staged = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&staged).map_err(fail("write"))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(fail("write"))?;
    std::fs::rename(&staged, path).map_err(fail("name"))?;
    std::fs::File::open(parent)
        .and_then(|folder| folder.sync_all())
        .map_err(fail("sync the folder of"))
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
