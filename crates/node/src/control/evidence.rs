//! Evidence: what the node does when an exhibit was sealed or something happened to one.

use std::sync::Arc;

use comity_evidence::custody::{Chain, Event, Kind};
use comity_evidence::{Hex, parse_hex};
use comity_ledger::note::VerifierKey;
use comity_store::{Admin, Collection as CollectionRow, ExhibitRow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ControlError, ErrorKind, Output, collection, person};

mod package;
use crate::app::App;
use crate::clock::micros_to_text;
use crate::evidence::commit::{self, Sealing, Signed};
use crate::evidence::sweep;

/// What to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Accept a public key by which a person signs.
    KeyAdd {
        /// The key; its name says whose it is.
        vkey: String,
    },
    /// Accept it for new events no more.
    KeyRetire {
        /// The key.
        vkey: String,
    },
    /// Keys, as rows.
    Keys,
    /// What is needed to make an event.
    Prepare {
        /// About this exhibit; none yet for a seal.
        exhibit: Option<String>,
    },
    /// Take in an exhibit whose contents are in the vault.
    Seal(Box<Seal>),
    /// Add an event.
    Act {
        /// Which exhibit.
        exhibit: String,
        /// Canonical JSON of the event.
        event: String,
        /// The person's signature line.
        signature: String,
    },
    /// Note in the log that all contents were hashed again.
    Checked {
        /// Which exhibit.
        exhibit: String,
        /// What that gave.
        rehashed: String,
        /// What was found wrong, in words.
        damaged: Vec<String>,
    },
    /// How long an exhibit is kept, and for what.
    Keep(Keep),
    /// Remove objects of the vault that no exhibit has.
    Tidy,
    /// All exhibits, as rows.
    List,
    /// Hand one over, or take one over.
    Transfer(Box<super::Transfer>),
    /// One exhibit with its custody.
    Show {
        /// Which exhibit.
        exhibit: String,
    },
    /// What a package of these exhibits is made from.
    Gather {
        /// Which exhibits.
        exhibits: Vec<String>,
    },
    /// Commit to the seal of a package; gives the proof.
    Package {
        /// `seal/seal.json`.
        seal: String,
    },
}

/// An exhibit that was sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seal {
    /// Canonical JSON of the event.
    pub event: String,
    /// The person's signature line.
    pub signature: String,
    /// What people will call it.
    pub number: String,
    /// What it is.
    pub title: String,
    /// Collection for its records; `evidence` when not given.
    pub collection: Option<String>,
    /// Not to be destroyed before, microseconds.
    pub retention_until: Option<i64>,
    /// What it may be used for.
    pub use_limits: Option<String>,
}

/// What changes about keeping; `None` stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Keep {
    /// Which exhibit.
    pub exhibit: String,
    /// Why it must not be destroyed; an empty text lifts the hold.
    pub hold: Option<String>,
    /// Not to be destroyed before, microseconds; 0 for no such time.
    pub retention_until: Option<i64>,
    /// What it may be used for; an empty text for no limits.
    pub use_limits: Option<String>,
}

/// The collection of evidence records when none is named.
const COLLECTION: &str = "evidence";

pub(super) fn execute(
    app: &Arc<App>,
    actor: &str,
    command: Evidence,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Evidence::KeyAdd { vkey } => key_add(app, actor, &vkey),
        Evidence::KeyRetire { vkey } => {
            app.administer_blocking(actor, Admin::RetirePersonKey(vkey.clone()))?;
            Ok(json!({ "retired": vkey }))
        }
        Evidence::Keys => keys(app, output),
        Evidence::Prepare { exhibit } => prepare(app, actor, exhibit.as_deref()),
        Evidence::Seal(seal) => self::seal(app, actor, *seal),
        Evidence::Act {
            exhibit,
            event,
            signature,
        } => act(app, actor, &exhibit, &event, signature),
        Evidence::Checked {
            exhibit,
            rehashed,
            damaged,
        } => checked(app, actor, &exhibit, &rehashed, damaged),
        Evidence::Keep(keep) => self::keep(app, actor, keep),
        Evidence::Tidy => {
            let (objects, octets) = sweep::remove_left_over(app, actor)?;
            Ok(json!({ "objects": objects, "octets": octets }))
        }
        Evidence::List => {
            let all = app.store.exhibits()?;
            for row in &all {
                output.row(shown(app, row)?)?;
            }
            Ok(json!({ "exhibits": all.len() }))
        }
        Evidence::Show { exhibit } => show(app, &exhibit),
        Evidence::Gather { exhibits } => package::gather(app, &exhibits),
        Evidence::Package { seal } => package::commit(app, seal),
        Evidence::Transfer(transfer) => super::transfer::execute(app, actor, *transfer, output),
    }
}

/// An exhibit by identifier or number.
pub(super) fn find(app: &App, name: &str) -> Result<ExhibitRow, ControlError> {
    app.store.exhibit(name)?.ok_or_else(|| {
        ControlError::not_found("exhibit", name).help("`comity evidence list` shows them")
    })
}

fn key_add(app: &App, actor: &str, vkey: &str) -> Result<Value, ControlError> {
    let key = VerifierKey::parse(vkey).map_err(|error| ControlError::usage(error.to_string()))?;
    let principal = key.name().as_str().to_owned();
    person::known(app, &principal)?;
    let change = Admin::PutPersonKey {
        principal: principal.clone(),
        vkey: key.to_string(),
    };
    app.administer_blocking(actor, change)?;
    Ok(
        json!({ "principal": principal, "key": key.to_string(), "fingerprint": Hex(&key.fingerprint()).to_string() }),
    )
}

fn keys(app: &App, output: &mut dyn Output) -> Result<Value, ControlError> {
    let all = app.store.person_keys(None)?;
    for key in &all {
        output.row(json!({
            "principal": key.principal,
            "key": key.vkey,
            "added": micros_to_text(key.added),
            "retired": key.retired.map(micros_to_text),
        }))?;
    }
    Ok(json!({ "keys": all.len(), "authority": app.custody.verifier().to_string() }))
}

fn prepare(app: &App, actor: &str, exhibit: Option<&str>) -> Result<Value, ControlError> {
    person::known(app, actor)?;
    let now = app.clock.now_micros();
    let mut answer = json!({
        "actor": actor,
        "party": app.party.as_str(),
        "now": now,
        "keys": app.store.person_keys(Some(actor))?.iter()
            .filter(|key| key.retired.is_none()).map(|key| key.vkey.as_str()).collect::<Vec<_>>(),
    });
    match exhibit {
        None => set(&mut answer, "number", next_number(app, now)?),
        Some(name) => {
            let row = find(app, name)?;
            let chain = commit::chain(app, &row)?;
            // INVARIANT of a chain: no event is before the one it follows, whatever the clocks of two parties say
            let after = chain.last_time().map_or(now, |time| time.micros().max(now));
            set(&mut answer, "now", after);
            set(&mut answer, "last", Hex(&row.last).to_string());
            set(&mut answer, "exhibit", shown(app, &row)?);
        }
    }
    Ok(answer)
}

/// `UA-2026-0001`: the party, the year, the next number of that year.
fn next_number(app: &App, now: i64) -> Result<String, ControlError> {
    let year = micros_to_text(now).get(..4).unwrap_or("0000").to_owned();
    let prefix = format!("{}-{year}-", app.party.as_str().to_uppercase());
    let given = app.store.exhibit_numbers(app.party.as_str(), &prefix)?;
    let highest = given
        .iter()
        .filter_map(|number| number.strip_prefix(&prefix)?.parse::<u64>().ok())
        .max()
        .unwrap_or(0);
    Ok(format!("{prefix}{:04}", highest + 1))
}

fn seal(app: &Arc<App>, actor: &str, seal: Seal) -> Result<Value, ControlError> {
    let signed = signed(&seal.event, seal.signature)?;
    let id = signed.event.fields().exhibit.clone();
    if let Some(row) = app.store.exhibit(id.as_str())? {
        // sealed before an interruption: the caller only has to clear away
        if row.items_sha256 == signed.event.fields().items_sha256 {
            return shown(app, &row);
        }
        return Err(ControlError::new(
            ErrorKind::Taken,
            format!(
                "these files were sealed as `{}` before the interruption, and are others now",
                row.number
            ),
        )
        .help("`--restart` seals them as another exhibit"));
    }
    let collection = own_collection(app, actor, seal.collection.as_deref())?;
    let row = commit::seal(
        app,
        actor,
        Sealing {
            signed,
            number: seal.number,
            title: seal.title,
            retention_until: seal.retention_until,
            use_limits: seal.use_limits,
        },
        &collection,
    )?;
    shown(app, &row)
}

fn act(
    app: &Arc<App>,
    actor: &str,
    exhibit: &str,
    event: &str,
    signature: String,
) -> Result<Value, ControlError> {
    let row = find(app, exhibit)?;
    let signed = signed(event, signature)?;
    let kind = signed.event.fields().kind;
    if matches!(kind, Kind::Transferred | Kind::Received) {
        return Err(ControlError::usage(format!("`{kind}` is not said by hand"))
            .help("`comity evidence send` hands an exhibit over; the other side receives it by `comity evidence receive`"));
    }
    let collection = collection_of(app, actor, &row)?;
    let (line, doomed) = commit::act(app, actor, &row, signed, &collection)?;
    let mut removed = 0;
    if !doomed.is_empty() {
        // the register has said it; if the vault is busy now, the node removes them later
        removed = sweep::remove_doomed(app).unwrap_or_else(|error| {
            tracing::warn!(%error, "objects of a destroyed exhibit are not removed yet; it is tried again");
            0
        });
    }
    Ok(json!({
        "exhibit": shown(app, &find(app, &row.id)?)?,
        "event": Hex(line.event_unverified().hash()).to_string(),
        "objects_doomed": doomed.len(),
        "objects_removed": removed,
    }))
}

pub(super) fn signed(event: &str, signature: String) -> Result<Signed, ControlError> {
    let event = Event::parse(event.as_bytes())
        .map_err(|error| ControlError::usage(format!("the event: {error}")))?;
    Ok(Signed { event, signature })
}

fn checked(
    app: &App,
    actor: &str,
    exhibit: &str,
    rehashed: &str,
    damaged: Vec<String>,
) -> Result<Value, ControlError> {
    let row = find(app, exhibit)?;
    let Some(rehashed) = parse_hex(rehashed) else {
        return Err(ControlError::usage("`rehashed` is no SHA-256"));
    };
    let whole = rehashed == row.items_sha256;
    let note = json!({ "evidence_check": {
        "exhibit": row.id, "items_sha256": Hex(&row.items_sha256).to_string(),
        "rehashed": Hex(&rehashed).to_string(), "damaged": damaged,
    } });
    app.administer_blocking(actor, Admin::Note(note))?;
    Ok(
        json!({ "exhibit": row.id, "number": row.number, "whole": whole, "rehashed": Hex(&rehashed).to_string(), "damaged": damaged }),
    )
}

fn keep(app: &Arc<App>, actor: &str, keep: Keep) -> Result<Value, ControlError> {
    let mut row = find(app, &keep.exhibit)?;
    if row.destroyed.is_some() {
        return Err(ControlError::usage(format!(
            "the contents of `{}` were destroyed",
            row.number
        )));
    }
    let some = |text: String| (!text.is_empty()).then_some(text);
    if let Some(hold) = keep.hold {
        row.hold = some(hold);
    }
    if let Some(limits) = keep.use_limits {
        row.use_limits = some(limits);
    }
    if let Some(until) = keep.retention_until {
        row.retention_until = (until != 0).then_some(until);
    }
    let collection = collection_of(app, actor, &row)?;
    let tlp = commit::lines(app, &row)?
        .first()
        .map_or(comity_stix::marking::Tlp::Amber, |line| {
            commit::tlp_of(&line.event_unverified().fields().handling)
        });
    commit::keep(app, actor, &row, &collection, tlp)?;
    shown(app, &row)
}

/// The collection named, or the one of evidence, made at its first use.
pub(super) fn own_collection(
    app: &App,
    actor: &str,
    name: Option<&str>,
) -> Result<CollectionRow, ControlError> {
    if let Some(name) = name {
        return collection::find(app, name);
    }
    if let Some(row) = app.catalog().collection(COLLECTION) {
        return Ok(CollectionRow::clone(row));
    }
    let officers = vec!["role:officer".to_owned()];
    let change = super::CollectionChange {
        title: Some("Evidence: exhibits and their custody".to_owned()),
        read: Some(officers.clone()),
        write: Some(officers),
        ..super::CollectionChange::default()
    };
    let add = super::Collection::Add {
        alias: COLLECTION.to_owned(),
        id: None,
        change: Box::new(change),
    };
    collection::execute(app, actor, add, &mut super::Kept::default())?;
    collection::find(app, COLLECTION)
}

/// Where the records of an exhibit are: later ones go there too.
pub(super) fn collection_of(
    app: &App,
    actor: &str,
    row: &ExhibitRow,
) -> Result<CollectionRow, ControlError> {
    match commit::collection_of(app, row)? {
        Some(found) => Ok(found),
        None => own_collection(app, actor, None),
    }
}

fn show(app: &App, name: &str) -> Result<Value, ControlError> {
    let row = find(app, name)?;
    let mut answer = shown(app, &row)?;
    let keys = commit::authority_keys(app);
    let lines = commit::lines(app, &row)?;
    // whoever counter-signed a hand-over is the actor of the event that answers it
    let persons: Vec<VerifierKey> = lines
        .iter()
        .map(|line| line.event_unverified().fields().actor.key.clone())
        .collect();
    let mut custody = Vec::new();
    for line in &lines {
        let event = line.event_unverified();
        let verified = line.verify(&keys, &persons);
        let text = event.to_json();
        let mut shown: Value = serde_json::from_str(&text).map_err(ControlError::internal)?;
        set(&mut shown, "hash", Hex(event.hash()).to_string());
        set(&mut shown, "signatures", line.signatures());
        set(&mut shown, "verified", verified.is_ok());
        match verified {
            Ok(verified) => {
                set(
                    &mut shown,
                    "countersigned_by",
                    verified.countersigned().map(|key| key.name().to_string()),
                );
            }
            Err(error) => set(&mut shown, "problem", error.to_string()),
        }
        custody.push(shown);
    }
    set(&mut answer, "custody", custody);
    Ok(answer)
}

/// Puts a member into an answer, which is an object.
pub(super) fn set(answer: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(members) = answer.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

pub(super) fn shown(app: &App, row: &ExhibitRow) -> Result<Value, ControlError> {
    let chain = commit::chain(app, row).unwrap_or_else(|_| Chain::default());
    let now = app.clock.now_micros();
    Ok(json!({
        "id": row.id,
        "number": row.number,
        "origin": row.origin,
        "title": row.title,
        "items": row.items,
        "size": row.size,
        "items_sha256": Hex(&row.items_sha256).to_string(),
        "taken_in": micros_to_text(row.taken_in),
        "state": state(&chain),
        "holder": chain.holder(),
        "handed_to": chain.away().map(|away| away.to.as_str()),
        "events": chain.len(),
        "last_event": chain.last_kind().map(Kind::word),
        "last_event_at": chain.last_time().map(|time| time.to_string()),
        "retention_until": row.retention_until.map(micros_to_text),
        "retention_over": row.retention_until.map(|until| until <= now),
        "hold": row.hold,
        "use_limits": row.use_limits,
        "destroyed": row.destroyed.map(micros_to_text),
    }))
}

fn state(chain: &Chain) -> &'static str {
    match (
        chain.is_destroyed(),
        chain.away().is_some(),
        chain.is_sealed(),
    ) {
        (true, ..) => "destroyed",
        (_, true, _) => "handed over, not answered",
        (_, _, true) => "sealed",
        _ if chain.is_empty() => "damaged",
        _ => "open",
    }
}

/// A time people write, as microseconds: a day, or a whole timestamp.
///
/// # Errors
/// In words.
pub fn time(text: &str) -> Result<i64, ControlError> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    comity_evidence::Time::parse(&whole)
        .map(comity_evidence::Time::micros)
        .ok_or_else(|| {
            ControlError::new(ErrorKind::Usage, format!("`{text}` is no time"))
                .help("`2031-12-31`, or `2031-12-31T12:00:00Z`")
        })
}
