//! GET /api/v1/openapi.json: what `/api/v1` offers, generated from the handlers themselves.

use axum::response::Response;
use utoipa::OpenApi;

use crate::http::Result;

/// The description of `/api/v1`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comity node",
        description = "Search, proofs and the transparency log of a node. Records are exchanged over TAXII 2.1 at `/taxii2/`."
    ),
    paths(
        super::card::get,
        super::health::get,
        super::metrics::get,
        super::log::get,
        super::events::get,
        super::records::search,
        super::record::get,
        super::proof::get,
        super::sent::get,
        super::receipts::get,
        super::receipts::post,
        super::evidence::offer,
        super::evidence::item,
        super::evidence::answer
    )
)]
pub struct Description;

/// The description as JSON; needs no credentials.
///
/// # Errors
/// 500.
pub async fn get() -> Result<Response> {
    super::json(&Description::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let description = Description::openapi();
        for path in [
            "/api/v1/card",
            "/api/v1/records",
            "/api/v1/records/{id}",
            "/api/v1/records/{id}/proof",
            "/api/v1/records/{id}/sent",
            "/api/v1/receipts",
            "/api/v1/log/{path}",
            "/api/v1/events",
            "/api/v1/evidence/{exhibit}",
            "/api/v1/evidence/{exhibit}/{item}",
            "/api/v1/evidence/{exhibit}/answer",
            "/healthz",
            "/metrics",
        ] {
            assert!(description.paths.paths.contains_key(path), "{path}");
        }
    }
}
