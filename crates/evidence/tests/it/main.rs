//! The formats and the fold, black box.

mod chain;
mod json;
mod lines;
mod roundtrip;
mod support;
