//! Who may do what to which record.
//!
//! Label and reader go in, a [`Decision`] with its reasons comes out. The rules are Cedar policies in `policies/`,
//! compiled in and checked strictly against their schema; this crate turns labels and readers into the terms of that
//! schema and answers into sentences. It does no I/O and knows no clock; it keeps nothing between two questions.
//!
//! Where to start reading: `policies/release.cedar`, then [`Access`]. `docs/ACCESS.md` has the rules with their sources.
//!
//! **Architecture Invariant:** whatever cannot be decided is refused: a label that cannot be read, an action asked of the
//! wrong kind of thing, a policy that fails while it is evaluated.
//!
//! **Architecture Invariant:** only this crate makes a [`Permitted`].

mod access;
mod action;
pub mod cases;
mod decision;
mod engine;
mod explain;
mod label;
mod label_json;
mod party;
mod policies;
mod proposal;
mod reader;

pub use access::{Access, CollectionRights};
pub use action::{Action, Kind, Resource};
pub use decision::{Decision, Permitted, Reason};
pub use engine::Rule;
pub use label::{
    AUDIENCE_PARTIES_MAX, AUDIENCE_PERSONS_MAX, Audience, Draft, EXERCISE_BYTES_MAX, GRANULAR_MAX,
    GranularLabel, JSON_BYTES_MAX, LabelError, LabelSet,
};
pub use party::{NameError, PartyId, PrincipalId};
pub use policies::{PolicyError, Sources};
pub use reader::{Account, Grants, Place, Reader, ReaderClass, ReaderError, Role};
