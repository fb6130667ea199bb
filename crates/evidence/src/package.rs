//! The layout of a package: which files it has, what stands in them, and how the seal ties them together.
//!
//! A package is a directory, or a tar file of it, that a court can check without any node: a valid BagIt 1.0 bag
//! (RFC 8493) in a closed world. [`Name`] says which names there are, [`Seal`] is `seal/seal.json`, whose SHA-256 the log
//! committed to. `docs/PACKAGE.md` has all of it byte by byte.
//!
//! ```text
//! checkpoint, signed by log and witnesses  <- time-stamp token
//!   ^ proof
//! entry, commits to
//!   ^ salt
//! seal.json, has the SHA-256 of            bagit.txt, manifest-sha256.txt and tagmanifest-sha256.txt follow from the rest
//!   manifest-sha256.txt -> data/*
//!   seal/files.jsonl, exhibits.jsonl, custody.jsonl, keys.txt
//!   every other file that was there before the log's answer
//! ```
//!
//! Not covered, since they come after: `seal.json` itself, `entry.bin` and the proof (the log's signature covers them), the
//! token and its chain (the authority's does; [`Seal::timestamp`] says that they must be there).

mod bag;
mod case;
mod draft;
mod name;
mod seal;
pub mod tar;

pub use bag::{BAGIT_TXT, Date, bag_info, manifest_line};
pub use case::Case;
pub use draft::{Draft, DraftError, Finished, Payload, Sealed};
pub use name::{Name, NameFault, PAYLOAD_FILES_MAX, RECEIPTS_MAX};
pub use seal::{FORMAT, Seal};

/// `verify/verify.sh`: checks a package with coreutils and openssl alone.
pub const VERIFY_SH: &str = include_str!("package/verify.sh");
/// `verify/README`: for a person who never saw this program.
pub const README: &str = include_str!("package/README.txt");
