//! GET /api/v1/card: who this node is. Public, because a peer must see it before it trusts the node.

use axum::extract::State;
use axum::response::Response;

use crate::http::{Ctx, Result};
use crate::peers::card::{self, Card};

/// The node's card.
///
/// # Errors
/// 500.
#[utoipa::path(
    get, path = "/api/v1/card", tag = "node",
    responses((status = 200, description = "Party, keys and roots of this node; needs no credentials", body = Card))
)]
pub async fn get(State(ctx): State<Ctx>) -> Result<Response> {
    super::json(&card::own(&ctx.app))
}
