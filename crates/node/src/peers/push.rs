//! Handing records over to one peer, and remembering what became of each: queued, sent, accepted, refused (why), skipped
//! (by which rule).
//!
//! The way of a record: committed -> [`queue`] decides (release for this peer, route, origin) -> *queued* or *skipped* ->
//! [`send`] notes the disclosure and *sent* in one transaction -> POST -> *accepted* or *refused* by the peer's own status.
//! CRASH POINT: between *sent* and the answer the record goes again after a restart; the peer knows it and says so.

mod envelope;
mod outcome;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use comity_access::{Account, LabelSet, PrincipalId, Reader, Role};
use comity_ledger::entry::Event;
use comity_store::{
    CollectionKey, Delivery, DeliveryState, Disclose, EntryKind, Op, Peer, PeerKind, Progress,
    ReadError, Record, Seq,
};

use super::client::{Client, ClientError};
use super::inbound::sidecar_item;
use super::settings::{PeerSettings, Route};
use super::taxii::{self, RemoteStatus};
use crate::app::App;
use crate::disclosure::due;
use crate::handling::is_silent;
use crate::release::{Visible, visible};
use crate::sequencer::SubmitError;

use envelope::{Envelope, LINE_BYTES_MAX, post_proved, unread};
use outcome::{About, about, judge, mark, settle_failure};

/// Why handing over stopped for now.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The register cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The register cannot be written.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The peer cannot be reached, or refuses all.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The peer has no account here to decide release for.
    #[error(
        "there is no account `{0}` to decide release for\n  help: remove the peer and add it again"
    )]
    NoAccount(String),
    /// A rule keeps the record here.
    #[error("{0}")]
    Kept(String),
    /// Nothing goes to that peer, so nobody said into which of its collections.
    #[error(
        "nothing goes to `{0}` yet, so it is not known into which of its collections\n  help: `comity peer add ... --push COLLECTION`"
    )]
    NoRoute(String),
}

/// One peer as handing over sees it.
pub struct Target {
    /// The row.
    pub peer: Arc<Peer>,
    /// Its settings.
    pub settings: PeerSettings,
    /// Its account here.
    pub reader: Arc<Reader>,
    /// Its collections by ours.
    pub routes: Vec<(CollectionKey, String)>,
    /// Its address and our credentials.
    pub client: Client,
    /// Largest envelope it takes, asked once.
    pub content_length_max: tokio::sync::OnceCell<usize>,
}

/// Log entries looked at in one step, and records sent in one envelope.
const STEP: usize = 500;
/// An envelope stops growing here, octets, whatever the peer would take.
const ENVELOPE_BYTES_MAX: usize = 8 << 20;

/// The name of the account that stands for a peer.
#[must_use]
pub fn account_name(peer: &Peer) -> String {
    match peer.kind {
        PeerKind::Comity => format!("node@{}", peer.party),
        PeerKind::Taxii => format!("{}@{}", peer.key, peer.party),
    }
}

/// The collections of ours that `routes` speak of.
#[must_use]
pub fn resolve(app: &App, routes: &[Route]) -> Vec<(CollectionKey, String)> {
    let catalog = app.catalog();
    routes
        .iter()
        .filter_map(|route| {
            catalog
                .collection(&route.local)
                .map(|local| (local.key, route.remote.clone()))
        })
        .collect()
}

/// The name under which the position of handing over to a peer is kept.
#[must_use]
pub fn position_name(peer: &str) -> String {
    format!("push/{peer}")
}

/// Decides about the next entries of the log. Returns how many it looked at.
///
/// # Errors
/// See [`PushError`]; the position stays, and the same entries are looked at again.
pub async fn queue(app: &App, target: &Target) -> Result<usize, PushError> {
    let follower = position_name(&target.peer.key);
    let from = app.store.position(&follower)?;
    let changes = app.store.changes(from, STEP)?;
    let Some(last) = changes.last() else {
        return Ok(0);
    };
    let next_entry = last.entry_index + 1;
    let mut queued = Vec::new();
    let mut skipped: BTreeMap<String, Vec<Seq>> = BTreeMap::new();
    for change in &changes {
        let seq = match (change.kind, change.seq) {
            (EntryKind::Record | EntryKind::Membership | EntryKind::Relabel, Some(seq)) => seq,
            _ => continue,
        };
        let memberships = app.store.memberships(seq)?;
        let routed = target
            .routes
            .iter()
            .any(|(local, _)| memberships.iter().any(|(key, _)| key == local));
        if !routed && change.event != Event::Withdrawal {
            continue;
        }
        let Some(record) = app.store.record(seq)? else {
            continue;
        };
        if !routed && !has_what_is_withdrawn(app, target, &record)? {
            continue;
        }
        match rule(app, target, &record)? {
            Ok(()) => queued.push(seq),
            Err(rule) => skipped.entry(rule).or_default().push(seq),
        }
    }
    let peer = target.peer.key.clone();
    let mut ops = Vec::new();
    for (reason, records) in skipped {
        ops.push(Op::Progress(mark(
            &peer,
            records,
            DeliveryState::Skipped,
            Some(reason),
        )));
    }
    if !queued.is_empty() {
        ops.push(Op::Progress(Progress::Queue {
            peer,
            records: queued,
        }));
    }
    ops.push(Op::Progress(Progress::Position {
        follower,
        next_entry,
    }));
    app.sequencer.submit(ops).await?;
    Ok(changes.len())
}

/// Whether this last version asks to remove something the peer has, by whatever way it went there: then it is asked, too.
fn has_what_is_withdrawn(app: &App, target: &Target, record: &Record) -> Result<bool, ReadError> {
    if !record.revoked || app.store.withdrawal(record.seq)?.is_none() {
        return Ok(false);
    }
    for version in app.store.history(&record.id, &app.release.everything()?)? {
        let went = app.store.deliveries(version.seq)?.iter().any(|delivery| {
            delivery.peer == target.peer.key
                && matches!(
                    delivery.state,
                    DeliveryState::Sent | DeliveryState::Accepted
                )
        });
        if version.seq != record.seq && went {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a record may go to this peer; if not, the rule that keeps it.
fn rule(app: &App, target: &Target, record: &Record) -> Result<Result<(), String>, ReadError> {
    if record.origin == target.peer.party {
        return Ok(Err("origin: it came from this peer".to_owned()));
    }
    let label = app.release.label(record.label_set)?;
    if label.originator().as_str() == target.peer.party {
        return Ok(Err("origin: it is this peer's own record".to_owned()));
    }
    if target.peer.kind == PeerKind::Taxii && is_silent(&record.bytes, &label) {
        return Ok(Err(format!(
            "label: {} is not written on the object, and this server cannot carry it beside the object",
            label.tlp()
        )));
    }
    Ok(released(app, &target.reader, &label).map(|_| ()))
}

/// Asks release for the peer itself, and for TLP:RED and other personal audiences for the persons named there: a record for
/// a person may travel to that person's node.
///
/// # Errors
/// The rule that keeps it.
pub fn released(app: &App, reader: &Reader, label: &LabelSet) -> Result<(), String> {
    let access = app.release.access();
    let decision = access.may_pass_on(label, reader);
    if decision.permitted {
        return Ok(());
    }
    for person in label
        .audience()
        .persons
        .iter()
        .filter(|person| person.party() == reader.party().as_str())
    {
        if named(person, reader, label)
            .is_some_and(|person| access.may_pass_on(label, &person).permitted)
        {
            return Ok(());
        }
    }
    Err(format!("{}: {}", decision.code(), decision.text()))
}

/// The person as an officer there: one account for what is real, one for the exercise its node takes part in.
fn named(person: &PrincipalId, peer: &Reader, label: &LabelSet) -> Option<Reader> {
    let mut account = Account::new(person.clone(), Role::Officer, peer.party().clone());
    account.community = peer.community();
    let exercise = peer.exercise().filter(|_| label.exercise().is_some());
    account.exercise = exercise.map(str::to_owned);
    Reader::new(account).ok()
}

/// Sends what is due. Returns how many records were tried.
///
/// # Errors
/// See [`PushError`]; what was not answered is queued again.
pub async fn send(
    app: &Arc<App>,
    target: &Target,
    batch_max: &mut usize,
) -> Result<usize, PushError> {
    let now = app.clock.now_micros();
    let due = app
        .store
        .due(&target.peer.key, now, (*batch_max).min(STEP))?;
    if due.is_empty() {
        return Ok(0);
    }
    let ask = || taxii::content_length_max(&target.client, &target.settings.api_root);
    let bytes_max =
        (*target.content_length_max.get_or_try_init(ask).await?).min(ENVELOPE_BYTES_MAX);
    let mut tried = 0;
    let mut closed = None;
    for (remote, envelope) in pack(app, target, &due, bytes_max).await? {
        tried += envelope.records.len();
        let Err(error) = deliver(app, target, &remote, &envelope).await else {
            *batch_max = STEP;
            continue;
        };
        settle_failure(app, target, &envelope, &error, batch_max).await?;
        match about(&error) {
            About::Peer => return Err(error.into()),
            // what goes elsewhere is not held up by it
            About::Collection => closed = Some(error),
            About::Envelope => {}
        }
    }
    match closed {
        Some(error) => Err(error.into()),
        None => Ok(tried.max(due.len())),
    }
}

/// Hands over one record now, by a person's order, whatever the routes say: into the collection it would go to, else the first
/// one that anything goes to. Release was asked before, and is asked again.
///
/// # Errors
/// See [`PushError`]; nothing is queued then, and the order is repeated.
pub async fn hand_over(app: &Arc<App>, target: &Target, seq: Seq) -> Result<(), PushError> {
    let Some(record) = app.store.record(seq)? else {
        return Err(PushError::Kept("it is not here any more".to_owned()));
    };
    if let Err(rule) = rule(app, target, &record)? {
        return Err(PushError::Kept(rule));
    }
    let routed = route(app, target, &record)?.or_else(|| target.routes.first());
    let Some((_, remote)) = routed else {
        return Err(PushError::NoRoute(target.peer.key.clone()));
    };
    let Some(object) = object(app, target, &record)? else {
        return Err(PushError::Kept(WITHHELD.to_owned()));
    };
    let mut envelope = Envelope::default();
    let tried = app
        .store
        .deliveries(seq)?
        .iter()
        .any(|delivery| delivery.peer == target.peer.key && delivery.attempts > 0);
    envelope.add(sidecar_item(app, &record)?, record, &object, tried);
    if let Err(error) = deliver(app, target, remote, &envelope).await {
        let reason = format!("{error} (an order to hand it over is not repeated by itself)");
        let refused = mark(
            &target.peer.key,
            vec![seq],
            DeliveryState::Refused,
            Some(reason),
        );
        app.sequencer.submit(vec![Op::Progress(refused)]).await?;
        return Err(error.into());
    }
    Ok(())
}

/// The collections by which a record goes to this peer, if any do.
fn route<'t>(
    app: &App,
    target: &'t Target,
    record: &Record,
) -> Result<Option<&'t (CollectionKey, String)>, ReadError> {
    let memberships = app.store.memberships(record.seq)?;
    let route = target
        .routes
        .iter()
        .find(|(local, _)| memberships.iter().any(|(key, _)| key == local));
    Ok(match route {
        None if has_what_is_withdrawn(app, target, record)? => target.routes.first(),
        route => route,
    })
}

/// The record as this peer may have it; `None` when nothing valid is left of it.
fn object(app: &App, target: &Target, record: &Record) -> Result<Option<Vec<u8>>, ReadError> {
    let visible = visible(
        &app.release,
        &target.reader,
        record.label_set,
        record.granular,
        &record.bytes,
    )?;
    Ok(match visible {
        Visible::Whole(bytes) => Some(bytes.to_vec()),
        Visible::Redacted(bytes) => Some(bytes),
        Visible::Withheld => None,
    })
}

/// Why a record without its hidden parts does not go.
const WITHHELD: &str =
    "granular: without the parts this peer may not see it would not be a valid object";

/// Reads the due records, leaves out what the peer may not see, and groups them by the peer's collection.
async fn pack(
    app: &Arc<App>,
    target: &Target,
    due: &[Delivery],
    bytes_max: usize,
) -> Result<Vec<(String, Envelope)>, PushError> {
    let mut open: HashMap<String, Envelope> = HashMap::new();
    let mut full = Vec::new();
    let mut kept: BTreeMap<String, Vec<Seq>> = BTreeMap::new();
    for delivery in due {
        let mut keep = |rule: String| kept.entry(rule).or_default().push(delivery.seq);
        let Some(record) = app.store.record(delivery.seq)? else {
            keep("deleted: it was deleted before it was sent".to_owned());
            continue;
        };
        let Some((_, remote)) = route(app, target, &record)? else {
            keep("route: it is in no collection that goes to this peer any more".to_owned());
            continue;
        };
        // labels, audiences and the peer's account may be others than when it was queued
        if let Err(rule) = rule(app, target, &record)? {
            keep(rule);
            continue;
        }
        let Some(object) = object(app, target, &record)? else {
            keep(WITHHELD.to_owned());
            continue;
        };
        let envelope = open.entry(remote.clone()).or_default();
        if !envelope.records.is_empty()
            && envelope.objects.len() + object.len() + LINE_BYTES_MAX * (envelope.records.len() + 1)
                > bytes_max
        {
            full.push((remote.clone(), std::mem::take(envelope)));
        }
        let line = sidecar_item(app, &record)?;
        envelope.add(line, record, &object, delivery.attempts > 0);
    }
    let ops: Vec<Op> = kept
        .into_iter()
        .map(|(rule, records)| {
            let skipped = DeliveryState::Skipped;
            Op::Progress(mark(&target.peer.key, records, skipped, Some(rule)))
        })
        .collect();
    if !ops.is_empty() {
        app.sequencer.submit(ops).await?;
    }
    full.extend(
        open.into_iter()
            .filter(|(_, envelope)| !envelope.records.is_empty()),
    );
    Ok(full)
}

/// Notes the disclosure and the state, sends, and notes what the peer says about each record.
async fn deliver(
    app: &Arc<App>,
    target: &Target,
    remote: &str,
    envelope: &Envelope,
) -> Result<(), ClientError> {
    let local = |error: SubmitError| ClientError::Unreachable {
        url: "the own register".to_owned(),
        text: error.to_string(),
    };
    let seqs: Vec<Seq> = envelope.records.iter().map(|sent| sent.seq).collect();
    // a disclosure is noted with the first try: a peer that is away for days does not fill the log
    let fresh: Vec<Seq> = envelope
        .records
        .iter()
        .filter(|sent| !sent.tried)
        .map(|sent| sent.seq)
        .collect();
    let comity = target.peer.kind == PeerKind::Comity;
    let mut ops = Vec::new();
    if !fresh.is_empty() {
        ops.push(Op::Disclose(Disclose {
            reader_party: target.peer.party.clone(),
            principal: target.reader.principal().as_str().to_owned(),
            awaited: comity.then(|| (fresh.clone(), due(app, &target.peer))),
            records: fresh,
            salt: app.salt().map_err(local)?,
        }));
    }
    let sent = mark(&target.peer.key, seqs, DeliveryState::Sent, None);
    ops.push(Op::Progress(sent));
    // durable before the bytes leave (DESIGN section 4)
    app.sequencer.submit(ops).await.map_err(local)?;
    let url = format!("{}collections/{remote}/objects/", target.settings.api_root);
    let answer = if comity {
        post_proved(app, target, &url, envelope).await?
    } else {
        let body = envelope.body(None, None).map_err(unread)?;
        target.client.post_taxii(&url, body, None).await?
    };
    let mut status: RemoteStatus = taxii::parse(&url, &answer.body)?;
    if status.status == "pending" {
        status = settled(target, &status.id).await?;
    }
    let ops = judge(&target.peer.key, envelope, &status);
    app.sequencer.submit(ops).await.map_err(local)?;
    Ok(())
}

/// Asks for the status again until the peer has decided; a peer that never does is tried anew later.
async fn settled(target: &Target, id: &str) -> Result<RemoteStatus, ClientError> {
    const ASKS: u32 = 20;
    let url = format!("{}status/{id}/", target.settings.api_root);
    let mut wait = std::time::Duration::from_millis(100);
    for _ in 0..ASKS {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(std::time::Duration::from_secs(5));
        let answer = target.client.get(&url, super::client::TAXII, &[]).await?;
        let status: RemoteStatus = taxii::parse(&url, &answer.body)?;
        if status.status == "complete" {
            return Ok(status);
        }
    }
    Err(ClientError::Unreachable {
        url,
        text: "the status stays `pending`".to_owned(),
    })
}

/// After a restart: what was sent and never answered goes again.
///
/// # Errors
/// See [`PushError`].
pub async fn requeue_unanswered(app: &App, peer: &str) -> Result<usize, PushError> {
    let mut after = Seq(0);
    let mut count = 0;
    loop {
        let unanswered = app
            .store
            .deliveries_in(peer, DeliveryState::Sent, after, STEP)?;
        let Some(last) = unanswered.last() else {
            return Ok(count);
        };
        after = last.seq;
        count += unanswered.len();
        let seqs = unanswered.iter().map(|delivery| delivery.seq).collect();
        app.sequencer
            .submit(vec![Op::Progress(mark(
                peer,
                seqs,
                DeliveryState::Queued,
                None,
            ))])
            .await?;
    }
}
