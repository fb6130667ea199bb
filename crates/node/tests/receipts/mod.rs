//! Receipts between two whole nodes: proof beside the record, signed answer, what expires, what is false, what is withdrawn.

mod answers;
mod heads;
mod proofs;
mod routes;
mod world;
