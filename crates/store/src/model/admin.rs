//! Who and what the node knows: principals, their credentials, collections, peers.

use serde::{Deserialize, Serialize};

use super::{CollectionKey, Hash, RaiseAlarm};

/// A person or program that can be known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// `person@party`.
    pub id: String,
    /// Name to show.
    pub display: String,
    /// Role as `access` spells it.
    pub role: String,
    /// The party.
    pub party: String,
    /// The party whose constituent this principal is.
    pub entity_of: Option<String>,
    /// Belongs to the community TLP:GREEN speaks of.
    pub community: bool,
    /// Only sees this exercise.
    pub exercise: Option<String>,
    /// PHC string of argon2id; never in the log.
    pub password_hash: Option<String>,
    /// May not sign in.
    pub disabled: bool,
    /// Microseconds.
    pub created: i64,
}

/// A bearer token, known by its digest only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// SHA-256 of the token; never in the log.
    pub sha256: Hash,
    /// Short public name to revoke it by; unique.
    pub name: String,
    /// Whose it is.
    pub principal: String,
    /// What it may be used for; empty for everything the principal may do.
    pub scopes: Vec<String>,
    /// Microseconds.
    pub created: i64,
    /// Microseconds; `None` for never.
    pub expires: Option<i64>,
}

/// A client certificate a principal signs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// SHA-256 of the DER certificate.
    pub fingerprint: Hash,
    /// Whose it is.
    pub principal: String,
    /// For people.
    pub note: String,
    /// Microseconds.
    pub created: i64,
}

/// A TAXII collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// Given by the store; what is put here when making one does not matter.
    pub key: CollectionKey,
    /// UUIDv4 (TAXII 5.2.1); unique: changes go by it.
    pub uuid: String,
    /// Another name in paths; unique.
    pub alias: Option<String>,
    /// TAXII title.
    pub title: String,
    /// TAXII description.
    pub description: Option<String>,
    /// What it can store.
    pub media_types: Vec<String>,
    /// Who may do what in it.
    pub grants: Vec<Grant>,
    /// Microseconds.
    pub created: i64,
}

/// A permission in a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// To whom.
    pub subject: Subject,
    /// TAXII can_read.
    pub read: bool,
    /// TAXII can_write.
    pub write: bool,
    /// May delete.
    pub delete: bool,
}

/// Whom a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Subject {
    /// One principal.
    Principal(String),
    /// Everyone with this role.
    Role(String),
    /// Everyone of this party.
    Party(String),
    /// Everyone who signed in.
    Everyone,
}

/// Another node, or any TAXII server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Name here; unique. The party identifier for a Comity node.
    pub key: String,
    /// The party behind it: who a release is judged for.
    pub party: String,
    /// Name to show.
    pub display: String,
    /// Comity or plain TAXII.
    pub kind: PeerKind,
    /// Base URL.
    pub url: String,
    /// SHA-256 of its certificate, hexadecimal, when pinned.
    pub fingerprint: Option<String>,
    /// Verifier key of its log (vkey text), for a Comity node.
    pub log_key: Option<String>,
    /// Verifier key of its receipts (vkey text), for a Comity node.
    pub receipt_key: Option<String>,
    /// The rest (collections, directions, intervals) belongs to the node. Logged: holds no secrets.
    pub settings: serde_json::Value,
    /// Whether exchange runs.
    pub state: PeerState,
    /// Microseconds.
    pub created: i64,
}

/// What speaks at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerKind {
    /// A Comity node: receipts, events, proofs.
    Comity,
    /// Any TAXII 2.1 server.
    Taxii,
}

/// Whether exchange with a peer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeerState {
    /// Its fingerprint is not confirmed yet.
    Pending,
    /// Exchange runs.
    Active,
    /// Stopped by us.
    Suspended,
}

/// An administrative change. Each `Put...` makes the row or replaces it whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admin {
    /// Make or change a principal.
    PutPrincipal(Principal),
    /// Remove a principal with its tokens and certificates.
    DropPrincipal(String),
    /// Issue a token.
    PutToken(Token),
    /// Revoke a token by its name.
    DropToken(String),
    /// Accept a client certificate.
    PutCertificate(Certificate),
    /// Accept it no more.
    DropCertificate(Hash),
    /// Make or change a collection (by its uuid).
    PutCollection(Collection),
    /// Remove a collection that has no members.
    DropCollection(CollectionKey),
    /// Make or change a peer (by its key).
    PutPeer(Peer),
    /// Remove a peer and what is queued for it.
    DropPeer(String),
    /// Accept a public key by which a person signs custody.
    PutPersonKey {
        /// Whose.
        principal: String,
        /// The key, as a C2SP vkey.
        vkey: String,
    },
    /// Accept it for new events no more. Old signatures stay verifiable.
    RetirePersonKey(String),
    /// A setting of the node as a whole; the value is logged.
    Setting {
        /// Name.
        name: String,
        /// `None` removes it.
        value: Option<String>,
    },
    /// A party's log began anew, as a person was told: its heads until now, acted on or watched, are no measure any more,
    /// and the open alarms about them are acknowledged.
    ForgetHeads {
        /// The party.
        party: String,
        /// Its log.
        origin: String,
        /// Why.
        reason: String,
    },
    /// Keep an alarm. A fault if it was raised before: what happened is logged once.
    RaiseAlarm(Box<RaiseAlarm>),
    /// An officer has taken note of an alarm.
    AcknowledgeAlarm {
        /// Its number.
        id: i64,
        /// In their words.
        remark: String,
    },
    /// Something else worth an entry (a policy change, a key roll); JSON, logged as it is.
    Note(serde_json::Value),
}
