//! The transparency log of a node: tree, tiles, signed and witnessed checkpoints, entries, proofs, receipts, the verifier.
//!
//! **Purpose.** A node commits every record to an append-only Merkle tree in the same transaction that stores the
//! record. This crate computes what has to be written, signs and reads the heads of that tree, decides for a witness which
//! heads to cosign, and lets a third person check, years later and without the node, that a record was there, who had seen
//! that, and what the receiver said about it. All formats are those of C2SP (signed-note, tlog-checkpoint, tlog-tiles,
//! tlog-cosignature, tlog-witness, tlog-policy, tlog-proof) byte for byte over the tree of RFC 6962; only the [`entry`] and
//! the [`receipt`] are our own.
//!
//! **What it never does.** No file, no socket, no database, no clock, no random source: seeds, salts and times are
//! parameters. It never sees the contents of a record, only their SHA-256. It uses no other crate of this workspace.
//!
//! **Where to start reading.** [`verify`] reads like the specification: note, root, leaf, content, in that order. Then
//! [`entry`] (what is logged), [`tree`] (how it is hashed), [`note`] (how heads are signed); [`policy`] and [`cosignature`] for
//! heads that others have seen, [`witness`] for who sees them, [`receipt`] for what comes back. An expert who wants to build a
//! verifier of their own needs nothing else; `docs/LOG.md` has it in a page of Python and one of shell.
//!
//! Sources: <https://c2sp.org/signed-note@v1.0.0>, <https://c2sp.org/tlog-checkpoint@v1.0.0>,
//! <https://c2sp.org/tlog-tiles@v0.1.0>, <https://c2sp.org/tlog-cosignature@v1.1.0-rc.1>,
//! <https://c2sp.org/tlog-witness@v1.0.0>, <https://c2sp.org/tlog-policy>, <https://c2sp.org/tlog-proof>,
//! RFC 6962 section 2.1, RFC 9162 section 2.1, RFC 8032, FIPS 204.

pub mod checkpoint;
pub mod cosignature;
pub mod entry;
pub mod note;
pub mod policy;
pub mod proof;
pub mod receipt;
pub mod salt;
pub mod tile;
pub mod tree;
pub mod verify;
pub mod witness;

mod text;

/// A SHA-256 digest: of a leaf, a node, a root, a commitment or a record's canonical bytes.
pub type Hash = [u8; 32];
