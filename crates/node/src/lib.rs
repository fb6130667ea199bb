//! The Comity node: one binary that keeps records, decides who may have them, commits each to a transparency log in the
//! same transaction, serves and fetches them over TAXII 2.1, and exchanges them with other nodes.
//!
//! Start reading at [`app`], then [`intake`] (the way in), [`sequencer`] (the one writer), `taxii/objects.rs` (the way out).
//!
//! **Architecture Invariant:** only this crate knows HTTP, the clock and the random source. Nothing depends on it.

pub mod api;
pub mod app;
pub mod catalog;
pub mod clock;
pub mod cmd;
pub mod config;
pub mod control;
pub mod disclosure;
pub mod entropy;
pub mod handling;
pub mod housekeeping;
pub mod http;
pub mod intake;
pub mod keys;
pub mod lifecycle;
pub mod limits;
pub mod metrics;
pub mod peers;
pub mod release;
pub mod search;
pub mod sequencer;
pub mod taxii;
pub mod web;
pub mod withdraw;
