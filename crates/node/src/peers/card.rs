//! A node's card: who it is, its keys and its roots. Public; whoever adds the node as a peer sees it, together with the
//! fingerprint of the certificate it came under, and compares both by voice with somebody of that party.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;

/// What `GET /api/v1/card` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Card {
    /// `comity`.
    pub software: String,
    /// Version of the program.
    pub version: String,
    /// The party the node speaks for.
    pub party: String,
    /// The name people read.
    pub name: String,
    /// Verifier key of its log (C2SP signed-note vkey).
    pub log_key: String,
    /// Verifier key by which the authority signs custody; absent on nodes without evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custody_key: Option<String>,
    /// Key to which contents of evidence are encrypted for it, as age writes it; absent on nodes without evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Path of its TAXII API root.
    pub api_root: String,
    /// Whom to write to.
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
        custody_key: Some(app.custody.verifier().to_string()),
        recipient: crate::evidence::age::recipient_of(&app.identity)
            .ok()
            .map(|key| crate::evidence::recipient::encode(&key)),
        api_root: format!("/{}/", app.config.root_path()),
        contact: app.config.contact.value.clone(),
    }
}

/// What [`Card::software`] says on every node of this program.
pub const SOFTWARE: &str = "comity";
