//! A copy of the register is made beside the node; that it was made is for the log.

use comity_store::Admin;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ControlError;
use crate::app::App;

/// A copy was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupMade {
    /// Log size of the copy.
    pub size: u64,
    /// Whether the keys are with it.
    pub with_keys: bool,
}

pub(super) fn execute(app: &App, actor: &str, made: &BackupMade) -> Result<Value, ControlError> {
    let note = json!({ "backup": { "log_size": made.size, "with_keys": made.with_keys } });
    app.administer_blocking(actor, Admin::Note(note.clone()))?;
    Ok(note)
}
