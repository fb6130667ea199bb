//! Heads of a peer's log: each that is acted on is checked against the key on the peer's card and against the one before,
//! and becomes an entry of ours (the cross-link), so that neither side can later insert earlier entries. A log that went back
//! or split raises an alarm that keeps both heads. `comity peer head` watches a log the same way, without any record.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_ledger::note::{SignedNote, VerifierKey};
use comity_ledger::tile::{Resource, TileId};
use comity_ledger::tree::{TileSource, consistency_proof};
use comity_ledger::verify::{self, TrustedLog, VerifiedCheckpoint};
use comity_ledger::{Hash, tile};
use comity_store::{NewAlarm, Op, Peer, ReadError, SeenHead};
use serde::{Deserialize, Serialize};
use serde_json::json;

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
    /// An older head than the one kept came, perhaps by another way; a newer one is asked for.
    #[error("a head of `{peer}` with {shown} entries came after one with {kept}")]
    Behind {
        /// The peer.
        peer: String,
        /// Entries of the head kept here.
        kept: u64,
        /// Entries of the one that came.
        shown: u64,
    },
    /// Nothing shows that the new head continues the one kept.
    #[error(
        "the head of `{peer}` comes without proof that it continues the one with {kept} entries"
    )]
    Unproved {
        /// The peer.
        peer: String,
        /// Entries of the head kept here.
        kept: u64,
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

/// The header by which nodes tell each other how many entries of the other's log they know.
pub const HEAD_HEADER: &str = "comity-head";

/// Tries for a head that is taken: another delivery of ours, or of theirs, may have come between.
pub const HEAD_TRIES: u32 = 4;

/// What a request says about how many entries of the sender's log, or ours, the other side knows.
#[must_use]
pub fn told(headers: &http::HeaderMap) -> Option<u64> {
    headers.get(HEAD_HEADER)?.to_str().ok()?.parse().ok()
}

/// What a sender puts beside a head to show that it continues an older one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    /// Entries of the older head.
    pub from: u64,
    /// The proof (RFC 6962 section 2.1.2), each hash in base64.
    pub path: Vec<String>,
}

impl Consistency {
    /// Of hashes.
    #[must_use]
    pub fn new(from: u64, path: &[Hash]) -> Self {
        Self {
            from,
            path: path.iter().map(|hash| STANDARD.encode(hash)).collect(),
        }
    }

    /// The hashes; `None` when one is none.
    #[must_use]
    pub fn hashes(&self) -> Option<Vec<Hash>> {
        hashes(&self.path)
    }
}

/// Hashes in base64, as they stand beside records.
#[must_use]
pub fn hashes(texts: &[String]) -> Option<Vec<Hash>> {
    texts
        .iter()
        .map(|text| {
            let bytes = STANDARD.decode(text).ok()?;
            Hash::try_from(bytes.as_slice()).ok()
        })
        .collect()
}

/// A peer's head that may be acted on.
pub struct Judged {
    /// The head.
    pub checkpoint: VerifiedCheckpoint,
    /// To be committed before what rests on it, when the head is newer than the one kept.
    pub seen: Option<SeenHead>,
}

/// The last head of a peer that was acted on; none if the peer has another key since.
///
/// # Errors
/// When the register cannot be read.
pub fn kept(
    app: &App,
    peer: &Peer,
    log: &TrustedLog,
) -> Result<Option<VerifiedCheckpoint>, ReadError> {
    let note = match app.store.peer_head(&peer.party)? {
        Some(head) => Some(head.note),
        // kept by versions that made no entry of it
        None => app.store.cursor(&peer.key, SOURCE)?,
    };
    Ok(note.and_then(|note| verify::checkpoint(log, note.as_bytes()).ok()))
}

/// How many entries of a peer's log are known here, to be told to it.
///
/// # Errors
/// When the register cannot be read.
pub fn known(app: &App, peer: &Peer) -> Result<Option<u64>, ReadError> {
    match trusted(peer) {
        Ok(log) => Ok(kept(app, peer, &log)?.map(|head| head.head().size())),
        Err(_) => Ok(None),
    }
}

/// Judges a head a peer shows. `told`: how many entries of its log the peer was told we know, when it made its answer.
/// Whoever calls this holds the peer's turn ([`super::run::Exchange::turn`]) until the head is committed.
///
/// # Errors
/// See [`HeadError`]; [`HeadError::Rollback`] and [`HeadError::Split`] are to be raised by [`raise`].
pub fn judge(
    app: &App,
    peer: &Peer,
    note: &[u8],
    consistency: Option<&Consistency>,
    told: Option<u64>,
) -> Result<Judged, HeadError> {
    let log = trusted(peer)?;
    let shown = verify::checkpoint(&log, note).map_err(|error| HeadError::Head {
        peer: peer.key.clone(),
        text: error.to_string(),
    })?;
    let name = || peer.key.clone();
    let Some(kept) = kept(app, peer, &log)? else {
        return Ok(Judged {
            seen: Some(seen(app, peer, &shown, note)?),
            checkpoint: shown,
        });
    };
    let (old, new) = (kept.head().size(), shown.head().size());
    if new < old {
        return Err(match told {
            // it knew that we know more, and still shows less
            Some(told) if told > new => HeadError::Rollback {
                peer: name(),
                seen: old,
                shown: new,
            },
            _ => HeadError::Behind {
                peer: name(),
                kept: old,
                shown: new,
            },
        });
    }
    let given = consistency.filter(|given| given.from == old && new > old);
    let path = match given {
        Some(given) => given.hashes().ok_or_else(|| HeadError::Unproved {
            peer: name(),
            kept: old,
        })?,
        None if new == old => Vec::new(),
        None => {
            return Err(HeadError::Unproved {
                peer: name(),
                kept: old,
            });
        }
    };
    verify::consistency(&kept, &shown, &path).map_err(|error| HeadError::Split {
        peer: name(),
        text: error.to_string(),
    })?;
    Ok(Judged {
        seen: if new > old {
            Some(seen(app, peer, &shown, note)?)
        } else {
            None
        },
        checkpoint: shown,
    })
}

fn seen(
    app: &App,
    peer: &Peer,
    shown: &VerifiedCheckpoint,
    note: &[u8],
) -> Result<SeenHead, HeadError> {
    Ok(SeenHead {
        party: peer.party.clone(),
        size: shown.head().size(),
        root: *shown.head().root(),
        text: shown.head().to_string(),
        note: String::from_utf8_lossy(note).into_owned(),
        salt: app.salt()?,
    })
}

/// Keeps what shows that a peer's log went back or split, for people: an entry with both heads. Other errors are no alarms.
///
/// # Errors
/// When the register cannot be read or written.
pub async fn raise(
    app: &App,
    peer: &Peer,
    error: &HeadError,
    note: &[u8],
    consistency: Option<&Consistency>,
) -> Result<(), HeadError> {
    let code = match error {
        HeadError::Rollback { .. } => "head.rollback",
        HeadError::Split { .. } => "head.split",
        _ => return Ok(()),
    };
    let kept = kept(app, peer, &trusted(peer)?)?;
    let kept = kept.map(|head| head.head().to_string());
    let note_kept = app.store.peer_head(&peer.party)?.map(|head| head.note);
    let evidence = json!({
        "kept": note_kept.or(kept), "shown": String::from_utf8_lossy(note), "consistency": consistency,
    });
    alarm(app, &peer.party, code, &error.to_string(), evidence).await?;
    Ok(())
}

/// Raises an alarm about a party: an entry of the log, a line for the operator, a number in the metrics.
///
/// # Errors
/// When the register cannot be written.
pub async fn alarm(
    app: &App,
    party: &str,
    code: &str,
    text: &str,
    evidence: serde_json::Value,
) -> Result<(), SubmitError> {
    tracing::error!(
        party,
        code,
        text,
        "ALARM; `comity alarm list` shows the evidence"
    );
    app.metrics.alarms_total.with_label_values(&[code]).inc();
    let alarm = NewAlarm {
        party: party.to_owned(),
        code: code.to_owned(),
        text: text.to_owned(),
        evidence,
        salt: app.salt()?,
    };
    app.sequencer
        .submit(vec![Op::Alarm(Box::new(alarm))])
        .await?;
    Ok(())
}

/// Where the last head of a peer was kept before heads were entries.
const SOURCE: &str = "log-head";

/// Fetches the newest head of a peer's log, checks it, and remembers it. An older head is never forgotten for one that does
/// not continue it.
///
/// # Errors
/// See [`HeadError`]; [`HeadError::Rollback`] and [`HeadError::Split`] are evidence of misbehaviour, and kept.
pub async fn watch(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Watched, HeadError> {
    let log = trusted(peer)?;
    let target = run::target(app, peer).map_err(HeadError::Target)?;
    let base = taxii::join(&peer.url, "api/v1/log/")?;
    let mut tries = 0;
    loop {
        tries += 1;
        let told = known(app, peer)?;
        let answer = target
            .client
            .get(&format!("{base}checkpoint"), "text/plain, */*", &[])
            .await?;
        let bad = |error: verify::VerifyError| HeadError::Head {
            peer: peer.key.clone(),
            text: error.to_string(),
        };
        let shown = verify::checkpoint(&log, &answer.body).map_err(bad)?;
        let consistency = match told {
            Some(old) if old < shown.head().size() => {
                fetched(&target.client, &base, peer, old, shown.head().size()).await?
            }
            _ => None,
        };
        let _turn = app.exchange.turn(&peer.party).await;
        // it was asked after we knew `told`, so whatever is older went back
        let judged = match judge(app, peer, &answer.body, consistency.as_ref(), told) {
            Ok(judged) => judged,
            // a newer head came by another way meanwhile
            Err(HeadError::Behind { .. } | HeadError::Unproved { .. }) if tries < HEAD_TRIES => {
                continue;
            }
            Err(error) => {
                raise(app, peer, &error, &answer.body, consistency.as_ref()).await?;
                return Err(error);
            }
        };
        if let Some(seen) = judged.seen {
            app.sequencer.submit(vec![Op::SeeHead(seen)]).await?;
        }
        return Ok(Watched {
            peer: peer.key.clone(),
            origin: log.origin,
            seen_before: told,
            size: shown.head().size(),
            consistent: true,
            note: String::from_utf8_lossy(&answer.body).into_owned(),
        });
    }
}

/// The log a peer's heads must be of, and the key on its card.
///
/// # Errors
/// [`HeadError::NoLog`].
pub fn trusted(peer: &Peer) -> Result<TrustedLog, HeadError> {
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

/// Whether two notes are of the same head, whoever else signed them.
#[must_use]
pub fn same_head(one: &SignedNote, other: &SignedNote) -> bool {
    one.text_unverified() == other.text_unverified()
}

/// Makes the consistency proof from the peer's own tiles; one that leads nowhere is itself the answer.
async fn fetched(
    client: &Client,
    base: &str,
    peer: &Peer,
    old: u64,
    new: u64,
) -> Result<Option<Consistency>, HeadError> {
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
    let path = tokio::task::spawn_blocking(move || consistency_proof(&tiles, old, new))
        .await
        .map_err(|error| split(error.to_string()))?;
    match path {
        Ok(path) => Ok(Some(Consistency::new(old, &path))),
        // the way to the tiles broke: nothing is shown by that
        Err(comity_ledger::tree::TreeError::Tile(_, error)) if error.is_passing() => {
            Err(error.into())
        }
        Err(error) => Err(split(error.to_string())),
    }
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
