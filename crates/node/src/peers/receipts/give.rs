//! Giving receipts: what is owed is signed and posted in order; a peer that cannot be reached fetches it instead.

use std::sync::Arc;

use comity_ledger::receipt::{Receipt, ReceiptEvent};
use comity_store::{Answered, Op, Progress, ReadError};

use super::{Batch, Item, State};
use crate::app::{App, origin};
use crate::limits::RECEIPTS_MAX;
use crate::peers::client::ClientError;
use crate::peers::head::{Consistency, Telling};
use crate::peers::push::Target;
use crate::peers::taxii;
use crate::proof::Prover;
use crate::sequencer::SubmitError;

/// Why giving stopped for now.
#[derive(Debug, thiserror::Error)]
pub enum GiveError {
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register cannot be written.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The peer cannot be reached, or takes no receipts.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Posts the receipts that are owed to a peer, oldest first. Returns how many it answered for.
/// CRASH POINT: posted and not noted as taken, they go again, and the other side knows them.
///
/// # Errors
/// See [`GiveError`]; what was not answered for is owed as before.
pub async fn give(app: &Arc<App>, target: &Target) -> Result<usize, GiveError> {
    let party = &target.peer.party;
    let owed = app.store.answers_owed(party, RECEIPTS_MAX)?;
    if owed.is_empty() {
        return Ok(0);
    }
    let url = taxii::join(&target.peer.url, "api/v1/receipts")?;
    let mut telling = Telling::default();
    loop {
        let known = telling.known(app, &target.peer.key);
        let worker = (Arc::clone(app), owed.clone());
        let (batch, unfit, size) =
            tokio::task::spawn_blocking(move || batch(&worker.0, &worker.1, known))
                .await
                .map_err(|error| ReadError::Damaged(error.to_string()))??;
        settle(app, party, unfit).await?;
        if batch.receipts.is_empty() {
            return Ok(owed.len());
        }
        let body =
            serde_json::to_vec(&batch).map_err(|error| ReadError::Damaged(error.to_string()))?;
        match target.client.post_json(&url, body, telling.told).await {
            Err(error) if telling.again(app, &target.peer.key, &error) => {}
            Err(error) => return Err(error.into()),
            Ok(answer) => {
                app.exchange.acknowledge(&target.peer.key, size);
                let answer: super::Answer = taxii::parse(&url, &answer.body)?;
                let asked = |entry: u64| batch.receipts.iter().any(|item| item.entry == entry);
                let settled = answer.results.into_iter().filter(|one| asked(one.entry));
                let settled: Vec<_> = settled
                    .map(|one| {
                        let refused = one.state == State::Refused;
                        (one.entry, refused.then(|| one.reason.unwrap_or_default()))
                    })
                    .collect();
                if settled.is_empty() {
                    return Err(ClientError::Answer {
                        url,
                        text: "it names none of the receipts it was given".to_owned(),
                    }
                    .into());
                }
                let count = settled.len();
                settle(app, party, settled).await?;
                return Ok(count);
            }
        }
    }
}

/// Notes which receipts were taken and which refused, with the other side's words.
async fn settle(
    app: &App,
    party: &str,
    settled: Vec<(u64, Option<String>)>,
) -> Result<(), SubmitError> {
    let (mut taken, mut ops) = (Vec::new(), Vec::new());
    for (entry, words) in settled {
        match words {
            None => taken.push(entry),
            Some(words) => {
                tracing::warn!(party, entry, words, "a receipt was refused");
                ops.push(Op::Progress(Progress::Settle {
                    party: party.to_owned(),
                    entries: vec![entry],
                    words: Some(words),
                }));
            }
        }
    }
    if !taken.is_empty() {
        ops.push(Op::Progress(Progress::Settle {
            party: party.to_owned(),
            entries: taken,
            words: None,
        }));
    }
    if !ops.is_empty() {
        app.sequencer.submit(ops).await?;
    }
    Ok(())
}

/// Entries that can have no receipt, with the reason.
type Unfit = Vec<(u64, Option<String>)>;

/// Signs receipts and proves their entries, all under the newest head; with the proof that it continues the one with `known`
/// entries. What cannot be signed would stand in the way of the rest for ever, so it is given back with the reason.
///
/// # Errors
/// When the register cannot be read.
pub fn batch(
    app: &App,
    owed: &[Answered],
    known: Option<u64>,
) -> Result<(Batch, Unfit, u64), ReadError> {
    let mut prover = Prover::new(&app.store)?;
    let (mut receipts, mut unfit) = (Vec::with_capacity(owed.len()), Vec::new());
    for answered in owed {
        let Some(salt) = answered.salt else {
            let gone = "the record was erased, and its salt with it".to_owned();
            unfit.push((answered.entry_index, Some(gone)));
            continue;
        };
        match signed(app, answered) {
            Ok(note) => {
                let proof = prover.proof(answered.entry_index, &answered.entry, Some(salt))?;
                receipts.push(Item {
                    entry: answered.entry_index,
                    note,
                    proof: proof.to_string(),
                });
            }
            Err(reason) => unfit.push((answered.entry_index, Some(reason))),
        }
    }
    let consistency = match known.filter(|from| *from < prover.size()) {
        Some(from) => Some(Consistency::new(from, &prover.consistency(from)?)),
        None => None,
    };
    let batch = Batch {
        consistency,
        receipts,
    };
    Ok((batch, unfit, prover.size()))
}

/// The signed receipt for one answer.
///
/// # Errors
/// Why it cannot be signed.
pub fn signed(app: &App, answered: &Answered) -> Result<String, String> {
    let event = ReceiptEvent::ALL
        .into_iter()
        .find(|event| event.event() == answered.event)
        .ok_or_else(|| format!("{} is no event of a receipt", answered.event.name()))?;
    let entry =
        comity_ledger::entry::Entry::decode(&answered.entry).map_err(|error| error.to_string())?;
    let receipt = Receipt {
        event,
        record: answered.id.clone(),
        version: answered.version.clone(),
        content_sha256: answered.content_sha256,
        sender: answered.sender.clone(),
        sender_entry: answered.sender_entry,
        sender_leaf: answered.sender_leaf,
        receiver: origin(app.party.as_str()),
        entry: answered.entry_index,
        time_micros: entry.time_micros,
        label: answered.label.clone(),
        reason: event
            .needs_reason()
            .then(|| answered.reason.clone().unwrap_or_default()),
    };
    let note = receipt
        .sign(&app.receipt_signer)
        .map_err(|error| error.to_string())?;
    Ok(note.to_string())
}
