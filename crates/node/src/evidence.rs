//! Packages of evidence on disk, and the time-stamping authority. What a package is says `comity_evidence::package`; how one is
//! checked, `comity_verify`.

pub mod package;
pub mod tsa;
