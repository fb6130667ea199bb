//! The rows, operations and questions of the register, as types. No SQL here.

mod admin;
mod kept;
mod keys;
mod log;
mod progress;
mod read;
mod report;
mod write;

pub use admin::{
    Admin, Certificate, Collection, Grant, Peer, PeerKind, PeerState, Principal, Subject, Token,
};
pub use kept::{Erased, Kept, KeptObject, KeptVersion, Seen, Terms};
pub use keys::{CollectionKey, Hash, LabelSetId, Seq};
pub use log::{Change, Disclosure, EntryDetail, EntryKind, Genesis, Head, ProofMaterial};
pub use progress::{Delivery, DeliveryCounts, DeliveryState, Progress, Status};
pub use read::{
    Edge, Filter, ManifestRow, PageEnd, PageQuery, Record, Row, Scope, SearchHit, SearchQuery,
    Tombstone, VersionFilter, VersionRow, Which,
};
pub use report::{Level, Problem, ProgressReport, Report};
pub use write::{
    Administer, Appended, Batch, Delete, Disclose, Fault, Op, Outcome, Put, Refuse, Relabel, Stored,
};
