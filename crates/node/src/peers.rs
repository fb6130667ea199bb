//! Exchange with other nodes and with any TAXII 2.1 server.
//!
//! [`card`] says who a node is; [`admin`] makes a peer of it after a person compared the fingerprint; [`push`] hands records
//! over as they are committed and remembers what became of each; [`pull`] fetches what the other side offers, from a cursor
//! that survives restarts. Delivery is at least once, and the register makes it once: a known record is known. [`delivery`] is
//! the sender's proof beside its records, [`receipts`] what the receiver answers, [`head`] the cross-link of the logs,
//! [`watch`] the watching of a peer's log apart from any delivery, [`alarm`] what both find wrong.
//!
//! **Architecture Invariant:** nothing is sent to a peer that release did not permit for that peer, record by record; what a
//! rule keeps back is remembered with the rule.

pub mod admin;
pub mod alarm;
pub mod backoff;
pub mod card;
pub mod client;
pub mod delivery;
pub mod head;
pub mod inbound;
pub mod judge;
pub mod pin;
pub mod pull;
pub mod push;
pub mod receipts;
pub mod run;
pub mod settings;
pub mod taxii;
pub mod watch;
pub mod words;
