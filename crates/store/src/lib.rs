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
//! **Architecture Invariant:** a record and its log entry are committed in one transaction, and nothing is acknowledged
//! before that transaction is on disk.

mod error;
mod model;
mod sqlite;

pub use error::{AppendError, BackupError, BoxError, OpenError, ReadError};
pub use model::*;
pub use sqlite::{
    Faults, Options, SignFn, Store, Writer, create, fsck, open, open_read_only, restore,
};
