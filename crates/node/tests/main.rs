//! Tests of the whole program, from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod cli;
mod http;
mod leak;
mod packages;
mod receipts;
mod support;
mod transfer;
mod witness;
