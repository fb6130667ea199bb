#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod attack;
mod bundles;
mod conformance;
mod documentation;
mod granular;
mod hostile;
mod json;
mod marking;
mod mutations;
mod pattern;
mod properties;
mod support;
