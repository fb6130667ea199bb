//! Checks of the repository itself, as tests: who may depend on whom, and what every file must keep to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod arrows;
mod commands;
mod deny;
mod documents;
mod files;
mod tidy;
