//! What a sender says about handling when it adds records over TAXII, and what a Comity peer is told when it fetches.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_access::{Audience, LabelSet, PartyId, Reader, Role};
use comity_ledger::tree::leaf_hash;
use comity_stix::marking::Tlp;
use comity_store::{CollectionKey, LabelSetId, Peer, PeerKind, PeerState, ReadError, Record, Seq};
use tokio::sync::OwnedMutexGuard;

use super::delivery::{Beside, Delivery, OfferedRecords, write_beside};
use super::head::{self, HeadError, Judged};
use super::push::account_name;
use super::settings::PeerSettings;
use crate::app::App;
use crate::handling::{Handling, SidecarError, SidecarItem, read_sidecar};
use crate::proof::Prover;

/// Under which handling records come in that `reader` adds to a collection, with the sidecar of its envelope.
///
/// The party's own staff publish for the collection's audience. Another party's records are meant for us and nobody else,
/// unless its node says more beside them; what it says must name us.
///
/// # Errors
/// When a peer's sidecar cannot be used: the envelope is refused whole.
pub fn handling(
    app: &App,
    reader: &Reader,
    collection: CollectionKey,
    beside: &Beside,
    proved: Option<&Proved>,
) -> Result<Handling, SidecarError> {
    if *reader.party() == app.party {
        return Ok(Handling {
            audience: app.catalog().audience(collection),
            exercise: reader.exercise().map(str::to_owned),
            ..Handling::default()
        });
    }
    let audience = Audience {
        parties: std::iter::once(app.party.clone()).collect(),
        ..Audience::default()
    };
    let mut handling = Handling {
        audience,
        // a node carries both, and says beside each record which it is; of anybody else who plays, all is play
        exercise: (reader.role() != Role::Peer)
            .then(|| reader.exercise().map(str::to_owned))
            .flatten(),
        ..Handling::default()
    };
    let mut offered = OfferedRecords::default();
    if matches!(reader.role(), Role::Peer | Role::Observer)
        && let Some(text) = &beside.handling
    {
        let sidecar = read_sidecar(text)?.foreign_to(&app.party);
        let by_record = sidecar.by_record;
        offered = sidecar.offered;
        for ((id, _), carried) in &by_record {
            if !names(&carried.label, &app.party) {
                return Err(SidecarError::NotForUs {
                    id: id.clone(),
                    party: app.party.as_str().to_owned(),
                });
            }
        }
        handling.by_record = by_record;
    }
    handling.delivery = proved.map(|proved| proved.delivery(offered));
    Ok(handling)
}

/// A peer's account as the policies are asked about what is fetched from it: that it may add to this collection was decided by
/// whoever made the route, or ordered the fetching. `None` when the account is none.
#[must_use]
pub fn granted(account: &Reader, collection: CollectionKey) -> Option<Arc<Reader>> {
    let mut account = account.to_account();
    account.grants.write.insert(collection.0.to_string());
    Reader::new(account).ok().map(Arc::new)
}

/// The Comity node behind an account, when it is one that exchange runs with.
#[must_use]
pub fn comity_peer(app: &App, reader: &Reader) -> Option<Arc<Peer>> {
    let catalog = app.catalog();
    let found = catalog.peers().iter().find(|peer| {
        peer.kind == PeerKind::Comity
            && peer.state == PeerState::Active
            && account_name(peer) == reader.principal().as_str()
    });
    found.cloned()
}

/// A peer's head, judged, while the peer's turn is held: nobody else moves the kept head until this is dropped, after the
/// records are committed.
pub struct Proved {
    peer: Arc<Peer>,
    judged: Result<Judged, String>,
    _turn: OwnedMutexGuard<()>,
}

impl Proved {
    /// Judges what stands beside the records of `peer`. `told`: how many entries of its log it knows that we know.
    ///
    /// # Errors
    /// When nothing of the delivery may be taken: a log that went back or split (an alarm is raised), or a head that must be
    /// shown with a proof first.
    pub async fn judge(
        app: &App,
        peer: Arc<Peer>,
        beside: &Beside,
        told: Option<u64>,
    ) -> Result<Self, HeadError> {
        let turn = app.exchange.turn(&peer.party).await;
        let judged = match beside.checkpoint() {
            None => Err("the envelope comes without its sender's signed head".to_owned()),
            Some(note) => {
                let consistency = beside.consistency();
                match head::judge(app, &peer, note.as_bytes(), consistency.as_ref(), told) {
                    Ok(judged) => Ok(judged),
                    // signed by nobody we know: the records are refused one by one, with this reason
                    Err(error @ (HeadError::Head { .. } | HeadError::NoLog(_))) => {
                        Err(error.to_string())
                    }
                    Err(error) => {
                        head::raise(app, &peer, &error, note.as_bytes()).await?;
                        return Err(error);
                    }
                }
            }
        };
        Ok(Self {
            peer,
            judged,
            _turn: turn,
        })
    }

    /// What the records are held against.
    #[must_use]
    pub fn delivery(&self, offered: OfferedRecords) -> Delivery {
        let settings: PeerSettings =
            serde_json::from_value(self.peer.settings.clone()).unwrap_or_default();
        let judged = self.judged.as_ref();
        Delivery {
            party: self.peer.party.clone(),
            origin: crate::app::origin(&self.peer.party),
            checkpoint: judged
                .map(|judged| judged.checkpoint.clone())
                .map_err(Clone::clone),
            seen: judged.ok().and_then(|judged| judged.seen.clone()),
            offered,
            on_withdrawal: settings.on_withdrawal,
        }
    }
}

/// Whether a label lets `party` have the record at all.
#[must_use]
pub fn names(label: &LabelSet, party: &PartyId) -> bool {
    let audience = label.audience();
    label.tlp() <= Tlp::Green
        || audience.parties.contains(party)
        || audience
            .persons
            .iter()
            .any(|person| person.party() == party.as_str())
}

/// The line of the sidecar for a record; the path is added when it is written.
///
/// # Errors
/// When the register cannot be read.
pub fn sidecar_item(app: &App, record: &Record) -> Result<SidecarItem, ReadError> {
    let label = app.release.label(record.label_set)?;
    let entry = app
        .store
        .entries(record.entry_index, record.entry_index + 1)?
        .into_iter()
        .next()
        .unwrap_or_default();
    // an unrevoked record asks for nothing
    let withdrawal = if record.revoked {
        app.store.withdrawal(record.seq)?
    } else {
        None
    };
    Ok(SidecarItem {
        id: record.id.clone(),
        version: record.version.clone(),
        label: label.to_json(),
        leaf: STANDARD.encode(leaf_hash(&entry)),
        entry: record.entry_index,
        salt: (!record.granular).then(|| STANDARD.encode(record.salt)),
        logged: Some(STANDARD.encode(&entry)),
        path: None,
        withdraw: withdrawal.is_some(),
        reason: withdrawal.map(|row| row.reason),
    })
}

/// The envelope `body` with labels and proofs as further properties, for a Comity peer that knows `known` entries of our log;
/// the records are ones that release let it have.
///
/// # Errors
/// When the register cannot be read.
pub fn with_sidecar(
    app: &App,
    body: &[u8],
    records: &[(Seq, LabelSetId)],
    known: Option<u64>,
) -> Result<Vec<u8>, ReadError> {
    let Some(open) = body.strip_suffix(b"}").filter(|_| !records.is_empty()) else {
        return Ok(body.to_vec());
    };
    let mut items: Vec<SidecarItem> = records
        .iter()
        .filter_map(|(seq, _)| app.store.record(*seq).transpose())
        .map(|record| sidecar_item(app, &record?))
        .collect::<Result<_, _>>()?;
    let mut whole = open.to_vec();
    write_beside(&mut whole, &mut items, &mut Prover::new(&app.store)?, known)?;
    whole.push(b'}');
    Ok(whole)
}
