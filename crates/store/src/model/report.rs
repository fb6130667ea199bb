//! What `fsck` found.

use comity_ledger::note::VerifierKey;
use comity_stix::object::Object;
use serde::Serialize;

/// How deep to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// Head, tiles and counts; seconds on a million records.
    Quick,
    /// Also every leaf, every commitment, every row, against what the entries' contents say.
    Full,
    /// Also every content hash recomputed from the bytes, every column read from them, the words of the search, and SQLite's own
    /// integrity check.
    Deep,
}

/// What to check a register against.
#[derive(Clone, Copy)]
pub struct Checks<'a> {
    /// How deep to look.
    pub level: Level,
    /// The key its log is signed with. Without it a head that somebody else signed looks like any other.
    pub log_key: Option<&'a VerifierKey>,
    /// Whether a label (its text) is at least as strict as the object's own markings: says if parts of the object are marked
    /// apart, or what is wrong. The meaning of labels belongs to `access`, so the node gives this.
    pub label_fits: Option<&'a LabelFits<'a>>,
    /// Version key and text of objects that have none of their own.
    pub unversioned: Option<(&'a str, &'a str)>,
}

/// See [`Checks::label_fits`].
pub type LabelFits<'a> = dyn Fn(&str, &Object) -> Result<bool, String> + 'a;

impl From<Level> for Checks<'_> {
    fn from(level: Level) -> Self {
        Self {
            level,
            log_key: None,
            label_fits: None,
            unversioned: None,
        }
    }
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Names of the checks run, with how many things each looked at.
    pub checks: Vec<(String, u64)>,
    /// What was wrong.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Code of the kind of problem, like `log.root`.
    pub what: String,
    /// Which row: `entry 17`, `record 4 (indicator--... 2020-...)`.
    pub where_: String,
    /// In words.
    pub detail: String,
}

/// Where long work stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgressReport {
    /// What is being done.
    pub stage: &'static str,
    /// Done of this stage.
    pub done: u64,
    /// Of how many; 0 if not known.
    pub total: u64,
}
