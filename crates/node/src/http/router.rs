//! Which path is answered by what.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use super::context::Ctx;
use super::error::Error;
use crate::{api, taxii, web};

/// Every route of the node.
pub fn router(ctx: Ctx) -> Router {
    let router = taxii_routes(Router::new());
    let router = api::routes(web::routes(router));
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .with_state(ctx)
}

fn taxii_routes(router: Router<Ctx>) -> Router<Ctx> {
    use taxii::{
        api_root, collections, discovery, manifest, object, objects_add, objects_get, status,
        versions,
    };
    let router = slashed(router, "/taxii2", get(discovery::get));
    let router = slashed(router, "/{root}", get(api_root::get));
    let router = slashed(router, "/{root}/status/{id}", get(status::get));
    let router = slashed(router, "/{root}/collections", get(collections::list));
    let router = slashed(router, "/{root}/collections/{id}", get(collections::get));
    let router = slashed(
        router,
        "/{root}/collections/{id}/manifest",
        get(manifest::get),
    );
    let router = slashed(
        router,
        "/{root}/collections/{id}/objects",
        get(objects_get::get).post(objects_add::post),
    );
    let router = slashed(
        router,
        "/{root}/collections/{id}/objects/{object}",
        get(object::get).delete(object::delete),
    );
    slashed(
        router,
        "/{root}/collections/{id}/objects/{object}/versions",
        get(versions::get),
    )
}

/// TAXII 2.1 section 3.1: paths end in `/`. One without is sent there, with method and body kept.
fn slashed(router: Router<Ctx>, path: &str, route: MethodRouter<Ctx>) -> Router<Ctx> {
    router
        .route(&format!("{path}/"), route)
        .route(path, axum::routing::any(add_slash))
}

async fn add_slash(request: Request) -> Response {
    let uri = request.uri();
    // `//host` would lead away from here
    let path = uri.path().trim_start_matches('/');
    let target = match uri.query() {
        Some(query) => format!("/{path}/?{query}"),
        None => format!("/{path}/"),
    };
    let Ok(location) = HeaderValue::try_from(target) else {
        return Error::not_found("nothing is here").into_response();
    };
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    response.headers_mut().insert(LOCATION, location);
    response
}

async fn unknown() -> Error {
    Error::not_found("nothing is here")
}

/// axum puts the methods that exist into `Allow`.
async fn wrong_method() -> Error {
    Error::method()
}
