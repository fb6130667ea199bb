//! Bearer tokens: shown once, kept as a digest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use comity_store::Admin;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ControlError, ErrorKind, Output, user};
use crate::app::App;
use crate::clock::micros_to_text;

/// What to do with tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Token {
    /// Issue one; the answer holds it, once.
    New {
        /// For whom.
        user: String,
        /// Name to revoke it by; made up when not given.
        name: Option<String>,
        /// Good for so many days; for ever when not given.
        days: Option<u32>,
    },
    /// All, or one user's, as rows.
    List {
        /// Whose.
        user: Option<String>,
    },
    /// Take one back.
    Revoke(String),
}

/// Begins every token, so that scanners for leaked secrets can find ours.
const PREFIX: &str = "comity_";
const DAY_MICROS: i64 = 86_400_000_000;

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: Token,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Token::New { user, name, days } => new(app, actor, &user, name, days),
        Token::List { user } => list(app, user.as_deref(), output),
        Token::Revoke(name) => {
            app.administer_blocking(actor, Admin::DropToken(name.clone()))
                .map_err(|error| {
                    ControlError::from(error).help("`comity token list` shows them")
                })?;
            Ok(json!({ "revoked": name }))
        }
    }
}

fn new(
    app: &App,
    actor: &str,
    user: &str,
    name: Option<String>,
    days: Option<u32>,
) -> Result<Value, ControlError> {
    let owner = user::find(app, user)?;
    let bytes = crate::entropy::bytes::<32>(&*app.entropy).map_err(ControlError::internal)?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let sha256: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    let now = app.clock.now_micros();
    let row = comity_store::Token {
        sha256,
        name: name.unwrap_or_else(|| user::hex(&sha256[..4])),
        principal: owner.id.clone(),
        scopes: Vec::new(),
        created: now,
        expires: days.map(|days| now.saturating_add(i64::from(days).saturating_mul(DAY_MICROS))),
    };
    if app
        .catalog()
        .tokens()
        .iter()
        .any(|known| known.name == row.name)
    {
        return Err(ControlError::new(
            ErrorKind::Taken,
            format!("there is a token `{}` already", row.name),
        ));
    }
    let answer = json!({
        "token": token,
        "name": row.name,
        "user": owner.id,
        "expires": row.expires.map(micros_to_text),
    });
    app.administer_blocking(actor, Admin::PutToken(row))?;
    Ok(answer)
}

fn list(app: &App, user: Option<&str>, output: &mut dyn Output) -> Result<Value, ControlError> {
    let of = user.map(|user| user::find(app, user)).transpose()?;
    let catalog = app.catalog();
    let now = app.clock.now_micros();
    let mut count = 0_u64;
    for token in catalog.tokens() {
        if of.as_ref().is_some_and(|owner| owner.id != token.principal) {
            continue;
        }
        count += 1;
        output.row(json!({
            "name": token.name,
            "user": token.principal,
            "created": micros_to_text(token.created),
            "expires": token.expires.map(micros_to_text),
            "expired": token.expires.is_some_and(|at| at <= now),
        }))?;
    }
    Ok(json!({ "tokens": count }))
}
