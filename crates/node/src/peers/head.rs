//! Watching a peer's log: its newest signed head, checked against the key on its card and against the head seen before. What
//! an observer does who may see no record: the log can only grow, and whoever wrote history anew is caught here.

use std::sync::Arc;

use comity_ledger::note::VerifierKey;
use comity_ledger::tile::{Resource, TileId};
use comity_ledger::tree::{TileSource, consistency_proof};
use comity_ledger::verify::{self, TrustedLog, VerifiedCheckpoint};
use comity_ledger::{Hash, tile};
use comity_store::{Op, Peer, Progress, ReadError};
use serde::Serialize;

use super::client::{Client, ClientError};
use super::{run, taxii};
use crate::app::{App, origin};
use crate::sequencer::SubmitError;

/// Why a peer's log could not be checked, or what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// It is no Comity node, or its card had no key.
    #[error("`{0}` has no log we know the key of")]
    NoLog(String),
    /// The peer cannot be asked.
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
    /// The head is not signed by the key we know, or not of this log.
    #[error("the head `{peer}` shows is not its log's: {text}")]
    Head {
        /// The peer.
        peer: String,
        /// What is wrong.
        text: String,
    },
    /// The log is shorter than it was.
    #[error(
        "the log of `{peer}` went back from {seen} to {shown} entries\n  help: keep both heads; ask the other side by voice"
    )]
    Rollback {
        /// The peer.
        peer: String,
        /// Entries it had.
        seen: u64,
        /// Entries it shows.
        shown: u64,
    },
    /// The new head does not continue the old one.
    #[error(
        "the log of `{peer}` does not continue the one seen before: {text}\n  help: keep both heads; ask the other side by voice"
    )]
    Split {
        /// The peer.
        peer: String,
        /// What does not hold.
        text: String,
    },
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
    /// Entries now.
    pub size: u64,
    /// The newer head continues the older one, entry by entry.
    pub consistent: bool,
    /// The signed head.
    pub note: String,
}

/// Where the last head of a peer is kept.
const SOURCE: &str = "log-head";

/// Fetches the newest head of a peer's log, checks it, and remembers it. An older head is never forgotten for one that does
/// not continue it.
///
/// # Errors
/// See [`HeadError`]; [`HeadError::Rollback`] and [`HeadError::Split`] are evidence of misbehaviour.
pub async fn watch(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Watched, HeadError> {
    let log = trusted(peer)?;
    let target = run::target(app, peer).map_err(HeadError::Target)?;
    let base = taxii::join(&peer.url, "api/v1/log/")?;
    let answer = target
        .client
        .get(&format!("{base}checkpoint"), "text/plain, */*", &[])
        .await?;
    let bad = |error: verify::VerifyError| HeadError::Head {
        peer: peer.key.clone(),
        text: error.to_string(),
    };
    let shown = verify::checkpoint(&log, &answer.body).map_err(bad)?;
    let kept = app.store.cursor(&peer.key, SOURCE)?;
    let seen = kept
        .map(|note| verify::checkpoint(&log, note.as_bytes()))
        .transpose()
        .map_err(bad)?;
    if let Some(seen) = &seen {
        continues(peer, &target.client, &base, seen, &shown).await?;
    }
    let note = String::from_utf8_lossy(&answer.body).into_owned();
    let progress = Progress::Cursor {
        peer: peer.key.clone(),
        source: SOURCE.to_owned(),
        value: Some(note.clone()),
    };
    app.sequencer.submit(vec![Op::Progress(progress)]).await?;
    Ok(Watched {
        peer: peer.key.clone(),
        origin: log.origin,
        seen_before: seen.map(|seen| seen.head().size()),
        size: shown.head().size(),
        consistent: true,
        note,
    })
}

fn trusted(peer: &Peer) -> Result<TrustedLog, HeadError> {
    let key = peer
        .log_key
        .as_deref()
        .and_then(|key| VerifierKey::parse(key).ok());
    let key = key.ok_or_else(|| HeadError::NoLog(peer.key.clone()))?;
    Ok(TrustedLog {
        origin: origin(&peer.party),
        keys: vec![key],
    })
}

async fn continues(
    peer: &Peer,
    client: &Client,
    base: &str,
    seen: &VerifiedCheckpoint,
    shown: &VerifiedCheckpoint,
) -> Result<(), HeadError> {
    let (old, new) = (seen.head().size(), shown.head().size());
    if new < old {
        return Err(HeadError::Rollback {
            peer: peer.key.clone(),
            seen: old,
            shown: new,
        });
    }
    let tiles = RemoteTiles {
        client: client.clone(),
        base: base.to_owned(),
        size: new,
        runtime: tokio::runtime::Handle::current(),
    };
    let split = |text: String| HeadError::Split {
        peer: peer.key.clone(),
        text,
    };
    let path = tokio::task::spawn_blocking(move || {
        consistency_proof(&tiles, old, new).map_err(|error| error.to_string())
    })
    .await
    .map_err(|error| split(error.to_string()))?
    .map_err(split)?;
    verify::consistency(seen, shown, &path).map_err(|error| split(error.to_string()))
}

/// A peer's tiles over HTTP. Not trusted: the proof made from them must lead to the signed root.
struct RemoteTiles {
    client: Client,
    base: String,
    size: u64,
    runtime: tokio::runtime::Handle,
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
