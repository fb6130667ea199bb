//! STIX 2.1 objects, bundles, canonical bytes, labels and the pattern language.
//!
//! Bytes come in, a [`Valid<Object>`](object::Valid) or a list of [`Finding`](finding::Finding)s comes out. The crate
//! does no I/O, knows no clock and no random source, and never changes what it was given: an object keeps the bytes it
//! came as.
//!
//! Where to start reading: [`validate::check`] is the way of one object; [`model`] holds the tables of the standard that
//! drive it; [`json`] is the reader below it. Clause numbers are those of STIX 2.1 (OASIS Standard, Errata 01) unless
//! another document is named.

pub mod bundle;
pub mod canonical;
pub mod codes;
pub mod defaults;
pub mod finding;
pub mod granular;
pub mod id;
pub mod json;
pub mod marking;
pub mod model;
pub mod object;
pub mod pattern;
pub mod related;
pub mod selector;
pub mod timestamp;
pub mod validate;
pub mod vocabulary;
