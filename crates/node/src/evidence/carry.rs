//! Records of exhibits on their way between nodes: with labels and proofs beside them, as all records go; and what the node
//! that takes them makes of them. They are held against their sender's proof like any record, and custody against its signatures.

use std::collections::BTreeSet;

use comity_access::{Action, Reader};
use comity_evidence::custody::Line;
use comity_evidence::json::parse;
use comity_stix::bundle;
use comity_stix::json::Limits;
use comity_store::{Collection, Op, Put, Record};
use serde_json::value::RawValue;

use super::records;
use crate::app::App;
use crate::control::ControlError;
use crate::handling::Source;
use crate::intake::{self, Incoming};
use crate::limits::ENVELOPE_OBJECTS_MAX;
use crate::peers::delivery::{Beside, write_beside};
use crate::peers::inbound::{self, Proved, sidecar_item};
use crate::proof::Prover;

/// An envelope of these records with labels and proofs, for a node that knows `known` entries of our log. Gives also the size of
/// the head that is in it.
///
/// # Errors
/// When the register cannot be read.
pub fn envelope(
    app: &App,
    records: &[Record],
    known: Option<u64>,
) -> Result<(Box<RawValue>, u64), ControlError> {
    let mut prover = Prover::new(&app.store)?;
    let mut body = b"{\"objects\":[".to_vec();
    let mut sidecar = Vec::with_capacity(records.len());
    for (place, record) in records.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&record.bytes);
        sidecar.push(sidecar_item(app, record)?);
    }
    body.push(b']');
    write_beside(&mut body, &mut sidecar, &mut prover, known)?;
    body.push(b'}');
    let text = String::from_utf8(body).map_err(ControlError::internal)?;
    let raw = RawValue::from_string(text).map_err(ControlError::internal)?;
    Ok((raw, prover.size()))
}

/// Records as another node sent them.
pub struct Arrived {
    objects: Vec<Incoming>,
    /// What stands beside them.
    pub beside: Beside,
}

impl Arrived {
    /// Takes an envelope apart.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of(envelope: &RawValue) -> Result<Self, String> {
        let text = envelope.get().as_bytes();
        let envelope = bundle::envelope(text, &Limits::default(), ENVELOPE_OBJECTS_MAX)
            .map_err(|error| error.to_string())?;
        let custom = envelope.custom.iter();
        Ok(Self {
            objects: Incoming::all(&envelope),
            beside: Beside::of(custom.map(|(name, text)| (name.as_str(), *text))),
        })
    }
}

/// Records ready to be committed.
pub struct Taken {
    /// The cross-link to the head they were proved by, if it is a new one: to be committed before them.
    pub first: Option<Op>,
    /// The records.
    pub puts: Vec<Put>,
}

/// Labels records of another node and holds them against its proofs. `proved` is kept until they are committed.
///
/// # Errors
/// When one of them is not sound, not proved, or its label cannot be used.
pub fn take(
    app: &App,
    arrived: Arrived,
    from: &Reader,
    collection: &Collection,
    proved: &Proved,
) -> Result<Taken, ControlError> {
    let unsound = |error: &dyn std::fmt::Display| {
        ControlError::forbidden(format!(
            "the records of `{}` are not sound: {error}",
            from.party().as_str()
        ))
    };
    let beside = &arrived.beside;
    let mut handling = inbound::handling(app, from, collection.key, beside, Some(proved))
        .map_err(|error| unsound(&error))?;
    let mut own = BTreeSet::new();
    let mut first = None;
    if let Some(delivery) = handling.delivery.as_mut() {
        // the caller commits it, in the transaction of the records
        first = delivery.first();
        delivery.seen = None;
        let offered = delivery.offered.iter().filter(|(_, offered)| offered.own);
        own.extend(offered.map(|(key, _)| key.clone()));
    }
    let source = Source {
        party: from.party().clone(),
        principal: from.principal().as_str().to_owned(),
        reader: inbound::granted(from, collection.key)
            .ok_or_else(|| unsound(&"its account here is none"))?,
        action: Action::Write,
        claims: false,
    };
    let objects = arrived.objects.iter();
    let checked = objects.map(|object| intake::check(object, &intake::options()));
    // nobody else speaks for our own records: those that come back are here already, in their last version and under our label
    let foreign = checked.filter(|checked| {
        checked.object().is_none_or(|object| {
            let version = object.version();
            let version = version.map_or(intake::STABLE_KEY, |at| at.key());
            !own.contains(&(object.id().as_str().to_owned(), version.to_owned()))
        })
    });
    let puts = intake::puts(
        app,
        foreign.collect(),
        &[collection.key],
        &source,
        &handling,
    )?;
    let puts = puts.map_err(|verdict| unsound(&verdict.fate.text()))?;
    Ok(Taken { first, puts })
}

/// The records are the exhibit's and those of these events: what is signed is what is kept as a record, and nothing else comes in
/// by this way.
///
/// # Errors
/// Names the record that is another.
pub fn fits(puts: &[Put], exhibit: &str, lines: &[Line]) -> Result<(), ControlError> {
    for put in puts {
        let same = match put.object_type.as_str() {
            "comity-custody" => carries(put, lines),
            "comity-exhibit" => put.id == exhibit,
            _ => {
                return Err(ControlError::forbidden(format!(
                    "`{}` is no record of the exhibit",
                    put.id
                )));
            }
        };
        if !same {
            return Err(ControlError::forbidden(format!(
                "`{}` carries another event or exhibit than was signed",
                put.id
            )));
        }
    }
    Ok(())
}

fn carries(put: &Put, lines: &[Line]) -> bool {
    #[derive(serde::Deserialize)]
    struct Custody<'r> {
        #[serde(borrow)]
        event: &'r RawValue,
    }
    let carried = serde_json::from_slice::<Custody<'_>>(&put.bytes)
        .ok()
        .and_then(|custody| {
            let event = custody.event.get().as_bytes();
            let canonical =
                comity_stix::canonical::canonical_bytes(event, &Limits::default()).ok()?;
            parse(&canonical).ok()
        });
    let line = lines
        .iter()
        .find(|line| records::custody_id(&line.event_unverified().fields().id) == put.id);
    line.is_some_and(|line| carried.as_ref() == Some(&line.event_unverified().to_value()))
}
