//! From an event a person has signed to records and rows in the register.

use std::sync::Arc;

use comity_access::{Action, Audience};
use comity_evidence::custody::{Chain, Event, Kind, Line, custody_key_name, sign_hash};
use comity_evidence::{Exhibit, ExhibitNumber, Hash, Item};
use comity_ledger::note::VerifierKey;
use comity_stix::finding::Position;
use comity_stix::marking::Tlp;
use comity_store::vault::Vault;
use comity_store::{
    Collection, CustodyRow, Evidence, EvidenceChange, ExhibitRow, Op, Outcome, Peer, PeerState, Put,
};

use super::records;
use crate::app::App;
use crate::control::{ControlError, ErrorKind, person};
use crate::handling::{Handling, Source};
use crate::intake::{self, Incoming};

/// An event with the signature of the person who did it.
pub struct Signed {
    /// The event.
    pub event: Event,
    /// The person's signature line.
    pub signature: String,
}

/// The node's vault.
#[must_use]
pub fn vault(app: &App) -> Vault {
    Vault::new(&app.config.dir)
}

/// Where records go, and under which label.
pub struct Under<'a> {
    /// The collection.
    pub collection: &'a Collection,
    /// The label.
    pub tlp: Tlp,
    /// For whom, beside our own staff.
    pub audience: Audience,
}

impl<'a> Under<'a> {
    /// For whom the collection is.
    #[must_use]
    pub fn collection(app: &App, collection: &'a Collection, tlp: Tlp) -> Self {
        Self {
            audience: app.catalog().audience(collection.key),
            collection,
            tlp,
        }
    }
}

/// Checks that `actor` may have signed this, and adds the authority's signature.
///
/// # Errors
/// In words, with what to do.
pub fn sign(app: &App, actor: &str, signed: Signed) -> Result<Line, ControlError> {
    let fields = signed.event.fields();
    if fields.actor.name != actor || fields.actor.authority != app.party.as_str() {
        return Err(ControlError::forbidden(format!(
            "`{actor}` acts, but the event says `{}` of `{}`",
            fields.actor.name, fields.actor.authority
        )));
    }
    let vkey = fields.actor.key.to_string();
    let registered = app.store.person_keys(Some(actor))?;
    let good = registered
        .iter()
        .any(|key| key.vkey == vkey && key.retired.is_none());
    if !good || app.reader(actor).is_none() {
        return Err(ControlError::forbidden(format!(
            "no key in use of `{actor}` has signed the event"
        ))
        .help("`comity evidence key new` makes one, `comity evidence key list` shows them"));
    }
    let authority = sign_hash(signed.event.hash(), &app.custody).to_string();
    let signatures = [signed.signature.as_str(), authority.trim_end_matches('\n')];
    let line = Line::assemble(signed.event, signatures)
        .map_err(|error| ControlError::usage(error.to_string()))?;
    // assert what was just made, before it is kept
    line.verify(&[app.custody.verifier().clone()], &[])
        .map_err(|error| ControlError::forbidden(error.to_string()))?;
    Ok(line)
}

/// An exhibit that was just sealed.
pub struct Sealing {
    /// Signed by who sealed it.
    pub signed: Signed,
    /// What people will call it.
    pub number: String,
    /// What it is.
    pub title: String,
    /// Not to be destroyed before, microseconds.
    pub retention_until: Option<i64>,
    /// What it may be used for.
    pub use_limits: Option<String>,
}

/// Takes a sealed exhibit in: its contents are in the vault already.
///
/// # Errors
/// In words; nothing was taken in then.
pub fn seal(
    app: &Arc<App>,
    actor: &str,
    sealing: Sealing,
    collection: &Collection,
) -> Result<ExhibitRow, ControlError> {
    let usage = |error: comity_evidence::Malformed| ControlError::usage(error.to_string());
    let fields = sealing.signed.event.fields();
    if !fields.kind.begins() {
        return Err(ControlError::usage(format!(
            "an exhibit does not begin with `{}`",
            fields.kind
        )));
    }
    let exhibit = Exhibit {
        id: fields.exhibit.clone(),
        number: ExhibitNumber::parse(&sealing.number).map_err(usage)?,
        title: sealing.title.clone(),
        items: fields.items,
        size: fields.size,
        items_sha256: fields.items_sha256,
    };
    // the constructor is the reader: what could not be read back is not taken in
    Exhibit::parse_line(exhibit.to_line().as_bytes()).map_err(usage)?;
    let contents = contents(app, &exhibit)?;
    let tlp = tlp_of(&fields.handling);
    let line = sign(app, actor, sealing.signed)?;
    Chain::of([line.event_unverified()]).map_err(|(_, error)| impossible(&error))?;
    let row = ExhibitRow {
        id: exhibit.id.to_string(),
        number: exhibit.number.to_string(),
        origin: app.party.as_str().to_owned(),
        title: exhibit.title,
        items: exhibit.items,
        size: exhibit.size,
        items_sha256: exhibit.items_sha256,
        taken_in: app.clock.now_micros(),
        last: *line.event_unverified().hash(),
        retention_until: sealing.retention_until,
        hold: None,
        use_limits: sealing.use_limits,
        destroyed: None,
    };
    let now = app.clock.now_micros();
    let objects = vec![
        records::exhibit(&row, now, now),
        records::custody(&line, now, now),
    ];
    let change = EvidenceChange::TakeIn {
        exhibit: Box::new(row.clone()),
        objects: contents.objects,
        list_size: contents.list_size,
        custody: vec![custody_row(&line)],
    };
    let under = Under::collection(app, collection, tlp);
    submit(app, actor, Vec::new(), objects, &under, change)?;
    Ok(row)
}

/// The objects of an exhibit.
pub struct Contents {
    /// Hash and size of each item, in order.
    pub objects: Vec<(Hash, u64)>,
    /// Octets of the list of items.
    pub list_size: u64,
}

/// Reads the list of items and makes sure that every object is in the vault, whole in size, before anything refers to it.
///
/// # Errors
/// Names what is missing.
pub fn contents(app: &App, exhibit: &Exhibit) -> Result<Contents, ControlError> {
    let vault = vault(app);
    let mut objects = Vec::new();
    let mut missing: Option<String> = None;
    let mut each = |item: Item| {
        let there = vault.open_object(&item.sha256);
        if !there.is_ok_and(|object| object.size() == item.size) {
            missing.get_or_insert_with(|| item.name.to_string());
        }
        objects.push((item.sha256, item.size));
        Ok(())
    };
    let manifest = vault.items(&exhibit.items_sha256, &mut each)?;
    if let Some(name) = missing {
        return Err(
            ControlError::usage(format!("the contents of `{name}` are not in the vault"))
                .help("seal it again; `--resume` goes on with what is there"),
        );
    }
    if (manifest.items(), manifest.size()) != (exhibit.items, exhibit.size) {
        return Err(ControlError::usage(
            "the event says another number or size of items than the list has",
        ));
    }
    let list = vault.open_object(&exhibit.items_sha256)?;
    Ok(Contents {
        objects,
        list_size: list.size(),
    })
}

/// Adds an event to an exhibit that is here.
///
/// # Errors
/// In words; nothing was changed then.
pub fn act(
    app: &Arc<App>,
    actor: &str,
    row: &ExhibitRow,
    signed: Signed,
    collection: &Collection,
) -> Result<(Line, Vec<Hash>), ControlError> {
    let kind = signed.event.fields().kind;
    if signed.event.fields().exhibit.as_str() != row.id {
        return Err(ControlError::usage("the event is about another exhibit"));
    }
    let destroy = kind == Kind::Destroyed;
    if destroy {
        may_be_destroyed(app, row)?;
    }
    let mut chain = chain(app, row)?;
    let line = sign(app, actor, signed)?;
    chain
        .push(line.event_unverified())
        .map_err(|error| impossible(&error))?;
    let now = app.clock.now_micros();
    let tlp = tlp_of(&line.event_unverified().fields().handling);
    let change = EvidenceChange::Continue {
        exhibit: row.id.clone(),
        after: row.last,
        custody: vec![custody_row(&line)],
        countersigned: None,
        destroy,
    };
    let objects = vec![records::custody(&line, now, now)];
    let under = Under::collection(app, collection, tlp);
    let doomed = submit(app, actor, Vec::new(), objects, &under, change)?;
    Ok((line, doomed))
}

fn may_be_destroyed(app: &App, row: &ExhibitRow) -> Result<(), ControlError> {
    if let Some(hold) = &row.hold {
        return Err(
            ControlError::forbidden(format!("`{}` is under hold: {hold}", row.number))
                .help("`comity evidence hold lift` ends it"),
        );
    }
    if let Some(until) = row.retention_until
        && until > app.clock.now_micros()
    {
        return Err(ControlError::forbidden(format!(
            "`{}` is to be kept until {}",
            row.number,
            crate::clock::micros_to_text(until)
        )));
    }
    Ok(())
}

/// Custody of an exhibit here, folded; checked once more on the way.
///
/// # Errors
/// When what is kept is not sound.
pub fn chain(app: &App, row: &ExhibitRow) -> Result<Chain, ControlError> {
    let mut chain = Chain::default();
    for line in lines(app, row)? {
        chain.push(line.event_unverified()).map_err(|error| {
            ControlError::internal(format!("custody of `{}` is damaged: {error}", row.number))
                .help("`comity fsck`")
        })?;
    }
    Ok(chain)
}

/// The custody lines of an exhibit here, in order.
///
/// # Errors
/// When what is kept is not sound.
pub fn lines(app: &App, row: &ExhibitRow) -> Result<Vec<Line>, ControlError> {
    let kept = app.store.custody(&row.id)?;
    kept.iter()
        .map(|custody| {
            Line::parse_line(custody.line.as_bytes()).map_err(|error| {
                ControlError::internal(format!("custody of `{}` is damaged: {error}", row.number))
                    .help("`comity fsck`")
            })
        })
        .collect()
}

/// How long an exhibit is kept and what it may be used for changes: a new version of its record.
///
/// # Errors
/// In words; nothing was changed then.
pub fn keep(
    app: &Arc<App>,
    actor: &str,
    row: &ExhibitRow,
    collection: &Collection,
    tlp: Tlp,
) -> Result<(), ControlError> {
    let change = EvidenceChange::Keep {
        exhibit: row.id.clone(),
        retention_until: row.retention_until,
        hold: row.hold.clone(),
        use_limits: row.use_limits.clone(),
    };
    let now = app.clock.now_micros();
    let (created, modified) = next_version(app, &row.id, now)?;
    let objects = vec![records::exhibit(row, created, modified)];
    let under = Under::collection(app, collection, tlp);
    submit(app, actor, Vec::new(), objects, &under, change)?;
    Ok(())
}

/// `created` of a record here, and a `modified` after its last version.
pub(super) fn next_version(app: &App, id: &str, now: i64) -> Result<(i64, i64), ControlError> {
    #[derive(serde::Deserialize)]
    struct Times {
        created: String,
        modified: String,
    }
    let scope = app.release.everything()?;
    let Some(record) = app.store.get(id, &comity_store::Which::Last, &scope)? else {
        return Ok((now, now));
    };
    let times: Times = serde_json::from_slice(&record.bytes).map_err(ControlError::internal)?;
    let micros = |text: &str| {
        comity_stix::timestamp::Timestamp::parse(text).map_or(0, |at| at.unix_micros())
    };
    Ok((
        micros(&times.created),
        now.max(micros(&times.modified) + 1_000),
    ))
}

/// What the register keeps of a line.
#[must_use]
pub fn custody_row(line: &Line) -> CustodyRow {
    let event = line.event_unverified();
    CustodyRow {
        hash: *event.hash(),
        kind: event.fields().kind.word().to_owned(),
        record: records::custody_id(&event.fields().id),
        line: line.to_line(),
    }
}

/// The TLP a handling code begins with; AMBER when it says none.
#[must_use]
pub fn tlp_of(handling: &str) -> Tlp {
    let first = handling.split([' ', ',', ';']).next().unwrap_or_default();
    first.parse().unwrap_or(Tlp::Amber)
}

/// Commits records and rows together, and `then`; gives the objects to be removed.
///
/// # Errors
/// In words; nothing of the evidence was kept then.
pub fn submit(
    app: &Arc<App>,
    actor: &str,
    then: Vec<Op>,
    objects: Vec<Vec<u8>>,
    under: &Under<'_>,
    change: EvidenceChange,
) -> Result<Vec<Hash>, ControlError> {
    let records = puts(app, actor, objects, under)?;
    let mut ops = vec![Op::Evidence(Box::new(Evidence { records, change }))];
    ops.extend(then);
    let mut outcomes = app.sequencer.submit_blocking(ops)?.into_iter();
    let first = outcomes.next();
    if let Some(fault) = outcomes.find_map(rejected) {
        return Err(ControlError::usage(fault.to_string()));
    }
    match first {
        Some(Outcome::Evidence { doomed, .. }) => Ok(doomed),
        Some(Outcome::Rejected(fault)) => {
            let kind = match fault {
                comity_store::Fault::Taken { .. } => ErrorKind::Taken,
                comity_store::Fault::Unknown { .. } => ErrorKind::NotFound,
                _ => ErrorKind::Usage,
            };
            Err(ControlError::new(kind, fault.to_string()))
        }
        other => Err(ControlError::internal(format!(
            "the register answered {other:?}"
        ))),
    }
}

fn rejected(outcome: Outcome) -> Option<comity_store::Fault> {
    match outcome {
        Outcome::Rejected(fault) => Some(fault),
        _ => None,
    }
}

/// Records of our own, checked and labelled.
///
/// # Errors
/// When one is not sound, which would be a defect of ours.
pub fn puts(
    app: &App,
    actor: &str,
    objects: Vec<Vec<u8>>,
    under: &Under<'_>,
) -> Result<Vec<Put>, ControlError> {
    let source = Source {
        party: app.party.clone(),
        principal: actor.to_owned(),
        reader: person::acting(app, actor, None)?,
        action: Action::Publish,
        claims: false,
    };
    let handling = Handling {
        tlp: Some(under.tlp),
        audience: under.audience.clone(),
        ..Handling::default()
    };
    let position = Position {
        offset: 0,
        line: 1,
        column: 1,
        pointer: String::new(),
    };
    let checked = objects
        .into_iter()
        .map(|bytes| {
            let position = position.clone();
            intake::check(&Incoming { bytes, position }, &intake::options())
        })
        .collect();
    let puts = intake::puts(app, checked, &[under.collection.key], &source, &handling)?;
    puts.map_err(|verdict| {
        ControlError::internal(format!(
            "a record of ours is not sound: {}",
            verdict.fate.text()
        ))
    })
}

/// Where the records of an exhibit are.
///
/// # Errors
/// When the register cannot be read.
pub fn collection_of(app: &App, row: &ExhibitRow) -> Result<Option<Collection>, ControlError> {
    let scope = app.release.everything()?;
    let record = app.store.get(&row.id, &comity_store::Which::Last, &scope)?;
    let places = record
        .map(|record| app.store.memberships(record.seq))
        .transpose()?;
    let first = places.into_iter().flatten().next();
    let catalog = app.catalog();
    Ok(first
        .and_then(|(key, _)| catalog.collection_by_key(key))
        .map(|row| Collection::clone(row)))
}

/// How many of an offer's events are here already: those of an exhibit that comes back.
#[must_use]
pub fn known_events(app: &App, checked: &super::transfer::Checked) -> usize {
    let here = app.store.custody(checked.exhibit.id.as_str());
    here.map_or(0, |here| {
        let same = here
            .iter()
            .zip(&checked.lines)
            .take_while(|(row, line)| row.hash == *line.event_unverified().hash());
        same.count()
    })
}

/// Keys by which this node believes custody: its own, and those its peers told.
#[must_use]
pub fn authority_keys(app: &App) -> Vec<VerifierKey> {
    let mut keys = vec![app.custody.verifier().clone()];
    keys.extend(
        app.catalog()
            .peers()
            .iter()
            .filter_map(|peer| peer_key(peer)),
    );
    keys
}

/// The custody key a peer told. It speaks for its own party only, and one whose fingerprint nobody compared for nobody.
fn peer_key(peer: &Peer) -> Option<VerifierKey> {
    let settings: crate::peers::settings::PeerSettings =
        serde_json::from_value(peer.settings.clone()).ok()?;
    let key = VerifierKey::parse(&settings.custody_key?).ok()?;
    let own = key.name().as_str() == custody_key_name(&peer.party);
    (own && peer.state == PeerState::Active).then_some(key)
}

pub(super) fn impossible(error: &comity_evidence::custody::Impossible) -> ControlError {
    ControlError::new(ErrorKind::Usage, format!("{error} ({})", error.code()))
}

impl From<comity_store::vault::VaultError> for ControlError {
    fn from(error: comity_store::vault::VaultError) -> Self {
        use comity_store::vault::VaultError;
        let kind = match error {
            VaultError::Busy(_) => ErrorKind::Busy,
            VaultError::Missing(_) => ErrorKind::NotFound,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use comity_ledger::note::{KeyName, Signer};
    use comity_store::PeerKind;

    use super::*;

    #[test]
    fn a_peer_speaks_for_its_own_party_only() {
        let key = |party: &str| {
            let name = KeyName::new(custody_key_name(party)).unwrap();
            Signer::from_seed(name, &[3; 32])
                .unwrap()
                .verifier()
                .to_string()
        };
        let peer = |state, custody_key: &str| Peer {
            key: "eu".to_owned(),
            party: "eu".to_owned(),
            display: String::new(),
            kind: PeerKind::Comity,
            url: String::new(),
            fingerprint: None,
            log_key: None,
            receipt_key: None,
            settings: serde_json::json!({ "custody_key": custody_key }),
            state,
            created: 0,
        };
        let own = key("eu");
        let believed = peer_key(&peer(PeerState::Active, &own)).unwrap();
        assert_eq!(believed.to_string(), own);
        for (state, key) in [
            (PeerState::Active, key("de")),
            (PeerState::Active, key("ua")),
            (PeerState::Pending, own),
            (PeerState::Active, "nonsense".to_owned()),
        ] {
            assert_eq!(peer_key(&peer(state, &key)), None, "{key}");
        }
    }
}
