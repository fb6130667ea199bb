//! One binary for all tests of the store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

mod basics;
mod batches;
mod crash;
mod erasure;
mod evidence;
mod faults;
mod fsck;
mod heads;
mod migrations;
mod model;
mod receipts;
mod support;
mod terms;
mod vault;
mod vault_space;
