//! Fake clock, seeded randomness, faults, fixtures, and an independent judge of release.

pub mod oracle;
