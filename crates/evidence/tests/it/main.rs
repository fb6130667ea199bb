//! The formats and the fold, black box.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod chain;
mod json;
mod lines;
mod roundtrip;
mod support;
