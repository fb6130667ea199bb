//! A node's card: who it is, its keys and its roots. Public; whoever adds the node as a peer sees it, together with the
//! fingerprint of the certificate it came under, and compares both by voice with somebody of that party.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words;
use crate::app::App;

/// What `GET /api/v1/card` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Card {
    /// `comity`.
    pub software: String,
    /// Version of the program.
    #[serde(deserialize_with = "words::short")]
    pub version: String,
    /// The party the node speaks for.
    #[serde(deserialize_with = "words::short")]
    pub party: String,
    /// The name people read.
    #[serde(deserialize_with = "words::short")]
    pub name: String,
    /// Verifier key of its log (C2SP signed-note vkey).
    #[serde(deserialize_with = "words::short")]
    pub log_key: String,
    /// Path of its TAXII API root.
    pub api_root: String,
    /// Whom to write to.
    #[serde(default, deserialize_with = "words::short_option")]
    pub contact: Option<String>,
}

/// The card of this node.
#[must_use]
pub fn own(app: &App) -> Card {
    Card {
        software: SOFTWARE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        party: app.party.as_str().to_owned(),
        name: app.config.name().to_owned(),
        log_key: app.log_key.clone(),
        api_root: format!("/{}/", app.config.root_path()),
        contact: app.config.contact.value.clone(),
    }
}

/// What [`Card::software`] says on every node of this program.
pub const SOFTWARE: &str = "comity";
