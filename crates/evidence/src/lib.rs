//! Evidence as data: what an exhibit is, which items it has, and who did what with it.
//!
//! **Purpose.** An exhibit is a set of items (files) known by the hash of their list. Everything that happens to it is a
//! custody event: signed by a person and by the authority they act for, linked to the event before. This crate reads and
//! writes these formats, signs and verifies them, and says which order of events is possible ([`custody::Chain`]). The node
//! and the separate verifier use the same code.
//!
//! **What it never does.** No file, no clock, no random source; it never sees the contents of an item, only their SHA-256. Of
//! our crates it uses `ledger` alone, for keys and signature lines.
//!
//! **Where to start reading.** [`custody::Event`] (the fields), [`custody::Line`] (event and signatures),
//! [`custody::Chain`] (the fold). `docs/EVIDENCE.md` has all of it byte by byte.
//!
//! **Architecture Invariant:** every line has one spelling. [`json`] writes RFC 8785 and refuses every other way to write
//! the same value, so that what was hashed, signed and shown cannot be three things (evidence-log E.18).

mod error;
mod exhibit;
mod fields;
mod hash;
mod item;
mod name;
mod text;
mod time;

pub mod custody;
pub mod json;
pub mod package;

pub use error::Malformed;
pub use exhibit::{Exhibit, ExhibitId, ExhibitNumber};
pub use hash::{Hash, Hex, parse_hex, sha256};
pub use item::{FileLine, ITEMS_MAX, Item, Manifest};
pub use name::ItemName;
pub use text::{TEXT_BYTES_MAX, is_authority};
pub use time::Time;

/// Longest line read, octets: an event with the longest texts, many outputs and signatures.
pub const LINE_BYTES_MAX: usize = 256 << 10;
