//! Pages for people.

use axum::Router;

use crate::http::Ctx;

/// Adds its routes.
#[must_use]
pub fn routes(router: Router<Ctx>) -> Router<Ctx> {
    router
}
