//! Writes that fail where they are told to. A crate calls its hook at every named point where a crash or a failing disk
//! would matter (`before commit`, `after commit`, ...); in production there is no hook.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// The hook as `store` takes it.
pub type Hook = Arc<dyn Fn(&str) -> Result<(), io::Error> + Send + Sync>;

/// Remembers which points were passed, and fails at one of them. Clones are the same plan.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    passed: Vec<String>,
    counts: BTreeMap<String, usize>,
    fail: Option<(String, usize)>,
}

impl FaultPlan {
    /// Fails the `nth` time (counted from 1, from now on) `point` is passed; once.
    pub fn fail_at(&self, point: &str, nth: usize) {
        let mut inner = self.lock();
        inner.counts.clear();
        inner.fail = Some((point.to_owned(), nth));
    }

    /// The names of all points passed so far, in order.
    #[must_use]
    pub fn passed(&self) -> Vec<String> {
        self.lock().passed.clone()
    }

    /// Whether the fault that was asked for has happened.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.lock().fail.is_none()
    }

    /// What to hand to the code under test.
    #[must_use]
    pub fn hook(&self) -> Hook {
        let plan = self.clone();
        Arc::new(move |point| plan.pass(point))
    }

    fn pass(&self, point: &str) -> Result<(), io::Error> {
        let mut inner = self.lock();
        inner.passed.push(point.to_owned());
        let count = inner.counts.entry(point.to_owned()).or_default();
        *count += 1;
        let count = *count;
        if inner
            .fail
            .as_ref()
            .is_some_and(|(at, nth)| at == point && *nth == count)
        {
            inner.fail = None;
            return Err(io::Error::other(format!("fault injected at `{point}`")));
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fails_once_where_it_was_told() {
        let plan = FaultPlan::default();
        plan.fail_at("commit", 2);
        let hook = plan.hook();
        assert!(hook("begin").is_ok());
        assert!(hook("commit").is_ok());
        assert!(!plan.has_failed());
        assert!(hook("commit").is_err());
        assert!(hook("commit").is_ok());
        assert!(plan.has_failed());
        assert_eq!(plan.passed(), ["begin", "commit", "commit", "commit"]);
    }
}
