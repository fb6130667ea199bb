//! A random world: parties, accounts of every role, collections with random grants, records with a secret in every field.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use comity_access::{Account, Action, PartyId, PrincipalId, Reader, Role};
use comity_node::app::{App, Running};
use comity_node::clock::Clock;
use comity_node::config::{Config, Layer};
use comity_node::entropy::Entropy;
use comity_node::handling::Source;
use comity_node::http::Context;
use comity_node::http::service::Front;
use comity_node::intake::{self, Incoming};
use comity_stix::finding::Position;
use comity_store::{Admin, Collection, CollectionKey, Grant, Principal, Subject, Token};
use comity_testkit::oracle::{What, Who};
use comity_testkit::{clock::FakeClock, random::SeededRandom};
use sha2::{Digest as _, Sha256};

use super::draw::{Drawn, draw_grant, draw_records, draw_who, shuffle};
use super::judge::Sight;

/// The party whose node is asked.
pub(super) const HOLDER: &str = "ua";
/// Few names, so that they often meet.
pub(super) const PARTIES: [&str; 4] = ["ua", "eu", "ee", "pl"];
pub(super) const CLIENTS: [&str; 2] = ["energo", "bank"];
pub(super) const ROLES: [&str; 7] = [
    "administrator",
    "officer",
    "analyst",
    "entity",
    "peer",
    "observer",
    "auditor",
];
pub(super) const EXERCISES: [&str; 2] = ["ex1", "ex2"];
pub(super) const COLOURS: [&str; 5] = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"];
pub(super) const KINDS: [&str; 4] = ["campaign", "intrusion-set", "tool", "attack-pattern"];

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
        let source = self.source(
            record.what.author.as_ref().unwrap(),
            record.what.exercise.as_deref(),
        );
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

    /// Somebody who brings records in and may: an officer of the node's party, or another party's node.
    pub(super) fn source(&self, name: &str, exercise: Option<&str>) -> Source {
        let principal = PrincipalId::parse(name).unwrap();
        let party = PartyId::parse(principal.party()).unwrap();
        let role = if principal.party() == HOLDER {
            Role::Officer
        } else {
            Role::Peer
        };
        let mut account = Account::new(principal, role, party.clone());
        account.exercise = exercise.map(str::to_owned);
        for (_, key) in &self.collections {
            account.grants.read.insert(key.0.to_string());
            account.grants.write.insert(key.0.to_string());
        }
        Source {
            party,
            principal: name.to_owned(),
            reader: Arc::new(Reader::new(account).unwrap()),
            action: Action::Write,
            claims: false,
        }
    }

    /// The search index follows the log; wait until it is there.
    pub(super) fn wait_for_search(&self) {
        while self.app.store.search_lag().unwrap() > 0 {
            std::thread::yield_now();
        }
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
