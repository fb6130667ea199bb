//! What did not come in time: one entry per record and party says so, and the sender's own proof stands alone.

use comity_store::{Expire, Op, Outcome, ReadError};

use crate::app::App;
use crate::sequencer::SubmitError;

/// Why it could not be looked.
#[derive(Debug, thiserror::Error)]
pub enum ExpireError {
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register cannot be written.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

/// Looked at in one transaction.
const STEP: usize = 500;

/// Logs what was due by now and did not come. Returns how many.
///
/// # Errors
/// See [`ExpireError`].
pub async fn expire(app: &App) -> Result<usize, ExpireError> {
    let mut count = 0;
    for party in app.store.receipt_parties()? {
        loop {
            let now = app.clock.now_micros();
            let due = app.store.awaited_due(&party, now, STEP)?;
            if due.is_empty() {
                break;
            }
            let mut ops = Vec::with_capacity(due.len());
            for one in &due {
                ops.push(Op::Expire(Expire {
                    party: party.clone(),
                    seq: one.seq,
                    salt: app.salt()?,
                }));
            }
            let outcomes = app.sequencer.submit(ops).await?;
            let logged = outcomes
                .iter()
                .filter(|outcome| matches!(outcome, Outcome::Logged { .. }))
                .count();
            if logged == 0 {
                break;
            }
            tracing::warn!(
                party,
                records = logged,
                "receipts did not come in the agreed time"
            );
            app.metrics.receipts_expired_total.inc_by(logged as u64);
            count += logged;
        }
    }
    Ok(count)
}
