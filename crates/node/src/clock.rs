//! Time as a parameter: the one place of the node that reads the system's clock.

use std::sync::Arc;
use std::time::Duration;

/// Gives the present. The node holds one behind an [`Arc`]; tests give a fake.
pub trait Clock: Send + Sync + 'static {
    /// Microseconds since 1970-01-01T00:00:00Z. May stand still or go back; who needs order keeps the last.
    fn now_micros(&self) -> i64;
    /// A monotonic reading for durations, since an arbitrary start.
    fn monotonic(&self) -> Duration;
}

/// A clock shared by all parts of a node.
pub type SharedClock = Arc<dyn Clock>;

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// Starts counting monotonic time now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge where time enters the node"
    )]
    pub fn new() -> Self {
        Self {
            started: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge where time enters the node"
    )]
    fn now_micros(&self) -> i64 {
        jiff::Timestamp::now().as_microsecond()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Microseconds as the RFC 3339 text TAXII wants: UTC, `Z`, exactly six fraction digits (TAXII 2.1 section 2, `timestamp`).
#[must_use]
pub fn micros_to_text(micros: i64) -> String {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(at) => format!("{at:.6}"),
        // outside jiff's range (years -9999..9999): cannot come from a clock, only from a damaged register
        Err(_) => "9999-12-31T23:59:59.999999Z".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_six_fraction_digits() {
        assert_eq!(micros_to_text(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            micros_to_text(1_622_678_400_000_001),
            "2021-06-03T00:00:00.000001Z"
        );
    }
}
