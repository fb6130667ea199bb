//! For tests only: time that stands still, randomness that repeats, writes that fail where they are told to, and an
//! independent judge of release.
//!
//! Nothing here uses another crate of ours, so that `stix`, `ledger`, `access` and `store` can use it in their tests without
//! compiling the node; the node's traits ([`clock::FakeClock`] and [`random::SeededRandom`] have their methods) are
//! implemented where they are used, in four lines.
//!
//! The checks of the repository itself (arrows between crates, files, links, commands named in the documentation) are this
//! crate's integration test, `tests/it`.

pub mod clock;
pub mod faults;
pub mod oracle;
pub mod random;
