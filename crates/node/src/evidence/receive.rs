//! The taker's side of a hand-over: what came is committed with a `received`, and the giver gets its receipt.

use std::sync::Arc;

use comity_access::{Audience, PartyId, Reader};
use comity_evidence::custody::{Kind, Line, sign_hash};
use comity_store::{
    Collection, Evidence, EvidenceChange, ExhibitRow, Op, Outcome, Put, Record, Which,
};

use super::carry::{self, Arrived};
use super::commit::{self, Signed, Under};
use super::records;
use super::transfer::{ANSWER, Answer, Checked, Offer};
use crate::app::App;
use crate::control::ControlError;
use crate::peers::inbound::Proved;

/// What is answered: an offer that was believed, and the proofs beside its records.
pub struct Believed<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// Its custody.
    pub checked: &'a Checked,
    /// The head its records are proved by; held until all is committed.
    pub proved: &'a Proved,
    /// The giver's account here.
    pub from: &'a Reader,
}

/// Commits `received`: the exhibit is here, its contents are in the vault, hashed as they were written.
///
/// # Errors
/// In words; nothing was taken in then.
pub fn receive(
    app: &Arc<App>,
    actor: &str,
    believed: &Believed<'_>,
    signed: Signed,
    collection: &Collection,
) -> Result<Line, ControlError> {
    let checked = believed.checked;
    let fields = signed.event.fields();
    let whole = fields.rehashed == Some(checked.exhibit.items_sha256);
    if fields.kind != Kind::Received || !whole {
        return Err(ControlError::usage(
            "the event does not say that the exhibit was received whole",
        ));
    }
    let contents = commit::contents(app, &checked.exhibit)?;
    let (line, first, records) = records(app, actor, believed, signed, collection)?;
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
    let change = match here {
        // it was ours, or was here before, and comes back
        Some(row) => EvidenceChange::Continue {
            exhibit: row.id,
            after: row.last,
            custody,
            countersigned: None,
            destroy: false,
        },
        None => EvidenceChange::TakeIn {
            exhibit: Box::new(row_of(app, checked, &believed.offer.envelope)?),
            objects: contents.objects,
            list_size: contents.list_size,
            custody,
        },
    };
    let taken = Op::Evidence(Box::new(Evidence { records, change }));
    submit(app, first.into_iter().chain([taken]).collect())?;
    Ok(line)
}

/// Commits the refusal, and the records that came with the offer: what was offered is known here, the exhibit is not.
///
/// # Errors
/// In words.
pub fn refuse(
    app: &Arc<App>,
    actor: &str,
    believed: &Believed<'_>,
    signed: Signed,
    collection: &Collection,
) -> Result<Line, ControlError> {
    if signed.event.fields().kind != Kind::Refused {
        return Err(ControlError::usage("the event does not refuse"));
    }
    let (line, first, records) = records(app, actor, believed, signed, collection)?;
    let here = app.store.exhibit(believed.checked.exhibit.id.as_str())?;
    let puts = records.into_iter().map(|put| Op::Put(Box::new(put)));
    let ops = match here {
        // an exhibit that was here before and would have come back: its custody here goes on
        Some(row) => {
            let known = commit::known_events(app, believed.checked);
            let missing = believed.checked.lines.iter().skip(known);
            let mut custody: Vec<_> = missing.map(commit::custody_row).collect();
            custody.push(commit::custody_row(&line));
            let records = puts
                .filter_map(|op| match op {
                    Op::Put(put) => Some(*put),
                    _ => None,
                })
                .collect();
            let change = EvidenceChange::Continue {
                exhibit: row.id,
                after: row.last,
                custody,
                countersigned: None,
                destroy: false,
            };
            vec![Op::Evidence(Box::new(Evidence { records, change }))]
        }
        None => puts.collect(),
    };
    submit(app, first.into_iter().chain(ops).collect())?;
    Ok(line)
}

/// Our event, signed and possible after theirs; the cross-link to their log, and all records to be committed with it.
fn records(
    app: &Arc<App>,
    actor: &str,
    believed: &Believed<'_>,
    signed: Signed,
    collection: &Collection,
) -> Result<(Line, Option<Op>, Vec<Put>), ControlError> {
    let Believed {
        offer,
        checked,
        proved,
        from,
    } = *believed;
    let mut chain = checked.chain.clone();
    let line = commit::sign(app, actor, signed)?;
    chain
        .push(line.event_unverified())
        .map_err(|error| commit::impossible(&error))?;
    let arrived = Arrived::of(&offer.envelope).map_err(ControlError::forbidden)?;
    let taken = carry::take(app, arrived, from, collection, proved)?;
    carry::fits(&taken.puts, checked.exhibit.id.as_str(), &checked.lines)?;
    let now = app.clock.now_micros();
    let under = Under {
        collection,
        tlp: commit::tlp_of(&line.event_unverified().fields().handling),
        audience: audience(app, collection, from.party()),
    };
    let mut puts = taken.puts;
    let own = vec![records::custody(&line, now, now)];
    puts.extend(commit::puts(app, actor, own, &under)?);
    Ok((line, taken.first, puts))
}

fn submit(app: &Arc<App>, ops: Vec<Op>) -> Result<(), ControlError> {
    for outcome in app.sequencer.submit_blocking(ops)? {
        if let Outcome::Rejected(fault) = outcome {
            return Err(ControlError::usage(fault.to_string()));
        }
    }
    Ok(())
}

/// The record of an answer, as it is committed.
///
/// # Errors
/// When it cannot be read.
pub fn record_of(app: &App, line: &Line) -> Result<Record, ControlError> {
    let id = records::custody_id(&line.event_unverified().fields().id);
    let scope = app.release.everything()?;
    let record = app.store.get(&id, &Which::Last, &scope)?;
    record.ok_or_else(|| ControlError::not_found("record", &id))
}

/// The answer to the giver, who knows `known` entries of our log: made from what is committed, so that it can be given again.
/// Gives also the size of the head in it.
///
/// # Errors
/// When the register cannot be read.
pub fn answer(
    app: &App,
    line: &Line,
    transferred: &comity_evidence::Hash,
    person: Option<&str>,
    known: Option<u64>,
) -> Result<(Answer, u64), ControlError> {
    let counter_signatures = person
        .map(|person| {
            let authority = sign_hash(transferred, &app.custody).to_string();
            vec![
                person.to_owned(),
                authority.trim_end_matches('\n').to_owned(),
            ]
        })
        .unwrap_or_default();
    let (envelope, size) = carry::envelope(app, &[record_of(app, line)?], known)?;
    let answer = Answer {
        format: ANSWER.to_owned(),
        line: line.to_line(),
        counter_signatures,
        envelope,
    };
    Ok((answer, size))
}

fn audience(app: &App, collection: &Collection, party: &PartyId) -> Audience {
    let mut audience = app.catalog().audience(collection.key);
    audience.parties.insert(party.clone());
    audience
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
