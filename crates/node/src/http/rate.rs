//! How often one source may ask, and how often it may fail to sign in.
//!
//! Both count by source, never by account: nobody can lock another one out by guessing at their name.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::limits::{LOCKOUT_FAILURES_MAX, LOCKOUT_WINDOW};

/// Requests by source.
pub struct Rate {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
}

impl Rate {
    /// `per_second` on average, bursts of ten times as many.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let average = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(per_second.saturating_mul(10)).unwrap_or(NonZeroU32::MIN);
        Self {
            limiter: RateLimiter::keyed(Quota::per_second(average).allow_burst(burst)),
        }
    }

    /// Whether `source` may ask now.
    #[must_use]
    pub fn allows(&self, source: IpAddr) -> bool {
        self.limiter.check_key(&source).is_ok()
    }

    /// Forgets sources that have been quiet; called now and then.
    pub fn forget_quiet(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// Failed log-ins by source.
#[derive(Default)]
pub struct Lockout {
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Duration,
}

/// Most sources remembered; beyond it those that failed least are forgotten first.
const SOURCES_MAX: usize = 65_536;

impl Lockout {
    /// How long `source` must wait before another password is tried; `None` when it may try now. `now` is monotonic.
    #[must_use]
    pub fn wait(&self, source: IpAddr, now: Duration) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let known = failures.get(&source)?;
        let passed = now.saturating_sub(known.since);
        (known.count >= LOCKOUT_FAILURES_MAX && passed < LOCKOUT_WINDOW)
            .then(|| LOCKOUT_WINDOW - passed)
    }

    /// Counts a failure.
    pub fn failed(&self, source: IpAddr, now: Duration) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= SOURCES_MAX {
            failures.retain(|_, known| {
                known.count >= LOCKOUT_FAILURES_MAX
                    && now.saturating_sub(known.since) < LOCKOUT_WINDOW
            });
        }
        let known = failures.entry(source).or_insert(Failures {
            count: 0,
            since: now,
        });
        if now.saturating_sub(known.since) >= LOCKOUT_WINDOW {
            *known = Failures {
                count: 0,
                since: now,
            };
        }
        known.count = known.count.saturating_add(1);
        if known.count == LOCKOUT_FAILURES_MAX {
            // the wait counts from the failure that brought it
            known.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_waits_after_too_many_failures_and_no_other_does() {
        let lockout = Lockout::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let second = Duration::from_secs(1);
        for count in 0..LOCKOUT_FAILURES_MAX {
            assert_eq!(lockout.wait(one, second * count), None);
            lockout.failed(one, second * count);
        }
        let last = second * (LOCKOUT_FAILURES_MAX - 1);
        assert_eq!(lockout.wait(one, last), Some(LOCKOUT_WINDOW));
        assert_eq!(lockout.wait(other, last), None);
        assert_eq!(lockout.wait(one, last + LOCKOUT_WINDOW), None);
    }

    #[test]
    fn bursts_pass_and_floods_do_not() {
        let rate = Rate::new(5);
        let source = IpAddr::from([192, 0, 2, 1]);
        let passed = (0..200).filter(|_| rate.allows(source)).count();
        assert!((50..100).contains(&passed), "{passed}");
        assert!(rate.allows(IpAddr::from([192, 0, 2, 2])));
    }
}
