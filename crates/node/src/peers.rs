//! Exchange with other nodes and with any TAXII 2.1 server.
//!
//! [`card`] says who a node is; [`admin`] makes a peer of it after a person compared the fingerprint; [`push`] hands records
//! over as they are committed and remembers what became of each; [`pull`] fetches what the other side offers, from a cursor
//! that survives restarts. Delivery is at least once, and the register makes it once: a known record is known.
//!
//! **Architecture Invariant:** nothing is sent to a peer that release did not permit for that peer, record by record; what a
//! rule keeps back is remembered with the rule.

pub mod admin;
pub mod backoff;
pub mod card;
pub mod client;
pub mod head;
pub mod inbound;
pub mod pin;
pub mod pull;
pub mod push;
pub mod run;
pub mod settings;
pub mod taxii;
pub mod words;
