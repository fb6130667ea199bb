//! Packages, good ones and changed ones, by the library and by the program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod custody;
mod fixture;
mod good;
mod hostile;
mod program;
mod tamper;
mod tsa;
mod tsp;
