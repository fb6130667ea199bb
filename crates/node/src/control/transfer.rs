//! Handing an exhibit over to a peer, and taking one over.

use std::sync::Arc;

use comity_evidence::custody::{Kind, Line};
use comity_evidence::{ExhibitId, Hex};
use comity_store::{Peer, PeerKind, PeerState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{ControlError, Output, evidence};
use crate::app::App;
use crate::disclosure::disclose;
use crate::evidence::carry::Arrived;
use crate::evidence::receive::Believed;
use crate::evidence::transfer::{self, Checked, Offer};
use crate::evidence::{age, commit, fetch, receive, recipient, send};
use crate::peers::head::{self, HEAD_HEADER, HEAD_TRIES, HeadError, Telling};
use crate::peers::inbound::Proved;
use crate::peers::push::Target;
use crate::peers::run;
use crate::peers::taxii::join;

/// What to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// Whether an exhibit can go to a peer at all, before its contents are hashed for hours; gives the peer's party.
    MaySend {
        /// Which exhibit.
        exhibit: String,
        /// Name of the peer.
        to: String,
    },
    /// Hand it over.
    Send {
        /// Which exhibit.
        exhibit: String,
        /// Name of the peer.
        to: String,
        /// Canonical JSON of the event.
        event: String,
        /// The person's signature line.
        signature: String,
    },
    /// Fetch the offer, and with it the contents; the same again goes on.
    Fetch {
        /// Identifier of the exhibit.
        exhibit: String,
        /// Name of the peer.
        from: String,
        /// Also the contents.
        contents: bool,
    },
    /// Say what became of it, here and to the giver.
    Answer(Answered),
    /// Give the giver the answer once more.
    AnswerAgain {
        /// Which exhibit.
        exhibit: String,
        /// Name of the peer.
        from: String,
        /// The person's signature line on the event that handed it over.
        counter_signature: String,
    },
}

/// `received` or `refused`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answered {
    /// Identifier of the exhibit.
    pub exhibit: String,
    /// Name of the peer.
    pub from: String,
    /// Canonical JSON of the event.
    pub event: String,
    /// The person's signature line.
    pub signature: String,
    /// The person's signature line on the event that handed it over; none when refused.
    pub counter_signature: Option<String>,
}

pub(super) fn execute(
    app: &Arc<App>,
    actor: &str,
    command: Transfer,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Transfer::MaySend { exhibit, to } => may_send(app, &exhibit, &to),
        Transfer::Send {
            exhibit,
            to,
            event,
            signature,
        } => {
            let row = evidence::find(app, &exhibit)?;
            let target = target(app, &to)?;
            let signed = evidence::signed(&event, signature)?;
            let collection = evidence::collection_of(app, actor, &row)?;
            send::send(app, actor, &row, signed, &target.reader, &collection)?;
            evidence::shown(app, &evidence::find(app, &row.id)?)
        }
        Transfer::Fetch {
            exhibit,
            from,
            contents,
        } => self::fetch(app, &exhibit, &from, contents, output),
        Transfer::Answer(answered) => self::answer(app, actor, answered),
        Transfer::AnswerAgain {
            exhibit,
            from,
            counter_signature,
        } => again(app, &exhibit, &from, &counter_signature),
    }
}

/// A peer to which evidence can go, ready to be spoken to.
fn target(app: &App, name: &str) -> Result<Target, ControlError> {
    let catalog = app.catalog();
    let peer: Option<&Arc<Peer>> = catalog.peers().iter().find(|peer| peer.key == name);
    let peer = peer.ok_or_else(|| {
        ControlError::not_found("peer", name).help("`comity peer list` shows them")
    })?;
    if peer.kind != PeerKind::Comity || peer.state != PeerState::Active {
        return Err(ControlError::forbidden(format!(
            "`{name}` is no active Comity node"
        )));
    }
    let target = run::target(app, peer).map_err(ControlError::internal)?;
    let recipient = target.settings.recipient.as_deref();
    let usable = recipient
        .and_then(recipient::decode)
        .is_some_and(|key| age::is_usable(&key));
    if target.settings.custody_key.is_none() || !usable {
        return Err(ControlError::forbidden(format!(
            "the keys of `{name}` for evidence are not known, or cannot be used"
        ))
        .help("`comity peer add` with the same URL and fingerprint fetches its card again"));
    }
    Ok(target)
}

fn may_send(app: &App, exhibit: &str, to: &str) -> Result<Value, ControlError> {
    let row = evidence::find(app, exhibit)?;
    let target = target(app, to)?;
    let chain = commit::chain(app, &row)?;
    if row.destroyed.is_some()
        || chain.away().is_some()
        || chain.holder() != Some(app.party.as_str())
    {
        return Err(ControlError::usage(format!(
            "`{}` is not here to be handed over",
            row.number
        )));
    }
    Ok(json!({ "party": target.peer.party, "exhibit": row.id, "size": row.size }))
}

/// An offer that was believed, with how many entries of its log the giver was told we know.
struct Offered {
    offer: Offer,
    checked: Checked,
    told: Option<u64>,
}

fn offer(app: &App, target: &Target, exhibit: &str) -> Result<Offered, ControlError> {
    ExhibitId::parse(exhibit).map_err(|_| {
        ControlError::usage(format!("`{exhibit}` is no identifier of an exhibit"))
            .help("the giver's `comity evidence show` has it: `comity-exhibit--...`")
    })?;
    if let Some(why) = run::paused(app, &target.peer.key) {
        return Err(ControlError::forbidden(why));
    }
    let url = join(&target.peer.url, &format!("api/v1/evidence/{exhibit}"))?;
    let told = head::known(app, &target.peer)?;
    let known = told.map(|told| told.to_string());
    let extra: Vec<_> = known
        .iter()
        .map(|known| (HEAD_HEADER, known.as_str()))
        .collect();
    let wait = Handle::try_current().map_err(ControlError::internal)?;
    let answer = wait.block_on(target.client.get(&url, "application/json", &extra))?;
    let offer: Offer = serde_json::from_slice(&answer.body).map_err(|error| {
        ControlError::forbidden(format!("`{url}` answered something unusable: {error}"))
    })?;
    let keys = commit::authority_keys(app);
    let checked = transfer::check(&offer, &target.peer.party, app.party.as_str(), &keys)?;
    if checked.exhibit.id.as_str() != exhibit {
        return Err(ControlError::forbidden(format!(
            "`{url}` offers another exhibit"
        )));
    }
    Ok(Offered {
        offer,
        checked,
        told,
    })
}

/// The offer as it is now, and the head its records are proved by, judged. Asked again when a newer head of the giver's came by
/// another way meanwhile.
fn proved(
    app: &Arc<App>,
    target: &Target,
    exhibit: &str,
) -> Result<(Offered, Proved), ControlError> {
    let wait = Handle::try_current().map_err(ControlError::internal)?;
    let mut tries = 0;
    loop {
        let offered = offer(app, target, exhibit)?;
        let arrived = Arrived::of(&offered.offer.envelope).map_err(ControlError::forbidden)?;
        let peer = Arc::clone(&target.peer);
        match wait.block_on(Proved::judge(app, peer, &arrived.beside, offered.told)) {
            Ok(proved) => return Ok((offered, proved)),
            Err(HeadError::Behind { .. } | HeadError::Unproved { .. }) if tries < HEAD_TRIES => {
                tries += 1;
            }
            Err(error) => return Err(ControlError::forbidden(error.to_string())),
        }
    }
}

fn fetch(
    app: &Arc<App>,
    exhibit: &str,
    from: &str,
    contents: bool,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let target = target(app, from)?;
    let Offered { offer, checked, .. } = offer(app, &target, exhibit)?;
    let transferred = checked
        .transferred()
        .ok_or_else(|| ControlError::internal("an offer without events"))?;
    if contents {
        let runtime = Handle::try_current().map_err(ControlError::internal)?;
        let what = fetch::What {
            exhibit: &checked.exhibit,
            transferred: transferred.hash(),
            list_size: offer.list_size,
        };
        let source = fetch::From {
            client: &target.client,
            url: &target.peer.url,
            identity: &app.identity,
            runtime: &runtime,
            patience: fetch::Patience::default(),
        };
        // the session stays until the register has the exhibit: dropping it only lets go of its locks
        fetch::fetch(&commit::vault(app), &what, &source, &mut |done, total| {
            output.progress("receiving", done, total);
        })?;
    }
    let fields = transferred.fields();
    let now = app.clock.now_micros().max(fields.time.micros());
    Ok(json!({
        "party": app.party.as_str(),
        "giver": target.peer.party,
        "now": now,
        "last": Hex(transferred.hash()).to_string(),
        "basis": fields.basis,
        "exhibit": {
            "id": checked.exhibit.id.as_str(), "number": checked.exhibit.number.as_str(), "title": checked.exhibit.title,
            "items": checked.exhibit.items, "size": checked.exhibit.size,
            "items_sha256": Hex(&checked.exhibit.items_sha256).to_string(),
        },
    }))
}

fn answer(app: &Arc<App>, actor: &str, answered: Answered) -> Result<Value, ControlError> {
    let target = target(app, &answered.from)?;
    let signed = evidence::signed(&answered.event, answered.signature)?;
    let collection = evidence::own_collection(app, actor, None)?;
    // again, hours later perhaps: the giver may have taken it back
    let (offered, proved) = proved(app, &target, &answered.exhibit)?;
    let checked = &offered.checked;
    let transferred = checked
        .transferred()
        .ok_or_else(|| ControlError::internal("an offer without events"))?
        .hash();
    let believed = Believed {
        offer: &offered.offer,
        checked,
        proved: &proved,
        from: &target.reader,
    };
    let line = if signed.event.fields().kind == Kind::Received {
        // its lock keeps the contents from being removed until the register refers to them
        let receiving = commit::vault(app).receive(transferred, &checked.exhibit.id)?;
        let line = receive::receive(app, actor, &believed, signed, &collection)?;
        // CRASH POINT: taken in, the giver does not know; `receive` again gives the answer again
        receiving.finish()?;
        line
    } else {
        receive::refuse(app, actor, &believed, signed, &collection)?
    };
    // nothing of the giver's log is held while it is asked
    drop(proved);
    let person = answered.counter_signature.as_deref();
    let told = tell(app, &target, &line, &answered.exhibit, person);
    let mut shown = match app.store.exhibit(&answered.exhibit)? {
        Some(row) => evidence::shown(app, &row)?,
        None => json!({ "id": answered.exhibit, "number": checked.exhibit.number.as_str() }),
    };
    evidence::set(&mut shown, "answered", told.is_ok());
    evidence::set(
        &mut shown,
        "note",
        told.err().map(|error| error.to_string()),
    );
    Ok(shown)
}

fn again(
    app: &Arc<App>,
    exhibit: &str,
    from: &str,
    counter_signature: &str,
) -> Result<Value, ControlError> {
    let target = target(app, from)?;
    let row = evidence::find(app, exhibit)?;
    let lines = commit::lines(app, &row)?;
    let received = lines.iter().rev().find(|line| {
        let fields = line.event_unverified().fields();
        fields.kind == Kind::Received
            && fields.counterparty.as_deref() == Some(target.peer.party.as_str())
    });
    let received =
        received.ok_or_else(|| ControlError::not_found("receipt of exhibit", exhibit))?;
    tell(app, &target, received, &row.id, Some(counter_signature))?;
    let mut shown = evidence::shown(app, &row)?;
    evidence::set(&mut shown, "answered", true);
    Ok(shown)
}

/// Gives the answer to the giver, whose receipt it is; that it goes there is logged first, like every record that goes out.
fn tell(
    app: &Arc<App>,
    target: &Target,
    line: &Line,
    exhibit: &str,
    counter_signature: Option<&str>,
) -> Result<(), ControlError> {
    let transferred = line
        .event_unverified()
        .fields()
        .previous
        .ok_or_else(|| ControlError::internal("an answer to nothing"))?;
    let url = join(
        &target.peer.url,
        &format!("api/v1/evidence/{exhibit}/answer"),
    )?;
    let wait = Handle::try_current().map_err(ControlError::internal)?;
    let record = receive::record_of(app, line)?;
    let released = [(record.seq, record.label_set)];
    wait.block_on(disclose(app, &target.reader, &released, true))
        .map_err(ControlError::internal)?;
    let mut telling = Telling::default();
    loop {
        let known = telling.known(app, &target.peer.key);
        let (answer, size) = receive::answer(app, line, &transferred, counter_signature, known)?;
        let body = serde_json::to_vec(&answer).map_err(ControlError::internal)?;
        match wait.block_on(target.client.post_json(&url, body, telling.told)) {
            Err(error) if telling.again(app, &target.peer.key, &error) => {}
            Ok(_) => {
                app.exchange.acknowledge(&target.peer.key, size);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
}
