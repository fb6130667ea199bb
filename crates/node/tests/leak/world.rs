//! A random world: parties, accounts of every role, collections with random grants, records with a secret in every field.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use comity_access::{Audience, PartyId, PrincipalId};
use comity_node::app::{App, Running};
use comity_node::clock::Clock;
use comity_node::config::{Config, Layer};
use comity_node::entropy::Entropy;
use comity_node::handling::{Handling, Source};
use comity_node::http::Context;
use comity_node::http::service::Front;
use comity_node::intake::{self, Incoming};
use comity_stix::finding::Position;
use comity_store::{Admin, Collection, CollectionKey, Grant, Principal, Subject, Token};
use comity_testkit::oracle::{What, Who};
use comity_testkit::{clock::FakeClock, random::SeededRandom};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::judge::Sight;

/// The party whose node is asked.
pub(super) const HOLDER: &str = "ua";
/// Few names, so that they often meet.
const PARTIES: [&str; 4] = ["ua", "eu", "ee", "pl"];
const CLIENTS: [&str; 2] = ["energo", "bank"];
const ROLES: [&str; 7] = [
    "administrator",
    "officer",
    "analyst",
    "entity",
    "peer",
    "observer",
    "auditor",
];
const EXERCISES: [&str; 2] = ["ex1", "ex2"];
pub(super) const COLOURS: [&str; 5] = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"];
const KINDS: [&str; 4] = ["campaign", "intrusion-set", "tool", "attack-pattern"];

/// How big a world is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) readers: usize,
    pub(super) objects: usize,
    pub(super) collections: usize,
}

/// One field of a record that says something.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) secret: String,
    /// The colour of its granular marking.
    pub(super) tlp: Option<&'static str>,
    /// Without it the object is not valid.
    pub(super) needed: bool,
}

/// One version of one object.
#[derive(Clone, Debug)]
pub(super) struct Rec {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) version: String,
    pub(super) what: What,
    /// The colour its own marking says.
    pub(super) own: Option<String>,
    pub(super) fields: Vec<Field>,
    /// Indexes of its collections.
    pub(super) collections: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// An account.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) who: Who,
    pub(super) token: String,
    /// Collections in which a grant names it at all.
    pub(super) named: Vec<usize>,
    /// Collections it is granted writing in.
    pub(super) writes: Vec<usize>,
}

/// By account and place, one for each record.
type Sights = HashMap<(usize, Option<usize>), Vec<Sight>>;

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) random: SeededRandom,
    pub(super) askers: Vec<Asker>,
    pub(super) collections: Vec<(String, CollectionKey)>,
    pub(super) records: Vec<Rec>,
    /// Record and field by secret.
    pub(super) secrets: HashMap<String, (usize, usize)>,
    /// What the oracle said, by account and place.
    pub(super) sights: RefCell<Sights>,
    pub(super) front: Front,
    pub(super) app: Arc<App>,
    pub(super) runtime: tokio::runtime::Runtime,
    _running: Running,
    _stop: tokio::sync::watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

struct Time(FakeClock);
impl Clock for Time {
    fn now_micros(&self) -> i64 {
        self.0.now_micros()
    }
    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

struct Chance(SeededRandom);
impl Entropy for Chance {
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        self.0.fill(buffer)
    }
}

impl World {
    /// The world of a seed.
    pub(super) fn new(seed: u64, size: Size) -> Self {
        let mut world = Self::empty(seed);
        world.invite(size);
        let mut records = draw_records(&world, size);
        shuffle(&world.random, &mut records);
        for record in records {
            world.put(record);
        }
        world.wait_for_search();
        world
    }

    /// A node with nothing in it.
    pub(super) fn empty(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("comity.toml"),
            "party = \"ua\"\nname = \"UA\"\nrequests_per_second = 1000000000\nreaders = 2\n",
        )
        .unwrap();
        std::fs::create_dir_all(dir.path().join("keys")).unwrap();
        let config = Config::load(dir.path(), Layer::default()).unwrap();
        let clock: comity_node::clock::SharedClock = Arc::new(Time(FakeClock::default()));
        let entropy: comity_node::entropy::SharedEntropy =
            Arc::new(Chance(SeededRandom::new(seed ^ 0x5eed)));
        App::create(&config, &clock, &entropy).unwrap();
        let (app, running) = App::open(config, clock, entropy).unwrap();
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let front = Front::new(Context::new(Arc::clone(&app), None, stopping).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            seed,
            random,
            askers: Vec::new(),
            collections: Vec::new(),
            records: Vec::new(),
            secrets: HashMap::new(),
            sights: RefCell::default(),
            front,
            app,
            runtime,
            _running: running,
            _stop: stop,
            _dir: dir,
        }
    }

    fn invite(&mut self, size: Size) {
        for index in 0..size.readers {
            let role = ROLES[index % ROLES.len()];
            let who = draw_who(&self.random, index, role);
            self.account(who);
        }
        for index in 0..size.collections {
            let count = 1 + self.random.below(4);
            let grants = (0..count).map(|_| draw_grant(self)).collect();
            self.collection(&format!("c{index}"), grants);
        }
    }

    /// Makes an account with a token.
    pub(super) fn account(&mut self, who: Who) -> usize {
        let row = Principal {
            id: who.person.clone(),
            display: who.person.clone(),
            role: who.role.clone(),
            party: who.party.clone(),
            entity_of: who.client_of.clone(),
            community: who.community,
            exercise: who.exercise.clone(),
            password_hash: None,
            disabled: false,
            created: 0,
        };
        self.app
            .administer_blocking("root@ua", Admin::PutPrincipal(row))
            .unwrap();
        let token = format!("token-{}", who.person);
        let row = Token {
            sha256: Sha256::digest(token.as_bytes()).into(),
            name: who.person.clone(),
            principal: who.person.clone(),
            scopes: Vec::new(),
            created: 0,
            expires: None,
        };
        self.app
            .administer_blocking("root@ua", Admin::PutToken(row))
            .unwrap();
        self.askers.push(Asker {
            who,
            token,
            named: Vec::new(),
            writes: Vec::new(),
        });
        self.askers.len() - 1
    }

    /// Makes a collection; who may read it is worked out here, apart from the node.
    pub(super) fn collection(&mut self, alias: &str, grants: Vec<Grant>) -> usize {
        let index = self.collections.len();
        for asker in &mut self.askers {
            for grant in &grants {
                let meant = match &grant.subject {
                    Subject::Principal(name) => *name == asker.who.person,
                    Subject::Role(role) => *role == asker.who.role,
                    Subject::Party(party) => *party == asker.who.party,
                    Subject::Everyone => true,
                };
                if meant {
                    asker.named.push(index);
                    if grant.read && !asker.who.reads.iter().any(|known| known == alias) {
                        asker.who.reads.push(alias.to_owned());
                    }
                    if grant.write {
                        asker.writes.push(index);
                    }
                }
            }
        }
        let row = Collection {
            key: CollectionKey(0),
            uuid: uuid(&self.random),
            alias: Some(alias.to_owned()),
            title: alias.to_owned(),
            description: None,
            media_types: Vec::new(),
            grants,
            created: 0,
        };
        self.app
            .administer_blocking("root@ua", Admin::PutCollection(row))
            .unwrap();
        let key = self.app.catalog().collection(alias).unwrap().key;
        self.collections.push((alias.to_owned(), key));
        index
    }

    /// Brings a record in the way every record comes in.
    pub(super) fn put(&mut self, drawn: Drawn) -> usize {
        let Drawn { record, handling } = drawn;
        let source = Source {
            party: PartyId::parse(&record.what.originator).unwrap(),
            principal: record.what.author.clone().unwrap(),
        };
        let keys: Vec<_> = record
            .collections
            .iter()
            .map(|index| self.collections[*index].1)
            .collect();
        let position = Position {
            offset: 0,
            line: 1,
            column: 1,
            pointer: String::new(),
        };
        let incoming = Incoming {
            bytes: record.bytes.clone(),
            position,
        };
        let checked = intake::check(&incoming, &intake::options());
        let verdict =
            intake::accept_blocking(&self.app, vec![checked], &keys, &source, &handling).unwrap();
        assert!(
            verdict[0].fate.is_success(),
            "{:?} {}",
            verdict[0],
            String::from_utf8_lossy(&record.bytes)
        );
        self.sights.take();
        let index = self.records.len();
        for (field, at) in record.fields.iter().enumerate() {
            self.secrets.insert(at.secret.clone(), (index, field));
        }
        self.records.push(record);
        index
    }

    /// The search index follows the log; wait until it is there.
    pub(super) fn wait_for_search(&self) {
        while self.app.store.search_lag().unwrap() > 0 {
            std::thread::yield_now();
        }
    }
}

/// A record and what its sender says beside it.
pub(super) struct Drawn {
    pub(super) record: Rec,
    pub(super) handling: Handling,
}

fn draw_who(random: &SeededRandom, index: usize, role: &str) -> Who {
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

fn draw_grant(world: &World) -> Grant {
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

fn draw_records(world: &World, size: Size) -> Vec<Drawn> {
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
        for version in 0..versions {
            drawn.push(draw_record(world, kind, &id, version, originator));
        }
    }
    drawn
}

fn draw_record(
    world: &World,
    kind: &'static str,
    id: &str,
    version: usize,
    originator: &str,
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
        exercise: random
            .once_in(6)
            .then(|| (*random.pick(&EXERCISES).unwrap()).to_owned()),
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

fn shuffle<T>(random: &SeededRandom, items: &mut [T]) {
    for index in (1..items.len()).rev() {
        items.swap(index, random.below(index + 1));
    }
}

/// A random UUID, version 4.
pub(super) fn uuid(random: &SeededRandom) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes).unwrap();
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}
