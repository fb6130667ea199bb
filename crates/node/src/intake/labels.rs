//! How many new label sets one delivery, and one party, may bring: every reader's pages are decided over all there are.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use comity_store::ReadError;

use super::admission::Denied;
use crate::app::App;
use crate::handling::Source;
use crate::limits::{LABEL_SETS_NEW_MAX, LABEL_SETS_PER_PARTY_MAX, LABEL_SETS_WINDOW};

/// New label sets of other parties within the window, by party.
#[derive(Default)]
pub struct Introduced {
    by_party: Mutex<HashMap<String, (Duration, usize)>>,
}

impl Introduced {
    /// Counts one more of `party`; false when it has brought too many. `now` is monotonic.
    fn count(&self, party: &str, now: Duration) -> bool {
        let mut by_party = self.by_party.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = by_party.entry(party.to_owned()).or_insert((now, 0));
        if now.saturating_sub(*since) >= LABEL_SETS_WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= LABEL_SETS_PER_PARTY_MAX
    }
}

/// The new label sets of one delivery.
pub(super) struct NewLabels<'a> {
    app: &'a App,
    source: &'a Source,
    taken: HashSet<String>,
    known: HashSet<String>,
}

impl<'a> NewLabels<'a> {
    pub(super) fn new(app: &'a App, source: &'a Source) -> Self {
        Self {
            app,
            source,
            taken: HashSet::new(),
            known: HashSet::new(),
        }
    }

    /// Whether a record may come in under this label.
    pub(super) fn take(&mut self, text: &str) -> Result<Result<(), Denied>, ReadError> {
        if self.known.contains(text) || self.taken.contains(text) {
            return Ok(Ok(()));
        }
        if self.app.release.has(text)? {
            self.known.insert(text.to_owned());
            return Ok(Ok(()));
        }
        let foreign = self.source.party != self.app.party;
        let now = self.app.clock.monotonic();
        let room = self.taken.len() < LABEL_SETS_NEW_MAX
            && (!foreign || self.app.introduced.count(self.source.party.as_str(), now));
        if room {
            self.taken.insert(text.to_owned());
            return Ok(Ok(()));
        }
        let reason = format!(
            "too many different labels at once: at most {LABEL_SETS_NEW_MAX} new ones are taken in one delivery, and \
             {LABEL_SETS_PER_PARTY_MAX} of one party in an hour; send the others in smaller envelopes, later"
        );
        Ok(Err(Denied {
            code: "labels",
            told: reason.clone(),
            reason,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_brings_so_many_labels_in_an_hour() {
        let introduced = Introduced::default();
        let second = Duration::from_secs(1);
        for _ in 0..LABEL_SETS_PER_PARTY_MAX {
            assert!(introduced.count("eu", second));
        }
        assert!(!introduced.count("eu", second * 2));
        assert!(introduced.count("ee", second * 2));
        assert!(introduced.count("eu", second + LABEL_SETS_WINDOW));
    }
}
