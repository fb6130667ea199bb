//! What a node remembers about exchanging with one peer. Secrets are in files of their own, never here.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::files;
use crate::keys::KeyError;

/// The `settings` column of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeerSettings {
    /// URL of the API root that is used, with its final `/`.
    pub api_root: String,
    /// How this node signs in there.
    pub sign_in: SignIn,
    /// What is fetched.
    pub pull: Vec<Route>,
    /// What is handed over.
    pub push: Vec<Route>,
    /// Seconds between polls where the other side sends no events; 0 for never.
    pub poll_seconds: u64,
    /// Verifier key by which the other authority signs custody, as its card said when its fingerprint was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custody_key: Option<String>,
    /// Key to which contents of evidence are encrypted for it (age).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// TLP of records that come from it without any; AMBER is assumed when there is none here either.
    pub tlp_in: Option<String>,
    /// Seconds within which a receipt is expected; without one the log says that it did not come.
    pub receipt_within_seconds: u64,
    /// What happens here when it withdraws a record.
    pub on_withdrawal: OnWithdrawal,
}

/// What happens when a peer asks to remove a record it withdrew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnWithdrawal {
    /// The earlier versions are removed at once.
    #[default]
    Remove,
    /// An officer decides: `comity withdrawal`.
    Ask,
}

/// A day: an officer on duty in another time zone has had a working day by then.
pub const RECEIPT_WITHIN_SECONDS: u64 = 24 * 3_600;

impl Default for PeerSettings {
    fn default() -> Self {
        Self {
            api_root: String::new(),
            sign_in: SignIn::default(),
            pull: Vec::new(),
            push: Vec::new(),
            poll_seconds: 0,
            tlp_in: None,
            receipt_within_seconds: RECEIPT_WITHIN_SECONDS,
            on_withdrawal: OnWithdrawal::default(),
            custody_key: None,
            recipient: None,
        }
    }
}

/// How this node signs in at a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum SignIn {
    /// Not at all.
    #[default]
    Nothing,
    /// With the node's own certificate.
    Certificate,
    /// With a name and a password, HTTP Basic.
    Basic {
        /// The name.
        user: String,
    },
    /// With a bearer token.
    Token,
}

/// One direction of exchange between a collection here and one there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// uuid of the collection here.
    pub local: String,
    /// Identifier of the collection there.
    pub remote: String,
}

/// The file that holds the secret for one peer, readable by its owner only.
#[must_use]
pub fn secret_path(dir: &Path, peer: &str) -> PathBuf {
    dir.join("secrets").join(format!("peer-{peer}"))
}

/// Keeps the secret for a peer, in place of one that may be there.
///
/// # Errors
/// When the file cannot be written.
pub fn write_secret(dir: &Path, peer: &str, secret: &str) -> Result<(), KeyError> {
    Ok(files::put(&secret_path(dir, peer), secret.as_bytes())?)
}

/// The secret for a peer; empty when there is none.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read_secret(dir: &Path, peer: &str) -> Result<Zeroizing<String>, KeyError> {
    let path = secret_path(dir, peer);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Zeroizing::new(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        )),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(Zeroizing::default()),
        Err(source) => Err(KeyError::File {
            what: "read",
            path,
            source,
        }),
    }
}

/// Forgets the secret for a peer.
///
/// # Errors
/// When the file is there and cannot be removed.
pub fn remove_secret(dir: &Path, peer: &str) -> Result<(), KeyError> {
    let path = secret_path(dir, peer);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(KeyError::File {
            what: "remove",
            path,
            source,
        }),
        _ => Ok(()),
    }
}
