//! A record of ours no longer holds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ControlError, ErrorKind};
use crate::app::App;
use crate::withdraw::{self, WithdrawError};

/// Which record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Withdraw {
    /// STIX identifier.
    pub id: String,
    /// Why; whoever has the record is told.
    #[serde(default)]
    pub reason: String,
}

pub(super) fn execute(
    app: &Arc<App>,
    actor: &str,
    command: &Withdraw,
) -> Result<Value, ControlError> {
    let verdict = withdraw::withdraw(app, actor, &command.id, &command.reason)?;
    if !verdict.fate.is_success() {
        return Err(ControlError::new(ErrorKind::Internal, verdict.fate.text()));
    }
    Ok(
        json!({ "id": verdict.id, "version": verdict.version, "result": "withdrawn", "text": verdict.fate.text() }),
    )
}

impl From<WithdrawError> for ControlError {
    fn from(error: WithdrawError) -> Self {
        match error {
            WithdrawError::Unknown(id) => {
                Self::not_found("record", &id).help("`comity search WORDS` finds records")
            }
            WithdrawError::Refused(text) => Self::forbidden(text),
            WithdrawError::Read(error) => error.into(),
            WithdrawError::Submit(error) => error.into(),
            WithdrawError::Splice(text) => Self::internal(text),
            other => Self::usage(other.to_string()),
        }
    }
}
