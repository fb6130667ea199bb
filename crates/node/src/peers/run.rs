//! Keeps exchange with every active peer running: one task for handing over and one for fetching per peer, started and
//! stopped as peers come and go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comity_store::{Peer, PeerState};
use futures_util::StreamExt as _;
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::backoff::Backoff;
use super::client::{Access, Client};
use super::pin::parse_fingerprint;
use super::pull::{self, Pulled};
use super::push::{self, PushError, Target};
use super::settings::{PeerSettings, read_secret};
use crate::app::App;
use crate::keys;

/// How exchange with a peer goes at the moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Health {
    /// The last time something worked, microseconds.
    pub last_success: Option<i64>,
    /// What went wrong last, if nothing worked since.
    pub last_error: Option<String>,
    /// When that was, microseconds.
    pub last_error_at: Option<i64>,
    /// What the last fetch brought.
    pub last_pull: Option<Pulled>,
}

/// What is known of all peers' health, and the bells by which commands wake their tasks.
#[derive(Default)]
pub struct Exchange {
    health: Mutex<HashMap<String, Health>>,
    bells: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Exchange {
    /// How exchange with a peer goes.
    #[must_use]
    pub fn health(&self, peer: &str) -> Health {
        self.health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(peer)
            .cloned()
            .unwrap_or_default()
    }

    /// Wakes the fetching of a peer now.
    pub fn wake(&self, peer: &str) {
        self.bell(peer).notify_one();
    }

    fn bell(&self, peer: &str) -> Arc<Notify> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(peer.to_owned()).or_default())
    }

    fn worked(&self, app: &App, peer: &str, pulled: Option<Pulled>) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let health = health.entry(peer.to_owned()).or_default();
        health.last_success = Some(app.clock.now_micros());
        health.last_error = None;
        health.last_pull = pulled.or(health.last_pull);
    }

    fn failed(&self, app: &App, peer: &str, error: &str) {
        tracing::warn!(
            peer,
            error,
            "exchange with a peer failed; it is tried again"
        );
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let health = health.entry(peer.to_owned()).or_default();
        health.last_error = Some(error.to_owned());
        health.last_error_at = Some(app.clock.now_micros());
    }
}

/// Prepares a peer for exchange.
///
/// # Errors
/// In words: what of its settings cannot be used.
pub fn target(app: &App, peer: &Arc<Peer>) -> Result<Target, String> {
    let settings: PeerSettings =
        serde_json::from_value(peer.settings.clone()).map_err(|error| error.to_string())?;
    let account = push::account_name(peer);
    let reader = app
        .reader(&account)
        .ok_or_else(|| PushError::NoAccount(account).to_string())?;
    let secret = read_secret(&app.config.dir, &peer.key).map_err(|error| error.to_string())?;
    let (certificate, key) = keys::tls_files(&app.config);
    let client = Client::new(&Access {
        fingerprint: peer.fingerprint.as_deref().and_then(parse_fingerprint),
        sign_in: &settings.sign_in,
        secret: &secret,
        certificate: Some((&certificate, &key)),
    })
    .map_err(|error| error.to_string())?;
    let routes = push::resolve(app, &settings.push);
    Ok(Target {
        peer: Arc::clone(peer),
        reader,
        routes,
        client,
        settings,
        content_length_max: tokio::sync::OnceCell::new(),
    })
}

/// Runs until `stop` says so, or its sender is gone.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut running: HashMap<String, (Arc<Peer>, Vec<JoinHandle<()>>)> = HashMap::new();
    let mut changed = app.catalog_changes();
    loop {
        let catalog = app.catalog();
        let active: HashMap<String, Arc<Peer>> = catalog
            .peers()
            .iter()
            .filter(|peer| peer.state == PeerState::Active)
            .map(|peer| (peer.key.clone(), Arc::clone(peer)))
            .collect();
        running.retain(|key, (peer, tasks)| {
            let same = active.get(key).is_some_and(|now| now == peer);
            if !same {
                tasks.iter().for_each(JoinHandle::abort);
            }
            same
        });
        for (key, peer) in active {
            running.entry(key).or_insert_with(|| {
                let tasks = vec![
                    tokio::spawn(keep_pushing(Arc::clone(&app), Arc::clone(&peer))),
                    tokio::spawn(keep_pulling(Arc::clone(&app), Arc::clone(&peer))),
                    tokio::spawn(keep_listening(Arc::clone(&app), Arc::clone(&peer))),
                ];
                (peer, tasks)
            });
        }
        tokio::select! {
            _ = stop.changed() => break,
            result = changed.changed() => if result.is_err() { break },
        }
    }
    for (_, tasks) in running.into_values() {
        tasks.iter().for_each(JoinHandle::abort);
        for task in tasks {
            // an aborted task is what was asked for
            let _aborted = task.await;
        }
    }
}

async fn keep_pushing(app: Arc<App>, peer: Arc<Peer>) {
    let mut backoff = Backoff::default();
    let mut batch_max = usize::MAX;
    let mut grown = app.sequencer.size();
    let mut catalog = app.catalog_changes();
    // kept while nothing changes in the catalog, and with it the connection to the peer
    let mut kept: Option<Target> = None;
    loop {
        grown.mark_unchanged();
        if catalog.has_changed().unwrap_or(true) {
            catalog.mark_unchanged();
            kept = None;
        }
        let step = match kept.take() {
            Some(target) => Ok(target),
            // nothing of ours is under way to this peer yet, so what was sent and not answered is from before
            None => prepare(&app, &peer).await,
        };
        let result = match step {
            Ok(target) => {
                let result = push_all(&app, &target, &mut batch_max).await;
                kept = Some(target);
                result
            }
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {
                backoff.reset();
                tokio::select! {
                    alive = grown.changed() => if alive.is_err() { return },
                    alive = catalog.changed() => {
                        if alive.is_err() { return }
                        kept = None;
                    }
                }
            }
            Err(error) => {
                app.exchange.failed(&app, &peer.key, &error);
                tokio::time::sleep(backoff.next(&*app.entropy)).await;
            }
        }
    }
}

async fn prepare(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Target, String> {
    let target = target(app, peer)?;
    let requeued = push::requeue_unanswered(app, &peer.key).await;
    requeued.map_err(|error| error.to_string())?;
    Ok(target)
}

/// Decides about new entries and sends what is due, until there is nothing left to do.
async fn push_all(app: &Arc<App>, target: &Target, batch_max: &mut usize) -> Result<(), String> {
    if target.routes.is_empty() {
        return Ok(());
    }
    loop {
        let queued = push::queue(app, target)
            .await
            .map_err(|error| error.to_string())?;
        let sent = push::send(app, target, batch_max)
            .await
            .map_err(|error| error.to_string())?;
        if queued + sent == 0 {
            return Ok(());
        }
        if sent > 0 {
            app.exchange.worked(app, &target.peer.key, None);
        }
    }
}

/// Nothing goes to or comes from a peer whose fingerprint nobody has compared, not even on command.
fn active(peer: &Peer) -> Result<(), String> {
    if peer.state == PeerState::Active {
        return Ok(());
    }
    Err(format!(
        "`{0}` is not active\n  help: `comity peer confirm {0} --fingerprint HEX` once the fingerprint was compared by voice",
        peer.key
    ))
}

/// Hands over to one peer now, for `comity peer push`.
///
/// # Errors
/// In words.
pub async fn push_now(app: &Arc<App>, peer: &Arc<Peer>) -> Result<usize, String> {
    active(peer)?;
    let before = app
        .store
        .delivery_counts(&peer.key)
        .map_err(|error| error.to_string())?;
    let target = prepare(app, peer).await?;
    push_all(app, &target, &mut usize::MAX.clone()).await?;
    let after = app
        .store
        .delivery_counts(&peer.key)
        .map_err(|error| error.to_string())?;
    let settled = |counts: &comity_store::DeliveryCounts| counts.accepted + counts.refused;
    Ok(usize::try_from(settled(&after).saturating_sub(settled(&before))).unwrap_or(usize::MAX))
}

/// Fetches from one peer now, once, for `comity peer pull`.
///
/// # Errors
/// In words.
pub async fn pull_now(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Pulled, String> {
    active(peer)?;
    let target = target(app, peer)?;
    let mut sum = Pulled::default();
    for (local, remote) in push::resolve(app, &target.settings.pull) {
        let pulled = pull::pull(app, &target, local, &remote)
            .await
            .map_err(|error| error.to_string())?;
        sum.pages += pulled.pages;
        sum.new += pulled.new;
        sum.known += pulled.known;
        sum.refused += pulled.refused;
    }
    app.exchange.worked(app, &peer.key, Some(sum));
    Ok(sum)
}

async fn keep_pulling(app: Arc<App>, peer: Arc<Peer>) {
    let mut backoff = Backoff::default();
    let bell = app.exchange.bell(&peer.key);
    loop {
        let settings: PeerSettings =
            serde_json::from_value(peer.settings.clone()).unwrap_or_default();
        if settings.pull.is_empty() {
            return;
        }
        let wait = match pull_now(&app, &peer).await {
            Ok(_) => {
                backoff.reset();
                if settings.poll_seconds == 0 {
                    Duration::from_secs(86_400)
                } else {
                    Duration::from_secs(settings.poll_seconds)
                }
            }
            Err(error) => {
                app.exchange.failed(&app, &peer.key, &error);
                backoff.next(&*app.entropy)
            }
        };
        // woken by an event of the peer, by a command, or by the time to poll
        let _either = tokio::time::timeout(wait, bell.notified()).await;
    }
}

/// Listens to a Comity peer's events, so that new records are fetched within a second. Other servers are polled.
async fn keep_listening(app: Arc<App>, peer: Arc<Peer>) {
    let settings: PeerSettings = serde_json::from_value(peer.settings.clone()).unwrap_or_default();
    if peer.kind != comity_store::PeerKind::Comity || settings.pull.is_empty() {
        return;
    }
    let mut backoff = Backoff::default();
    loop {
        if listen(&app, &peer, &mut backoff).await.is_err() {
            // no health entry: polling goes on without events
            tracing::debug!(peer = %peer.key, "the event stream of a peer ended");
        }
        tokio::time::sleep(backoff.next(&*app.entropy)).await;
    }
}

async fn listen(app: &Arc<App>, peer: &Arc<Peer>, backoff: &mut Backoff) -> Result<(), String> {
    let target = target(app, peer)?;
    let url = super::taxii::join(&peer.url, "api/v1/events").map_err(|error| error.to_string())?;
    let response = target
        .client
        .events(&url)
        .await
        .map_err(|error| error.to_string())?;
    backoff.reset();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| error.to_string())?;
        // an event of any kind means the log has grown; comments (lines that begin with `:`) only keep the line open
        if chunk
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(b"data:"))
        {
            app.exchange.wake(&peer.key);
        }
    }
    Ok(())
}
