//! What the log says of records and people, entry by entry: what the tables must say in the end.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use super::{alarms::Watch, people::Replay};

/// Gathered by [`super::Check::details`], used by the checks after it.
#[derive(Default)]
pub(super) struct Folded {
    /// By record: the label before the first change and after the last.
    relabels: HashMap<i64, (String, String)>,
    /// By record: the origin and author it counts as given by since the last change of its label by a delivery.
    givers: HashMap<i64, (String, Option<String>)>,
    /// By record: into (true) or out of collections, in order.
    moves: HashMap<i64, Vec<(bool, Vec<i64>)>>,
    pub(super) people: Replay,
    pub(super) watch: Watch,
}

impl Folded {
    /// False when `from` is not the label the change before ended with.
    pub(super) fn relabel(&mut self, seq: i64, from: &str, to: &str) -> bool {
        match self.relabels.get_mut(&seq) {
            Some((_, last)) => {
                let follows = last == from;
                to.clone_into(last);
                follows
            }
            None => {
                self.relabels.insert(seq, (from.to_owned(), to.to_owned()));
                true
            }
        }
    }

    pub(super) fn given_anew(&mut self, seq: i64, origin: String, author: Option<String>) {
        self.givers.insert(seq, (origin, author));
    }

    /// The origin and author a record must have, if a delivery changed those it was taken in with.
    pub(super) fn giver(&self, seq: i64) -> Option<&(String, Option<String>)> {
        self.givers.get(&seq)
    }

    pub(super) fn moved(&mut self, seq: i64, joined: bool, collections: Vec<i64>) {
        self.moves
            .entry(seq)
            .or_default()
            .push((joined, collections));
    }

    /// The labels a record was taken in under and has now; `kept` for one that was never changed.
    pub(super) fn labels<'a>(&self, seq: i64, kept: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
        match self.relabels.get(&seq) {
            Some((first, last)) => (Cow::Owned(first.clone()), Cow::Owned(last.clone())),
            None => (Cow::Borrowed(kept), Cow::Borrowed(kept)),
        }
    }

    /// The collections a record must be in, when it was put into `first`.
    pub(super) fn collections(&self, seq: i64, first: &BTreeSet<i64>) -> BTreeSet<i64> {
        let mut now = first.clone();
        for (joined, collections) in self.moves.get(&seq).into_iter().flatten() {
            for collection in collections {
                if *joined {
                    now.insert(*collection);
                } else {
                    now.remove(collection);
                }
            }
        }
        now
    }
}
