//! Custody: what happened to an exhibit, who did it, and whether it can have happened in this order.
//!
//! [`Event`] is one thing somebody did. [`Line`] is an event with the signatures on it, and [`Line::verify`] the only way to
//! a [`Verified`] one. [`Chain`] adds verified or own events up to where the exhibit is now, or says why they are impossible.

mod chain;
mod event;
mod event_json;
mod kind;
mod line;

pub use chain::{Away, Chain, Impossible, linked};
pub use event::{Actor, Event, Fields, Output, Tool};
pub use kind::Kind;
pub use line::{
    Invalid, Line, SIGNATURES_MAX, Verified, custody_key_name, custody_text, sign_hash,
};
