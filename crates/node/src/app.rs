//! The node as one value: what every request, follower and command works with.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use comity_access::{PartyId, Reader};
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::{KeyName, SignedNote, Signer, VerifierKey};
use comity_store::{Admin, Administer, Fault, Genesis, Head, Op, Outcome, Store};

use crate::catalog::Catalog;
use crate::clock::SharedClock;
use crate::config::{Config, ConfigError};
use crate::entropy::SharedEntropy;
use crate::keys::{self, KeyError};
use crate::metrics::Metrics;
use crate::release::Release;
use crate::sequencer::{Sequencer, SignCheckpoint, SubmitError};

/// Everything a node is made of. Shared behind an [`Arc`].
pub struct App {
    /// The effective configuration.
    pub config: Config,
    /// The party this node speaks for.
    pub party: PartyId,
    /// Reads of the register.
    pub store: Store,
    /// Writes to the register.
    pub sequencer: Sequencer,
    /// Who may read what.
    pub release: Release,
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The log's public key as a C2SP vkey.
    pub log_key: String,
    /// Signs custody for the authority.
    pub custody: Signer,
    /// What is encrypted to this node is opened with it.
    pub identity: zeroize::Zeroizing<[u8; 32]>,
    /// What keys for contents on their way to peers are derived from; never leaves the node.
    pub transfer_secret: zeroize::Zeroizing<[u8; 32]>,
    /// Exchange with peers.
    pub exchange: crate::peers::run::Exchange,
    catalog: RwLock<Arc<Catalog>>,
    catalog_changed: tokio::sync::watch::Sender<u64>,
}

/// The part of a running node that must be joined at its end.
pub struct Running {
    sequencer: std::thread::JoinHandle<()>,
    _lock: DirectoryLock,
}

impl Running {
    /// Waits until the sequencer has committed what was queued. Every handle to the [`App`] must be gone by then.
    pub fn join(self) {
        if self.sequencer.join().is_err() {
            tracing::error!("the sequencer died; run `comity fsck`");
        }
    }
}

/// Why a node cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The register.
    #[error(transparent)]
    Open(#[from] comity_store::OpenError),
    /// Reading the register.
    #[error(transparent)]
    Read(#[from] comity_store::ReadError),
    /// The policies.
    #[error("the access policies cannot be used: {0}")]
    Policy(String),
    /// Another process holds the directory.
    #[error(
        "another process runs on `{0}`\n  help: commands speak to it by themselves; stop it only if you must"
    )]
    Locked(std::path::PathBuf),
    /// The register was changed without the key.
    #[error(
        "the register is not the one its signed head speaks of: {0}\n  help: do not go on with it; `comity fsck`, and restore a backup"
    )]
    Head(String),
    /// The system.
    #[error("{what}: {source}")]
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

/// Why an administrative change was not made.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The change itself is at fault.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The sequencer took nothing.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The catalog could not be read again.
    #[error(transparent)]
    Read(#[from] comity_store::ReadError),
}

impl App {
    /// Makes the register and keys of a new node in `config.dir`.
    ///
    /// # Errors
    /// When something is there already or cannot be written.
    pub fn create(
        config: &Config,
        clock: &SharedClock,
        entropy: &SharedEntropy,
    ) -> Result<(), AppError> {
        let database_id =
            crate::entropy::bytes::<16>(&**entropy).map_err(|source| AppError::System {
                what: "cannot draw randomness",
                source,
            })?;
        keys::create_log_seed(&config.dir, &**entropy)?;
        crate::evidence::keys::custody(&config.dir, config.party(), &**entropy)?;
        let genesis = Genesis {
            database_id,
            origin: origin(config.party()),
            created_micros: clock.now_micros(),
        };
        comity_store::create(&config.dir, &genesis)?;
        Ok(())
    }

    /// Opens the node in `config.dir`: takes the directory's lock, migrates the register, starts the sequencer.
    ///
    /// # Errors
    /// See [`AppError`].
    pub fn open(
        config: Config,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<(Arc<Self>, Running), AppError> {
        let lock = DirectoryLock::take(&config.dir)?;
        let party = PartyId::parse(config.party())
            .map_err(|error| AppError::Internal(error.to_string()))?;
        let options = comity_store::Options {
            readers: config.readers.value.unwrap_or(4).max(1),
            ..comity_store::Options::default()
        };
        let (store, writer) = comity_store::open(&config.dir, &options)?;
        let metrics =
            Arc::new(Metrics::new().map_err(|error| AppError::Internal(error.to_string()))?);
        let (sign, log_key) = signer(&config)?;
        let custody = crate::evidence::keys::custody(&config.dir, config.party(), &*entropy)?;
        let identity = crate::evidence::keys::secret(&config.dir, "recipient", &*entropy)?;
        let transfer_secret = crate::evidence::keys::secret(&config.dir, "transfer", &*entropy)?;
        let head = store.head()?;
        check_head(&head, &log_key)?;
        metrics
            .log_entries
            .set(i64::try_from(head.size).unwrap_or(i64::MAX));
        let (sequencer, thread) = Sequencer::start(
            writer,
            sign,
            Arc::clone(&clock),
            Arc::clone(&metrics),
            head.size,
        )
        .map_err(|source| AppError::System {
            what: "cannot start the sequencer",
            source,
        })?;
        let release = Release::new(party.clone(), store.clone(), sequencer.size())
            .map_err(|error| AppError::Policy(error.to_string()))?;
        let catalog = RwLock::new(Arc::new(Catalog::load(&store)?));
        let app = Self {
            config,
            party,
            store,
            sequencer,
            release,
            clock,
            entropy,
            metrics,
            log_key,
            custody,
            identity,
            transfer_secret,
            exchange: crate::peers::run::Exchange::default(),
            catalog,
            catalog_changed: tokio::sync::watch::Sender::new(0),
        };
        Ok((
            Arc::new(app),
            Running {
                sequencer: thread,
                _lock: lock,
            },
        ))
    }

    /// Who and what the node knows, as of now.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes whenever the catalog does.
    #[must_use]
    pub fn catalog_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.catalog_changed.subscribe()
    }

    /// Makes an administrative change: logged, durable, and in force for the next request.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn administer(&self, by: &str, change: Admin) -> Result<Outcome, AdminError> {
        let salt = self.salt()?;
        let op = Op::Admin(Administer {
            change,
            by: by.to_owned(),
            salt,
        });
        let outcome = self
            .sequencer
            .submit(vec![op])
            .await?
            .into_iter()
            .next()
            .unwrap_or(Outcome::Progressed);
        self.reload(outcome)
    }

    /// [`Self::administer`] for threads outside the runtime.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub fn administer_blocking(&self, by: &str, change: Admin) -> Result<Outcome, AdminError> {
        let salt = self.salt()?;
        let op = Op::Admin(Administer {
            change,
            by: by.to_owned(),
            salt,
        });
        let outcome = self
            .sequencer
            .submit_blocking(vec![op])?
            .into_iter()
            .next()
            .unwrap_or(Outcome::Progressed);
        self.reload(outcome)
    }

    fn reload(&self, outcome: Outcome) -> Result<Outcome, AdminError> {
        if let Outcome::Rejected(fault) = outcome {
            return Err(fault.into());
        }
        let fresh = Arc::new(Catalog::load(&self.store)?);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.catalog_changed.send_modify(|count| *count += 1);
        Ok(outcome)
    }

    /// A fresh salt for a commitment.
    ///
    /// # Errors
    /// When the system has no randomness: then nothing may be written.
    pub fn salt(&self) -> Result<[u8; 32], SubmitError> {
        crate::entropy::bytes::<32>(&*self.entropy)
            .map_err(|error| SubmitError::Batch(format!("no randomness: {error}").into()))
    }

    /// The reader a principal is, as of now; `None` when it is unknown or disabled.
    #[must_use]
    pub fn reader(&self, principal: &str) -> Option<Arc<Reader>> {
        self.catalog().reader(principal).cloned()
    }

    /// A principal's full name: `olena` is `olena@<own party>`.
    #[must_use]
    pub fn full_name(&self, name: &str) -> String {
        if name.contains('@') {
            name.to_owned()
        } else {
            format!("{name}@{}", self.party.as_str())
        }
    }
}

/// The origin line of a party's log: also the name of its key (C2SP signed-note).
#[must_use]
pub fn origin(party: &str) -> String {
    format!("comity.{party}/log/1")
}

fn signer(config: &Config) -> Result<(SignCheckpoint, String), AppError> {
    let seed = keys::read_log_seed(&config.dir)?;
    let origin = origin(config.party());
    let internal = |error: String| AppError::Internal(error);
    let name = KeyName::new(origin.clone()).map_err(|error| internal(error.to_string()))?;
    let signer =
        Signer::from_seed(name, seed.bytes()).map_err(|error| internal(error.to_string()))?;
    let key = signer.verifier().to_string();
    let sign = Box::new(move |size: u64, root: &comity_ledger::Hash| {
        let note = Checkpoint::new(origin.clone(), size, *root)?.sign(&[&signer])?;
        Ok(note.to_string())
    });
    Ok((sign, key))
}

/// The head the register keeps must be the one that was signed: who can write the file but has no key cannot change it
/// unseen. A head signed by another key is only told: a restored node may have been given a new one.
fn check_head(head: &Head, key: &str) -> Result<(), AppError> {
    if head.size == 0 {
        return Ok(());
    }
    let damaged = |error: &dyn std::fmt::Display| AppError::Head(error.to_string());
    let note = SignedNote::parse(head.note.as_bytes()).map_err(|error| damaged(&error))?;
    let signed = Checkpoint::parse(note.text_unverified()).map_err(|error| damaged(&error))?;
    if (signed.origin(), signed.size(), signed.root()) != (&*head.origin, head.size, &head.root) {
        return Err(AppError::Head(format!(
            "`{}` with {} entries was signed, `{}` with {} is here{}",
            signed.origin(),
            signed.size(),
            head.origin,
            head.size,
            if signed.root() == &head.root {
                ""
            } else {
                ", and another root"
            },
        )));
    }
    let key = VerifierKey::parse(key).map_err(|error| AppError::Internal(error.to_string()))?;
    if let Err(error) = note.verify(&[key]) {
        tracing::warn!(%error, "the head of the log was not signed by this node's key; peers that know the old one will refuse the new one");
    }
    Ok(())
}

/// Holds the data directory for one process.
struct DirectoryLock {
    _file: std::fs::File,
}

impl DirectoryLock {
    fn take(dir: &Path) -> Result<Self, AppError> {
        let path = dir.join("node.lock");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| AppError::System {
                what: "cannot open the lock file `node.lock`",
                source,
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(AppError::Locked(dir.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => Err(AppError::System {
                what: "cannot lock the file `node.lock`",
                source,
            }),
        }
    }
}

/// Whether a process holds the data directory now.
#[must_use]
pub fn is_running(dir: &Path) -> bool {
    std::fs::File::open(dir.join("node.lock")).is_ok_and(|file| {
        matches!(
            file.try_lock_shared(),
            Err(std::fs::TryLockError::WouldBlock)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(size: u64, root: [u8; 32], signed: u64, seed: u8) -> (Head, String) {
        let name = KeyName::new("comity.ua/log/1".to_owned()).unwrap();
        let signer = Signer::from_seed(name, &[seed; 32]).unwrap();
        let note = Checkpoint::new("comity.ua/log/1", signed, [7; 32])
            .unwrap()
            .sign(&[&signer])
            .unwrap();
        let head = Head {
            size,
            root,
            note: note.to_string(),
            database_id: [0; 16],
            origin: "comity.ua/log/1".to_owned(),
        };
        (head, signer.verifier().to_string())
    }

    #[test]
    fn a_register_that_was_changed_without_the_key_is_not_opened() {
        let (sound, key) = head(3, [7; 32], 3, 1);
        assert!(check_head(&sound, &key).is_ok());
        for changed in [head(3, [8; 32], 3, 1).0, head(4, [7; 32], 3, 1).0] {
            assert!(matches!(check_head(&changed, &key), Err(AppError::Head(_))));
        }
    }

    #[test]
    fn another_key_is_told_and_no_obstacle() {
        let (sound, _) = head(3, [7; 32], 3, 1);
        let (_, other) = head(3, [7; 32], 3, 2);
        assert!(check_head(&sound, &other).is_ok());
    }
}
