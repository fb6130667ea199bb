//! What was handed to whom: one log entry for each page that goes to another organisation.

use std::sync::Arc;

use comity_access::Reader;
use comity_stix::marking::Tlp;
use comity_store::{Disclose, LabelSetId, Op, Outcome, ReadError, Seq};

use crate::app::App;
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

/// Notes that `records` are handed to `reader`. For TLP:AMBER and stricter this returns after the note is on disk, so the
/// bytes must leave only then; for the rest the note follows with the next batch (DESIGN section 4). The party's own staff
/// read without a note.
///
/// # Errors
/// When the note could not be made: the page must not leave.
pub async fn disclose(
    app: &Arc<App>,
    reader: &Reader,
    records: &[(Seq, LabelSetId)],
) -> Result<(), DisclosureError> {
    if *reader.party() == app.party || records.is_empty() {
        return Ok(());
    }
    let mut strict = false;
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
        salt: app.salt()?,
    });
    if strict {
        return match app.sequencer.submit(vec![note]).await?.into_iter().next() {
            Some(Outcome::Rejected(fault)) => Err(DisclosureError::Rejected(fault.to_string())),
            _ => Ok(()),
        };
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = app.sequencer.submit(vec![note]).await {
            tracing::error!(%error, "a disclosure of TLP:GREEN or TLP:CLEAR records could not be logged");
        }
    });
    Ok(())
}
