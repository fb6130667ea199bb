//! The node as one value: what every request, follower and command works with.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use comity_access::{PartyId, Reader};
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::Cosigner;
use comity_ledger::note::{KeyName, SignedNote, Signer, VerifierKey};
use comity_ledger::verify::TrustedLog;
use comity_store::{Admin, Administer, AlarmKind, Fault, Genesis, Head, Op, Outcome, Store};

use crate::catalog::Catalog;
use crate::clock::SharedClock;
use crate::config::{Config, ConfigError};
use crate::entropy::SharedEntropy;
use crate::keys::{self, KeyError};
use crate::metrics::Metrics;
use crate::release::Release;
use crate::sequencer::{Sequencer, SignCheckpoint, SubmitError};
use crate::witnesses::submit::Witnessing;
use crate::witnesses::{Witnesses, WitnessesError};

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
    /// Exchange with peers.
    pub exchange: crate::peers::run::Exchange,
    witnesses: RwLock<Option<Arc<Witnesses>>>,
    witnesses_changed: tokio::sync::watch::Sender<u64>,
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
        keys::ensure_receipt_seed(&config.dir, &**entropy)?;
        crate::evidence::keys::custody(&config.dir, config.party(), &**entropy)?;
        keys::create_seed(&keys::log_mldsa_path(&config.dir), &**entropy)?;
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
        let receipt_signer = receipt_signer(&config, &*entropy)?;
        let custody = crate::evidence::keys::custody(&config.dir, config.party(), &*entropy)?;
        let log_cosigner = log_cosigner(&config)?;
        let own_log = own_log(&config, &log_key, log_cosigner.as_ref())?;
        let witnesses = Witnesses::load(&config.dir, &own_log)?.map(Arc::new);
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
            exchange: crate::peers::run::Exchange::default(),
            catalog,
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
        self.taken(outcome)
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
        self.taken(outcome)
    }

    fn taken(&self, outcome: Outcome) -> Result<Outcome, AdminError> {
        if let Outcome::Rejected(fault) = outcome {
            return Err(fault.into());
        }
        self.reload()?;
        Ok(outcome)
    }

    /// Reads the catalog again, and tells those who follow it.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn reload(&self) -> Result<(), comity_store::ReadError> {
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
