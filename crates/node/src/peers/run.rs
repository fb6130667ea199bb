//! Keeps exchange with every active peer running: one task for handing over and one for fetching per peer, started and
//! stopped as peers come and go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comity_store::{Peer, PeerKind, PeerState};
use futures_util::StreamExt as _;
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::backoff::Backoff;
use super::client::{Access, Client};
use super::pin::parse_fingerprint;
use super::pull::{self, Pulled};
use super::push::{self, PushError, Target};
use super::receipts::expire::expire;
use super::receipts::give::give;
use super::receipts::take;
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
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Entries of our log that each peer is known to know.
    acknowledged: Mutex<HashMap<String, u64>>,
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

    /// Waits for the turn at something only one may do at a time: to act on heads of a party's log, so that each is held
    /// against the one before (the party's name), or to hand over to a peer ([`push::position_name`]).
    pub async fn turn(&self, what: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(what.to_owned()).or_default())
        };
        turn.lock_owned().await
    }

    /// How many entries of our log a peer is known to know.
    #[must_use]
    pub fn acknowledged(&self, peer: &str) -> Option<u64> {
        let known = self
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.get(peer).copied()
    }

    /// A peer has acted on our head with `size` entries.
    pub fn acknowledge(&self, peer: &str, size: u64) {
        let mut known = self
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let last = known.entry(peer.to_owned()).or_default();
        *last = size.max(*last);
    }

    /// A peer says how many entries of our log it knows: perhaps fewer than before, when it forgot.
    pub fn told(&self, peer: &str, size: u64) {
        let mut known = self
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(peer.to_owned(), size);
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
    let expiring = tokio::spawn(keep_expiring(Arc::clone(&app)));
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
                    tokio::spawn(keep_giving(Arc::clone(&app), Arc::clone(&peer))),
                    tokio::spawn(keep_collecting(Arc::clone(&app), Arc::clone(&peer))),
                    tokio::spawn(keep_watching(Arc::clone(&app), Arc::clone(&peer))),
                ];
                (peer, tasks)
            });
        }
        tokio::select! {
            _ = stop.changed() => break,
            result = changed.changed() => if result.is_err() { break },
        }
    }
    let tasks = running.into_values().map(|(_, tasks)| tasks);
    for tasks in tasks.chain([vec![expiring]]) {
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
                // after a failure what was sent and perhaps not answered is looked for first
                kept = result.is_ok().then_some(target);
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
                    // what waits for its time is due without anything happening here
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                }
            }
            Err(error) => {
                app.exchange.failed(&app, &peer.key, &error);
                tokio::time::sleep(backoff.next(&*app.entropy)).await;
            }
        }
    }
}

/// How often it is looked for what is due again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

async fn prepare(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Target, String> {
    let target = target(app, peer)?;
    // what another task has under way is not queued again
    let _turn = app.exchange.turn(&push::position_name(&peer.key)).await;
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
        // one at a time, the command beside the task: what one has under way the other must not send too
        let _turn = app
            .exchange
            .turn(&push::position_name(&target.peer.key))
            .await;
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

/// Why nothing is taken from a peer at the moment, in words. What is for it still goes out: a duty to tell does not end
/// because its log is in doubt.
#[must_use]
pub fn paused(app: &App, peer: &str) -> Option<String> {
    let catalog = app.catalog();
    let alarm = catalog.pausing(peer)?;
    let (id, kind) = (alarm.id, alarm.raised.kind.word());
    Some(format!(
        "nothing is taken from `{peer}`: alarm {id} ({kind}) is open\n  help: `comity alarms show {id}`; an officer acknowledges it"
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

/// Hands over one record now, for `comity peer push --record`.
///
/// # Errors
/// [`PushError::Kept`] when a rule keeps the record; inside, in words, when the peer cannot be used at all.
pub async fn hand_over_now(
    app: &Arc<App>,
    peer: &Arc<Peer>,
    seq: comity_store::Seq,
) -> Result<Result<(), PushError>, String> {
    active(peer)?;
    let target = target(app, peer)?;
    let _turn = app.exchange.turn(&push::position_name(&peer.key)).await;
    Ok(push::hand_over(app, &target, seq).await)
}

/// Fetches from one peer now, once, for `comity peer pull`.
///
/// # Errors
/// In words.
pub async fn pull_now(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Pulled, String> {
    active(peer)?;
    if let Some(why) = paused(app, &peer.key) {
        return Err(why);
    }
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

/// Gives a Comity peer the receipts it is owed, as they come to be owed.
async fn keep_giving(app: Arc<App>, peer: Arc<Peer>) {
    if peer.kind != PeerKind::Comity {
        return;
    }
    let mut backoff = Backoff::default();
    let mut grown = app.sequencer.size();
    let mut kept: Option<Target> = None;
    loop {
        grown.mark_unchanged();
        match give_all(&app, &peer, &mut kept).await {
            Ok(()) => {
                backoff.reset();
                // what gathers meanwhile goes together
                tokio::time::sleep(GATHER).await;
                if grown.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                kept = None;
                app.exchange.failed(&app, &peer.key, &error);
                tokio::time::sleep(backoff.next(&*app.entropy)).await;
            }
        }
    }
}

/// A receipt may wait so long for others: nobody waits for it by the clock.
const GATHER: Duration = Duration::from_millis(100);

async fn give_all(
    app: &Arc<App>,
    peer: &Arc<Peer>,
    kept: &mut Option<Target>,
) -> Result<(), String> {
    let nothing = app
        .store
        .answers_owed(&peer.party, 1)
        .map_err(|error| error.to_string())?
        .is_empty();
    if nothing {
        return Ok(());
    }
    let target = match kept.take() {
        Some(target) => target,
        None => target(app, peer)?,
    };
    while give(app, &target)
        .await
        .map_err(|error| error.to_string())?
        > 0
    {}
    *kept = Some(target);
    Ok(())
}

/// Fetches receipts that are awaited and were not posted: perhaps the peer cannot reach us.
async fn keep_collecting(app: Arc<App>, peer: Arc<Peer>) {
    if peer.kind != PeerKind::Comity {
        return;
    }
    let settings: PeerSettings = serde_json::from_value(peer.settings.clone()).unwrap_or_default();
    let every = Duration::from_secs(settings.poll_seconds.max(COLLECT_SECONDS_MIN));
    loop {
        tokio::time::sleep(every).await;
        let since = app.clock.now_micros().saturating_sub(micros(every));
        let waits = app
            .store
            .awaited_open(&peer.party, 1)
            .is_ok_and(|open| open.iter().any(|one| one.since < since));
        if waits && let Err(error) = take::collect_now(&app, &peer).await {
            tracing::debug!(peer = %peer.key, error, "receipts could not be fetched");
        }
    }
}

/// Shortest time between two questions for receipts.
const COLLECT_SECONDS_MIN: u64 = 10;

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Logs receipts that did not come in time.
async fn keep_expiring(app: Arc<App>) {
    let mut ticks = tokio::time::interval(EXPIRE_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = expire(&app).await {
            tracing::warn!(%error, "receipts that did not come could not be logged; it is tried again");
        }
    }
}

/// How often it is looked for receipts that did not come.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);

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

/// Looks at a Comity peer's log again and again. What is wrong with it is an alarm; what cannot be asked is asked again.
async fn keep_watching(app: Arc<App>, peer: Arc<Peer>) {
    let every = app.config.watch_seconds.value.unwrap_or_default();
    if peer.kind != comity_store::PeerKind::Comity || every == 0 {
        return;
    }
    let mut failing = false;
    loop {
        match super::watch::watch(&app, &peer).await {
            Ok(_) => failing = false,
            // once: a peer that is down is told by the exchange already
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(peer = %peer.key, %error, "the log of a peer could not be looked at; it is tried again");
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_secs(every)).await;
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
