//! `witness.toml`: the few settings of a witness.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use comity_ledger::note::KeyName;

/// Name of the file in the witness's directory.
pub const FILE_NAME: &str = "witness.toml";
/// Requests a second of one source on average; bursts of ten times as many pass. A log asks once a second at most.
const REQUESTS_PER_SECOND: u32 = 50;

/// Settings of a witness.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// Name of its keys: a URL without scheme that identifies it, such as `witness.example/w1`.
    pub name: String,
    /// Where it listens.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// The URL others use, for the names in a certificate made here.
    pub public_url: Option<String>,
    /// Serve plain HTTP; on loopback only.
    #[serde(default)]
    pub insecure_http: bool,
    /// Certificate chain, PEM; by default one is made, and known by its fingerprint.
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Requests a second that one source may make.
    #[serde(default = "requests_per_second")]
    pub requests_per_second: u32,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessConfigError {
    /// The file.
    #[error(
        "cannot read `{path}`: {source}\n  help: `comity witness init --dir DIR` makes a witness"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in it.
    #[error("`{path}` is not a valid configuration: {text}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        text: String,
    },
    /// Plain HTTP for others.
    #[error(
        "plain HTTP is for loopback only, and it is to listen on `{0}`\n  help: leave `insecure_http` out"
    )]
    Plain(SocketAddr),
}

impl WitnessConfig {
    /// Reads `witness.toml` below `dir`; what is given here leads over it.
    ///
    /// # Errors
    /// See [`WitnessConfigError`].
    pub fn load(
        dir: &Path,
        listen: Option<SocketAddr>,
        insecure_http: bool,
    ) -> Result<Self, WitnessConfigError> {
        let path = dir.join(FILE_NAME);
        let text = std::fs::read_to_string(&path).map_err(|source| WitnessConfigError::Read {
            path: path.clone(),
            source,
        })?;
        let wrong = |text: String| WitnessConfigError::Content {
            path: path.clone(),
            text,
        };
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        KeyName::new(config.name.as_str()).map_err(|error| wrong(error.to_string()))?;
        config.listen = listen.unwrap_or(config.listen);
        config.insecure_http |= insecure_http;
        if config.insecure_http && !config.listen.ip().is_loopback() {
            return Err(WitnessConfigError::Plain(config.listen));
        }
        Ok(config)
    }
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 6470))
}

fn requests_per_second() -> u32 {
    REQUESTS_PER_SECOND
}
