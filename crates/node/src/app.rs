//! The node as one value: what every request, follower and command works with.

mod administer;
mod lock;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use comity_access::{PartyId, Reader};
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::Cosigner;
use comity_ledger::note::{KeyName, Signer, VerifierKey};
use comity_ledger::verify::TrustedLog;
use comity_store::{Admin, AlarmKind, Fault, Genesis, Store};

use crate::catalog::Catalog;
use crate::clock::SharedClock;
use crate::config::{Config, ConfigError};
use crate::entropy::SharedEntropy;
use crate::head::{self, Seen, Trust};
use crate::keys::{self, KeyError};
use crate::metrics::Metrics;
use crate::release::Release;
use crate::sequencer::{Sequencer, SignCheckpoint, SubmitError};
use crate::witnesses::submit::Witnessing;
use crate::witnesses::{Witnesses, WitnessesError};
use lock::DirectoryLock;

pub use lock::is_running;

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
    /// Signs receipts.
    pub receipt_signer: Signer,
    /// Signs custody for the authority.
    pub custody: Signer,
    /// The log as others are to trust it: its origin and keys.
    pub own_log: TrustedLog,
    /// The log's second key, ML-DSA-44, which signs the heads that go to witnesses.
    pub log_cosigner: Option<Cosigner>,
    /// How it goes with the witnesses.
    pub witnessing: Witnessing,
    /// Watching peers' logs.
    pub watching: crate::peers::watch::Watching,
    /// Disclosures that are not on disk yet.
    pub notes: crate::disclosure::Notes,
    /// New labels of other parties.
    pub introduced: crate::intake::Introduced,
    /// What is encrypted to this node is opened with it.
    pub identity: zeroize::Zeroizing<[u8; 32]>,
    /// What keys for contents on their way to peers are derived from; never leaves the node.
    pub transfer_secret: zeroize::Zeroizing<[u8; 32]>,
    /// Exchange with peers.
    pub exchange: crate::peers::run::Exchange,
    witnesses: RwLock<Option<Arc<Witnesses>>>,
    witnesses_changed: tokio::sync::watch::Sender<u64>,
    catalog: RwLock<Arc<Catalog>>,
    /// Held from reading the catalog to putting it in place: an older one must never replace a newer.
    catalog_reload: Mutex<()>,
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
    /// The policy of witnesses.
    #[error(transparent)]
    Witnesses(#[from] WitnessesError),
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
        keys::ensure_receipt_seed(&config.dir, &**entropy)?;
        crate::evidence::keys::custody(&config.dir, config.party(), &**entropy)?;
        let mldsa = keys::log_mldsa_path(&config.dir);
        if mldsa.exists() {
            keys::read_seed(&mldsa)?;
        } else {
            keys::create_seed(&mldsa, &**entropy)?;
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
        let receipt_signer = receipt_signer(&config, &*entropy)?;
        let custody = crate::evidence::keys::custody(&config.dir, config.party(), &*entropy)?;
        let log_cosigner = log_cosigner(&config)?;
        let own_log = own_log(&config, &log_key, log_cosigner.as_ref())?;
        let witnesses = Witnesses::load(&config.dir, &own_log)?.map(Arc::new);
        let identity = crate::evidence::keys::secret(&config.dir, "recipient", &*entropy)?;
        let transfer_secret = crate::evidence::keys::secret(&config.dir, "transfer", &*entropy)?;
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
        for alarm in store.alarms(true)? {
            if alarm.raised.kind == AlarmKind::OwnRollback {
                sequencer.halt(&alarm.raised.detail);
            }
        }
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
            receipt_signer,
            custody,
            own_log,
            log_cosigner,
            witnessing: Witnessing::default(),
            watching: crate::peers::watch::Watching::default(),
            witnesses: RwLock::new(witnesses),
            witnesses_changed: tokio::sync::watch::Sender::new(0),
            notes: crate::disclosure::Notes::default(),
            introduced: crate::intake::Introduced::default(),
            identity,
            transfer_secret,
            exchange: crate::peers::run::Exchange::default(),
            catalog,
            catalog_reload: Mutex::default(),
            catalog_changed: tokio::sync::watch::Sender::new(0),
        };
        app.count_alarms();
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

    /// The witnesses the operator chose; `None` if none were.
    #[must_use]
    pub fn witnesses(&self) -> Option<Arc<Witnesses>> {
        self.witnesses
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes whenever the policy of witnesses does.
    #[must_use]
    pub fn witnesses_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.witnesses_changed.subscribe()
    }

    /// Takes `text` as the policy of witnesses: checked, on disk, in force for the next head.
    ///
    /// # Errors
    /// See [`WitnessesError`]; the one before stays then.
    pub fn set_witnesses(&self, text: &[u8]) -> Result<Arc<Witnesses>, WitnessesError> {
        let witnesses = Arc::new(Witnesses::parse(text, &self.own_log)?);
        crate::witnesses::policy::write(&self.config.dir, text)?;
        *self
            .witnesses
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&witnesses));
        self.witnesses_changed.send_modify(|count| *count += 1);
        Ok(witnesses)
    }

    fn count_alarms(&self) {
        self.metrics.alarms_open.reset();
        for alarm in self.catalog().alarms() {
            self.metrics
                .alarms_open
                .with_label_values(&[alarm.raised.kind.word()])
                .inc();
        }
    }

    /// Changes whenever the catalog does.
    #[must_use]
    pub fn catalog_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.catalog_changed.subscribe()
    }

    /// Reads the catalog again, and tells those who follow it.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn reload(&self) -> Result<(), comity_store::ReadError> {
        let _one_at_a_time = self
            .catalog_reload
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let fresh = Arc::new(Catalog::load(&self.store)?);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.catalog_changed.send_modify(|count| *count += 1);
        self.count_alarms();
        Ok(())
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

/// The name of the key that signs a party's receipts.
#[must_use]
pub fn receipt_key_name(party: &str) -> String {
    format!("comity.{party}/receipts/1")
}

fn receipt_signer(
    config: &Config,
    entropy: &dyn crate::entropy::Entropy,
) -> Result<Signer, AppError> {
    let (seed, fresh) = keys::ensure_receipt_seed(&config.dir, entropy)?;
    if fresh {
        tracing::warn!(
            "a new key for receipts was made; peers that knew another one refuse receipts until they repeat `comity peer add`"
        );
    }
    let internal = |error: String| AppError::Internal(error);
    let name = KeyName::new(receipt_key_name(config.party()))
        .map_err(|error| internal(error.to_string()))?;
    Signer::from_seed(name, seed.bytes()).map_err(|error| internal(error.to_string()))
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

/// The log's ML-DSA-44 key, if it has one: nodes made before it existed have none, and need none.
fn log_cosigner(config: &Config) -> Result<Option<Cosigner>, AppError> {
    let path = keys::log_mldsa_path(&config.dir);
    if !path.exists() {
        return Ok(None);
    }
    let internal = |error: comity_ledger::note::KeyError| AppError::Internal(error.to_string());
    let name = KeyName::new(origin(config.party())).map_err(internal)?;
    let seed = keys::read_seed(&path)?;
    Cosigner::ml_dsa_44_from_seed(name, seed.bytes())
        .map(Some)
        .map_err(internal)
}

fn own_log(
    config: &Config,
    log_key: &str,
    cosigner: Option<&Cosigner>,
) -> Result<TrustedLog, AppError> {
    let key = VerifierKey::parse(log_key).map_err(|error| AppError::Internal(error.to_string()))?;
    let second = cosigner.map(|cosigner| cosigner.verifier().clone());
    Ok(TrustedLog {
        origin: origin(config.party()),
        keys: std::iter::once(key).chain(second).collect(),
    })
}
