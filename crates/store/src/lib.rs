//! The register on disk: records, their memberships, the transparency log, and what the node knows about people and peers.
//!
//! The only crate with SQL. It is synchronous: the node calls it from threads of its own. There is one [`Writer`] per
//! database, held by the sequencer; [`Store`] is for everybody else and only reads.
//!
//! It decides nothing: objects come checked by `stix`, permitted by `access`. What a reader may see comes in as a [`Scope`]
//! (a set of label sets) and is part of every query, never a filter after it.
//!
//! Start reading at [`Writer::append`] (`sqlite/append.rs`), then [`Store::page`] (`sqlite/page.rs`) and the schema
//! (`sqlite/sql/v1.sql`).
//!
//! What was decided, and why:
//! - The same id and version with equal content is [`Stored::Known`] and free; with other content a [`Stored::Conflict`],
//!   refused and logged once per content and origin, both hashes kept. A label set is never changed by a second delivery,
//!   only by [`Relabel`], or where who decides said so ([`Terms`]).
//! - A deleted version may be put again by those who may bring it back ([`Put::revive`]) and is then a new record with a new
//!   leaf: TAXII clients expect POST after DELETE to work, and the log shows both lives. From others the same content is
//!   refused: what a party deleted must not come back with the next delivery.
//! - `last` and `first` mean among the versions the asking scope may read. A version hidden from a reader does not hide
//!   another; when the later one is deleted, the earlier stands again at its old `added`.
//! - A page is bounded by what it gives, with two exceptions, both bounded by one collection: `match[version]` with a
//!   timestamp but without ids, and [`Store::referrers`] of an object that nearly everything refers to.
//! - The salt of a record with granular markings must not go to a reader from whom a part is kept
//!   ([`ProofMaterial::granular`]): with the hash of the whole, the part could be guessed.
//!
//! Figures: `cargo bench -p comity-store`. Tests black-box over this page's API: `tests/it`, so that another backend behind
//! it is held to the same contract.
//!
//! **Architecture Invariant:** a record and its log entry are committed in one transaction, and nothing is acknowledged
//! before that transaction is on disk.

mod error;
mod model;
mod sqlite;
pub mod vault;
pub mod witness;

pub use error::{AppendError, BackupError, BoxError, OpenError, ReadError};
pub use model::*;
pub use sqlite::{
    Erasure, Faults, Options, SignFn, Store, Writer, create, fsck, open, open_read_only, restore,
};
