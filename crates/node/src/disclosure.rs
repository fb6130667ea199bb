//! What was handed to whom: one log entry for each page that goes to another organisation.

use std::sync::Arc;
use std::time::Duration;

use comity_access::Reader;
use comity_stix::marking::Tlp;
use comity_store::{Disclose, LabelSetId, Op, Outcome, Peer, ReadError, Seq};
use tokio::sync::watch;

use crate::app::App;
use crate::peers::inbound::comity_peer;
use crate::peers::settings::PeerSettings;
use crate::sequencer::SubmitError;

/// Why a page must not leave.
#[derive(Debug, thiserror::Error)]
pub enum DisclosureError {
    /// The disclosure could not be made durable.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register would not log it.
    #[error("the disclosure was not logged: {0}")]
    Rejected(String),
}

/// Disclosures of pages that left before their note was on disk.
#[derive(Debug)]
pub struct Notes {
    under_way: watch::Sender<usize>,
}

impl Default for Notes {
    fn default() -> Self {
        Self {
            under_way: watch::Sender::new(0),
        }
    }
}

impl Notes {
    /// Returns when every note is on disk, or lost for good and told so. A soft stop waits for it.
    pub async fn settled(&self) {
        let mut under_way = self.under_way.subscribe();
        // the sender is our own, so this cannot fail
        let _settled = under_way.wait_for(|count| *count == 0).await;
    }

    fn crowded(&self) -> bool {
        *self.under_way.borrow() >= UNDER_WAY_MAX
    }
}

/// Beyond so many, a page waits for its note like one of TLP:AMBER.
const UNDER_WAY_MAX: usize = 1_024;
/// How long until a note that was not taken is tried again; doubling, up to the second.
const AGAIN_FIRST: Duration = Duration::from_millis(50);
const AGAIN_LONGEST: Duration = Duration::from_secs(2);

/// Notes that `records` are handed to `reader`. For TLP:AMBER and stricter this returns after the note is on disk, so the
/// bytes must leave only then; for the rest the note follows with the next batch (DESIGN section 4), and is tried until it is
/// on disk. When the register takes no writes, nothing leaves. The party's own staff read without a note. `proved`: they go
/// with proofs to a node that owes a receipt for each.
///
/// # Errors
/// When the note could not be made: the page must not leave.
pub async fn disclose(
    app: &Arc<App>,
    reader: &Reader,
    records: &[(Seq, LabelSetId)],
    proved: bool,
) -> Result<(), DisclosureError> {
    if *reader.party() == app.party || records.is_empty() {
        return Ok(());
    }
    let mut strict = app.notes.crowded()
        || app.metrics.register_full.get() != 0
        || app.sequencer.failed().is_some();
    let mut last = None;
    for (_, label_set) in records {
        if last != Some(*label_set) {
            strict |= app.release.label(*label_set)?.tlp() >= Tlp::Amber;
            last = Some(*label_set);
        }
    }
    let note = Op::Disclose(Disclose {
        reader_party: reader.party().as_str().to_owned(),
        principal: reader.principal().as_str().to_owned(),
        records: records.iter().map(|(seq, _)| *seq).collect(),
        awaited: if proved {
            awaited(app, reader, records)?
        } else {
            None
        },
        salt: app.salt()?,
    });
    if strict {
        return match app.sequencer.submit(vec![note]).await?.into_iter().next() {
            Some(Outcome::Rejected(fault)) => Err(DisclosureError::Rejected(fault.to_string())),
            _ => Ok(()),
        };
    }
    app.notes.under_way.send_modify(|count| *count += 1);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(why) = keep(&app, &note).await {
            app.metrics.disclosures_lost_total.inc();
            tracing::error!(%why, disclosure = ?note, "a disclosure of TLP:GREEN or TLP:CLEAR records is not in the log, only in this line");
        }
        app.notes
            .under_way
            .send_modify(|count| *count = count.saturating_sub(1));
    });
    Ok(())
}

/// For which of the records a receipt is awaited, and until when. Nobody owes one for a record of their own.
fn awaited(
    app: &App,
    reader: &Reader,
    records: &[(Seq, LabelSetId)],
) -> Result<Option<(Vec<Seq>, i64)>, ReadError> {
    let Some(peer) = comity_peer(app, reader) else {
        return Ok(None);
    };
    let mut from = Vec::with_capacity(records.len());
    for (seq, label_set) in records {
        if app.release.label(*label_set)?.originator() != reader.party() {
            from.push(*seq);
        }
    }
    Ok((!from.is_empty()).then(|| (from, due(app, &peer))))
}

/// By when a receipt of this peer is expected for what goes there now, microseconds.
#[must_use]
pub fn due(app: &App, peer: &Peer) -> i64 {
    let settings: PeerSettings = serde_json::from_value(peer.settings.clone()).unwrap_or_default();
    let within = settings.receipt_within_seconds.saturating_mul(1_000_000);
    app.clock
        .now_micros()
        .saturating_add(i64::try_from(within).unwrap_or(i64::MAX))
}

/// Tries until the note is on disk, or never can be.
async fn keep(app: &App, note: &Op) -> Result<(), String> {
    let mut wait = AGAIN_FIRST;
    loop {
        match app.sequencer.submit(vec![note.clone()]).await {
            Ok(outcomes) => {
                return match outcomes.into_iter().next() {
                    Some(Outcome::Rejected(fault)) => Err(fault.to_string()),
                    _ => Ok(()),
                };
            }
            Err(error @ (SubmitError::Failed(_) | SubmitError::Stopping)) => {
                return Err(error.to_string());
            }
            // busy, full, or a failure that may pass
            Err(error) => {
                tracing::warn!(%error, "a disclosure is not logged yet; it is tried again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(AGAIN_LONGEST);
            }
        }
    }
}
