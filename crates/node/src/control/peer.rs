//! Other nodes and TAXII servers; the work itself is in [`crate::peers`].

use std::sync::Arc;

use comity_store::Peer as Row;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{ControlError, ErrorKind, Output};
use crate::app::App;
use crate::clock::micros_to_text;
use crate::peers::admin::{self, AddPeer, PeerError};
use crate::peers::{card, head, push, run};

/// What to do with peers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// Fetch the other's card and make it a peer, or change one of that name.
    Add(Box<AddPeer>),
    /// Its fingerprint was compared by voice.
    Confirm {
        /// Its name here.
        name: String,
        /// SHA-256 of its certificate.
        fingerprint: String,
    },
    /// All, as rows.
    List,
    /// One, with the state of its deliveries.
    Show(String),
    /// Forget one and what is queued for it.
    Remove(String),
    /// Fetch from one, or all.
    Pull(Option<String>),
    /// Send to one, or all.
    Push(Option<String>),
    /// Hand one record over to one peer, outside the routes.
    PassOn {
        /// To whom.
        peer: String,
        /// STIX identifier.
        record: String,
    },
    /// Fetch and check the newest head of a peer's log.
    Head(String),
    /// Our own card, for others.
    Card,
}

pub(super) fn execute(
    app: &Arc<App>,
    actor: &str,
    command: Peer,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let wait = Handle::try_current().map_err(ControlError::internal)?;
    match command {
        Peer::List => {
            let catalog = app.catalog();
            for row in catalog.peers() {
                output.row(shown(app, row)?)?;
            }
            Ok(json!({ "peers": catalog.peers().len() }))
        }
        Peer::Show(name) => shown(app, &find(app, &name)?),
        Peer::Add(asked) => Ok(wait.block_on(admin::add(app, actor, *asked))?),
        Peer::Confirm { name, fingerprint } => {
            let row = find(app, &name)?;
            wait.block_on(admin::confirm(app, actor, &row.key, &fingerprint))?;
            shown(app, &find(app, &name)?)
        }
        Peer::Remove(name) => {
            let row = find(app, &name)?;
            wait.block_on(admin::remove(app, actor, &row.key))?;
            Ok(json!({ "removed": row.key }))
        }
        Peer::Pull(name) => each(app, name.as_deref(), output, &|peer| {
            let pulled = wait.block_on(run::pull_now(app, peer))?;
            Ok(
                json!({ "peer": peer.key, "pages": pulled.pages, "new": pulled.new, "known": pulled.known, "refused": pulled.refused }),
            )
        }),
        Peer::Push(name) => each(app, name.as_deref(), output, &|peer| {
            let sent = wait.block_on(run::push_now(app, peer))?;
            Ok(json!({ "peer": peer.key, "sent": sent }))
        }),
        Peer::PassOn { peer, record } => {
            let peer = Arc::new(find(app, &peer)?);
            super::pass_on::execute(app, actor, &peer, &record, &wait)
        }
        Peer::Head(name) => {
            let peer = Arc::new(find(app, &name)?);
            let watched = wait
                .block_on(head::watch(app, &peer))
                .map_err(ControlError::internal)?;
            serde_json::to_value(watched).map_err(ControlError::internal)
        }
        Peer::Card => {
            let mut card = serde_json::to_value(card::own(app)).map_err(ControlError::internal)?;
            if let Some(members) = card.as_object_mut() {
                members.insert("certificate_sha256".to_owned(), own_fingerprint(app).into());
            }
            Ok(card)
        }
    }
}

/// Does `work` with one peer or with all; one that fails does not keep the others from their turn.
fn each(
    app: &App,
    name: Option<&str>,
    output: &mut dyn Output,
    work: &dyn Fn(&Arc<Row>) -> Result<Value, String>,
) -> Result<Value, ControlError> {
    let catalog = app.catalog();
    let chosen: Vec<Arc<Row>> = match name {
        Some(name) => vec![Arc::new(find(app, name)?)],
        None => catalog.peers().to_vec(),
    };
    let mut failed = 0_u64;
    for peer in &chosen {
        match work(peer) {
            Ok(row) => output.row(row)?,
            Err(error) => {
                failed += 1;
                output.row(json!({ "peer": peer.key, "failed": error }))?;
            }
        }
    }
    Ok(json!({ "peers": chosen.len(), "failed": failed }))
}

fn find(app: &App, name: &str) -> Result<Row, ControlError> {
    let found = app.catalog().peer(name).map(|row| Row::clone(row));
    found.ok_or_else(|| ControlError::not_found("peer", name).help("`comity peer list` shows them"))
}

fn shown(app: &App, row: &Row) -> Result<Value, ControlError> {
    let health = app.exchange.health(&row.key);
    let position = app.store.position(&push::position_name(&row.key))?;
    Ok(json!({
        "name": row.key,
        "party": row.party,
        "display": row.display,
        "kind": row.kind,
        "url": row.url,
        "fingerprint": row.fingerprint,
        "log_key": row.log_key,
        "state": row.state,
        "settings": row.settings,
        "deliveries": app.store.delivery_counts(&row.key)?,
        "lag": app.store.head()?.size.saturating_sub(position),
        "last_success": health.last_success.map(micros_to_text),
        "last_error": health.last_error,
        "last_error_at": health.last_error_at.map(micros_to_text),
        "last_pull": health.last_pull,
        "created": micros_to_text(row.created),
    }))
}

/// What others pin, in groups for reading aloud. A node without a certificate gets one now, so that the card is whole
/// before the first start.
fn own_fingerprint(app: &App) -> Option<String> {
    if app.config.insecure_http() {
        return None;
    }
    let tls = crate::http::tls::load(&app.config).ok()?;
    Some(crate::peers::pin::fingerprint_text(&tls.fingerprint))
}

impl From<PeerError> for ControlError {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::Admin(error) => error.into(),
            PeerError::Client(error) => Self::new(ErrorKind::Unreachable, error.to_string())
                .help("try again when it answers; `comity peer list` shows its address"),
            PeerError::Asked(text) => Self::usage(text),
            PeerError::Key(error) => Self::internal(error),
        }
    }
}
