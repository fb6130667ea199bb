//! Persons, authorities and events to make chains of.

use comity_evidence::custody::{Actor, Event, Fields, Kind, Line, Output, Tool, custody_key_name};
use comity_evidence::{ExhibitId, Hash, Time};
use comity_ledger::note::{KeyName, Signer};

pub(crate) const EXHIBIT: &str = "comity-exhibit--5afe0000-2021-4603-8c0d-000000000001";
pub(crate) const OTHER: &str = "comity-exhibit--5afe0000-2021-4603-8c0d-000000000002";

pub(crate) fn person(authority: &str) -> Signer {
    let name = match authority {
        "ua" => "olena@ua",
        "eu" => "jan@eu",
        _ => "someone@xx",
    };
    signer(name, 1)
}

pub(crate) fn authority(authority: &str) -> Signer {
    signer(&custody_key_name(authority), 2)
}

pub(crate) fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(KeyName::new(name).unwrap(), &[seed; 32]).unwrap()
}

/// An event with everything its kind needs. Items are those of the hash `[7; 32]`.
pub(crate) fn fields(kind: Kind, by: &str, number: u8) -> Fields {
    let key = person(by).verifier().clone();
    let counterparty = if by == "ua" { "eu" } else { "ua" };
    Fields {
        id: format!("5afe0000-2021-4603-8c0d-0000000001{number:02x}"),
        exhibit: ExhibitId::parse(EXHIBIT).unwrap(),
        kind,
        actor: Actor {
            name: key.name().as_str().to_owned(),
            authority: by.to_owned(),
            key,
        },
        on_behalf_of: None,
        basis: "case 7/2026".to_owned(),
        place: "Kyiv".to_owned(),
        handling: "TLP:AMBER".to_owned(),
        time: Time::from_micros(1_000_000 * i64::from(number)),
        tool: Tool {
            name: "comity".to_owned(),
            version: "0.1.0".to_owned(),
            parameters: String::new(),
        },
        items: 3,
        size: 123,
        items_sha256: [7; 32],
        rehashed: kind.needs_rehash().then_some([7; 32]),
        counterparty: kind.names_counterparty().then(|| counterparty.to_owned()),
        outputs: if kind == Kind::Derived {
            vec![Output {
                exhibit: ExhibitId::parse(OTHER).unwrap(),
                items_sha256: [8; 32],
            }]
        } else {
            Vec::new()
        },
        previous: None,
        anomaly: None,
        reason: kind.needs_reason().then(|| "because".to_owned()),
    }
}

/// Events of these kinds, linked, `kind/authority` each.
pub(crate) fn chain(steps: &[&str]) -> Vec<Event> {
    let mut last: Option<Hash> = None;
    let mut events = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let (kind, by) = step.split_once('/').unwrap();
        let mut fields = fields(kind.parse().unwrap(), by, place as u8);
        fields.previous = last;
        let event = Event::new(fields).unwrap();
        last = Some(*event.hash());
        events.push(event);
    }
    events
}

pub(crate) fn signed(event: Event) -> Line {
    let by = event.fields().actor.authority.clone();
    Line::sign(event, &person(&by), &authority(&by)).unwrap()
}
