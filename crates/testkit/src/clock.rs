//! Time that moves only when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// 3 June 2021, 00:00 UTC: where fake time begins. Microseconds.
pub const START_MICROS: i64 = 1_622_678_400_000_000;

/// A clock that stands still. Clones show the same time.
#[derive(Clone, Debug)]
pub struct FakeClock {
    wall_micros: Arc<AtomicI64>,
    monotonic_micros: Arc<AtomicU64>,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self {
            wall_micros: Arc::new(AtomicI64::new(START_MICROS)),
            monotonic_micros: Arc::default(),
        }
    }
}

impl FakeClock {
    /// Microseconds since 1970 UTC.
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        self.wall_micros.load(Ordering::SeqCst)
    }

    /// Time since the clock was made, never going back.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        Duration::from_micros(self.monotonic_micros.load(Ordering::SeqCst))
    }

    /// Lets time pass on both readings.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.monotonic_micros.fetch_add(micros, Ordering::SeqCst);
        self.wall_micros
            .fetch_add(i64::try_from(micros).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Sets the wall clock, as an operator or a broken time source does: also back. The monotonic reading stays.
    pub fn set_wall(&self, micros: i64) {
        self.wall_micros.store(micros, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_when_told_and_may_go_back() {
        let clock = FakeClock::default();
        let same = clock.clone();
        clock.advance(Duration::from_millis(2));
        assert_eq!(same.now_micros(), START_MICROS + 2_000);
        clock.set_wall(0);
        assert_eq!(same.now_micros(), 0);
        assert_eq!(same.monotonic(), Duration::from_millis(2));
    }
}
