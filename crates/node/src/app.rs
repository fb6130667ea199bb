//! The node as one value: what every request, follower and command works with.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use comity_access::{PartyId, Reader};
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::{KeyName, Signer};
use comity_store::{Admin, Administer, Fault, Genesis, Op, Outcome, Store};

use crate::catalog::Catalog;
use crate::clock::SharedClock;
use crate::config::{Config, ConfigError};
use crate::entropy::SharedEntropy;
use crate::head::{self, Seen, Trust};
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
    /// Disclosures that are not on disk yet.
    pub notes: crate::disclosure::Notes,
    /// Exchange with peers.
    pub exchange: crate::peers::run::Exchange,
    catalog: RwLock<Arc<Catalog>>,
    catalog_changed: tokio::sync::watch::Sender<u64>,
    /// Writes to the register. Last, so that the readers are gone when the writer ends and can fold its log in.
    pub sequencer: Sequencer,
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
    /// The register was changed with another key, or the node was given one.
    #[error(
        "the register's head was not signed by this node's key: {error}\n  help: somebody may have rewritten it. Put the key it was \
         signed with at `keys/log.seed`, or restore a backup. If this node has a new key on purpose, compare {size} entries with root \
         {root} with what a peer saw last, then `comity log rekey --root {root}`"
    )]
    ForeignHead {
        /// What is wrong with the signature.
        error: String,
        /// Entries of the head.
        size: u64,
        /// Its root, hexadecimal.
        root: String,
    },
    /// An older copy, or another database, was put in the register's place.
    #[error(
        "the register is not a continuation of the one this node had: {why}\n  help: put the right file back. To go on with an older copy \
         knowingly, tell peers and witnesses (they hold later heads), then remove `head.seen`"
    )]
    OlderCopy {
        /// What does not fit.
        why: String,
    },
    /// The configuration names another party than the register was made for.
    #[error(
        "the register is of the log `{register}`, and the configuration says party `{party}`\n  help: set `party` back; the party of a \
         node never changes, `comity init` makes another node in another directory"
    )]
    Origin {
        /// Origin in the register.
        register: String,
        /// Party in the configuration.
        party: String,
    },
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
    /// Makes the register and keys of a new node in `config.dir`. A key that is there is taken; so is a register of this party
    /// without entries: both are what a try leaves that was cut.
    ///
    /// # Errors
    /// When a register with entries or of another party is there, or something cannot be written.
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
        if keys::log_seed_path(&config.dir).exists() {
            keys::read_log_seed(&config.dir)?;
        } else {
            keys::create_log_seed(&config.dir, &**entropy)?;
        }
        let genesis = Genesis {
            database_id,
            origin: origin(config.party()),
            created_micros: clock.now_micros(),
        };
        match comity_store::create(&config.dir, &genesis) {
            Err(comity_store::OpenError::Exists(path)) => {
                let options = comity_store::Options::default();
                let head = comity_store::open_read_only(&config.dir, &options)?.head()?;
                if head.size == 0 && head.origin == genesis.origin {
                    Ok(())
                } else {
                    Err(comity_store::OpenError::Exists(path).into())
                }
            }
            done => Ok(done?),
        }
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
        Self::open_trusting(config, clock, entropy, Trust::OwnKey, None)
    }

    /// [`Self::open`] with writes that fail when `faults` says so: for tests of what a node does then.
    ///
    /// # Errors
    /// See [`AppError`].
    pub fn open_faulty(
        config: Config,
        clock: SharedClock,
        entropy: SharedEntropy,
        faults: comity_store::Faults,
    ) -> Result<(Arc<Self>, Running), AppError> {
        Self::open_trusting(config, clock, entropy, Trust::OwnKey, Some(faults))
    }

    /// Takes over a register whose head another key signed, after an operator compared `root` with what others saw: an entry
    /// says so, and the head that covers it is signed by this node's key.
    ///
    /// # Errors
    /// See [`AppError`]; also when the head is this node's own already.
    pub fn take_over(
        config: Config,
        clock: SharedClock,
        entropy: SharedEntropy,
        by: &str,
        root: comity_ledger::Hash,
    ) -> Result<(), AppError> {
        let (app, running) = Self::open_trusting(config, clock, entropy, Trust::Root(root), None)?;
        let note = head::taken_over(&app.store.head()?, &app.log_key);
        let by = app.full_name(by);
        let done = app.administer_blocking(&by, Admin::Note(note));
        drop(app);
        running.join();
        done.map(drop)
            .map_err(|error| AppError::Internal(error.to_string()))
    }

    fn open_trusting(
        config: Config,
        clock: SharedClock,
        entropy: SharedEntropy,
        trust: Trust,
        faults: Option<comity_store::Faults>,
    ) -> Result<(Arc<Self>, Running), AppError> {
        let lock = DirectoryLock::take(&config.dir)?;
        let party = PartyId::parse(config.party())
            .map_err(|error| AppError::Internal(error.to_string()))?;
        let options = comity_store::Options {
            readers: config.readers.value.unwrap_or(4).max(1),
            faults,
            ..comity_store::Options::default()
        };
        let (store, writer) = comity_store::open(&config.dir, &options)?;
        let metrics =
            Arc::new(Metrics::new().map_err(|error| AppError::Internal(error.to_string()))?);
        let (sign, log_key) = signer(&config)?;
        let head = store.head()?;
        head::check(&head, config.party(), &log_key, trust)?;
        let mut seen = Seen::new(&config.dir);
        seen.compare(&head, &store)?;
        seen.note(&head, clock.monotonic(), true);
        metrics
            .log_entries
            .set(i64::try_from(head.size).unwrap_or(i64::MAX));
        let (sequencer, thread) = Sequencer::start(
            writer,
            sign,
            Arc::clone(&clock),
            Arc::clone(&metrics),
            head,
            seen,
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
            notes: crate::disclosure::Notes::default(),
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

/// The key that signs this node's log; refused when there is none in `keys/log.seed`.
///
/// # Errors
/// When the seed cannot be read.
pub fn log_signer(config: &Config) -> Result<Signer, AppError> {
    let seed = keys::read_log_seed(&config.dir)?;
    let name = KeyName::new(origin(config.party()))
        .map_err(|error| AppError::Internal(error.to_string()))?;
    Signer::from_seed(name, seed.bytes()).map_err(|error| AppError::Internal(error.to_string()))
}

fn signer(config: &Config) -> Result<(SignCheckpoint, String), AppError> {
    let origin = origin(config.party());
    let signer = log_signer(config)?;
    let key = signer.verifier().to_string();
    let sign = Box::new(move |size: u64, root: &comity_ledger::Hash| {
        let note = Checkpoint::new(origin.clone(), size, *root)?.sign(&[&signer])?;
        Ok(note.to_string())
    });
    Ok((sign, key))
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
