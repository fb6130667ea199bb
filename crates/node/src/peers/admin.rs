//! Making a peer: fetch its card, show it with the fingerprint of its certificate, and take it up after a person has
//! compared the fingerprint by voice. Both sides do the same, and each then knows the other by its certificate; no password
//! crosses the border.

use std::sync::Arc;

use comity_access::PartyId;
use comity_store::{
    Admin, Certificate, Grant, Peer, PeerKind, PeerState, Principal, Progress, Subject,
};
use serde::{Deserialize, Serialize};

use super::card::{Card, SOFTWARE};
use super::client::{Access, Client, ClientError};
use super::pin::{Fingerprint, fingerprint_text, parse_fingerprint};
use super::push::{account_name, position_name};
use super::settings::{self, OnWithdrawal, PeerSettings, Route, SignIn};
use super::taxii::{self, RemoteCollection};
use crate::app::{AdminError, App};
use crate::control::Secret;

/// What `comity peer add` is told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AddPeer {
    /// URL of the server.
    pub url: String,
    /// Name here; the party's by default.
    pub key: Option<String>,
    /// The party behind it; a Comity node says it itself.
    pub party: Option<String>,
    /// Fingerprint that was compared by voice. Without it the peer waits until it is confirmed.
    pub fingerprint: Option<String>,
    /// User for HTTP Basic.
    pub user: Option<String>,
    /// Password or token; kept in a file of its own.
    pub secret: Option<Secret>,
    /// Collections to fetch: `REMOTE` or `REMOTE=LOCAL`; `*` for all that can be read.
    pub pull: Vec<String>,
    /// Collections to hand over: `LOCAL` or `LOCAL=REMOTE`.
    pub push: Vec<String>,
    /// Seconds between polls.
    pub poll_seconds: Option<u64>,
    /// Whether the party belongs to the community TLP:GREEN speaks of; a Comity node does by default.
    pub community: Option<bool>,
    /// The role its account has here: `peer` by default, `observer` for a state that only witnesses.
    pub role: Option<String>,
    /// TLP of what it sends without any.
    pub tlp_in: Option<String>,
    /// API root, where the server has several.
    pub api_root: Option<String>,
    /// Seconds within which a receipt is expected; a day by default.
    pub receipt_within_seconds: Option<u64>,
    /// What happens when it withdraws a record; it is removed by default.
    pub on_withdrawal: Option<OnWithdrawal>,
}

/// Why a peer was not added.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The server.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The register.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A file.
    #[error(transparent)]
    Key(#[from] crate::keys::KeyError),
    /// Something in what was asked.
    #[error("{0}")]
    Asked(String),
}

/// What was found at a URL.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The card, when it is a Comity node.
    pub card: Option<Card>,
    /// Fingerprint of its certificate, in groups for reading aloud.
    pub fingerprint: Option<String>,
}

/// Looks at a URL without signing in: card and fingerprint.
///
/// # Errors
/// When it cannot be reached.
pub async fn look(url: &str) -> Result<(Found, Option<Fingerprint>), PeerError> {
    let (client, verifier) = Client::learning()?;
    let at = taxii::join(url, "api/v1/card")?;
    let card = match client.get(&at, "application/json", &[]).await {
        Ok(answer) => serde_json::from_slice::<Card>(&answer.body)
            .ok()
            .filter(|card| card.software == SOFTWARE),
        // some other TAXII server
        Err(ClientError::Status { .. } | ClientError::Answer { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let seen = verifier.seen();
    Ok((
        Found {
            card,
            fingerprint: seen.as_ref().map(fingerprint_text),
        },
        seen,
    ))
}

/// Adds a peer, or changes one of the same name. It is active at once when the fingerprint was given and is the right one,
/// or when a foreign server is known by a certificate authority; else it waits for [`confirm`].
///
/// # Errors
/// See [`PeerError`].
pub async fn add(app: &Arc<App>, by: &str, asked: AddPeer) -> Result<serde_json::Value, PeerError> {
    let (found, seen) = look(&asked.url).await?;
    let kind = if found.card.is_some() {
        PeerKind::Comity
    } else {
        PeerKind::Taxii
    };
    let (pinned, state) = pin(&asked, kind, seen)?;
    if state == PeerState::Pending && asked.secret.is_some() {
        return Err(PeerError::Asked(
            "a password or token goes only to a server whose fingerprint was compared\n  help: give `--fingerprint`"
                .to_owned(),
        ));
    }
    let party = party(app, &asked, found.card.as_ref())?;
    let key = asked.key.clone().unwrap_or_else(|| party.clone());
    PartyId::parse(&key).map_err(|error| PeerError::Asked(format!("name of the peer: {error}")))?;
    let sign_in = match (&asked.user, &asked.secret) {
        (Some(user), _) => SignIn::Basic { user: user.clone() },
        (None, Some(_)) => SignIn::Token,
        (None, None) if kind == PeerKind::Comity && pinned.is_some() => SignIn::Certificate,
        (None, None) => SignIn::Nothing,
    };
    if let Some(secret) = &asked.secret {
        settings::write_secret(&app.config.dir, &key, secret.expose())?;
    }
    let mut peer = Peer {
        key: key.clone(),
        party: party.clone(),
        display: found
            .card
            .as_ref()
            .map_or_else(|| key.clone(), |card| card.name.clone()),
        kind,
        url: taxii::with_slash(&asked.url),
        fingerprint: pinned.map(|pin| fingerprint_text(&pin).replace(' ', "")),
        log_key: found.card.as_ref().map(|card| card.log_key.clone()),
        receipt_key: found
            .card
            .as_ref()
            .and_then(|card| card.receipt_key.clone()),
        settings: serde_json::Value::Null,
        state,
        created: app.clock.now_micros(),
    };
    let before = routes_before(app, &key);
    take_account(app, by, &peer, &asked, pinned).await?;
    let settings = PeerSettings {
        api_root: String::new(),
        sign_in,
        pull: Vec::new(),
        push: Vec::new(),
        poll_seconds: asked
            .poll_seconds
            .unwrap_or(if kind == PeerKind::Comity { 30 } else { 60 }),
        tlp_in: asked.tlp_in.clone(),
        receipt_within_seconds: asked
            .receipt_within_seconds
            .unwrap_or(settings::RECEIPT_WITHIN_SECONDS),
        on_withdrawal: asked.on_withdrawal.unwrap_or_default(),
        recipient: found.card.as_ref().and_then(|card| card.recipient.clone()),
        custody_key: found
            .card
            .as_ref()
            .and_then(|card| card.custody_key.clone()),
    };
    peer.settings = value(&settings);
    app.administer(by, Admin::PutPeer(peer.clone())).await?;
    let note = match routes(app, &peer, settings, &asked, found.card.as_ref()).await {
        Ok(settings) => {
            // a collection that goes there from now on goes with what is in it
            let widened = settings.push.iter().any(|route| !before.contains(route));
            peer.settings = value(&settings);
            let progress = widened.then(|| from_the_first(&key)).into_iter().collect();
            app.administer_all(by, vec![Admin::PutPeer(peer.clone())], progress)
                .await?;
            None
        }
        // the other side may not know us yet: the routes are found at the next `peer add` or `peer confirm`
        Err(PeerError::Client(error)) => {
            Some(format!("its collections cannot be read yet: {error}"))
        }
        Err(error) => return Err(error),
    };
    Ok(serde_json::json!({
        "peer": peer.key, "party": peer.party, "name": peer.display, "kind": peer.kind, "state": peer.state,
        "fingerprint": found.fingerprint, "log_key": peer.log_key, "settings": peer.settings, "note": note,
    }))
}

/// What went to a peer of this name until now.
fn routes_before(app: &App, key: &str) -> Vec<Route> {
    let catalog = app.catalog();
    let settings = catalog.peer(key).map(|peer| peer.settings.clone());
    settings
        .and_then(|settings| serde_json::from_value::<PeerSettings>(settings).ok())
        .map(|settings| settings.push)
        .unwrap_or_default()
}

fn value(settings: &PeerSettings) -> serde_json::Value {
    serde_json::to_value(settings).unwrap_or_default()
}

fn pin(
    asked: &AddPeer,
    kind: PeerKind,
    seen: Option<Fingerprint>,
) -> Result<(Option<Fingerprint>, PeerState), PeerError> {
    let given = match &asked.fingerprint {
        None => None,
        Some(text) => Some(parse_fingerprint(text).ok_or_else(|| {
            PeerError::Asked(format!(
                "`{text}` is not a fingerprint: 64 hexadecimal digits are expected"
            ))
        })?),
    };
    match (given, seen) {
        (Some(given), Some(seen)) if given != seen => Err(PeerError::Asked(format!(
            "the server shows another certificate than the one compared\n  given: {}\n  shown: {}\n  help: do not go on; \
             ask the other side by voice which one is theirs",
            fingerprint_text(&given),
            fingerprint_text(&seen)
        ))),
        (Some(given), _) => Ok((Some(given), PeerState::Active)),
        (None, Some(seen)) if kind == PeerKind::Comity => Ok((Some(seen), PeerState::Pending)),
        // a foreign server with a certificate of a public authority, or plain HTTP on this machine
        (None, _) => Ok((None, PeerState::Active)),
    }
}

fn party(app: &App, asked: &AddPeer, card: Option<&Card>) -> Result<String, PeerError> {
    let party = match (card, &asked.party) {
        (Some(card), Some(party)) if card.party != *party => {
            return Err(PeerError::Asked(format!(
                "the node speaks for `{}`, not for `{party}`",
                card.party
            )));
        }
        (Some(card), _) => card.party.clone(),
        (None, Some(party)) => party.clone(),
        (None, None) => {
            return Err(PeerError::Asked(
                "this is not a Comity node, so it does not say for whom it speaks\n  help: give `--party`".to_owned(),
            ));
        }
    };
    PartyId::parse(&party).map_err(|error| PeerError::Asked(error.to_string()))?;
    if party == app.party.as_str() {
        return Err(PeerError::Asked(format!(
            "`{party}` is this node's own party"
        )));
    }
    Ok(party)
}

/// The account by which the peer signs in here, and for which release is decided.
async fn take_account(
    app: &Arc<App>,
    by: &str,
    peer: &Peer,
    asked: &AddPeer,
    pinned: Option<Fingerprint>,
) -> Result<(), PeerError> {
    let id = account_name(peer);
    let principal = Principal {
        id,
        display: peer.display.clone(),
        role: asked.role.clone().unwrap_or_else(|| "peer".to_owned()),
        party: peer.party.clone(),
        entity_of: None,
        community: asked.community.unwrap_or(peer.kind == PeerKind::Comity),
        exercise: None,
        password_hash: None,
        disabled: false,
        created: peer.created,
    };
    app.administer(by, Admin::PutPrincipal(principal)).await?;
    // a certificate nobody has compared yet opens nothing: it may be that of somebody in between
    if peer.state == PeerState::Active {
        take_certificate(app, by, peer, pinned).await?;
    }
    Ok(())
}

/// Lets a peer sign in with its certificate, from now on.
async fn take_certificate(
    app: &Arc<App>,
    by: &str,
    peer: &Peer,
    pinned: Option<Fingerprint>,
) -> Result<(), PeerError> {
    if let (PeerKind::Comity, Some(fingerprint)) = (peer.kind, pinned) {
        let certificate = Certificate {
            fingerprint,
            principal: account_name(peer),
            note: format!("certificate of {}", peer.url),
            created: peer.created,
        };
        app.administer(by, Admin::PutCertificate(certificate))
            .await?;
    }
    Ok(())
}

/// Finds the API root and the collections that the asked routes mean.
async fn routes(
    app: &Arc<App>,
    peer: &Peer,
    mut settings: PeerSettings,
    asked: &AddPeer,
    card: Option<&Card>,
) -> Result<PeerSettings, PeerError> {
    let secret = settings::read_secret(&app.config.dir, &peer.key)?;
    let (certificate, key) = crate::keys::tls_files(&app.config);
    let client = Client::new(&Access {
        fingerprint: peer.fingerprint.as_deref().and_then(parse_fingerprint),
        sign_in: &settings.sign_in,
        secret: &secret,
        certificate: Some((&certificate, &key)),
    })?;
    settings.api_root = match (&asked.api_root, card) {
        // what a person says may lead elsewhere, what the server says may not
        (Some(root), _) => taxii::with_slash(&taxii::join(&peer.url, root)?),
        (None, Some(card)) => taxii::with_slash(&taxii::below(&peer.url, &card.api_root)?),
        (None, None) => taxii::api_roots(&client, &peer.url)
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| {
                PeerError::Asked(
                    "the server names no API root\n  help: give `--api-root`".to_owned(),
                )
            })?,
    };
    if asked.pull.is_empty() && asked.push.is_empty() {
        return Ok(settings);
    }
    let offered = taxii::collections(&client, &settings.api_root).await?;
    for word in &asked.pull {
        settings.pull.extend(pull_routes(app, &offered, word)?);
    }
    for word in &asked.push {
        settings.push.push(push_route(app, &offered, word)?);
    }
    Ok(settings)
}

fn pull_routes(
    app: &App,
    offered: &[RemoteCollection],
    word: &str,
) -> Result<Vec<Route>, PeerError> {
    let (remote, local) = word.split_once('=').unwrap_or((word, word));
    let named = |collection: &&RemoteCollection| remote == "*" || is_named(collection, remote);
    let found: Vec<&RemoteCollection> = offered
        .iter()
        .filter(|one| one.can_read)
        .filter(named)
        .collect();
    if found.is_empty() {
        return Err(PeerError::Asked(format!(
            "the server offers no collection `{remote}` that we may read{}",
            names(offered)
        )));
    }
    found
        .into_iter()
        .map(|collection| {
            let local = if local == "*" {
                collection.alias.as_deref().unwrap_or(&collection.id)
            } else {
                local
            };
            Ok(Route {
                local: local_uuid(app, local)?,
                remote: collection.id.clone(),
            })
        })
        .collect()
}

fn push_route(app: &App, offered: &[RemoteCollection], word: &str) -> Result<Route, PeerError> {
    let (local, remote) = word
        .split_once('=')
        .map_or((word, None), |(local, remote)| (local, Some(remote)));
    let writable: Vec<&RemoteCollection> = offered.iter().filter(|one| one.can_write).collect();
    let found = match remote {
        Some(remote) => writable.iter().find(|one| is_named(one, remote)),
        None if writable.len() == 1 => writable.first(),
        None => writable.iter().find(|one| is_named(one, local)),
    };
    let found = found.ok_or_else(|| {
        let wanted = remote.unwrap_or(local);
        PeerError::Asked(format!(
            "the server offers no collection `{wanted}` that we may write to{}",
            names(offered)
        ))
    })?;
    Ok(Route {
        local: local_uuid(app, local)?,
        remote: found.id.clone(),
    })
}

fn is_named(collection: &RemoteCollection, name: &str) -> bool {
    collection.id == name || collection.alias.as_deref() == Some(name)
}

fn names(offered: &[RemoteCollection]) -> String {
    let names: Vec<&str> = offered
        .iter()
        .map(|one| one.alias.as_deref().unwrap_or(&one.id))
        .collect();
    format!(
        "\n  help: it offers {}",
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    )
}

fn local_uuid(app: &App, name: &str) -> Result<String, PeerError> {
    app.catalog().collection(name).map(|collection| collection.uuid.clone()).ok_or_else(|| {
        PeerError::Asked(format!("there is no collection `{name}` here\n  help: `comity collection add {name} --title ...`"))
    })
}

/// Changes what was agreed with a peer, and nothing else.
///
/// # Errors
/// When there is no such peer.
pub async fn agree(
    app: &Arc<App>,
    by: &str,
    key: &str,
    receipt_within_seconds: Option<u64>,
    on_withdrawal: Option<OnWithdrawal>,
) -> Result<(), PeerError> {
    let catalog = app.catalog();
    let peer = catalog
        .peer(key)
        .ok_or_else(|| PeerError::Asked(format!("there is no peer `{key}`")))?;
    let mut settings: PeerSettings =
        serde_json::from_value(peer.settings.clone()).unwrap_or_default();
    if let Some(seconds) = receipt_within_seconds {
        settings.receipt_within_seconds = seconds;
    }
    if let Some(act) = on_withdrawal {
        settings.on_withdrawal = act;
    }
    let peer = Peer {
        settings: value(&settings),
        ..(**peer).clone()
    };
    app.administer(by, Admin::PutPeer(peer)).await?;
    Ok(())
}

/// Fetches the key of a peer's receipts from its card, over the pinned connection, and pins it. Only where none was known:
/// another one is taken up by a person, with `comity peer add`.
///
/// # Errors
/// When the card cannot be had, is another log's, or has no key.
pub async fn learn_receipt_key(app: &Arc<App>, peer: &Arc<Peer>) -> Result<Arc<Peer>, PeerError> {
    let target = super::run::target(app, peer).map_err(PeerError::Asked)?;
    let url = taxii::join(&peer.url, "api/v1/card")?;
    let answer = target.client.get(&url, "application/json", &[]).await?;
    let card: Card = taxii::parse(&url, &answer.body)?;
    if Some(&card.log_key) != peer.log_key.as_ref() {
        return Err(PeerError::Asked(format!(
            "the card of `{}` has another log key than the one known",
            peer.key
        )));
    }
    let Some(key) = card.receipt_key else {
        return Err(PeerError::Asked(format!(
            "the card of `{}` has no key for receipts: its program is older",
            peer.key
        )));
    };
    let fresh = Peer {
        receipt_key: Some(key),
        ..(**peer).clone()
    };
    let by = account_name(peer);
    app.administer(&by, Admin::PutPeer(fresh.clone())).await?;
    Ok(Arc::new(fresh))
}

/// Takes up a peer whose fingerprint has now been compared by voice.
///
/// # Errors
/// When there is no such peer, or the fingerprint is another one.
pub async fn confirm(
    app: &Arc<App>,
    by: &str,
    key: &str,
    fingerprint: &str,
) -> Result<(), PeerError> {
    let catalog = app.catalog();
    let peer = catalog
        .peer(key)
        .ok_or_else(|| PeerError::Asked(format!("there is no peer `{key}`")))?;
    let given = parse_fingerprint(fingerprint).ok_or_else(|| {
        PeerError::Asked(format!(
            "`{fingerprint}` is not a fingerprint: 64 hexadecimal digits are expected"
        ))
    })?;
    if peer.fingerprint.as_deref().and_then(parse_fingerprint) != Some(given) {
        return Err(PeerError::Asked(format!(
            "that is not the fingerprint `{key}` showed when it was added: {}",
            peer.fingerprint.as_deref().unwrap_or("none")
        )));
    }
    let peer = Peer {
        state: PeerState::Active,
        ..(**peer).clone()
    };
    take_certificate(app, by, &peer, Some(given)).await?;
    app.administer(by, Admin::PutPeer(peer)).await?;
    Ok(())
}

/// All entries of the log are looked at again for what goes to this peer; what went already is not sent twice.
fn from_the_first(key: &str) -> Progress {
    Progress::Position {
        follower: position_name(key),
        next_entry: 0,
    }
}

/// Ends exchange with a peer: its account, its certificate and its secret go; its records stay.
///
/// # Errors
/// When there is no such peer.
pub async fn remove(app: &Arc<App>, by: &str, key: &str) -> Result<(), PeerError> {
    let catalog = app.catalog();
    let peer = catalog
        .peer(key)
        .ok_or_else(|| PeerError::Asked(format!("there is no peer `{key}`")))?;
    let account = account_name(peer);
    let mut changes = vec![Admin::DropPeer(key.to_owned())];
    // nodes of one party share an account: it goes with the last of them
    let shared = catalog
        .peers()
        .iter()
        .any(|other| other.key != *key && account_name(other) == account);
    if !shared {
        changes.push(Admin::DropPrincipal(account));
    }
    // a peer that is added again under this name gets everything that is for it then
    app.administer_all(by, changes, vec![from_the_first(key)])
        .await?;
    settings::remove_secret(&app.config.dir, key)?;
    Ok(())
}

/// The grants by which a peer reads and fills a collection here.
#[must_use]
pub fn grant(party: &str, read: bool, write: bool) -> Grant {
    Grant {
        subject: Subject::Party(party.to_owned()),
        read,
        write,
        delete: false,
    }
}
