//! A node's card: who it is, its keys and its roots. Public; whoever adds the node as a peer sees it, together with the
//! fingerprint of the certificate it came under, and compares both by voice with somebody of that party.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words;
use crate::app::App;
use crate::witnesses::Witnesses;

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
    /// Verifier key of its receipts; absent where none are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_key: Option<String>,
    /// Verifier key by which the authority signs custody; absent on nodes without evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custody_key: Option<String>,
    /// Verifier key of its log's second key (ML-DSA-44), which signs the heads that witnesses cosign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_mldsa_key: Option<String>,
    /// The witnesses of its log; whom to believe, each party decides for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<CardWitness>,
    /// Key to which contents of evidence are encrypted for it, as age writes it; absent on nodes without evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Path of its TAXII API root.
    pub api_root: String,
    /// Whom to write to.
    #[serde(default, deserialize_with = "words::short_option")]
    pub contact: Option<String>,
}

/// A witness as a card names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardWitness {
    /// Its name in the party's policy.
    pub name: String,
    /// Its cosigner key.
    pub vkey: String,
    /// Its submission prefix, with its pin behind `#`.
    pub url: String,
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
        receipt_key: Some(app.receipt_signer.verifier().to_string()),
        custody_key: Some(app.custody.verifier().to_string()),
        log_mldsa_key: app
            .log_cosigner
            .as_ref()
            .map(|cosigner| cosigner.verifier().to_string()),
        witnesses: app.witnesses().map(|it| named(&it)).unwrap_or_default(),
        recipient: crate::evidence::age::recipient_of(&app.identity)
            .ok()
            .map(|key| crate::evidence::recipient::encode(&key)),
        api_root: format!("/{}/", app.config.root_path()),
        contact: app.config.contact.value.clone(),
    }
}

fn named(witnesses: &Witnesses) -> Vec<CardWitness> {
    let all = witnesses.policy.witnesses().iter();
    all.map(|witness| CardWitness {
        name: witness.name().to_string(),
        vkey: witness.key().to_string(),
        url: witness.url().map(ToString::to_string).unwrap_or_default(),
    })
    .collect()
}

/// What [`Card::software`] says on every node of this program.
pub const SOFTWARE: &str = "comity";
