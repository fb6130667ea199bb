//! Heads of a peer's log: each that is acted on is checked against the key on the peer's card and against the one before,
//! and becomes an entry of ours (the cross-link), so that neither side can later insert earlier entries. A log that went back
//! or split raises an alarm that keeps both heads.
//!
//! These heads (`peer_head`) are those on which records or receipts rest. What [`super::watch`] sees without any delivery it
//! keeps apart: more heads, and no entries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_ledger::Hash;
use comity_ledger::note::{SignedNote, VerifierKey};
use comity_ledger::verify::{self, TrustedLog, VerifiedCheckpoint};
use comity_store::{AlarmKind, Peer, ReadError, SeenHead};
use serde::{Deserialize, Serialize};

use super::alarm;
use super::client::ClientError;
use super::judge::{Finding, Source};
use crate::app::{AdminError, App, origin};
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
    /// An alarm could not be kept.
    #[error(transparent)]
    Admin(#[from] AdminError),
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

/// The header by which nodes tell each other how many entries of the other's log they know.
pub const HEAD_HEADER: &str = "comity-head";

/// Tries for a head that is taken: another delivery of ours, or of theirs, may have come between.
pub const HEAD_TRIES: u32 = 4;

/// How far a peer is told that it knows our log, while something with a head of ours goes to it. The first time after a start nobody
/// here knows: the peer answers 409 with what it knows, and gets the proof that the new head continues that.
#[derive(Debug, Default)]
pub struct Telling {
    /// What it said itself, to be shown to it.
    pub told: Option<u64>,
    tries: u32,
}

impl Telling {
    /// How many entries the next head is to be proved from.
    pub fn known(&mut self, app: &App, peer: &str) -> Option<u64> {
        self.tries += 1;
        app.exchange.acknowledged(peer)
    }

    /// Whether to try once more, since the peer said how much it knows.
    pub fn again(&mut self, app: &App, peer: &str, error: &ClientError) -> bool {
        match error {
            ClientError::Status {
                status: 409,
                known_head: Some(known),
                ..
            } if self.tries < HEAD_TRIES => {
                self.told = Some(*known);
                app.exchange.told(peer, *known);
                true
            }
            _ => false,
        }
    }
}

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

/// Raises an alarm with both heads if a peer's log went back or split, as watching does. Other errors are no alarms.
///
/// # Errors
/// When the register cannot be read or written.
pub async fn raise(
    app: &App,
    peer: &Peer,
    error: &HeadError,
    note: &[u8],
) -> Result<(), HeadError> {
    let kind = match error {
        HeadError::Rollback { .. } => AlarmKind::Rollback,
        HeadError::Split { .. } => AlarmKind::Split,
        _ => return Ok(()),
    };
    let kept = match app.store.peer_head(&peer.party)? {
        Some(head) => Some(head.note),
        None => app.store.cursor(&peer.key, SOURCE)?,
    };
    let finding = Finding {
        kind,
        source: Source::Peer,
        detail: error.to_string(),
        kept,
        shown: Some(String::from_utf8_lossy(note).into_owned()),
    };
    Ok(alarm::raise(app, peer, &finding).await?)
}

/// Where the last head of a peer was kept before heads were entries.
const SOURCE: &str = "log-head";

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
