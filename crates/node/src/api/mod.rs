//! The node's own interface at `/api/v1`: what TAXII has no words for.

use axum::Router;

use crate::http::Ctx;

/// Adds its routes.
pub fn routes(router: Router<Ctx>) -> Router<Ctx> {
    router
}
