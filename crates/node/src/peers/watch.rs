//! Watching a peer's log: its heads, fetched from its witnesses and from itself, checked by [`super::judge`] against the key
//! on its card, the witnesses our operator named for it, and every head kept before. The log can only grow, and whoever
//! writes history anew, shows two of them or hides the newest is caught here. It needs no record: an observer does it too.
//!
//! The heads kept here (`watched_head`) are no entries of ours, for there may be one every ten seconds; those on which
//! something rests are [`super::head`]'s. `comity peer forget-heads` lets both begin anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comity_ledger::tile::{Resource, TileId};
use comity_ledger::tree::TileSource;
use comity_ledger::verify::{self, TrustedLog};
use comity_ledger::{Hash, tile};
use comity_store::{Op, Peer, Progress, ReadError, WatchedHead};
use futures_util::future::join_all;
use serde::Serialize;

use super::client::{Client, ClientError};
use super::head::{HeadError, trusted};
use super::judge::{self, Judgement, Known, KnownHead, Shown, Source};
use super::{alarm, run, taxii};
use crate::app::{AdminError, App};
use crate::sequencer::SubmitError;
use crate::witnesses::{Witnesses, WitnessesError};

/// Why a peer's log could not be looked at. What is wrong with the log itself is an alarm.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no log to look at.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Nobody could be asked.
    #[error("neither `{peer}` nor its witnesses show its log: {text}")]
    Silent {
        /// The peer.
        peer: String,
        /// Each source with its error.
        text: String,
    },
    /// The policy of its witnesses.
    #[error(transparent)]
    Policy(#[from] WitnessesError),
    /// Its URL.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something of ours is not ready.
    #[error("{0}")]
    Target(String),
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register cannot be written.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// An alarm could not be kept.
    #[error(transparent)]
    Admin(#[from] AdminError),
}

/// A peer's log as it was found.
#[derive(Clone, Debug, Serialize)]
pub struct Watched {
    /// The peer.
    pub peer: String,
    /// Its origin line.
    pub origin: String,
    /// Entries it had when we looked before.
    pub seen_before: Option<u64>,
    /// Entries of the newest head that holds.
    pub size: u64,
    /// All heads shown are one log that grows.
    pub consistent: bool,
    /// Entries under the newest head that a quorum of its witnesses cosigned.
    pub witnessed: Option<u64>,
    /// Who showed a head.
    pub sources: Vec<String>,
    /// What is wrong, in words.
    pub problems: Vec<String>,
    /// What could not be asked or compared.
    pub silent: Vec<String>,
    /// The newest head that holds.
    pub note: String,
}

/// What is remembered of watching between two looks.
#[derive(Default)]
pub struct Watching {
    began: Mutex<HashMap<String, u64>>,
}

impl Watching {
    /// When watching this log began, seconds.
    fn since(&self, origin: &str, now_seconds: u64) -> u64 {
        let mut began = self.began.lock().unwrap_or_else(PoisonError::into_inner);
        *began.entry(origin.to_owned()).or_insert(now_seconds)
    }
}

/// Where the last head of a peer was kept by earlier versions.
const CURSOR: &str = "log-head";
/// All sources together have this long.
const LOOK_TIME_MAX: Duration = Duration::from_secs(5);

/// Fetches the newest heads of a peer's log, checks and keeps them, and raises an alarm for what is wrong. A head is never
/// forgotten for one that does not continue it.
///
/// # Errors
/// See [`WatchError`].
pub async fn watch(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Watched, WatchError> {
    let log = trusted(peer)?;
    let target = run::target(app, peer).map_err(WatchError::Target)?;
    let base = taxii::join(&peer.url, "api/v1/log/")?;
    let witnesses = app
        .catalog()
        .peer_policy(&peer.key)
        .map(|text| Witnesses::parse(text.as_bytes(), &log))
        .transpose()?;
    let (shown, silent) = gather(&target.client, &base, &log, witnesses.as_ref()).await;
    if shown.is_empty() {
        return Err(WatchError::Silent {
            peer: peer.key.clone(),
            text: silent.join("; "),
        });
    }
    let tiles = Tiles {
        client: target.client.clone(),
        base,
        runtime: tokio::runtime::Handle::current(),
    };
    settle(app, peer, log, witnesses, shown, silent, tiles).await
}

/// Asks the witnesses first and the peer after them, so that the peer cannot be older for lack of time.
async fn gather(
    client: &Client,
    base: &str,
    log: &TrustedLog,
    witnesses: Option<&Witnesses>,
) -> (Vec<Shown>, Vec<String>) {
    let (mut shown, mut silent) = (Vec::new(), Vec::new());
    let sites = witnesses.map_or(&[][..], |it| it.sites.as_slice());
    let asked = sites.iter().map(|site| async {
        let newest = site.client.newest(&log.origin).await;
        (site.name.clone(), newest)
    });
    for (name, newest) in join_all(asked).await {
        match newest {
            Ok(Some(note)) => shown.push(Shown {
                source: Source::Witness(name),
                note,
            }),
            Ok(None) => silent.push(format!("witness `{name}` has cosigned nothing of this log")),
            Err(error) => silent.push(error.to_string()),
        }
    }
    for (path, source) in [
        ("witnessed", Source::PeerWitnessed),
        ("checkpoint", Source::Peer),
    ] {
        let url = format!("{base}{path}");
        let answer = tokio::time::timeout(LOOK_TIME_MAX, client.get(&url, "text/plain, */*", &[]));
        match answer.await {
            Ok(Ok(answer)) => shown.push(Shown {
                source,
                note: answer.body,
            }),
            Ok(Err(ClientError::Status { status: 404, .. })) if path == "witnessed" => {}
            Ok(Err(error)) => silent.push(error.to_string()),
            Err(_late) => silent.push(format!("`{url}` gave no answer in time")),
        }
    }
    (shown, silent)
}

/// Judges what was shown, keeps what holds and raises what does not.
///
/// # Errors
/// See [`WatchError`].
pub async fn settle<T>(
    app: &Arc<App>,
    peer: &Arc<Peer>,
    log: TrustedLog,
    witnesses: Option<Witnesses>,
    shown: Vec<Shown>,
    mut silent: Vec<String>,
    tiles: impl TilesOf<T>,
) -> Result<Watched, WatchError>
where
    T: TileSource,
    T::Error: std::fmt::Display,
{
    let now_seconds = u64::try_from(app.clock.now_micros() / 1_000_000).unwrap_or(0);
    let newest = newest(app, peer, &log)?;
    let seen_before = newest.as_ref().map(|it| it.checkpoint.head().size());
    let since_seconds = app.watching.since(&log.origin, now_seconds);
    let sources = shown.iter().map(|one| one.source.name()).collect();
    let origin = log.origin.clone();
    let judging = tokio::task::spawn_blocking(move || {
        let known = Known {
            log: &log,
            policy: witnesses.as_ref().map(|it| &it.policy),
            newest,
            since_seconds,
            now_seconds,
        };
        judge::judge(&known, &shown, |size| tiles.of(size))
    });
    let judgement = judging
        .await
        .map_err(|error| WatchError::Target(error.to_string()))?;
    keep(app, &origin, &judgement).await?;
    for finding in &judgement.findings {
        alarm::raise(app, peer, finding).await?;
    }
    let newest = app.store.watched_head(&origin)?;
    silent.extend(judgement.unproven);
    Ok(Watched {
        peer: peer.key.clone(),
        origin,
        seen_before,
        size: newest.as_ref().map_or(0, |head| head.size),
        consistent: judgement.findings.is_empty(),
        witnessed: judgement.witnessed.map(|(size, _)| size),
        sources,
        problems: judgement.findings.into_iter().map(|it| it.detail).collect(),
        silent,
        note: newest.map(|head| head.note).unwrap_or_default(),
    })
}

/// The newest head kept; one that an earlier version kept elsewhere counts.
fn newest(app: &App, peer: &Peer, log: &TrustedLog) -> Result<Option<KnownHead>, ReadError> {
    let (note, by_peer) = match app.store.watched_head(&log.origin)? {
        Some(head) => (head.note, head.source == Source::Peer.name()),
        None => match app.store.cursor(&peer.key, CURSOR)? {
            Some(note) => (note, true),
            None => return Ok(None),
        },
    };
    // one under a key the peer had before says nothing under the new one
    Ok(verify::checkpoint(log, note.as_bytes())
        .ok()
        .map(|checkpoint| KnownHead {
            checkpoint,
            note,
            by_peer,
        }))
}

async fn keep(app: &App, origin: &str, judgement: &Judgement) -> Result<(), WatchError> {
    let mut ops = Vec::new();
    for head in &judgement.good {
        let known = app.store.watched_head_at(origin, head.size)?;
        let cosigned = i64::try_from(head.cosigned_seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000);
        // a look that brings nothing new writes nothing
        if known.is_none_or(|known| known.cosigned < cosigned) {
            ops.push(Op::Progress(Progress::Watched(WatchedHead {
                origin: origin.to_owned(),
                size: head.size,
                root: head.root,
                note: head.note.clone(),
                source: head.source.name(),
                cosigned,
            })));
        }
    }
    if !ops.is_empty() {
        app.sequencer.submit(ops).await?;
    }
    Ok(())
}

/// Tiles of a log at a size.
pub trait TilesOf<T>: Send + 'static {
    /// Those of the tree with `size` entries.
    fn of(&self, size: u64) -> T;
}

/// A peer's tiles. They are not trusted: what is computed from them must lead to signed roots.
struct Tiles {
    client: Client,
    base: String,
    runtime: tokio::runtime::Handle,
}

struct RemoteTiles {
    client: Client,
    base: String,
    size: u64,
    runtime: tokio::runtime::Handle,
}

impl TilesOf<RemoteTiles> for Tiles {
    fn of(&self, size: u64) -> RemoteTiles {
        RemoteTiles {
            client: self.client.clone(),
            base: self.base.clone(),
            size,
            runtime: self.runtime.clone(),
        }
    }
}

impl TileSource for RemoteTiles {
    type Error = ClientError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, ClientError> {
        // the tile as it is in the tree of the head: a server may have dropped narrower ones (tlog-tiles, "partial tiles")
        let id =
            TileId::in_tree(level, index, self.size).or_else(|| TileId::new(level, index, width));
        let Some(id) = id else { return Ok(Vec::new()) };
        let url = format!("{}{}", self.base, Resource::Tile(id));
        let answer =
            self.runtime
                .block_on(self.client.get(&url, "application/octet-stream, */*", &[]))?;
        let hashes = tile::hashes(&answer.body).map_err(|error| ClientError::Answer {
            url,
            text: error.to_string(),
        })?;
        Ok(hashes.to_vec())
    }
}
