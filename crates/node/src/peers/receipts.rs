//! Receipts between two nodes: what a receiver says, signed and logged, about each record that came with a proof, and what a
//! sender makes of it.
//!
//! The register knows what is owed (`answer`) and what is awaited (`awaited`), since the transaction of the thing itself.
//! [`give`] signs what is owed and posts it; [`take`] verifies what comes, from a post or fetched where the other side cannot
//! reach us; [`expire`] logs what did not come in time. Everything may be repeated: a receipt is known by its entry.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::head::Consistency;

pub mod expire;
pub mod give;
pub mod take;

/// Receipts on their way, all under one head of the giver's log.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// That this head continues the one the taker knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub consistency: Option<Consistency>,
    /// The receipts, in order of their entries.
    pub receipts: Vec<Item>,
}

/// One receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its entry in the giver's log.
    pub entry: u64,
    /// The signed receipt (`comity-receipt/v1`, a C2SP signed note).
    pub note: String,
    /// The proof of its entry (C2SP tlog-proof).
    pub proof: String,
}

/// What became of posted receipts, in their order.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// One for each.
    pub results: Vec<Outcome>,
}

/// What became of one receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Outcome {
    /// Its entry in the giver's log.
    pub entry: u64,
    /// `stored`, `known` or `refused`.
    pub state: State,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is kept now.
    Stored,
    /// It was kept already.
    Known,
    /// It is not true, or not ours.
    Refused,
}
