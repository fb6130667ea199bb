//! The TAXII 2.1 server (OASIS Standard, 10 June 2021), whole. One file per endpoint.
//!
//! Decisions where the standard leaves room or contradicts itself:
//! - An empty page carries both date headers with the position it was asked from (3.2 wants them on every 200 and leaves
//!   them undefined there): a client that goes on from the header, as OpenCTI does, then misses nothing.
//! - Manifest and versions carry `next` beside `more` (the tables of 5.3.1 and 5.8.1 have only `more`): clients page by it.
//! - Get Object is 404 for an unknown object (5.6) and an empty envelope when only the filter excludes it (3.7).
//! - A path without its last `/` is answered with a redirection to the one with it (3.1).

pub mod api_root;
pub mod collections;
pub mod discovery;
pub mod list;
pub mod manifest;
pub mod next;
pub mod object;
pub mod objects_add;
pub mod objects_get;
pub mod page;
pub mod page_cache;
pub mod query;
pub mod respond;
pub mod rights;
pub mod status;
pub mod versions;
