//! Other nodes and TAXII servers; the work itself is in [`crate::peers`].

use std::sync::Arc;

use comity_store::{Admin, Op, Peer as Row, Progress};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{ControlError, ErrorKind, Output, alarm};
use crate::app::App;
use crate::catalog::policy_setting;
use crate::clock::micros_to_text;
use crate::peers::admin::{self, AddPeer, PeerError};
use crate::peers::card::CardWitness;
use crate::peers::receipts::take::collect_now;
use crate::peers::settings::OnWithdrawal;
use crate::peers::{card, head, push, run, watch};
use crate::witnesses::Witnesses;

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
    /// What was agreed with it changes.
    Agree {
        /// Its name here.
        name: String,
        /// Seconds within which a receipt is expected.
        receipt_within_seconds: Option<u64>,
        /// What happens when it withdraws a record.
        on_withdrawal: Option<OnWithdrawal>,
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
    /// A peer's log began anew.
    ForgetHeads {
        /// Its name here.
        name: String,
        /// Why.
        reason: String,
    },
    /// Fetch the receipts a peer has for us.
    Receipts(String),
    /// The witnesses of a peer's log: take this policy; with none, show the one in force, or what its card suggests.
    Witnesses {
        /// Its name here.
        name: String,
        /// C2SP tlog-policy.
        policy: Option<String>,
    },
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
        Peer::Show(name) => {
            let row = find(app, &name)?;
            let mut shown = shown(app, &row)?;
            if let Some(members) = shown.as_object_mut() {
                members.insert("refused_lately".to_owned(), refused_lately(app, &row)?);
            }
            Ok(shown)
        }
        Peer::Add(asked) => Ok(wait.block_on(admin::add(app, actor, *asked))?),
        Peer::Confirm { name, fingerprint } => {
            let row = find(app, &name)?;
            wait.block_on(admin::confirm(app, actor, &row.key, &fingerprint))?;
            shown(app, &find(app, &name)?)
        }
        Peer::Agree {
            name,
            receipt_within_seconds,
            on_withdrawal,
        } => {
            let row = find(app, &name)?;
            wait.block_on(admin::agree(
                app,
                actor,
                &row.key,
                receipt_within_seconds,
                on_withdrawal,
            ))?;
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
                .block_on(watch::watch(app, &peer))
                .map_err(ControlError::internal)?;
            serde_json::to_value(watched).map_err(ControlError::internal)
        }
        Peer::ForgetHeads { name, reason } => {
            alarm::may_acknowledge(app, actor)?;
            forget_heads(app, actor, find(app, &name)?, reason, &wait)
        }
        Peer::Receipts(name) => {
            let peer = Arc::new(find(app, &name)?);
            let fetched = wait
                .block_on(collect_now(app, &peer))
                .map_err(|error| ControlError::new(ErrorKind::Unreachable, error))?;
            Ok(json!({ "peer": peer.key, "receipts": fetched }))
        }
        Peer::Witnesses { name, policy } => {
            witnesses(app, actor, &find(app, &name)?, policy, &wait)
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

/// A peer's log began anew: no head of it that was acted on or watched is a measure any more, and the alarms about them are
/// acknowledged.
fn forget_heads(
    app: &Arc<App>,
    actor: &str,
    row: Row,
    reason: String,
    wait: &Handle,
) -> Result<Value, ControlError> {
    // no delivery that is judged now may bring a head of before back
    let _turn = wait.block_on(app.exchange.turn(&row.party));
    let forget = Progress::Cursor {
        peer: row.key.clone(),
        source: "log-head".to_owned(),
        value: None,
    };
    // crash point: nothing is lost by this alone, for the command is repeated
    app.sequencer.submit_blocking(vec![Op::Progress(forget)])?;
    let origin = crate::app::origin(&row.party);
    let change = Admin::ForgetHeads {
        party: row.party,
        origin,
        reason,
    };
    app.administer_blocking(actor, change)?;
    Ok(json!({ "peer": row.key, "result": "its next head is taken as the first" }))
}

/// Whom of a peer's witnesses to believe, the operator here says: the card only suggests.
fn witnesses(
    app: &Arc<App>,
    actor: &str,
    peer: &Row,
    policy: Option<String>,
    wait: &Handle,
) -> Result<Value, ControlError> {
    let log = head::trusted(peer).map_err(ControlError::internal)?;
    if let Some(text) = policy {
        let witnesses = Witnesses::parse(text.as_bytes(), &log)?;
        let setting = Admin::Setting {
            name: policy_setting(&peer.key),
            value: Some(text),
        };
        app.administer_blocking(actor, setting)?;
        return Ok(json!({
            "peer": peer.key,
            "witnesses": witnesses.policy.witnesses().len(),
            "places": witnesses.sites.len(),
            "quorum": witnesses.policy.quorum().map(ToString::to_string),
        }));
    }
    if let Some(text) = app.catalog().peer_policy(&peer.key) {
        return Ok(json!({ "peer": peer.key, "policy": text, "taken": true }));
    }
    let (found, _) = wait.block_on(admin::look(&peer.url))?;
    let suggested = found.card.map(|card| card.witnesses).unwrap_or_default();
    Ok(json!({ "peer": peer.key, "policy": suggestion(&suggested), "taken": false }))
}

/// The witnesses a card names, as a policy that asks for all of them.
fn suggestion(witnesses: &[CardWitness]) -> Option<String> {
    if witnesses.is_empty() {
        return None;
    }
    let lines = witnesses
        .iter()
        .map(|it| format!("witness {} {} {}\n", it.name, it.vkey, it.url));
    let names: Vec<&str> = witnesses.iter().map(|it| it.name.as_str()).collect();
    let text = format!(
        "{}group all-of-them all {}\nquorum all-of-them\n",
        lines.collect::<String>(),
        names.join(" ")
    );
    // a card is foreign text: what is no policy is not shown as one
    comity_ledger::policy::Policy::parse(text.as_bytes())
        .is_ok()
        .then_some(text)
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
        "receipt_key": row.receipt_key,
        "receipts": app.store.receipt_counts(&row.party)?,
        "state": row.state,
        "settings": row.settings,
        "alarm": app.catalog().pausing(&row.key).map(|alarm| alarm.id),
        "log_seen": app.store.watched_head(&crate::app::origin(&row.party))?.map(|head| head.size),
        "deliveries": app.store.delivery_counts(&row.key)?,
        "lag": app.store.head()?.size.saturating_sub(position),
        "last_success": health.last_success.map(micros_to_text),
        "last_error": health.last_error,
        "last_error_at": health.last_error_at.map(micros_to_text),
        "last_pull": health.last_pull,
        "created": micros_to_text(row.created),
    }))
}

/// What of this peer's was refused here last, and why, newest first.
fn refused_lately(app: &App, row: &Row) -> Result<Value, ControlError> {
    const SHOWN_MAX: usize = 5;
    const LOOKED_AT_MAX: usize = 500;
    let account = push::account_name(row);
    let mut found = Vec::new();
    for refusal in app.store.refusals(None, LOOKED_AT_MAX)? {
        let Ok(content) = serde_json::from_str::<Value>(&refusal.content) else {
            continue;
        };
        let text = |name: &str| content.get(name).and_then(Value::as_str);
        // who offered it, or whose version was refused because of a record here
        if text("who") != Some(&account) && text("author") != Some(&account) {
            continue;
        }
        let offered = content.get("offered").and_then(|offered| offered.get("id"));
        found.push(json!({
            "id": offered.and_then(Value::as_str).or(text("id")),
            "reason": text("reason"),
            "entry": refusal.entry_index,
            "time": micros_to_text(refusal.time_micros),
        }));
        if found.len() == SHOWN_MAX {
            break;
        }
    }
    Ok(found.into())
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
