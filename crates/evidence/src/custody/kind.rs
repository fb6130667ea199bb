//! What can happen to an exhibit (evidence-log C4; ISO/IEC 27037 and ACPO through secondary sources).

use std::fmt;
use std::str::FromStr;

use crate::Malformed;

/// Kinds of custody events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Taken from whoever had it, under a power to do so.
    Seized,
    /// Copied from its source, or handed in.
    Acquired,
    /// Closed: from here on its items are known by their hashes.
    Sealed,
    /// The seal was opened to work with it.
    Opened,
    /// A copy was made.
    Copied,
    /// It was examined.
    Analysed,
    /// Something new was made from it: another exhibit.
    Derived,
    /// Handed to another authority, which has not answered yet.
    Transferred,
    /// Taken over from another authority.
    Received,
    /// Not taken over, or the transfer taken back.
    Refused,
    /// Written out for people or tools outside.
    Exported,
    /// Shown to a party in a procedure: the defence, a court.
    Disclosed,
    /// Given back to whom it belongs, or to the authority it came from.
    Returned,
    /// Its contents are gone for good.
    Destroyed,
}

/// All kinds with their words, in the order of the contract.
const WORDS: [(Kind, &str); 14] = [
    (Kind::Seized, "seized"),
    (Kind::Acquired, "acquired"),
    (Kind::Sealed, "sealed"),
    (Kind::Opened, "opened"),
    (Kind::Copied, "copied"),
    (Kind::Analysed, "analysed"),
    (Kind::Derived, "derived"),
    (Kind::Transferred, "transferred"),
    (Kind::Received, "received"),
    (Kind::Refused, "refused"),
    (Kind::Exported, "exported"),
    (Kind::Disclosed, "disclosed"),
    (Kind::Returned, "returned"),
    (Kind::Destroyed, "destroyed"),
];

impl Kind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.into_iter().map(|(kind, _)| kind)
    }

    /// Its word in the event.
    #[must_use]
    pub fn word(self) -> &'static str {
        WORDS
            .into_iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, word)| word)
    }

    /// A chain can begin with it.
    #[must_use]
    pub fn begins(self) -> bool {
        matches!(self, Self::Seized | Self::Acquired | Self::Sealed)
    }

    /// Somebody else is part of it and must be named.
    #[must_use]
    pub fn names_counterparty(self) -> bool {
        matches!(
            self,
            Self::Transferred | Self::Received | Self::Refused | Self::Disclosed | Self::Returned
        )
    }

    /// The contents must have been hashed again for it: before and after each transfer (evidence-log C4).
    #[must_use]
    pub fn needs_rehash(self) -> bool {
        matches!(self, Self::Transferred | Self::Received | Self::Returned)
    }

    /// It must be said why.
    #[must_use]
    pub fn needs_reason(self) -> bool {
        matches!(self, Self::Refused | Self::Destroyed)
    }

    /// It can make other exhibits.
    #[must_use]
    pub fn has_outputs(self) -> bool {
        matches!(self, Self::Copied | Self::Analysed | Self::Derived)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        WORDS
            .into_iter()
            .find(|(_, word)| *word == text)
            .map(|(kind, _)| kind)
            .ok_or_else(|| Malformed::field("kind", "is no kind of custody event"))
    }
}
