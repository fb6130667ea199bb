//! The rows, operations and questions of the register, as types. No SQL here.

mod admin;
mod evidence;
mod heads;
mod kept;
mod keys;
mod log;
mod progress;
mod read;
mod receipts;
mod report;
mod write;

pub use admin::{
    Admin, Certificate, Collection, Grant, Peer, PeerKind, PeerState, Principal, Subject, Token,
};
pub use evidence::{CustodyRow, Evidence, EvidenceChange, ExhibitRow, PersonKey};
pub use heads::{Alarm, AlarmKind, RaiseAlarm, WatchedHead, WitnessedHead};
pub use kept::{Erased, Kept, KeptObject, KeptVersion, Seen, Terms};
pub use keys::{CollectionKey, Hash, LabelSetId, Seq};
pub use log::{
    Change, Disclosure, EntryDetail, EntryKind, Genesis, Head, HeadError, ProofMaterial,
};
pub use progress::{Delivery, DeliveryCounts, DeliveryState, Progress, Status};
pub use read::{
    Edge, Filter, Latest, ManifestRow, PageEnd, PageQuery, Record, Row, Scope, SearchHit,
    SearchQuery, Tombstone, VersionFilter, VersionRow, Which,
};
pub use receipts::{
    Answer, Answered, Awaited, Consigned, Decide, Decision, Expire, NewReceipt, PeerHead, Receipt,
    ReceiptCounts, SeenHead, Withdrawal, WithdrawalAct, WithdrawalRow,
};
pub use report::{Checks, LabelFits, Level, Problem, ProgressReport, Report};
pub use write::{
    Administer, Appended, Batch, Delete, Disclose, Fault, Op, Outcome, Package, Put, Refuse,
    Relabel, Stored,
};
