//! The giver's side of a hand-over.

use std::sync::Arc;

use comity_access::{Audience, LabelSet, PartyId, Reader};
use comity_evidence::custody::{Kind, Line};
use comity_evidence::{Exhibit, ExhibitId, ExhibitNumber, Hash};
use comity_ledger::note::{NoteSignature, VerifierKey};
use comity_store::{
    Collection, Evidence, EvidenceChange, ExhibitRow, LabelSetId, Op, Outcome, Record, Relabel,
    Seq, Which,
};

use super::carry::{self, Arrived};
use super::commit::{self, Signed, Under};
use super::records;
use super::transfer::{self, ANSWER, Answer, OFFER, Offer};
use crate::app::App;
use crate::control::ControlError;
use crate::peers::inbound::Proved;

/// Commits the event that hands the exhibit to `to`. Our own records of it get that party into their audience: the officer who
/// hands over says so; about those of others their label decides. Release is asked about each record first; nothing is changed when it says no to one.
///
/// # Errors
/// In words; nothing was changed then.
pub fn send(
    app: &Arc<App>,
    actor: &str,
    row: &ExhibitRow,
    signed: Signed,
    to: &Reader,
    collection: &Collection,
) -> Result<Line, ControlError> {
    let fields = signed.event.fields();
    if fields.kind != Kind::Transferred
        || fields.counterparty.as_deref() != Some(to.party().as_str())
    {
        return Err(ControlError::usage(
            "the event does not hand the exhibit to that peer",
        ));
    }
    if fields.rehashed != Some(row.items_sha256) {
        return Err(ControlError::usage(
            "the contents were not hashed again, or are damaged: nothing is handed over",
        ));
    }
    let reason = format!("handed over: {}", fields.basis);
    let mut opened = Vec::new();
    for record in records_of(app, row)? {
        opened.extend(open_to(app, actor, &record, to, &reason)?);
    }
    let mut chain = commit::chain(app, row)?;
    let line = commit::sign(app, actor, signed)?;
    chain
        .push(line.event_unverified())
        .map_err(|error| commit::impossible(&error))?;
    let under = Under {
        collection,
        tlp: commit::tlp_of(&line.event_unverified().fields().handling),
        audience: with(app.catalog().audience(collection.key), to.party()),
    };
    let now = app.clock.now_micros();
    let change = EvidenceChange::Continue {
        exhibit: row.id.clone(),
        after: row.last,
        custody: vec![commit::custody_row(&line)],
        countersigned: None,
        destroy: false,
    };
    let objects = vec![records::custody(&line, now, now)];
    // one transaction: the audience grows only with the hand-over
    commit::submit(app, actor, opened, objects, &under, change)?;
    Ok(line)
}

/// The records of an exhibit and its custody, each in its last version.
///
/// # Errors
/// When one is missing.
pub fn records_of(app: &App, row: &ExhibitRow) -> Result<Vec<Record>, ControlError> {
    let scope = app.release.everything()?;
    let custody = app.store.custody(&row.id)?;
    let ids = std::iter::once(&row.id).chain(custody.iter().map(|row| &row.record));
    ids.map(|id| {
        let record = app.store.get(id, &Which::Last, &scope)?;
        record.ok_or_else(|| ControlError::not_found("record", id).help("`comity fsck`"))
    })
    .collect()
}

fn open_to(
    app: &App,
    actor: &str,
    record: &Record,
    to: &Reader,
    reason: &str,
) -> Result<Option<Op>, ControlError> {
    let label = app.release.label(record.label_set)?;
    let ours = *label.originator() == app.party;
    let named = label.audience().parties.contains(to.party());
    let mut draft = label.to_draft();
    if ours && !named {
        draft.audience = with(draft.audience, to.party());
    }
    let label = LabelSet::new(draft).map_err(|error| ControlError::usage(error.to_string()))?;
    let decision = app.release.access().may_pass_on(&label, to);
    if !decision.permitted {
        return Err(ControlError::forbidden(format!(
            "`{}` may not go to `{}`: {}",
            record.id,
            to.party().as_str(),
            decision.text()
        )));
    }
    if !ours || named {
        return Ok(None);
    }
    Ok(Some(Op::Relabel(Relabel {
        seq: record.seq,
        label_set: label.to_json(),
        reason: reason.to_owned(),
        by: actor.to_owned(),
        salt: app.salt()?,
    })))
}

fn with(mut audience: Audience, party: &PartyId) -> Audience {
    audience.parties.insert(party.clone());
    audience
}

/// An exhibit that is on its way to `reader`'s party, with its custody. To anybody else it does not exist.
///
/// # Errors
/// Not found, also for who may not have it.
pub fn handed_to(
    app: &App,
    exhibit: &str,
    reader: &Reader,
) -> Result<(ExhibitRow, Vec<Line>), ControlError> {
    let unknown = || ControlError::not_found("exhibit", exhibit);
    ExhibitId::parse(exhibit).map_err(|_| unknown())?;
    let row = app.store.exhibit(exhibit)?.ok_or_else(unknown)?;
    let lines = commit::lines(app, &row)?;
    let chain = commit::chain(app, &row)?;
    let theirs = chain
        .away()
        .is_some_and(|away| away.to == reader.party().as_str());
    let ours = chain.holder() == Some(app.party.as_str());
    if !theirs || !ours {
        return Err(unknown());
    }
    let record = app
        .store
        .get(&row.id, &Which::Last, &app.release.everything()?)?;
    let record = record.ok_or_else(unknown)?;
    let label = app.release.label(record.label_set)?;
    if app.release.access().may_pass_on(&label, reader).permitted {
        Ok((row, lines))
    } else {
        Err(unknown())
    }
}

/// The offer, and which records are in it: their disclosure is to be logged before it leaves. `known`: how many entries of our
/// log the other side knows.
///
/// # Errors
/// As [`handed_to`].
pub fn offer(
    app: &App,
    exhibit: &str,
    reader: &Reader,
    known: Option<u64>,
) -> Result<(Offer, Vec<(Seq, LabelSetId)>), ControlError> {
    let (row, lines) = handed_to(app, exhibit, reader)?;
    let usage = |error: comity_evidence::Malformed| ControlError::internal(error);
    let line = Exhibit {
        id: ExhibitId::parse(&row.id).map_err(usage)?,
        number: ExhibitNumber::parse(&row.number).map_err(usage)?,
        title: row.title.clone(),
        items: row.items,
        size: row.size,
        items_sha256: row.items_sha256,
    };
    let mut records = Vec::new();
    for record in records_of(app, &row)? {
        let label = app.release.label(record.label_set)?;
        if app.release.access().may_pass_on(&label, reader).permitted {
            records.push(record);
        }
    }
    let released = records
        .iter()
        .map(|record| (record.seq, record.label_set))
        .collect();
    let offer = Offer {
        format: OFFER.to_owned(),
        exhibit: line.to_line(),
        custody: lines.iter().map(Line::to_line).collect(),
        list_size: commit::vault(app).open_object(&row.items_sha256)?.size(),
        envelope: carry::envelope(app, &records, known)?.0,
    };
    Ok((offer, released))
}

/// What an item of a hand-over is: its object and size. Item 0 is the list of items.
///
/// # Errors
/// As [`handed_to`], and for an item there is not.
pub fn item(
    app: &App,
    exhibit: &str,
    item: u64,
    reader: &Reader,
) -> Result<(Hash, Hash, u64), ControlError> {
    let (row, lines) = handed_to(app, exhibit, reader)?;
    let transferred = lines
        .last()
        .map(|line| *line.event_unverified().hash())
        .ok_or_else(|| ControlError::not_found("exhibit", exhibit))?;
    let found = if item == 0 {
        let list = commit::vault(app).open_object(&row.items_sha256)?;
        Some((row.items_sha256, list.size()))
    } else {
        app.store.exhibit_item(&row.id, item)?
    };
    let (sha256, size) = found.ok_or_else(|| ControlError::not_found("item", &item.to_string()))?;
    Ok((transferred, sha256, size))
}

/// Takes the other side's answer: its event, and its signatures on ours. The same answer again changes nothing. `proved` is
/// held until it is committed.
///
/// # Errors
/// In words, for the other side.
pub fn answered(
    app: &Arc<App>,
    exhibit: &str,
    answer: &Answer,
    arrived: Arrived,
    from: &Reader,
    proved: &Proved,
) -> Result<(), ControlError> {
    let refuse = |why: String| ControlError::usage(format!("the answer is not sound: {why}"));
    if answer.format != ANSWER {
        return Err(refuse(format!("it is of the format `{}`", answer.format)));
    }
    let party = from.party().as_str();
    // the party it was never handed to learns nothing
    let unknown = || ControlError::not_found("exhibit", exhibit);
    let row = app.store.exhibit(exhibit)?.filter(|row| row.id == exhibit);
    let row = row.ok_or_else(unknown)?;
    let lines = commit::lines(app, &row)?;
    let mut chain = commit::chain(app, &row)?;
    let line =
        Line::parse_line(answer.line.as_bytes()).map_err(|error| refuse(error.to_string()))?;
    let event = line.event_unverified();
    let known = lines.iter().any(|line| {
        line.event_unverified().hash() == event.hash() && event.fields().actor.authority == party
    });
    if known {
        return Ok(());
    }
    if chain.away().is_none_or(|away| away.to != party) {
        return Err(unknown());
    }
    let fields = event.fields();
    if !transfer::answers(fields.kind) || fields.actor.authority != party {
        return Err(refuse(
            "it is no answer of the party that gives it".to_owned(),
        ));
    }
    let keys = commit::authority_keys(app);
    line.verify(&keys, &[])
        .map_err(|error| refuse(error.to_string()))?;
    chain
        .push(event)
        .map_err(|error| commit::impossible(&error))?;
    let transferred = lines
        .into_iter()
        .next_back()
        .ok_or_else(|| refuse("there is no hand-over".to_owned()))?;
    let countersigned = match fields.kind {
        Kind::Received => Some(countersigned(
            transferred,
            answer,
            party,
            &keys,
            &fields.actor.key,
        )?),
        _ => None,
    };
    let ops = answer_ops(app, &row, countersigned, &line, arrived, from, proved)?;
    for outcome in app.sequencer.submit_blocking(ops)? {
        if let Outcome::Rejected(fault) = outcome {
            return Err(ControlError::usage(fault.to_string()));
        }
    }
    Ok(())
}

/// The hand-over with the signatures of who took it over: person and authority, both or it is no receipt.
fn countersigned(
    mut transferred: Line,
    answer: &Answer,
    party: &str,
    keys: &[VerifierKey],
    person: &VerifierKey,
) -> Result<Line, ControlError> {
    let refuse = |why: &str| ControlError::usage(format!("the answer is not sound: {why}"));
    let event = transferred.event_unverified().clone();
    let both = Line::assemble(event, answer.counter_signatures.iter().map(String::as_str))
        .map_err(|_| refuse("it has no two counter-signatures"))?;
    for signature in both.note_signatures() {
        transferred
            .countersign(NoteSignature::clone(signature))
            .map_err(|error| refuse(&error.to_string()))?;
    }
    let verified = transferred
        .verify(keys, std::slice::from_ref(person))
        .map_err(|error| refuse(&error.to_string()))?;
    let authority =
        verified.countersigned().is_some() && !transfer::keys_of(keys, party).is_empty();
    if authority && verified.unknown_signers().is_empty() {
        Ok(transferred)
    } else {
        Err(refuse(
            "person and authority have not both counter-signed the hand-over",
        ))
    }
}

fn answer_ops(
    app: &Arc<App>,
    row: &ExhibitRow,
    countersigned: Option<Line>,
    line: &Line,
    arrived: Arrived,
    from: &Reader,
    proved: &Proved,
) -> Result<Vec<Op>, ControlError> {
    let collection = commit::collection_of(app, row)?
        .ok_or_else(|| ControlError::internal("the records of the exhibit are in no collection"))?;
    let taken = carry::take(app, arrived, from, &collection, proved)?;
    carry::fits(&taken.puts, &row.id, std::slice::from_ref(line))?;
    let mut records = taken.puts;
    if let Some(transferred) = &countersigned {
        let event = transferred.event_unverified().fields();
        let id = records::custody_id(&event.id);
        let (created, modified) = commit::next_version(app, &id, app.clock.now_micros())?;
        let under = Under {
            collection: &collection,
            tlp: commit::tlp_of(&event.handling),
            audience: with(app.catalog().audience(collection.key), from.party()),
        };
        let bytes = records::custody(transferred, created, modified);
        records.extend(commit::puts(app, &event.actor.name, vec![bytes], &under)?);
    }
    // one transaction: both signatures and the answer, or nothing
    let answered = Op::Evidence(Box::new(Evidence {
        records,
        change: EvidenceChange::Continue {
            exhibit: row.id.clone(),
            after: row.last,
            custody: vec![commit::custody_row(line)],
            countersigned: countersigned.as_ref().map(commit::custody_row),
            destroy: false,
        },
    }));
    Ok(taken.first.into_iter().chain([answered]).collect())
}
