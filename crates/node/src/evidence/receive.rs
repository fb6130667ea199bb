//! The taker's side of a hand-over: what came is committed with a `received`, and the giver gets its receipt.

use std::sync::Arc;

use comity_access::{Audience, PartyId, Reader};
use comity_evidence::custody::{Kind, Line, sign_hash};
use comity_evidence::json::parse;
use comity_stix::bundle;
use comity_stix::finding::Position;
use comity_stix::json::Limits;
use comity_store::{Collection, Evidence, EvidenceChange, ExhibitRow, Op, Outcome, Put, Which};

use super::commit::{self, Signed, Under};
use super::records;
use super::transfer::{self, ANSWER, Answer, Checked, Offer};
use crate::app::App;
use crate::control::ControlError;
use crate::handling::{Handling, SIDECAR_PROPERTY, Source, read_sidecar};
use crate::intake::{self, Incoming};

/// Commits `received`: the exhibit is here, its contents are in the vault, hashed as they were written.
///
/// # Errors
/// In words; nothing was taken in then.
pub fn receive(
    app: &Arc<App>,
    actor: &str,
    offer: &Offer,
    checked: &Checked,
    signed: Signed,
    from: &Reader,
    collection: &Collection,
) -> Result<Line, ControlError> {
    let fields = signed.event.fields();
    let whole = fields.rehashed == Some(checked.exhibit.items_sha256);
    if fields.kind != Kind::Received || !whole {
        return Err(ControlError::usage(
            "the event does not say that the exhibit was received whole",
        ));
    }
    let mut chain = checked.chain.clone();
    let line = commit::sign(app, actor, signed)?;
    chain
        .push(line.event_unverified())
        .map_err(|error| commit::impossible(&error))?;
    let contents = commit::contents(app, &checked.exhibit)?;
    let here = app.store.exhibit(checked.exhibit.id.as_str())?;
    let known = here
        .as_ref()
        .map_or(0, |_| commit::known_events(app, checked));
    let mut custody: Vec<_> = checked
        .lines
        .iter()
        .skip(known)
        .map(commit::custody_row)
        .collect();
    custody.push(commit::custody_row(&line));
    let mut records = foreign_puts(app, &offer.envelope, from, collection)?;
    carry(&records, &checked.lines)?;
    let now = app.clock.now_micros();
    let under = Under {
        collection,
        tlp: commit::tlp_of(&line.event_unverified().fields().handling),
        audience: audience(app, collection, from.party()),
    };
    records.extend(commit::puts(
        app,
        actor,
        vec![records::custody(&line, now, now)],
        &under,
    )?);
    let change = match here {
        // it was ours, or was here before, and comes back
        Some(row) => EvidenceChange::Continue {
            exhibit: row.id,
            after: row.last,
            custody,
            destroy: false,
        },
        None => EvidenceChange::TakeIn {
            exhibit: Box::new(row_of(app, checked, &offer.envelope)?),
            objects: contents.objects,
            list_size: contents.list_size,
            custody,
        },
    };
    let op = Op::Evidence(Box::new(Evidence { records, change }));
    match app.sequencer.submit_blocking(vec![op])?.into_iter().next() {
        Some(Outcome::Rejected(fault)) => Err(ControlError::usage(fault.to_string())),
        _ => Ok(line),
    }
}

/// Commits nothing here but a record: the exhibit is not taken over.
///
/// # Errors
/// In words.
pub fn refuse(
    app: &Arc<App>,
    actor: &str,
    checked: &Checked,
    signed: Signed,
    from: &Reader,
    collection: &Collection,
) -> Result<Line, ControlError> {
    if signed.event.fields().kind != Kind::Refused {
        return Err(ControlError::usage("the event does not refuse"));
    }
    let mut chain = checked.chain.clone();
    let line = commit::sign(app, actor, signed)?;
    chain
        .push(line.event_unverified())
        .map_err(|error| commit::impossible(&error))?;
    let under = Under {
        collection,
        tlp: commit::tlp_of(&line.event_unverified().fields().handling),
        audience: audience(app, collection, from.party()),
    };
    let now = app.clock.now_micros();
    let puts = commit::puts(app, actor, vec![records::custody(&line, now, now)], &under)?;
    let ops = puts.into_iter().map(|put| Op::Put(Box::new(put))).collect();
    app.sequencer.submit_blocking(ops)?;
    Ok(line)
}

/// The answer to the giver: made from what is committed, so that it can be given again.
///
/// # Errors
/// When the register cannot be read.
pub fn answer(
    app: &App,
    line: &Line,
    transferred: &comity_evidence::Hash,
    person: Option<String>,
) -> Result<Answer, ControlError> {
    let id = records::custody_id(&line.event_unverified().fields().id);
    let scope = app.release.everything()?;
    let record = app.store.get(&id, &Which::Last, &scope)?;
    let record = record.ok_or_else(|| ControlError::not_found("record", &id))?;
    let counter_signatures = person
        .map(|person| {
            let authority = sign_hash(transferred, &app.custody).to_string();
            vec![person, authority.trim_end_matches('\n').to_owned()]
        })
        .unwrap_or_default();
    Ok(Answer {
        format: ANSWER.to_owned(),
        line: line.to_line(),
        counter_signatures,
        envelope: transfer::envelope(app, &[record])?,
    })
}

fn audience(app: &App, collection: &Collection, party: &PartyId) -> Audience {
    let mut audience = app.catalog().audience(collection.key);
    audience.parties.insert(party.clone());
    audience
}

/// The records another node sent, labelled as it says, ready to be committed.
///
/// # Errors
/// When one of them is not sound, or its label cannot be used.
pub fn foreign_puts(
    app: &App,
    envelope: &serde_json::value::RawValue,
    from: &Reader,
    collection: &Collection,
) -> Result<Vec<Put>, ControlError> {
    let unsound = |error: &dyn std::fmt::Display| {
        ControlError::forbidden(format!(
            "the records of `{}` are not sound: {error}",
            from.party().as_str()
        ))
    };
    let envelope = bundle::envelope(envelope.get().as_bytes(), &Limits::default())
        .map_err(|error| unsound(&error))?;
    let mut handling = Handling {
        audience: Audience {
            parties: std::iter::once(app.party.clone()).collect(),
            ..Audience::default()
        },
        ..Handling::default()
    };
    let sidecar = envelope
        .custom
        .iter()
        .find(|(name, _)| name == SIDECAR_PROPERTY);
    if let Some((_, text)) = sidecar {
        let mut by_record = read_sidecar(text).map_err(|error| unsound(&error))?;
        // nobody else speaks for our own records
        by_record.retain(|_, carried| *carried.label.originator() != app.party);
        handling.by_record = by_record;
    }
    let source = Source {
        party: from.party().clone(),
        principal: from.principal().as_str().to_owned(),
    };
    let mut checked = Vec::new();
    for (index, raw) in envelope.objects.iter().enumerate() {
        let position = Position {
            offset: raw.offset,
            line: raw.line,
            column: raw.column,
            pointer: format!("/objects/{index}"),
        };
        let incoming = Incoming {
            bytes: raw.bytes.to_vec(),
            position,
        };
        checked.push(intake::check(&incoming, &intake::options()));
    }
    let puts = intake::puts(app, checked, &[collection.key], &source, &handling)?;
    let puts = puts.map_err(|verdict| unsound(&verdict.fate.text()))?;
    // records of ours that come back are here already, under our own label
    Ok(puts.into_iter().filter(|put| !is_here(app, put)).collect())
}

fn is_here(app: &App, put: &Put) -> bool {
    let Ok(scope) = app.release.everything() else {
        return false;
    };
    let here = app
        .store
        .get(&put.id, &Which::Key(put.version_key.clone()), &scope);
    here.is_ok_and(|record| {
        record.is_some_and(|record| record.content_sha256 == put.content_sha256)
    })
}

/// The records are those of these events: what is signed is what is kept as a record.
///
/// # Errors
/// Names the record that is another.
pub fn carry(puts: &[Put], lines: &[Line]) -> Result<(), ControlError> {
    #[derive(serde::Deserialize)]
    struct Custody<'r> {
        #[serde(borrow)]
        event: &'r serde_json::value::RawValue,
    }
    for put in puts
        .iter()
        .filter(|put| put.object_type == "comity-custody")
    {
        let carried = serde_json::from_slice::<Custody<'_>>(&put.bytes)
            .ok()
            .and_then(|custody| {
                let canonical = comity_stix::canonical::canonical_bytes(
                    custody.event.get().as_bytes(),
                    &Limits::default(),
                )
                .ok()?;
                parse(&canonical).ok()
            });
        let line = lines
            .iter()
            .find(|line| records::custody_id(&line.event_unverified().fields().id) == put.id);
        let same =
            line.is_some_and(|line| carried.as_ref() == Some(&line.event_unverified().to_value()));
        if !same {
            return Err(ControlError::forbidden(format!(
                "`{}` carries another event than was signed",
                put.id
            )));
        }
    }
    Ok(())
}

/// The row of an exhibit that is new here; retention and limits are the giver's, from its record.
fn row_of(
    app: &App,
    checked: &Checked,
    envelope: &serde_json::value::RawValue,
) -> Result<ExhibitRow, ControlError> {
    #[derive(Default, serde::Deserialize)]
    struct Envelope {
        objects: Vec<Kept>,
    }
    #[derive(Default, serde::Deserialize)]
    struct Kept {
        id: String,
        retention_until: Option<String>,
        legal_hold: Option<String>,
        use_limits: Option<String>,
    }
    let exhibit = &checked.exhibit;
    let envelope: Envelope =
        serde_json::from_str(envelope.get()).map_err(ControlError::internal)?;
    let kept = envelope
        .objects
        .into_iter()
        .find(|object| object.id == exhibit.id.as_str())
        .unwrap_or_default();
    let until = kept
        .retention_until
        .as_deref()
        .and_then(|text| comity_stix::timestamp::Timestamp::parse(text).ok())
        .map(|at| at.unix_micros());
    Ok(ExhibitRow {
        id: exhibit.id.to_string(),
        number: exhibit.number.to_string(),
        origin: checked.origin().to_owned(),
        title: exhibit.title.clone(),
        items: exhibit.items,
        size: exhibit.size,
        items_sha256: exhibit.items_sha256,
        taken_in: app.clock.now_micros(),
        last: [0; 32],
        retention_until: until,
        hold: kept.legal_hold,
        use_limits: kept.use_limits,
        destroyed: None,
    })
}
