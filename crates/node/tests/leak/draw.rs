//! Accounts, grants and records drawn at random.

use comity_access::{Audience, PartyId, PrincipalId};
use comity_node::handling::Handling;
use comity_node::intake;
use comity_store::{Grant, Subject};
use comity_testkit::oracle::{What, Who};
use comity_testkit::random::SeededRandom;
use serde_json::{Value, json};

use super::world::{
    CLIENTS, COLOURS, EXERCISES, Field, HOLDER, KINDS, PARTIES, ROLES, Rec, Size, World, uuid,
};

/// A record and what its sender says beside it.
pub(super) struct Drawn {
    pub(super) record: Rec,
    pub(super) handling: Handling,
}

pub(super) fn draw_who(random: &SeededRandom, index: usize, role: &str) -> Who {
    let (party, client_of) = if role == "entity" {
        let client = *random.pick(&CLIENTS).unwrap();
        (client, Some((*random.pick(&PARTIES).unwrap()).to_owned()))
    } else if random.once_in(2) {
        (HOLDER, None)
    } else {
        (*random.pick(&PARTIES).unwrap(), None)
    };
    Who {
        person: format!("r{index}@{party}"),
        role: role.to_owned(),
        party: party.to_owned(),
        client_of,
        community: random.once_in(2),
        exercise: random
            .once_in(3)
            .then(|| (*random.pick(&EXERCISES).unwrap()).to_owned()),
        reads: Vec::new(),
    }
}

pub(super) fn draw_grant(world: &World) -> Grant {
    let random = &world.random;
    let subject = match random.below(5) {
        0 => Subject::Everyone,
        1 => Subject::Party((*random.pick(&PARTIES).unwrap()).to_owned()),
        2 => Subject::Role((*random.pick(&ROLES).unwrap()).to_owned()),
        _ => Subject::Principal(random.pick(&world.askers).unwrap().who.person.clone()),
    };
    Grant {
        subject,
        read: !random.once_in(5),
        write: random.once_in(3),
        delete: random.once_in(3),
    }
}

pub(super) fn draw_records(world: &World, size: Size) -> Vec<Drawn> {
    let random = &world.random;
    let mut drawn = Vec::new();
    for _ in 0..size.objects {
        let observable = random.once_in(8);
        let kind = if observable {
            "user-account"
        } else {
            random.pick(&KINDS).unwrap()
        };
        let id = format!("{kind}--{}", uuid(random));
        let versions = if observable { 1 } else { 1 + random.below(3) };
        // only its originator gives an object new versions
        let originator = if random.once_in(3) {
            PARTIES[1 + random.below(3)]
        } else {
            HOLDER
        };
        // nor does an exercise give versions to what is not of it
        let exercise = random
            .once_in(6)
            .then(|| (*random.pick(&EXERCISES).unwrap()).to_owned());
        for version in 0..versions {
            let of = (originator, exercise.clone());
            drawn.push(draw_record(world, kind, &id, version, of));
        }
    }
    drawn
}

fn draw_record(
    world: &World,
    kind: &'static str,
    id: &str,
    version: usize,
    (originator, exercise): (&str, Option<String>),
) -> Drawn {
    let random = &world.random;
    let authors: Vec<_> = world
        .askers
        .iter()
        .filter(|asker| asker.who.party == originator)
        .collect();
    let author = random.pick(&authors).map_or_else(
        || format!("somebody@{originator}"),
        |asker| asker.who.person.clone(),
    );
    let own = colour(random);
    let said = random.once_in(2).then(|| *random.pick(&COLOURS).unwrap());
    let tlp = stricter(own, said);
    let parties: Vec<String> = some(random, &PARTIES);
    let persons: Vec<String> = (0..random.below(3))
        .filter_map(|_| random.pick(&world.askers))
        .map(|asker| asker.who.person.clone())
        .collect();
    let what = What {
        tlp: tlp.map(str::to_owned),
        originator: originator.to_owned(),
        author: Some(author),
        parties: parties.clone(),
        persons: persons.clone(),
        exercise,
    };
    let handling = Handling {
        tlp: said.map(|word| word.parse().unwrap()),
        audience: Audience {
            parties: parties
                .iter()
                .map(|name| PartyId::parse(name).unwrap())
                .collect(),
            persons: persons
                .iter()
                .map(|name| PrincipalId::parse(name).unwrap())
                .collect(),
        },
        exercise: what.exercise.clone(),
        ..Handling::default()
    };
    let mut collections: Vec<usize> = (0..world.collections.len())
        .filter(|_| random.once_in(3))
        .collect();
    if collections.is_empty() {
        collections.push(random.below(world.collections.len()));
    }
    let mut record = Rec {
        id: id.to_owned(),
        kind,
        version: if kind == "user-account" {
            intake::STABLE_TEXT.to_owned()
        } else {
            format!("2021-01-0{}T00:00:00.000Z", version + 1)
        },
        what,
        own: own.map(str::to_owned),
        fields: Vec::new(),
        collections,
        bytes: Vec::new(),
    };
    write(random, &mut record, own);
    Drawn { record, handling }
}

/// The selectors of the fields of an object, and whether it can do without.
fn selectors(kind: &str) -> &'static [(&'static str, bool)] {
    if kind == "user-account" {
        &[
            ("user_id", false),
            ("display_name", false),
            ("account_login", false),
            ("x_said", false),
        ]
    } else {
        &[
            ("name", true),
            ("description", false),
            ("aliases.[0]", false),
            ("aliases.[1]", false),
            ("external_references.[0].description", false),
            ("x_said", false),
        ]
    }
}

fn write(random: &SeededRandom, record: &mut Rec, own: Option<&'static str>) {
    let granular = random.once_in(2);
    let mut markings = Vec::new();
    for (selector, needed) in selectors(record.kind) {
        let tlp = if granular && random.once_in(if *needed { 5 } else { 2 }) {
            // a marking nobody here knows counts as AMBER
            let (tlp, marking) = if random.once_in(8) {
                ("AMBER", format!("marking-definition--{}", uuid(random)))
            } else {
                let tlp = *random.pick(&COLOURS).unwrap();
                (tlp, marking(random, tlp).to_owned())
            };
            markings.push(json!({ "marking_ref": marking, "selectors": [selector] }));
            Some(tlp)
        } else {
            None
        };
        record.fields.push(Field {
            secret: format!("zq{:010x}", random.next() & 0xff_ffff_ffff),
            tlp,
            needed: *needed,
        });
    }
    let secret = |index: usize| Value::from(record.fields[index].secret.clone());
    let mut object = if record.kind == "user-account" {
        json!({ "user_id": secret(0), "display_name": secret(1), "account_login": secret(2), "x_said": secret(3) })
    } else {
        json!({
            "created": "2021-01-01T00:00:00.000Z", "modified": record.version,
            "name": secret(0), "description": secret(1), "aliases": [secret(2), secret(3)],
            "external_references": [{ "source_name": "somewhere", "url": "https://example.org/", "description": secret(4) }],
            "x_said": secret(5),
        })
    };
    object["type"] = record.kind.into();
    object["spec_version"] = "2.1".into();
    object["id"] = record.id.clone().into();
    if let Some(own) = own {
        object["object_marking_refs"] = json!([marking(random, own)]);
    }
    if !markings.is_empty() {
        object["granular_markings"] = markings.into();
    }
    record.bytes = serde_json::to_vec(&object).unwrap();
}

fn colour(random: &SeededRandom) -> Option<&'static str> {
    (!random.once_in(4)).then(|| *random.pick(&COLOURS).unwrap())
}

fn stricter(one: Option<&'static str>, other: Option<&'static str>) -> Option<&'static str> {
    let rank = |word: &Option<&'static str>| {
        word.map(|word| COLOURS.iter().position(|colour| *colour == word))
    };
    if rank(&one) >= rank(&other) {
        one
    } else {
        other
    }
}

/// The predefined marking of a colour, in the spelling of TLP 2.0 or 1.0.
fn marking(random: &SeededRandom, tlp: &str) -> &'static str {
    let old = random.once_in(2);
    match tlp {
        "CLEAR" if old => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        "CLEAR" => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        "GREEN" if old => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        "GREEN" => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        "AMBER" if old => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        "AMBER" => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        "AMBER+STRICT" => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        _ if old => "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        _ => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    }
}

fn some(random: &SeededRandom, names: &[&str]) -> Vec<String> {
    if random.once_in(3) {
        return Vec::new();
    }
    names
        .iter()
        .filter(|_| random.once_in(3))
        .map(|name| (*name).to_owned())
        .collect()
}

pub(super) fn shuffle<T>(random: &SeededRandom, items: &mut [T]) {
    for index in (1..items.len()).rev() {
        items.swap(index, random.below(index + 1));
    }
}
