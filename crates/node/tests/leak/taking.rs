//! What a delivery may do to what is here, and what its sender learns from the answer.

use std::collections::BTreeMap;

use comity_access::{Draft, LabelSet, PartyId};
use comity_node::handling::{Carried, Handling, Source};
use comity_node::intake::Fate;
use comity_store::{Delete, Grant, Op, Subject, Which};
use comity_testkit::oracle::Who;
use serde_json::{Value, json};

use super::reproduction::{NODE, OLENA, RED, TOOL, accept, meant_for, offer, tool, world};
use super::world::World;

/// What `originator` says of version `version` of the tool, carried by a node.
fn carried(originator: &str, version: u8, tlp: &str, parties: &[&str]) -> Handling {
    let mut draft = Draft::new(PartyId::parse(originator).unwrap());
    draft.tlp = Some(tlp.parse().unwrap());
    draft.audience = meant_for(parties).audience;
    let carried = Carried {
        label: LabelSet::new(draft).unwrap(),
        leaf: [0; 32],
    };
    let key = format!("2021-01-0{version}T00:00:00");
    Handling {
        by_record: BTreeMap::from([((TOOL.to_owned(), key), carried)]),
        ..Handling::default()
    }
}

fn refused(fate: &Fate) -> &'static str {
    match fate {
        Fate::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

fn give(world: &World, from: &str, version: u8, handling: &Handling) -> Fate {
    let object = tool(version, &format!("version {version}"), json!({}));
    offer(world, &world.source(from, None), 0, &object, handling)
}

/// Originator, colour and deliverer of a version here.
fn kept(world: &World, version: u8) -> Option<(String, String, String)> {
    let which = Which::Key(format!("2021-01-0{version}T00:00:00"));
    let everything = world.app.release.everything().unwrap();
    let record = world.app.store.get(TOOL, &which, &everything).unwrap()?;
    let label = world.app.release.label(record.label_set).unwrap();
    let originator = label.originator().to_string();
    Some((originator, label.tlp().to_string(), record.origin))
}

fn is(originator: &str, tlp: &str, origin: &str) -> Option<(String, String, String)> {
    Some((originator.to_owned(), tlp.to_owned(), origin.to_owned()))
}

fn erase(world: &World, by: &str) {
    let delete = Delete {
        id: TOOL.to_owned(),
        version: None,
        collection: None,
        scope: None,
        reason: "asked for".to_owned(),
        by: by.to_owned(),
        erase: true,
        salt: [7; 32],
    };
    world
        .app
        .sequencer
        .submit_blocking(vec![Op::Delete(delete)])
        .unwrap();
}

/// A node that passes records on could speak as their originator for ever, and anybody else as well.
#[test]
fn nobody_speaks_for_a_third_party_that_speaks_itself() {
    let world = world();
    let relayed = |version| carried("ee", version, "CLEAR", &[]);
    assert!(give(&world, "node@eu", 1, &relayed(1)).is_success());
    // another one that claims the same originator did not bring this record
    assert_eq!(
        refused(&give(&world, "node@pl", 2, &relayed(2))),
        "originator"
    );
    // who passed it on goes on
    assert!(give(&world, "node@eu", 2, &relayed(2)).is_success());
    // the originator delivers itself, under its own label, and from then on it alone speaks
    let direct = give(&world, "node@ee", 1, &carried("ee", 1, "AMBER", &["ua"]));
    assert!(
        matches!(
            direct,
            Fate::Known {
                relabelled: true,
                ..
            }
        ),
        "{direct:?}"
    );
    assert_eq!(kept(&world, 1), is("ee", "TLP:AMBER", "ee"));
    assert_eq!(
        refused(&give(&world, "node@eu", 3, &relayed(3))),
        "originator"
    );
    assert!(give(&world, "node@ee", 3, &carried("ee", 3, "AMBER", &["ua"])).is_success());
    // nor does passing it on again bring the milder label back
    assert!(give(&world, "node@eu", 1, &relayed(1)).is_success());
    assert_eq!(kept(&world, 1), is("ee", "TLP:AMBER", "ee"));
}

/// Content that was passed on under an originator's name gives way to what the originator itself delivers.
#[test]
fn the_originator_is_not_held_to_what_others_made_of_its_record() {
    let world = world();
    let forged = tool(1, "forged", json!({}));
    let eu = world.source("node@eu", None);
    assert!(offer(&world, &eu, 0, &forged, &carried("ee", 1, "CLEAR", &[])).is_success());
    let true_one = give(&world, "node@ee", 1, &carried("ee", 1, "GREEN", &["ua"]));
    assert!(true_one.is_success(), "{true_one:?}");
    assert_eq!(kept(&world, 1), is("ee", "TLP:GREEN", "ee"));
}

/// Our own people changed another party's record under our own label.
#[test]
fn staff_give_no_new_versions_to_another_party_s_record() {
    let world = world();
    assert!(give(&world, "node@eu", 1, &meant_for(&["ua"])).is_success());
    let fate = give(&world, "olena@ua", 2, &Handling::default());
    assert_eq!(refused(&fate), "originator");
    assert!(fate.text().contains("derived-from"), "{}", fate.text());
    assert_eq!(kept(&world, 2), None);
}

/// Whoever came first with a public identifier kept it, label and all.
#[test]
fn the_first_comer_does_not_own_a_public_identifier() {
    let world = world();
    // of what our people cannot read here, they have their own copy
    assert!(give(&world, "node@eu", 1, &carried("eu", 1, "RED", &[])).is_success());
    let own = give(&world, "olena@ua", 1, &meant_for(&["ee"]));
    assert!(
        matches!(
            own,
            Fate::Known {
                relabelled: true,
                ..
            }
        ),
        "{own:?}"
    );
    assert_eq!(kept(&world, 1), is("ua", "TLP:AMBER", "ua"));
    // from then on it is ours
    assert_eq!(
        refused(&give(&world, "node@eu", 2, &meant_for(&["ua"]))),
        "originator"
    );
}

/// What they can read here may be a copy of it: then an officer has to say that it is not.
#[test]
fn an_officer_says_that_an_identifier_is_ours() {
    let world = world();
    assert!(give(&world, "node@eu", 1, &meant_for(&["ua"])).is_success());
    let plain = give(&world, "olena@ua", 1, &Handling::default());
    assert!(
        matches!(
            plain,
            Fate::Known {
                label_differs: true,
                relabelled: false,
                ..
            }
        ),
        "{plain:?}"
    );
    let claiming = Source {
        claims: true,
        ..world.source("olena@ua", None)
    };
    let same = tool(1, "version 1", json!({}));
    let fate = offer(&world, &claiming, 0, &same, &Handling::default());
    assert!(
        matches!(
            fate,
            Fate::Known {
                relabelled: true,
                ..
            }
        ),
        "{fate:?}"
    );
    // other content under the same version: theirs goes, its entry stays
    assert!(give(&world, "node@eu", 1, &meant_for(&["ua"])).is_success());
    let world = super::reproduction::world();
    assert!(give(&world, "node@eu", 1, &meant_for(&["ua"])).is_success());
    let claiming = Source {
        claims: true,
        ..world.source("olena@ua", None)
    };
    let other = tool(1, "ours", json!({}));
    assert_eq!(
        offer(
            &world,
            &world.source("olena@ua", None),
            0,
            &other,
            &Handling::default()
        ),
        Fate::Conflict
    );
    assert!(offer(&world, &claiming, 0, &other, &Handling::default()).is_success());
    assert_eq!(kept(&world, 1), is("ua", "TLP:AMBER", "ua"));
    assert_eq!(world.app.store.tombstones(TOOL).unwrap().len(), 1);
    assert_eq!(
        refused(&give(&world, "node@eu", 2, &meant_for(&["ua"]))),
        "originator"
    );
}

/// An early `revoked: true` under somebody else's name kept every later version out.
#[test]
fn only_the_originator_s_revocation_is_final() {
    let world = world();
    let revoked = tool(1, "gone", json!({ "revoked": true }));
    let eu = world.source("node@eu", None);
    assert!(offer(&world, &eu, 0, &revoked, &carried("ee", 1, "CLEAR", &[])).is_success());
    let later = give(&world, "node@ee", 2, &carried("ee", 2, "CLEAR", &[]));
    assert!(later.is_success(), "{later:?}");
    let own = tool(3, "gone", json!({ "revoked": true }));
    let ee = world.source("node@ee", None);
    assert!(offer(&world, &ee, 0, &own, &carried("ee", 3, "CLEAR", &[])).is_success());
    assert_eq!(
        refused(&give(&world, "node@ee", 4, &carried("ee", 4, "CLEAR", &[]))),
        "revoked"
    );
}

/// Two nodes that fetch from each other bring older versions back.
#[test]
fn an_older_version_that_comes_back_is_known() {
    let world = world();
    for version in [1, 2] {
        accept(
            &world,
            "olena@ua",
            0,
            &tool(version, &format!("version {version}"), json!({})),
            &meant_for(&["eu"]),
        );
    }
    let back = give(&world, "node@eu", 1, &meant_for(&["ua"]));
    assert!(matches!(back, Fate::Known { .. }), "{back:?}");
}

/// A resend or a cursor set back brought erased bytes in again.
#[test]
fn what_was_erased_does_not_come_back_from_outside() {
    let world = world();
    let first = meant_for(&["ua"]);
    assert!(give(&world, "node@eu", 1, &first).is_success());
    erase(&world, "olena@ua");
    let again = give(&world, "node@eu", 1, &first);
    assert_eq!(refused(&again), "deleted");
    assert!(again.text().contains("deleted"), "{}", again.text());
    // nobody else takes the identifier, nor learns why not
    let other = give(&world, "node@ee", 2, &first);
    assert!(!other.text().contains("deleted"), "{}", other.text());
    assert_eq!(refused(&other), "deleted");
    // its own party may go on with another version, and ours may bring it back
    assert!(give(&world, "node@eu", 2, &first).is_success());
    let world = super::reproduction::world();
    assert!(give(&world, "olena@ua", 1, &first).is_success());
    erase(&world, "olena@ua");
    assert_eq!(refused(&give(&world, "node@eu", 2, &first)), "deleted");
    assert!(give(&world, "olena@ua", 1, &first).is_success());
    // who took its own back may give it again, as TAXII clients expect
    let world = super::reproduction::world();
    assert!(give(&world, "node@eu", 1, &first).is_success());
    erase(&world, "node@eu");
    assert!(give(&world, "node@eu", 1, &first).is_success());
}

/// Sending a record told whether it is here, to those who may not see it.
#[test]
fn an_answer_to_a_sender_does_not_say_what_is_here() {
    let mut world = world();
    let writes = Grant {
        subject: Subject::Party("eu".to_owned()),
        read: true,
        write: true,
        delete: false,
    };
    world.collection("c2", vec![writes]);
    let words = |world: &World, object: &Value| {
        let answer = world.post(NODE, "c2", std::slice::from_ref(object));
        assert_eq!(answer.status, 202);
        let status: Value = serde_json::from_slice(&answer.body).unwrap();
        let list = if status["success_count"] == 1 {
            "successes"
        } else {
            "failures"
        };
        let text = status[list][0]["message"].as_str().unwrap().to_owned();
        text.chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect::<String>()
    };
    let other = |id: u32, name: &str| {
        let mut object = tool(1, name, json!({}));
        object["id"] = format!("tool--11111111-1111-4111-8111-{id:012}").into();
        object
    };
    let new = words(&world, &other(1, "new"));
    let again = words(&world, &other(1, "new"));
    assert_ne!(new, again);
    // ours, for nobody outside: the same content twice is answered as a new record is
    accept(
        &world,
        "olena@ua",
        0,
        &other(2, "ours"),
        &Handling::default(),
    );
    let size = world.app.store.head().unwrap().size;
    assert_eq!(words(&world, &other(2, "ours")), new);
    assert_eq!(
        world.app.store.head().unwrap().size,
        size + 1,
        "it is in the log that they gave it"
    );
    assert_eq!(words(&world, &other(2, "ours")), again);
    // every reason to refuse is one
    accept(
        &world,
        "olena@ua",
        0,
        &other(5, "ours"),
        &Handling::default(),
    );
    let changed = words(&world, &other(5, "changed"));
    let mut later = other(5, "later");
    later["modified"] = "2022-01-01T00:00:00.000Z".into();
    assert_eq!(words(&world, &later), changed);
    let mut gone = other(3, "gone");
    gone["revoked"] = true.into();
    accept(&world, "olena@ua", 0, &gone, &Handling::default());
    let mut later = other(3, "later");
    later["modified"] = "2022-01-01T00:00:00.000Z".into();
    assert_eq!(words(&world, &later), changed);
    // nor does what is not permitted at all: records of an exercise they take no part in
    let mut playing = meant_for(&["ua"]);
    playing.exercise = Some("ex1".to_owned());
    let eu = world.source("node@eu", None);
    let (known, fresh) = (other(5, "ours"), other(6, "fresh"));
    let known = offer(&world, &eu, 2, &known, &playing);
    assert_eq!(known, offer(&world, &eu, 2, &fresh, &playing));
    assert_eq!(refused(&known), "not-permitted");
    // what they may see is answered plainly
    accept(
        &world,
        "olena@ua",
        2,
        &other(4, "shared"),
        &meant_for(&["eu"]),
    );
    assert!(words(&world, &other(4, "shared")).starts_with(&again));
    let conflict = words(&world, &other(4, "changed"));
    assert_ne!(conflict, changed);
    assert!(conflict.contains("another content"), "{conflict}");
}

/// Who has a record could put it before more readers by adding it to another collection.
#[test]
fn a_record_is_moved_by_those_who_speak_for_it() {
    let mut world = world();
    let writes = Grant {
        subject: Subject::Everyone,
        read: true,
        write: true,
        delete: false,
    };
    let wide = world.collection("wide", vec![writes]);
    let client = world.account(Who {
        person: "soc@energo".to_owned(),
        role: "entity".to_owned(),
        party: "energo".to_owned(),
        client_of: Some("ua".to_owned()),
        community: true,
        ..Who::default()
    });
    let object = tool(1, "t", json!({}));
    accept(&world, "olena@ua", 0, &object, &meant_for(&["eu", "ua"]));
    for asker in [NODE, client] {
        let answer = world.post(asker, "wide", std::slice::from_ref(&object));
        assert_eq!(answer.status, 202);
        let status: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(status["success_count"], 1, "{status}");
    }
    let everything = world.app.release.everything().unwrap();
    let record = world
        .app
        .store
        .get(TOOL, &Which::Last, &everything)
        .unwrap()
        .unwrap();
    let places = world.app.store.memberships(record.seq).unwrap();
    assert_eq!(places.len(), 1, "{places:?}");
    // its own people may
    let olena = world.source("olena@ua", None);
    assert!(offer(&world, &olena, wide, &object, &Handling::default()).is_success());
    assert_eq!(world.app.store.memberships(record.seq).unwrap().len(), 2);
}

/// Records of an account in an exercise came in as real ones.
#[test]
fn who_plays_makes_records_of_the_exercise() {
    let mut world = world();
    let writes = Grant {
        subject: Subject::Everyone,
        read: true,
        write: true,
        delete: false,
    };
    world.collection("play", vec![writes]);
    let player = world.account(Who {
        person: "player@ua".to_owned(),
        role: "analyst".to_owned(),
        party: "ua".to_owned(),
        community: true,
        exercise: Some("ex1".to_owned()),
        ..Who::default()
    });
    // the grant of `play` was worked out before the account was there
    let object = tool(1, "played", json!({}));
    let answer = world.post(player, "play", std::slice::from_ref(&object));
    assert_eq!(
        answer.status,
        202,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    let status: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(status["success_count"], 1, "{status}");
    let everything = world.app.release.everything().unwrap();
    let record = world
        .app
        .store
        .get(TOOL, &Which::Last, &everything)
        .unwrap()
        .unwrap();
    let label = world.app.release.label(record.label_set).unwrap();
    assert_eq!(label.exercise(), Some("ex1"));
    let page = "/ua/collections/play/objects/";
    let seen = |asker| {
        String::from_utf8(world.ask(asker, "GET", page, &[]).body)
            .unwrap()
            .contains("played")
    };
    assert!(seen(player) && !seen(OLENA));
    // what is real does not become play by being played with, nor is it revoked by it
    let real = json!({ "object_marking_refs": [RED] });
    let mut other = tool(2, "real", real);
    other["id"] = "tool--44444444-4444-4444-8444-444444444444".into();
    accept(&world, "olena@ua", 0, &other, &Handling::default());
    other["modified"] = "2021-01-03T00:00:00.000Z".into();
    other["revoked"] = true.into();
    let answer = world.post(player, "play", &[other]);
    let status: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(status["failure_count"], 1, "{status}");
}
