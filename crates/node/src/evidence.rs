//! Evidence: exhibits in the vault, their custody as signed records, packages for a court.
//!
//! [`keys`] has the keys that sign custody; [`records`] makes the STIX records of an exhibit and an event; [`commit`] checks an
//! event that a person has signed, adds the authority's signature and commits records and rows in one transaction. The
//! contents are read and written by whoever runs the command, beside the node: they never pass through it. [`package`] writes
//! packages to disk, [`tsa`] asks a time-stamping authority; what a package is says `comity_evidence::package`, how one is
//! checked, `comity_verify`.
//!
//! A hand-over to another node: [`send`] and [`receive`] are its two sides, [`transfer`] what they say to each other, [`age`] how
//! contents are encrypted on the way, [`fetch`] how they come over a line that breaks, [`carry`] the records beside them.
//!
//! **Architecture Invariant:** nothing becomes custody without a person's signature and the authority's, both over the same
//! event, and without following the event before (`comity_evidence::custody::Chain`).

pub mod age;
pub mod carry;
pub mod commit;
pub mod fetch;
pub mod keys;
pub mod package;
pub mod receive;
pub mod recipient;
pub mod records;
pub mod send;
pub mod sweep;
pub mod transfer;
pub mod tsa;
