//! Where a record went, and what each recipient made of it: one answer from deliveries, disclosures, receipts and expiries.

use std::collections::BTreeMap;

use comity_ledger::entry::Event;
use comity_ledger::note::SignedNote;
use comity_ledger::proof::Proof;
use comity_store::{Awaited, Decision, Delivery, DeliveryState, PeerKind, ReadError, Receipt, Seq};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::clock::micros_to_text;
use crate::peers::push::account_name;

/// Where one record stands with one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A rule keeps it from going.
    Skipped,
    /// It waits for its turn.
    Queued,
    /// It was handed over; a receipt is awaited.
    Sent,
    /// It was handed over to a server that gives no receipts.
    HandedOver,
    /// It was fetched by somebody who gives no receipts.
    Fetched,
    /// The agreed time passed without a receipt.
    Expired,
    /// It was refused.
    Refused,
    /// The recipient signed that it has it, and its log proves it.
    Received,
    /// An officer of the recipient opened it.
    Opened,
    /// The recipient keeps what it was asked to remove.
    Kept,
    /// The recipient removed what it was asked to remove.
    Removed,
}

/// One recipient of one record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Recipient {
    /// Its party.
    pub party: String,
    /// The peer here, or the account that fetched it.
    pub via: String,
    /// Where it stands.
    pub state: State,
    /// Since when, RFC 3339.
    pub at: String,
    /// When it first left, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// Until when a receipt is or was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Our entry that says that none came in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_entry: Option<u64>,
    /// A receipt came after that.
    pub late: bool,
    /// Why it was refused, skipped or kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The label it is kept under there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What people should know beside the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether this recipient can give receipts.
    pub gives_receipts: bool,
    /// Its receipts, in order.
    pub receipts: Vec<ReceiptView>,
}

/// One receipt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceiptView {
    /// Event code of two hex digits: `d1` received, `e1` opened, `c4` and `a2` refused, `02` removed, `c3` kept.
    pub event: String,
    /// The standard's name of the event.
    pub name: &'static str,
    /// Index in the recipient's log.
    pub entry: u64,
    /// By the recipient's clock.
    pub time: String,
    /// When it came here.
    pub received: String,
    /// After the expiry was logged.
    pub late: bool,
    /// Cosignatures on the head it is proved under, beside the log's own.
    pub witnesses: usize,
    /// The signed receipt.
    pub receipt: String,
    /// The proof of its entry.
    pub proof: String,
}

/// Every recipient of a record, by party.
///
/// # Errors
/// When the register cannot be read.
pub fn recipients(app: &App, seq: Seq) -> Result<Vec<Recipient>, ReadError> {
    let catalog = app.catalog();
    let mut found: BTreeMap<(String, String), Recipient> = BTreeMap::new();
    let awaited = app.store.awaited(seq)?;
    let receipts = app.store.receipts(seq)?;
    for delivery in app.store.deliveries(seq)? {
        let (party, comity) = match catalog.peer(&delivery.peer) {
            Some(peer) => (peer.party.clone(), peer.kind == PeerKind::Comity),
            None => (delivery.peer.clone(), false),
        };
        let key = (party.clone(), delivery.peer.clone());
        found.insert(key, pushed(party, comity, &delivery));
    }
    for disclosure in app.store.disclosures(seq)? {
        let known = found.keys().any(|(party, _)| *party == disclosure.party);
        let comity = catalog.peers().iter().any(|peer| {
            peer.kind == PeerKind::Comity && account_name(peer) == disclosure.principal
        });
        if known && (comity || found.contains_key(&key(&disclosure.party, &disclosure.principal))) {
            continue;
        }
        let recipient = blank(
            disclosure.party.clone(),
            disclosure.principal.clone(),
            if comity { State::Sent } else { State::Fetched },
            disclosure.time_micros,
        );
        found.insert(key(&disclosure.party, &disclosure.principal), recipient);
    }
    has_earlier(app, seq, &mut found)?;
    for row in &awaited {
        expect(&mut found, row);
    }
    for receipt in &receipts {
        answered(&mut found, receipt);
    }
    Ok(found.into_values().collect())
}

/// A withdrawal is also for those who have an earlier version and were not reached yet.
fn has_earlier(
    app: &App,
    seq: Seq,
    found: &mut BTreeMap<(String, String), Recipient>,
) -> Result<(), ReadError> {
    let asks = app.store.withdrawal(seq)?;
    let Some(row) = asks.filter(|row| row.decision == Decision::Own) else {
        return Ok(());
    };
    for version in app.store.history(&row.id, &app.release.everything()?)? {
        for disclosure in app.store.disclosures(version.seq)? {
            if version.seq != seq && !found.keys().any(|(party, _)| *party == disclosure.party) {
                let (party, via) = (disclosure.party, disclosure.principal);
                let mut recipient = blank(
                    party.clone(),
                    via.clone(),
                    State::Queued,
                    disclosure.time_micros,
                );
                recipient.note = Some(
                    "it has an earlier version, and learns of the withdrawal when it fetches next"
                        .to_owned(),
                );
                found.insert((party, via), recipient);
            }
        }
    }
    Ok(())
}

fn key(party: &str, via: &str) -> (String, String) {
    (party.to_owned(), via.to_owned())
}

fn blank(party: String, via: String, state: State, at: i64) -> Recipient {
    Recipient {
        party,
        via,
        state,
        at: micros_to_text(at),
        sent: None,
        due: None,
        expiry_entry: None,
        late: false,
        reason: None,
        label: None,
        note: (state == State::Fetched || state == State::HandedOver)
            .then(|| "this recipient cannot give receipts".to_owned()),
        gives_receipts: state == State::Sent,
        receipts: Vec::new(),
    }
}

fn pushed(party: String, comity: bool, delivery: &Delivery) -> Recipient {
    let state = match delivery.state {
        DeliveryState::Queued => State::Queued,
        DeliveryState::Skipped => State::Skipped,
        DeliveryState::Refused => State::Refused,
        DeliveryState::Sent | DeliveryState::Accepted if comity => State::Sent,
        DeliveryState::Sent | DeliveryState::Accepted => State::HandedOver,
    };
    let mut recipient = blank(party, delivery.peer.clone(), state, delivery.changed);
    recipient.gives_receipts = comity;
    recipient.reason.clone_from(&delivery.reason);
    if !comity {
        recipient.note = Some("this peer cannot give receipts".to_owned());
    } else if delivery.state == DeliveryState::Accepted {
        recipient.note = Some("it answered that it took it; its receipt is awaited".to_owned());
    }
    recipient
}

/// The recipient of a party that gives receipts: the peer records are pushed to, or the node that fetched it.
fn of_party<'a>(
    found: &'a mut BTreeMap<(String, String), Recipient>,
    party: &str,
    at: i64,
) -> &'a mut Recipient {
    let place = found
        .iter()
        .filter(|((of, _), _)| of == party)
        .max_by_key(|(_, recipient)| recipient.gives_receipts)
        .map_or_else(|| key(party, party), |(place, _)| place.clone());
    let recipient = found
        .entry(place)
        .or_insert_with(|| blank(party.to_owned(), party.to_owned(), State::Sent, at));
    recipient.gives_receipts = true;
    recipient
}

fn expect(found: &mut BTreeMap<(String, String), Recipient>, awaited: &Awaited) {
    let recipient = of_party(found, &awaited.party, awaited.since);
    recipient.sent = Some(micros_to_text(awaited.since));
    recipient.due = Some(micros_to_text(awaited.due));
    recipient.expiry_entry = awaited.expiry;
    // what was refused by word and never by receipt stays refused: that is what is known
    if awaited.expiry.is_some() && !awaited.settled && recipient.state != State::Refused {
        recipient.state = State::Expired;
        recipient.at = micros_to_text(awaited.due);
        recipient.note = Some(format!(
            "no receipt came in time; our own proof stands alone, and our log says so in entry {}",
            awaited.expiry.unwrap_or_default()
        ));
    }
}

fn answered(found: &mut BTreeMap<(String, String), Recipient>, receipt: &Receipt) {
    let recipient = of_party(found, &receipt.party, receipt.received_micros);
    if recipient.receipts.is_empty() {
        // from here on the recipient's signed word leads
        recipient.note = None;
        recipient.reason = None;
        recipient.state = State::Sent;
    }
    let state = match receipt.event {
        Event::Deletion => State::Removed,
        Event::ConsignmentAcceptance => State::Kept,
        Event::ConsignmentRejection | Event::SubmissionRejection => State::Refused,
        Event::ContentHandover => State::Opened,
        _ => State::Received,
    };
    // a refusal is not undone by an opening, nor a removal by what came before
    if rank(state) > rank(recipient.state) {
        recipient.state = state;
        recipient.at = micros_to_text(receipt.time_micros);
    }
    recipient.late |= receipt.late;
    if receipt.label.is_some() {
        recipient.label.clone_from(&receipt.label);
    }
    if receipt.reason.is_some() {
        recipient.reason.clone_from(&receipt.reason);
    }
    recipient.receipts.push(ReceiptView {
        event: format!("{:02x}", receipt.event.code()),
        name: receipt.event.name(),
        entry: receipt.entry,
        time: micros_to_text(receipt.time_micros),
        received: micros_to_text(receipt.received_micros),
        late: receipt.late,
        witnesses: witnesses(&receipt.proof),
        receipt: receipt.note.clone(),
        proof: receipt.proof.clone(),
    });
}

fn rank(state: State) -> u8 {
    match state {
        State::Received => 1,
        State::Opened => 2,
        State::Refused => 3,
        State::Kept => 4,
        State::Removed => 5,
        _ => 0,
    }
}

/// Signatures on the head of a proof that was verified, beside the log's own.
fn witnesses(proof: &str) -> usize {
    let signatures = |note: &SignedNote| note.signatures().len();
    Proof::parse(proof.as_bytes())
        .map_or(0, |proof| signatures(proof.checkpoint()).saturating_sub(1))
}
