//! Pages for people.

use axum::Router;

use crate::http::Ctx;

/// Adds its routes.
pub fn routes(router: Router<Ctx>) -> Router<Ctx> {
    router
}
