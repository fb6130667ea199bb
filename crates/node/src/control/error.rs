//! Why an act was not carried out, with the kind that becomes an exit code or an HTTP status.

use comity_store::{Fault, ReadError};
use serde::{Deserialize, Serialize};

use crate::app::{AdminError, AppError};
use crate::sequencer::SubmitError;

/// Why an act was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlError {
    /// What kind of failure, for the exit code and the HTTP status.
    pub kind: ErrorKind,
    /// What is wrong: lower case, input in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The command itself is wrong.
    Usage,
    /// What it names is not there.
    NotFound,
    /// A rule forbids it.
    Forbidden,
    /// Something else has that name.
    Taken,
    /// Try again.
    Busy,
    /// Another server does not answer as it should.
    Unreachable,
    /// The node failed.
    Internal,
}

impl ControlError {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            help: None,
        }
    }

    /// The command itself is wrong.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// There is no `what` called `name`.
    #[must_use]
    pub fn not_found(what: &str, name: &str) -> Self {
        Self::new(ErrorKind::NotFound, format!("no {what} `{name}`"))
    }

    /// A rule forbids it.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, message)
    }

    /// The node failed.
    #[must_use]
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, error.to_string())
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl std::fmt::Display for ControlError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(formatter, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ControlError {}

impl From<ReadError> for ControlError {
    fn from(error: ReadError) -> Self {
        let usage = matches!(
            error,
            ReadError::BadSearch(_) | ReadError::TooBroad | ReadError::OutOfRange(_)
        );
        Self::new(
            if usage {
                ErrorKind::Usage
            } else {
                ErrorKind::Internal
            },
            error.to_string(),
        )
    }
}

impl From<SubmitError> for ControlError {
    fn from(error: SubmitError) -> Self {
        let kind = match error {
            SubmitError::Busy | SubmitError::Stopping => ErrorKind::Busy,
            SubmitError::Batch(_) => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<AdminError> for ControlError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Fault(fault) => {
                let kind = match &fault {
                    Fault::Taken { .. } => ErrorKind::Taken,
                    Fault::Unknown { .. }
                    | Fault::UnknownCollection(_)
                    | Fault::UnknownRecord(_) => ErrorKind::NotFound,
                    _ => ErrorKind::Usage,
                };
                Self::new(kind, fault.to_string())
            }
            AdminError::Submit(error) => error.into(),
            AdminError::Read(error) => error.into(),
        }
    }
}

impl From<AppError> for ControlError {
    fn from(error: AppError) -> Self {
        Self::internal(error)
    }
}
