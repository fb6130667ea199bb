//! Pages for people. Until the web interface comes there is one: what this node is and that it lives.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;
use sha2::{Digest as _, Sha256};

use crate::api::typed;
use crate::http::context::Insider;
use crate::http::{Context, Ctx, Result};

/// Adds its routes.
pub fn routes(router: Router<Ctx>) -> Router<Ctx> {
    router.route("/", get(status_page))
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}\
    dt{font-weight:600;margin-top:.8rem}dd{margin:0;overflow-wrap:anywhere}code,pre{font:0.9rem/1.4 monospace}\
    pre{overflow-x:auto;background:#8881;padding:.6rem}";

/// Only this very style; no script, no frame, no request to anywhere.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What anybody may know of this node; how the log grows is for accounts and the machine itself.
///
/// # Errors
/// 500 when the register cannot be read.
async fn status_page(State(ctx): State<Ctx>, Insider(insider): Insider) -> Result<Response> {
    let head = ctx.app.store.head()?;
    let entries = insider.then_some(head.size);
    let mut response = typed("text/html; charset=utf-8", page(&ctx, entries));
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    Ok(response)
}

fn page(ctx: &Context, entries: Option<u64>) -> String {
    let config = &ctx.app.config;
    let name = escape(config.name());
    let mut rows = vec![
        ("Party", escape(ctx.app.party.as_str())),
        (
            "Software",
            concat!("comity ", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
        ("TAXII 2.1", "<code>/taxii2/</code>".to_owned()),
        (
            "API root",
            format!("<code>/{}/</code>", escape(config.root_path())),
        ),
        (
            "Key of the log",
            format!("<code>{}</code>", escape(&ctx.app.log_key)),
        ),
    ];
    if let Some(entries) = entries {
        rows.push(("Entries in the log", entries.to_string()));
    }
    if let Some(fingerprint) = &ctx.fingerprint {
        rows.push((
            "Fingerprint of the certificate (SHA-256)",
            format!("<code>{}</code>", escape(fingerprint)),
        ));
    }
    if let Some(contact) = &config.contact.value {
        rows.push(("Contact", escape(contact)));
    }
    let rows: String = rows
        .iter()
        .map(|(term, value)| format!("<dt>{term}</dt><dd>{value}</dd>"))
        .collect();
    let description = config
        .description
        .value
        .as_deref()
        .map(|text| format!("<p>{}</p>", escape(text)))
        .unwrap_or_default();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{name}</title><style>{STYLE}</style></head><body><main><h1>{name}</h1>{description}<p>This node is running.</p>\
         <dl>{rows}</dl></main></body></html>"
    )
}

/// Text as HTML text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_becomes_markup() {
        assert_eq!(escape("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }

    #[test]
    fn the_policy_names_the_style_and_nothing_else() {
        let policy = POLICY.to_str().unwrap();
        assert!(
            policy.contains("style-src 'sha256-")
                && !policy.contains("script")
                && !policy.contains("unsafe")
        );
    }
}
