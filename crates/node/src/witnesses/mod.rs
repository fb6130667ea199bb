//! The node's side of witnessing: which witnesses the operator chose, handing them our heads, what they know of our log.
//!
//! [`policy`] reads `witness.policy`; [`submit`] collects cosignatures beside everything else, never before it: nothing waits
//! for a witness. [`proof`] picks the head under which an entry is proved. [`own`] asks witnesses and peers for the newest
//! head of ours they know, so that a register put back from an old copy signs nothing.
//!
//! **Architecture Invariant:** witnesses get heads and hashes, never entries' contents. A cosigned head is kept only if every
//! signature on it was verified.

pub mod client;
pub mod own;
pub mod policy;
pub mod proof;
pub mod submit;

pub use policy::{Site, Witnesses, WitnessesError};
