//! The role of a witness: cosigns the heads of logs it was given the keys of, each only if it continues the one before
//! (C2SP tlog-witness v1.0.0). It sees origins, sizes, roots and hashes, never entries; it needs no node and no clearance.
//!
//! ```text
//! POST /add-checkpoint --parse--> request --WitnessDb::judge: ONE transaction { latest, decide, cosign, store }--> cosignatures
//! GET /<origin hash>/checkpoint --> the newest note that was cosigned
//! ```
//!
//! What is decided is in `comity_ledger::witness`, what is stored in `comity_store::witness`; here are the keys, the clock and
//! HTTP. Not implemented: `sign-subtree`, which tlog-witness makes optional.
//!
//! **Architecture Invariant:** a cosignature leaves only after the head it is for is on disk as the newest of its log.

pub mod add_checkpoint;
pub mod config;
pub mod keys;
pub mod serve;
pub mod service;

use std::path::Path;

use comity_ledger::cosignature::Cosigner;
use comity_store::Faults;
use comity_store::witness::{WitnessDb, WitnessDbError};

use crate::clock::SharedClock;
use crate::keys::KeyError;

/// A witness: its keys, what it has cosigned, its clock.
pub struct Witness {
    /// What it knows.
    pub db: WitnessDb,
    /// Its keys, in the order in which they sign.
    pub cosigners: Vec<Cosigner>,
    /// Time.
    pub clock: SharedClock,
}

/// Why a witness cannot be opened or served.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// Its database.
    #[error(transparent)]
    Db(#[from] WitnessDbError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] config::WitnessConfigError),
    /// Its port.
    #[error(transparent)]
    Serve(#[from] crate::http::ServeError),
    /// The system.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A defect of ours that a test excludes.
    #[error("internal: {0}")]
    Internal(String),
}

impl Witness {
    /// Opens the witness in `dir` for serving.
    ///
    /// # Errors
    /// See [`WitnessError`]; when another process serves it.
    pub fn open(
        dir: &Path,
        name: &str,
        clock: SharedClock,
        faults: Option<Faults>,
    ) -> Result<Self, WitnessError> {
        Ok(Self {
            db: WitnessDb::serve(dir, faults)?,
            cosigners: keys::read(dir, name)?,
            clock,
        })
    }
}
