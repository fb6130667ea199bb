//! Taking receipts: each is verified against the keys pinned for the peer, and held against what this node really sent. One
//! that is false is refused with the reason and raises an alarm. While an alarm about the peer is open none is taken: the
//! peer keeps them, and one that is late for that reason says so by its own time.

use std::sync::Arc;

use comity_ledger::note::{SignedNote, VerifierKey};
use comity_ledger::proof::Proof;
use comity_ledger::receipt::{self, Receipt, VerifiedReceipt};
use comity_ledger::verify::TrustedLog;
use comity_stix::timestamp::Timestamp;
use comity_store::{
    AlarmKind, EntryKind, NewReceipt, Op, Outcome as Stored, Peer, Progress, ReadError, Record, Seq,
};

use super::{Answer, Batch, Outcome, State};
use crate::app::{AdminError, App, origin};
use crate::limits::RECEIPTS_MAX;
use crate::peers::client::ClientError;
use crate::peers::head::{self, HEAD_HEADER, HeadError};
use crate::peers::judge::{Finding, Source};
use crate::peers::push::Target;
use crate::peers::{admin, alarm, run, taxii};
use crate::release::{Visible, visible};
use crate::sequencer::SubmitError;

/// Why nothing of a delivery of receipts was taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The giver's log.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register cannot be written.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The giver cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The key of its receipts is not known.
    #[error(
        "no key of the receipts of `{0}` is known: {1}\n  help: repeat `comity peer add` with its fingerprint"
    )]
    Key(String, String),
    /// An alarm could not be kept.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// An alarm about the giver is open.
    #[error("{0}")]
    Paused(String),
    /// More than are taken at once, or one that cannot be read at all.
    #[error("{0}")]
    Shape(String),
}

/// Takes receipts of `peer`. `told`: how many entries of its log it knows that we know.
///
/// # Errors
/// See [`TakeError`]; then nothing was taken. A single receipt that is not true is refused in the answer.
pub async fn take(
    app: &Arc<App>,
    peer: Arc<Peer>,
    batch: Batch,
    told: Option<u64>,
) -> Result<Answer, TakeError> {
    if batch.receipts.len() > RECEIPTS_MAX {
        return Err(TakeError::Shape(format!(
            "{} receipts, at most {RECEIPTS_MAX} are taken at once",
            batch.receipts.len()
        )));
    }
    let Some(first) = batch.receipts.first() else {
        return Ok(Answer::default());
    };
    if let Some(why) = run::paused(app, &peer.key) {
        return Err(TakeError::Paused(why));
    }
    let peer = with_key(app, peer).await?;
    let key = receipt_key(&peer)?;
    let log = head::trusted(&peer)?;
    let checkpoint = Proof::parse(first.proof.as_bytes())
        .map_err(|error| TakeError::Shape(format!("the first proof cannot be read: {error}")))?
        .checkpoint()
        .clone();
    let note = checkpoint.to_string();
    let _turn = app.exchange.turn(&peer.party).await;
    let judged = head::judge(
        app,
        &peer,
        note.as_bytes(),
        batch.consistency.as_ref(),
        told,
    );
    let judged = match judged {
        Ok(judged) => judged,
        Err(error) => {
            head::raise(app, &peer, &error, note.as_bytes()).await?;
            return Err(error.into());
        }
    };
    let worker = (Arc::clone(app), Arc::clone(&peer), batch.clone());
    let verdicts = tokio::task::spawn_blocking(move || {
        let (app, peer, batch) = worker;
        let judge = Judge {
            app: &app,
            peer: &peer,
            keys: &[key],
            log: &log,
            head: &checkpoint,
        };
        let verdicts = batch.receipts.iter().map(|item| judge.one(item));
        verdicts.collect::<Result<Vec<_>, ReadError>>()
    })
    .await
    .map_err(|error| ReadError::Damaged(error.to_string()))??;
    keep(app, &peer, &batch, judged.seen.map(Op::SeeHead), verdicts).await
}

/// Commits the head and what is true; what is false is refused and raises an alarm.
async fn keep(
    app: &App,
    peer: &Peer,
    batch: &Batch,
    first: Option<Op>,
    verdicts: Vec<Result<NewReceipt, String>>,
) -> Result<Answer, TakeError> {
    let skip = usize::from(first.is_some());
    let mut ops: Vec<Op> = first.into_iter().collect();
    for receipt in verdicts.iter().flatten() {
        ops.push(Op::Receipt(Box::new(receipt.clone())));
    }
    let outcomes = app.sequencer.submit(ops).await?;
    let mut outcomes = outcomes.into_iter().skip(skip);
    let mut answer = Answer::default();
    for (item, verdict) in batch.receipts.iter().zip(verdicts) {
        let (state, reason) = match verdict {
            Ok(receipt) => match outcomes.next() {
                Some(Stored::Receipt { fresh: true, .. }) => {
                    let event = format!("{:02x}", receipt.event.code());
                    app.metrics
                        .receipts_total
                        .with_label_values(&[event.as_str()])
                        .inc();
                    (State::Stored, None)
                }
                Some(Stored::Receipt { .. }) => (State::Known, None),
                other => (State::Refused, Some(format!("it was not kept: {other:?}"))),
            },
            Err(reason) => {
                let text = format!("a receipt of `{}` is not true: {reason}", peer.key);
                let finding = Finding {
                    kind: AlarmKind::FalseReceipt,
                    source: Source::Peer,
                    detail: text,
                    kept: None,
                    shown: Some(format!("{}\n{}", item.note, item.proof)),
                };
                alarm::raise(app, peer, &finding).await?;
                (State::Refused, Some(reason))
            }
        };
        answer.results.push(Outcome {
            entry: item.entry,
            state,
            reason,
        });
    }
    Ok(answer)
}

/// The key pinned for a peer's receipts.
fn receipt_key(peer: &Peer) -> Result<VerifierKey, TakeError> {
    let text = peer.receipt_key.as_deref().unwrap_or_default();
    VerifierKey::parse(text).map_err(|error| TakeError::Key(peer.key.clone(), error.to_string()))
}

/// A peer that was added before receipts were has none yet: its card is asked for, over the pinned connection.
async fn with_key(app: &Arc<App>, peer: Arc<Peer>) -> Result<Arc<Peer>, TakeError> {
    if peer.receipt_key.is_some() {
        return Ok(peer);
    }
    admin::learn_receipt_key(app, &peer)
        .await
        .map_err(|error| TakeError::Key(peer.key.clone(), error.to_string()))
}

/// What every receipt of a delivery is held against.
struct Judge<'a> {
    app: &'a App,
    peer: &'a Peer,
    keys: &'a [VerifierKey],
    log: &'a TrustedLog,
    head: &'a SignedNote,
}

impl Judge<'_> {
    /// The receipt as it is kept, or why it is not true.
    fn one(&self, item: &super::Item) -> Result<Result<NewReceipt, String>, ReadError> {
        let verified = receipt::verify(
            self.keys,
            self.log,
            item.note.as_bytes(),
            item.proof.as_bytes(),
        );
        let verified = match verified {
            Ok(verified) => verified,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let same = Proof::parse(item.proof.as_bytes())
            .is_ok_and(|proof| head::same_head(proof.checkpoint(), self.head));
        if !same {
            return Ok(Err("it is not under the head of the first".to_owned()));
        }
        if verified.receipt().entry != item.entry {
            return Ok(Err("it is of another entry than it says".to_owned()));
        }
        Ok(self.own(&verified)?.map(|seq| {
            let said = verified.receipt();
            NewReceipt {
                party: self.peer.party.clone(),
                entry: said.entry,
                event: said.event.event(),
                seq,
                time_micros: i64::try_from(said.time_micros).unwrap_or(i64::MAX),
                label: said.label.clone(),
                reason: said.reason.clone(),
                note: item.note.clone(),
                proof: item.proof.clone(),
            }
        }))
    }

    /// Which record of ours the receipt is for: entry, leaf, identifier, version and content must be its own.
    fn own(&self, verified: &VerifiedReceipt) -> Result<Result<Seq, String>, ReadError> {
        let said = verified.receipt();
        if said.sender != origin(self.app.party.as_str()) {
            return Ok(Err(format!("it is for the log `{}`", said.sender)));
        }
        let store = &self.app.store;
        let change = store.changes(said.sender_entry, 1)?.into_iter().next();
        let ours = change
            .filter(|change| change.entry_index == said.sender_entry)
            .filter(|change| change.kind == EntryKind::Record);
        let Some(seq) = ours.and_then(|change| change.seq) else {
            return Ok(Err(format!(
                "our entry {} is not about a record",
                said.sender_entry
            )));
        };
        if store.leaf(said.sender_entry)? != said.sender_leaf {
            return Ok(Err(format!(
                "our entry {} has another leaf",
                said.sender_entry
            )));
        }
        Ok(match store.record(seq)? {
            Some(record) => self.same(said, &record)?.map(|()| seq),
            None => self.was(said, seq)?.map(|()| seq),
        })
    }

    fn same(&self, said: &Receipt, record: &Record) -> Result<Result<(), String>, ReadError> {
        if said.record != record.id || key(&said.version) != record.version_key {
            return Ok(Err("it names another record than our entry".to_owned()));
        }
        if said.content_sha256 == record.content_sha256 || self.part(said, record)? {
            return Ok(Ok(()));
        }
        Ok(Err("it is for other contents than were sent".to_owned()))
    }

    /// Where parts were left out for this peer, the receipt is for what it got.
    fn part(&self, said: &Receipt, record: &Record) -> Result<bool, ReadError> {
        use sha2::Digest as _;
        if !record.granular {
            return Ok(false);
        }
        let account = crate::peers::push::account_name(self.peer);
        let Some(reader) = self.app.reader(&account) else {
            return Ok(false);
        };
        let seen = visible(
            &self.app.release,
            &reader,
            record.label_set,
            true,
            &record.bytes,
        )?;
        let Visible::Redacted(bytes) = seen else {
            return Ok(false);
        };
        let limits = comity_stix::json::Limits::default();
        let canonical = comity_stix::canonical::canonical_bytes(&bytes, &limits);
        Ok(canonical.is_ok_and(|canonical| {
            comity_ledger::Hash::from(sha2::Sha256::digest(&canonical)) == said.content_sha256
        }))
    }

    /// A record deleted since: what stays of it must fit.
    fn was(&self, said: &Receipt, seq: Seq) -> Result<Result<(), String>, ReadError> {
        let stones = self.app.store.tombstones(&said.record)?;
        let fits = stones.iter().any(|stone| {
            stone.seq == seq
                && stone.version_key == key(&said.version)
                && stone.content_sha256 == said.content_sha256
        });
        Ok(if fits {
            Ok(())
        } else {
            Err("it names another record than our entry, or other contents".to_owned())
        })
    }
}

fn key(version: &str) -> String {
    Timestamp::parse(version)
        .map(|at| at.key().to_owned())
        .unwrap_or_default()
}

/// Where fetching of receipts stands, per peer.
const SOURCE: &str = "receipts";

/// Fetches receipts a peer has for us and could not post. Returns how many there were.
///
/// # Errors
/// See [`TakeError`]; what was taken before stays.
pub async fn collect(app: &Arc<App>, target: &Target) -> Result<usize, TakeError> {
    let peer = &target.peer;
    let mut count = 0;
    loop {
        let after = app.store.cursor(&peer.key, SOURCE)?;
        let query = after
            .as_ref()
            .map_or_else(String::new, |after| format!("?after={after}"));
        let url = taxii::join(&peer.url, &format!("api/v1/receipts{query}"))?;
        let told = head::known(app, peer)?;
        let known = told.unwrap_or(0).to_string();
        let asked = [(HEAD_HEADER, known.as_str())];
        let asked = if told.is_some() { &asked[..] } else { &[] };
        let answer = target.client.get(&url, "application/json", asked).await?;
        let batch: Batch = taxii::parse(&url, &answer.body)?;
        let Some(last) = batch.receipts.iter().map(|item| item.entry).max() else {
            return Ok(count);
        };
        let moved = after.as_deref().and_then(|after| after.parse().ok());
        if moved.is_some_and(|after: u64| last <= after) {
            return Err(TakeError::Shape(
                "the receipts fetched are not after those fetched before".to_owned(),
            ));
        }
        count += batch.receipts.len();
        take(app, Arc::clone(peer), batch, told).await?;
        let progress = Progress::Cursor {
            peer: peer.key.clone(),
            source: SOURCE.to_owned(),
            value: Some(last.to_string()),
        };
        app.sequencer.submit(vec![Op::Progress(progress)]).await?;
    }
}

/// [`collect`] by command.
///
/// # Errors
/// In words.
pub async fn collect_now(app: &Arc<App>, peer: &Arc<Peer>) -> Result<usize, String> {
    let target = run::target(app, peer)?;
    collect(app, &target)
        .await
        .map_err(|error| error.to_string())
}
