//! How long to wait before a peer is tried again: doubling from a second to five minutes, with jitter, so that nodes that
//! lost the same peer do not all return at once.

use std::time::Duration;

use crate::entropy::Entropy;

/// Counts failures in a row.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

impl Backoff {
    /// It worked: start over.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed once more: how long to wait, between half and the whole of the doubled time.
    pub fn next(&mut self, entropy: &dyn Entropy) -> Duration {
        let doubled = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let random = crate::entropy::bytes::<1>(entropy).map_or(128, |[byte]| byte);
        doubled.mul_f64(0.5 + f64::from(random) / 510.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
            buffer.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn it_doubles_up_to_five_minutes_and_starts_over() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..12)
            .map(|_| backoff.next(&Fixed(255)).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        backoff.reset();
        assert_eq!(backoff.next(&Fixed(0)), Duration::from_millis(500));
    }
}
