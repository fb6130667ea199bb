//! A node's life: what starts in which order, what stops it, and in which order it ends.
//!
//! ```text
//! start  directory lock, register, sequencer -> others' word on our log -> control socket -> followers -> HTTP -> address file, systemd READY
//! stop   systemd STOPPING -> HTTP (running requests are finished) -> notes of disclosures -> followers -> control socket -> sequencer -> lock
//! ```

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::app::{App, AppError, Running};
use crate::clock::SystemClock;
use crate::config::{Config, LogFormat};
use crate::control;
use crate::entropy::SystemEntropy;
use crate::http::{ServeError, Server};
use crate::limits::STOP_GRACE;
use crate::{housekeeping, peers, witnesses};

/// Why a node did not run.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// It could not be opened.
    #[error(transparent)]
    App(#[from] AppError),
    /// It could not listen.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Somebody knows a head of this log that the register does not have.
    #[error("the node does not start: {0}")]
    OwnHead(String),
    /// The system refused something.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A setting of the log lines.
    #[error(
        "`{value}` is not a log filter: {text}\n  help: for example `info` or `comity_node=debug,info`"
    )]
    Filter {
        /// What was given.
        value: String,
        /// What is wrong with it.
        text: String,
    },
}

/// How a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Running requests were finished.
    Softly,
    /// By the second signal: what was acknowledged is on disk, what was not is cut.
    Hard,
    /// The register takes no writes any more. What was acknowledged is on disk; what was in doubt is found at the next start.
    Failed,
}

/// A soft stop waits this long for disclosures that the register would not take.
const NOTES_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// The file in the data directory that holds the URL of a running node.
pub const ADDRESS_FILE: &str = "address";

/// Begins to write log lines to stderr, as the configuration says.
///
/// # Errors
/// When the filter is none.
pub fn start_logging(config: &Config) -> Result<(), LifecycleError> {
    let filter = config.log_level.value.as_deref().unwrap_or("info");
    let format = config.log_format.value.unwrap_or(LogFormat::Text);
    log_lines(filter, format)
}

/// Begins to write log lines to stderr.
///
/// # Errors
/// When `filter` is none.
pub fn log_lines(filter: &str, format: LogFormat) -> Result<(), LifecycleError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| LifecycleError::Filter {
        value: filter.to_owned(),
        text: error.to_string(),
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // a second call in one process (tests, the demo) keeps the first
    let _already = match format {
        LogFormat::Json => lines.json().try_init(),
        LogFormat::Text => lines.with_target(false).try_init(),
    };
    Ok(())
}

/// Runs the node until a signal stops it. `say` gets the lines for the person who started it.
///
/// # Errors
/// When it cannot start; once it runs it ends only by a signal, or when the register fails.
pub fn run(config: Config, say: &dyn Fn(&str)) -> Result<Ended, LifecycleError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // each thread keeps a heap of its own: a crowd of them is memory, not speed
        .max_blocking_threads(crate::limits::BLOCKING_THREADS_MAX)
        .enable_all()
        .build()
        .map_err(|source| LifecycleError::System {
            what: "start the runtime",
            source,
        })?;
    let (app, running) = App::open(
        config,
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy),
    )?;
    let ended = runtime.block_on(live(&app, say));
    if !matches!(ended, Ok(Ended::Hard)) {
        finish(runtime, app, running);
    } else {
        runtime.shutdown_background();
    }
    ended
}

async fn live(app: &Arc<App>, say: &dyn Fn(&str)) -> Result<Ended, LifecycleError> {
    let mut signals = Signals::new().map_err(|source| LifecycleError::System {
        what: "wait for signals",
        source,
    })?;
    // before anything can be signed
    let asked = witnesses::own::check_at_start(app)
        .await
        .map_err(LifecycleError::OwnHead)?;
    let socket =
        control::server::bind(&app.config.dir).map_err(|source| LifecycleError::System {
            what: "open the control socket",
            source,
        })?;
    let control = tokio::spawn(control::server::serve(Arc::clone(app), socket));
    let (stop, stopping) = watch::channel(false);
    let housekeeping = tokio::spawn(housekeeping::run(Arc::clone(app), stopping.clone()));
    let exchange = tokio::spawn(peers::run::run(Arc::clone(app), stopping.clone()));
    let submitting = tokio::spawn(witnesses::submit::run(Arc::clone(app), stopping.clone()));
    let asking = tokio::spawn(witnesses::own::keep_asking(
        Arc::clone(app),
        asked,
        stopping,
    ));
    let server = Server::start(Arc::clone(app)).await?;
    let address =
        AddressFile::write(app, &server.url()).map_err(|source| LifecycleError::System {
            what: "write the file `address`",
            source,
        })?;
    say(&format!("listening on {}", server.url()));
    if let Some(fingerprint) = server.fingerprint() {
        say(&format!("certificate sha-256 {fingerprint}"));
    }
    tell_systemd(&[NotifyState::Ready]);
    let end = tokio::select! {
        name = signals.next() => {
            say(&format!(
                "{name}: stopping; running requests are finished first (a second signal stops at once)"
            ));
            Ended::Softly
        }
        why = app.sequencer.failure() => {
            tracing::error!(%why, "the register failed");
            say(&format!(
                "the register failed and takes no more writes: {why}\n  help: the node stops; started again, it finds what was in doubt. \
                 If it fails again, `comity doctor`"
            ));
            Ended::Failed
        }
    };
    tell_systemd(&[NotifyState::Stopping]);
    drop(address);
    let soft = async {
        server.stop().await;
        if tokio::time::timeout(NOTES_TIME_MAX, app.notes.settled())
            .await
            .is_err()
        {
            tracing::error!(
                "disclosures of TLP:GREEN or TLP:CLEAR are not in the log: the register takes no writes"
            );
        }
        stop.send_replace(true);
        if let Err(error) = exchange.await {
            tracing::error!(%error, "the exchange with peers died");
        }
        for task in [submitting, asking] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task for witnesses died");
            }
        }
        if let Err(error) = housekeeping.await {
            tracing::error!(%error, "the housekeeping died");
        }
        control.abort();
    };
    tokio::select! {
        () = soft => {
            say("stopped");
            Ok(end)
        }
        name = signals.next() => {
            say(&format!("{name}: stopped at once"));
            Ok(Ended::Hard)
        }
    }
}

/// Waits for what still runs, then for the sequencer, which commits what is queued.
fn finish(runtime: Runtime, app: Arc<App>, running: Running) {
    runtime.shutdown_timeout(STOP_GRACE);
    let _gone = std::fs::remove_file(app.config.dir.join(control::server::SOCKET_NAME));
    match Arc::try_unwrap(app) {
        Ok(app) => {
            drop(app);
            running.join();
        }
        // a long command over the control socket: what it was told is on disk, the rest was never acknowledged
        Err(_) => tracing::warn!("a command was cut at the end of the grace period"),
    }
}

pub(crate) fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// SIGTERM and SIGINT.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one, and names it.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Says where the node is while it listens.
struct AddressFile {
    path: PathBuf,
}

impl AddressFile {
    fn write(app: &App, url: &str) -> std::io::Result<Self> {
        let path = app.config.dir.join(ADDRESS_FILE);
        let staged = app.config.dir.join("address.new");
        std::fs::write(&staged, format!("{url}\n"))?;
        // whole or not at all: scripts wait for this file
        std::fs::rename(&staged, &path)?;
        Ok(Self { path })
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.path);
    }
}
