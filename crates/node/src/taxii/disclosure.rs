//! Records that leave for another party are noted in the log: TLP:AMBER and stricter before the bytes leave, the rest at
//! once beside them.

use std::sync::Arc;

use comity_store::{Disclose, Op};

use super::page::Released;
use crate::app::App;
use crate::http::auth::Caller;
use crate::http::error::Result;

/// Notes that `caller` gets `released`. Does nothing for the node's own party.
///
/// # Errors
/// 503 or 500 when a disclosure that must be durable first cannot be written: then nothing may leave.
pub async fn record(app: &Arc<App>, caller: &Caller, released: &Released) -> Result<()> {
    if released.records.is_empty() || caller.reader.party() == &app.party {
        return Ok(());
    }
    let op = Op::Disclose(Disclose {
        reader_party: caller.reader.party().as_str().to_owned(),
        principal: caller.name().to_owned(),
        records: released.records.clone(),
        salt: app.salt()?,
    });
    if released.durable {
        app.sequencer.submit(vec![op]).await?;
        return Ok(());
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = app.sequencer.submit(vec![op]).await {
            tracing::error!(%error, "a disclosure below TLP:AMBER could not be logged");
        }
    });
    Ok(())
}
