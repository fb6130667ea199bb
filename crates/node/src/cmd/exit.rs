//! Exit codes with meaning; the table in docs/CLI.md is this file.

use crate::control::{ControlError, ErrorKind};

/// Done, nothing to report.
pub(crate) const DONE: u8 = 0;
/// The command ran, and something was found: an invalid object, a refused or conflicting one, a damaged register.
pub(crate) const FOUND: u8 = 1;
/// The command could not be carried out: wrong use, a file that cannot be read, no node.
pub(crate) const UNABLE: u8 = 2;
/// What was asked for is not there, or not for this reader.
pub(crate) const MISSING: u8 = 3;
/// A rule forbids it.
pub(crate) const FORBIDDEN: u8 = 4;
/// The node is busy, starting or stopping, or another server does not answer: try again.
pub(crate) const BUSY: u8 = 5;

/// The exit code of an error.
pub(crate) fn code_of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<ControlError>().map(|error| error.kind) {
        Some(ErrorKind::NotFound) => MISSING,
        Some(ErrorKind::Forbidden) => FORBIDDEN,
        Some(ErrorKind::Busy | ErrorKind::Unreachable) => BUSY,
        _ => UNABLE,
    }
}

/// [`FOUND`] when something was.
pub(crate) fn found(any: bool) -> u8 {
    if any { FOUND } else { DONE }
}
