//! GET /api/v1/openapi.json: what `/api/v1` offers. Paths, parameters and answers are generated from the handlers themselves; what
//! holds for all of them (who may ask, how a refusal looks) is added here once.

use axum::response::Response;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::http::accept::TAXII;
use crate::http::{Error, Result};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comity node",
        description = "Search, proofs and the transparency log of a node. Records are exchanged over TAXII 2.1 at `/taxii2/`."
    ),
    paths(
        get,
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
struct Handlers;

/// Paths that need no credentials.
const PUBLIC: [&str; 3] = ["/healthz", "/api/v1/card", "/api/v1/openapi.json"];

/// Refusals that every path knows, and those of paths that ask who one is.
const ALWAYS: [(&str, &str); 3] = [
    (
        "429",
        "Too many requests or failed log-ins from this source; `Retry-After` says when to come back",
    ),
    ("500", "The node failed"),
    (
        "503",
        "Busy, starting or stopping; `Retry-After` says when to come back",
    ),
];
const ASKED: [(&str, &str); 2] = [
    ("401", "No credentials, or wrong ones"),
    ("403", "Not permitted to this account, with the rule"),
];

/// The description of `/api/v1`.
///
/// # Errors
/// When it cannot be written, which its type excludes.
pub fn description() -> std::result::Result<Value, serde_json::Error> {
    let mut whole = serde_json::to_value(Handlers::openapi())?;
    let mut refusals = Map::new();
    for (status, text) in ALWAYS.iter().chain(&ASKED) {
        refusals.insert((*status).to_owned(), refusal(text));
    }
    let paths = whole.get_mut("paths").and_then(Value::as_object_mut);
    for (path, operations) in paths.into_iter().flatten() {
        let public = PUBLIC.contains(&path.as_str());
        for operation in operations
            .as_object_mut()
            .into_iter()
            .flatten()
            .map(|(_, one)| one)
        {
            complete(operation, public);
        }
    }
    let schemas = whole
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    if let Some(schemas) = schemas {
        schemas.insert("Refusal".to_owned(), message());
    }
    if let Some(components) = whole.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("responses".to_owned(), Value::Object(refusals));
        components.insert(
            "securitySchemes".to_owned(),
            json!({
                "basic": { "type": "http", "scheme": "basic", "description": "An account's name and password" },
                "bearer": { "type": "http", "scheme": "bearer", "description": "A token of `comity token new`" },
                "certificate": { "type": "mutualTLS", "description": "A client certificate that is known to the node" },
            }),
        );
    }
    Ok(whole)
}

fn complete(operation: &mut Value, public: bool) {
    let security = if public {
        json!([])
    } else {
        json!([{ "basic": [] }, { "bearer": [] }, { "certificate": [] }])
    };
    let Some(operation) = operation.as_object_mut() else {
        return;
    };
    operation.insert("security".to_owned(), security);
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let asked = ASKED.iter().filter(|_| !public);
    for (status, _) in ALWAYS.iter().chain(asked) {
        responses
            .entry(*status)
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{status}") }));
    }
    for (status, response) in responses.iter_mut() {
        let failed = status.starts_with(['4', '5']) && response.get("$ref").is_none();
        if failed && let Some(response) = response.as_object_mut() {
            // beside what the handler itself says in words of its own
            let own = response.entry("content").or_insert_with(|| json!({}));
            if let (Some(own), Value::Object(refusal)) = (own.as_object_mut(), content()) {
                own.extend(refusal);
            }
        }
    }
}

fn refusal(text: &str) -> Value {
    json!({ "description": text, "content": content() })
}

fn content() -> Value {
    json!({ TAXII: { "schema": { "$ref": "#/components/schemas/Refusal" } } })
}

/// TAXII 2.1 section 3.6.1.
fn message() -> Value {
    json!({
        "type": "object",
        "description": "A TAXII error message (TAXII 2.1 section 3.6.1)",
        "required": ["title", "error_code", "http_status"],
        "properties": {
            "title": { "type": "string", "description": "What is wrong, for people" },
            "description": { "type": "string", "description": "More about this case" },
            "error_code": { "type": "string", "description": "Stable name of the refusal" },
            "http_status": { "type": "string", "description": "The status, as text" },
        },
    })
}

/// The description as JSON; needs no credentials.
///
/// # Errors
/// 500.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "node",
    responses((status = 200, description = "This description", body = Object))
)]
pub async fn get() -> Result<Response> {
    super::json(&description().map_err(Error::internal)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn operations(description: &Value) -> Vec<(String, &Map<String, Value>)> {
        let paths = description["paths"].as_object().unwrap();
        paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object()
                    .unwrap()
                    .values()
                    .map(|one| (path.clone(), one.as_object().unwrap()))
            })
            .collect()
    }

    #[test]
    fn router_and_description_name_the_same_paths() {
        let routed: BTreeSet<String> = super::super::table()
            .iter()
            .map(|(path, _)| path.replace("{*", "{"))
            .collect();
        let described = description().unwrap();
        let described: BTreeSet<String> = described["paths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(routed, described);
    }

    #[test]
    fn every_answer_says_what_it_is_and_who_may_ask() {
        let description = description().unwrap();
        for (path, operation) in operations(&description) {
            let public = PUBLIC.contains(&path.as_str());
            assert_eq!(
                operation["security"].as_array().unwrap().is_empty(),
                public,
                "{path}"
            );
            let responses = operation["responses"].as_object().unwrap();
            for status in ["429", "500", "503"] {
                assert!(responses.contains_key(status), "{path} {status}");
            }
            assert_eq!(responses.contains_key("401"), !public, "{path}");
            for (status, response) in responses {
                let shown = match response.get("$ref").and_then(Value::as_str) {
                    Some(place) => description.pointer(place.trim_start_matches('#')).unwrap(),
                    None => response,
                };
                let content = shown["content"].as_object();
                assert!(
                    content.is_some_and(|content| !content.is_empty()),
                    "{path} {status} has no content type"
                );
                let refused = status.starts_with(['4', '5']);
                let as_refusal = content.is_some_and(|content| content.contains_key(TAXII));
                assert_eq!(refused, as_refusal, "{path} {status}");
            }
        }
        for scheme in ["basic", "bearer", "certificate"] {
            assert!(description["components"]["securitySchemes"][scheme].is_object());
        }
        assert!(description["components"]["schemas"]["Refusal"].is_object());
        // a node that failed says so in its own words
        let failed = &description["paths"]["/healthz"]["get"]["responses"]["503"]["content"];
        assert!(failed["application/json"].is_object(), "{failed}");
    }
}
