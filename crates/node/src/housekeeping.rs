//! What must be done now and then: drop TAXII statuses after their 24 hours (TAXII 2.1 section 4.3), remove contents of
//! destroyed exhibits that a crash left behind.

use std::sync::Arc;
use std::time::Duration;

use comity_store::{Op, Progress};
use tokio::sync::watch;

use crate::app::App;

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// Runs until `stop` says so, or its sender is gone.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = ticks.tick() => {}
        }
        let expire = Op::Progress(Progress::Expire {
            now: app.clock.now_micros(),
        });
        if let Err(error) = app.sequencer.submit(vec![expire]).await {
            tracing::warn!(%error, "what has expired could not be dropped; it is tried again");
        }
        if let Err(error) = crate::evidence::sweep::remove_doomed_async(&app).await {
            tracing::warn!(%error, "contents of destroyed exhibits are still there; it is tried again");
        }
    }
}
