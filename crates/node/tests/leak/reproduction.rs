//! Cases that once were different, and what nobody may do to a record to have it read more widely.

use std::collections::BTreeMap;

use comity_access::{Draft, LabelSet, PartyId};
use comity_node::handling::{Carried, Handling, Source};
use comity_node::intake::{self, Fate, Incoming};
use comity_stix::finding::Position;
use comity_store::{Grant, Subject};
use comity_testkit::oracle::Who;
use serde_json::{Value, json};

use super::world::World;

pub(super) const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
pub(super) const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
pub(super) const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
pub(super) const TOOL: &str = "tool--11111111-1111-4111-8111-111111111111";
const NOTE: &str = "note--22222222-2222-4222-8222-222222222222";

/// A node with one collection everybody may read.
pub(super) fn world() -> World {
    let mut world = World::empty(1);
    for (person, role) in [
        ("olena@ua", "analyst"),
        ("node@eu", "peer"),
        ("anna@eu", "analyst"),
        ("taras@ua", "analyst"),
    ] {
        let party = person.split_once('@').unwrap().1;
        world.account(Who {
            person: person.to_owned(),
            role: role.to_owned(),
            party: party.to_owned(),
            community: true,
            ..Who::default()
        });
    }
    world.collection("c0", vec![everyone()]);
    world.collection("c1", vec![everyone()]);
    world
}

pub(super) const OLENA: usize = 0;
pub(super) const NODE: usize = 1;
pub(super) const ANNA: usize = 2;
const TARAS: usize = 3;

fn everyone() -> Grant {
    Grant {
        subject: Subject::Everyone,
        read: true,
        write: false,
        delete: false,
    }
}

pub(super) fn tool(version: u8, name: &str, markings: Value) -> Value {
    let mut object = json!({
        "type": "tool", "spec_version": "2.1", "id": TOOL, "created": "2021-01-01T00:00:00.000Z",
        "modified": format!("2021-01-0{version}T00:00:00.000Z"), "name": name,
    });
    for (key, value) in markings.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

pub(super) fn meant_for(parties: &[&str]) -> Handling {
    let mut handling = Handling::default();
    handling.audience.parties = parties
        .iter()
        .map(|name| PartyId::parse(name).unwrap())
        .collect();
    handling
}

pub(super) fn accept(
    world: &World,
    from: &str,
    collection: usize,
    object: &Value,
    handling: &Handling,
) -> Fate {
    let fate = offer(
        world,
        &world.source(from, None),
        collection,
        object,
        handling,
    );
    let refused = matches!(fate, Fate::Refused { .. });
    assert!(!refused, "{fate:?}");
    fate
}

/// What became of one object that `source` gave.
pub(super) fn offer(
    world: &World,
    source: &Source,
    collection: usize,
    object: &Value,
    handling: &Handling,
) -> Fate {
    let position = Position {
        offset: 0,
        line: 1,
        column: 1,
        pointer: String::new(),
    };
    let incoming = Incoming {
        bytes: serde_json::to_vec(object).unwrap(),
        position,
    };
    let checked = intake::check(&incoming, &intake::options());
    let keys = [world.collections[collection].1];
    let verdicts =
        intake::accept_blocking(&world.app, vec![checked], &keys, source, handling).unwrap();
    verdicts[0].fate.clone()
}

pub(super) fn body(world: &World, asker: usize, path: &str) -> String {
    String::from_utf8(world.ask(asker, "GET", path, &[]).body).unwrap()
}

/// The parts of a party's own record were hidden from its people: they were asked about as for a hand-over.
#[test]
fn the_source_sees_the_parts_it_wrote() {
    let world = world();
    let parts = json!({ "description": "seen", "object_marking_refs": [AMBER],
        "granular_markings": [{ "marking_ref": RED, "selectors": ["description"] }] });
    accept(
        &world,
        "anna@eu",
        0,
        &tool(1, "whole", parts),
        &meant_for(&["ua"]),
    );
    let page = "/ua/collections/c0/objects/";
    assert!(body(&world, ANNA, page).contains("seen"));
    assert!(!body(&world, OLENA, page).contains("seen"));
    assert!(body(&world, OLENA, page).contains("whole"));
}

/// A peer that got a record without a part got the salt with it, and could guess the part.
#[test]
fn no_salt_goes_beside_a_record_with_parts_left_out() {
    let world = world();
    let parts = json!({ "description": "hidden", "object_marking_refs": [GREEN],
        "granular_markings": [{ "marking_ref": RED, "selectors": ["description"] }] });
    accept(
        &world,
        "olena@ua",
        0,
        &tool(1, "part", parts),
        &meant_for(&["eu"]),
    );
    accept(
        &world,
        "olena@ua",
        0,
        &tool(2, "whole", json!({})),
        &meant_for(&["eu"]),
    );
    let path = "/ua/collections/c0/objects/?match[version]=all";
    let answer = world.ask(NODE, "GET", path, &[("comity-handling", "1")]);
    let page: Value = serde_json::from_slice(&answer.body).unwrap();
    let salt = |index: usize| {
        page["x_comity_handling"][index]["salt"]
            .as_str()
            .map(str::len)
    };
    assert_eq!((salt(0), salt(1)), (None, Some(44)));
}

/// `show` gave hash and salt of the whole, and said who refers to an object even where the reference was left out.
#[test]
fn show_says_nothing_of_left_out_parts() {
    let world = world();
    accept(
        &world,
        "olena@ua",
        0,
        &tool(1, "t", json!({ "object_marking_refs": [GREEN] })),
        &Handling::default(),
    );
    let other = "tool--33333333-3333-4333-8333-333333333333";
    let note = json!({ "type": "note", "spec_version": "2.1", "id": NOTE, "content": "x",
        "created": "2021-01-01T00:00:00.000Z", "modified": "2021-01-01T00:00:00.000Z", "object_refs": [TOOL, other],
        "object_marking_refs": [GREEN], "granular_markings": [{ "marking_ref": RED, "selectors": ["object_refs.[0]"] }] });
    accept(&world, "taras@ua", 0, &note, &Handling::default());
    let tool = world.shown("olena@ua", TOOL);
    assert_eq!(tool["referred_to_by"], json!([]));
    assert_eq!(tool["proof"]["valid"], true);
    let note = world.shown("olena@ua", NOTE);
    assert_eq!(
        (&note["redacted"], &note["content_sha256"]),
        (&json!(true), &Value::Null)
    );
    assert!(!note.to_string().contains(TOOL));
}

/// A client that goes on by the date headers stood still before a record withheld from it.
#[test]
fn a_withheld_record_stops_nobody() {
    let world = world();
    let parts = json!({ "object_marking_refs": [GREEN],
        "granular_markings": [{ "marking_ref": RED, "selectors": ["name"] }] });
    accept(
        &world,
        "taras@ua",
        0,
        &tool(1, "withheld", parts),
        &Handling::default(),
    );
    accept(
        &world,
        "taras@ua",
        0,
        &tool(2, "open", json!({})),
        &Handling::default(),
    );
    let page = body(
        &world,
        OLENA,
        "/ua/collections/c0/objects/?match[version]=all&limit=1",
    );
    assert!(page.contains("open") && !page.contains("withheld"));
}

/// A later version in another collection hid the last one of this collection from search and record.
#[test]
fn the_last_version_is_the_last_in_the_collection_asked() {
    let world = world();
    accept(
        &world,
        "olena@ua",
        0,
        &tool(1, "earlier", json!({})),
        &meant_for(&["eu"]),
    );
    accept(
        &world,
        "olena@ua",
        1,
        &tool(2, "later", json!({})),
        &meant_for(&["eu"]),
    );
    world.wait_for_search();
    for path in [
        format!("/api/v1/records/{TOOL}?collection=c0"),
        "/api/v1/records?q=earlier&collection=c0".to_owned(),
    ] {
        let found = body(&world, ANNA, &path);
        assert!(
            found.contains("earlier") && !found.contains("later"),
            "{path} {found}"
        );
    }
}

/// What a peer says beside a record cannot weaken what stands on it.
#[test]
fn a_carried_label_never_weakens_the_record_s_own() {
    let world = world();
    let object = tool(
        1,
        "n",
        json!({ "description": "red", "object_marking_refs": [AMBER],
        "granular_markings": [{ "marking_ref": RED, "selectors": ["description"] }] }),
    );
    let mut draft = Draft::new(PartyId::parse("ee").unwrap());
    draft.tlp = Some("GREEN".parse().unwrap());
    let carried = Carried {
        label: LabelSet::new(draft).unwrap(),
        leaf: [0; 32],
    };
    let handling = Handling {
        by_record: BTreeMap::from([((TOOL.to_owned(), "2021-01-01T00:00:00".to_owned()), carried)]),
        ..Handling::default()
    };
    accept(&world, "node@eu", 0, &object, &handling);
    let page = "/ua/collections/c0/objects/";
    assert!(
        !body(&world, ANNA, page).contains(TOOL),
        "AMBER stands on it and nobody is named"
    );
    let own = body(&world, OLENA, page);
    assert!(own.contains(TOOL) && !own.contains("red"));
}

/// Adding again under a milder label, other content, and versions out of order: the first label of each version stands.
#[test]
fn adding_again_never_widens() {
    let world = world();
    let page = "/ua/collections/c0/objects/?match[version]=all";
    let strict = tool(3, "third", json!({}));
    assert!(accept(&world, "olena@ua", 0, &strict, &Handling::default()).is_success());
    let mut milder = meant_for(&["eu"]);
    milder.tlp = Some("GREEN".parse().unwrap());
    // it may not see the record, so it is told what it would be told of one that only it had given
    let first = accept(&world, "node@eu", 0, &strict, &milder);
    let Fate::New { entry_index } = first else {
        panic!("{first:?}");
    };
    let again = accept(&world, "node@eu", 1, &strict, &milder);
    let expected = Fate::Known {
        entry_index,
        added: false,
        label_differs: false,
        relabelled: false,
    };
    assert_eq!(again, expected);
    let other = tool(3, "another", json!({ "description": "more" }));
    let eu = world.source("node@eu", None);
    assert_eq!(offer(&world, &eu, 0, &other, &milder), Fate::Conflict);
    let ee = world.source("node@ee", None);
    let refused = offer(&world, &ee, 0, &other, &milder);
    assert!(
        matches!(
            &refused,
            Fate::Refused {
                code: "identifier",
                ..
            }
        ),
        "{refused:?}"
    );
    for asker in [NODE, ANNA] {
        for collection in ["c0", "c1"] {
            let path = format!("/ua/collections/{collection}/objects/?match[version]=all");
            assert!(!body(&world, asker, &path).contains(TOOL));
        }
    }
    // an earlier version that comes later is released by its own label, and says nothing of the later one
    assert!(accept(&world, "olena@ua", 0, &tool(1, "first", json!({})), &milder).is_success());
    let seen = body(&world, ANNA, page);
    assert!(seen.contains("first") && !seen.contains("third") && !seen.contains("another"));
    let versions = body(
        &world,
        ANNA,
        &format!("/ua/collections/c0/objects/{TOOL}/versions/"),
    );
    assert_eq!(versions, r#"{"versions":["2021-01-01T00:00:00.000Z"]}"#);
}

/// Two who may read the same records, and not the same parts, never get each other's kept page.
#[test]
fn a_kept_page_is_not_another_reader_s() {
    let world = world();
    let parts = json!({ "description": "red", "object_marking_refs": [GREEN],
        "granular_markings": [{ "marking_ref": RED, "selectors": ["description"] }] });
    accept(
        &world,
        "olena@ua",
        0,
        &tool(1, "n", parts),
        &Handling::default(),
    );
    let page = "/ua/collections/c0/objects/";
    for _ in 0..2 {
        assert!(body(&world, OLENA, page).contains("red"));
        let colleague = body(&world, TARAS, page);
        assert!(colleague.contains(TOOL) && !colleague.contains("red"));
    }
}

/// Another party's TLP:RED is not written to files, not even as a part, nor our own to a file for nobody in particular.
#[test]
fn red_parts_stay_out_of_files() {
    let world = world();
    let parts = json!({ "description": "red", "object_marking_refs": [AMBER],
        "granular_markings": [{ "marking_ref": RED, "selectors": ["description"] }] });
    accept(
        &world,
        "olena@ua",
        0,
        &tool(1, "n", parts),
        &Handling::default(),
    );
    assert!(
        body(&world, OLENA, "/ua/collections/c0/objects/").contains("red"),
        "she wrote it"
    );
    assert!(!world.exported("olena@ua", false).contains("red"));
    assert!(world.exported("olena@ua", true).contains("red"));
}
