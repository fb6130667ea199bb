//! Two nodes in this process that know each other, over TLS on loopback. Nothing runs by itself: tests push, give and expire.

use std::sync::Arc;
use std::time::Duration;

use comity_access::{Account, Action, Audience, PartyId, PrincipalId, Reader, Role};
use comity_node::app::{App, Running};
use comity_node::clock::{Clock, SharedClock};
use comity_node::config::{Config, Layer};
use comity_node::control::{self, Alarms, Command, ControlError, Kept};
use comity_node::entropy::{SharedEntropy, SystemEntropy};
use comity_node::handling::{Handling, Source};
use comity_node::http::Server;
use comity_node::intake::{self, Incoming, Verdict};
use comity_node::peers::admin::{self, AddPeer};
use comity_node::peers::receipts::give::give;
use comity_node::peers::run;
use comity_node::sent::{Recipient, State, recipients};
use comity_stix::finding::Position;
use comity_store::{
    Admin, Change, Collection, CollectionKey, DeliveryState, EntryKind, Grant, Peer, Principal,
    Record, Subject, Token, Which,
};
use comity_testkit::clock::FakeClock;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

struct Time(FakeClock);
impl Clock for Time {
    fn now_micros(&self) -> i64 {
        self.0.now_micros()
    }
    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

/// One node.
pub(super) struct Side {
    pub(super) app: Arc<App>,
    pub(super) server: Server,
    pub(super) clock: FakeClock,
    pub(super) dir: tempfile::TempDir,
    _running: Running,
}

impl Side {
    pub(super) async fn start(party: &str, clock: &FakeClock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("comity.toml"),
            format!("party = \"{party}\"\nlisten = \"127.0.0.1:0\"\n"),
        )
        .unwrap();
        let config = Config::load(dir.path(), Layer::default()).unwrap();
        let time: SharedClock = Arc::new(Time(clock.clone()));
        App::create(&config, &time, &(Arc::new(SystemEntropy) as SharedEntropy)).unwrap();
        Self::open(dir, clock).await
    }

    /// A node on a directory that is there.
    pub(super) async fn open(dir: tempfile::TempDir, clock: &FakeClock) -> Self {
        let config = Config::load(dir.path(), Layer::default()).unwrap();
        let time: SharedClock = Arc::new(Time(clock.clone()));
        let (app, running) = App::open(config, time, Arc::new(SystemEntropy)).unwrap();
        let server = Server::start(Arc::clone(&app)).await.unwrap();
        Self {
            app,
            server,
            clock: clock.clone(),
            dir,
            _running: running,
        }
    }

    pub(super) async fn administer(&self, change: Admin) {
        self.app.administer("root", change).await.unwrap();
    }

    pub(super) async fn person(&self, id: &str, role: &str) {
        self.administer(Admin::PutPrincipal(Principal {
            id: id.to_owned(),
            display: id.to_owned(),
            role: role.to_owned(),
            party: id.split_once('@').unwrap().1.to_owned(),
            entity_of: None,
            community: true,
            exercise: None,
            password_hash: None,
            disabled: false,
            created: 0,
        }))
        .await;
        self.token(id).await;
    }

    pub(super) async fn token(&self, id: &str) {
        self.administer(Admin::PutToken(Token {
            sha256: Sha256::digest(format!("token of {id}")).into(),
            name: id.to_owned(),
            principal: id.to_owned(),
            scopes: Vec::new(),
            created: 0,
            expires: None,
        }))
        .await;
    }

    pub(super) async fn collection(&self, alias: &str, party: &str, read: bool, write: bool) {
        self.administer(Admin::PutCollection(Collection {
            key: CollectionKey(0),
            uuid: format!("11111111-1111-4111-8111-{:0>12}", alias.len()),
            alias: Some(alias.to_owned()),
            title: alias.to_owned(),
            description: None,
            media_types: Vec::new(),
            grants: vec![Grant {
                subject: Subject::Party(party.to_owned()),
                read,
                write,
                delete: false,
            }],
            created: 0,
        }))
        .await;
    }

    pub(super) fn key(&self, alias: &str) -> CollectionKey {
        self.app.catalog().collection(alias).unwrap().key
    }

    pub(super) fn peer(&self, key: &str) -> Arc<Peer> {
        Arc::clone(self.app.catalog().peer(key).unwrap())
    }

    /// Publishes objects for the other party.
    pub(super) async fn publish(&self, objects: &[String], to: &str) -> Vec<Verdict> {
        self.publish_in("shared", objects, to).await
    }

    pub(super) async fn publish_in(
        &self,
        collection: &str,
        objects: &[String],
        to: &str,
    ) -> Vec<Verdict> {
        let handling = Handling {
            audience: Audience {
                parties: std::iter::once(PartyId::parse(to).unwrap()).collect(),
                ..Audience::default()
            },
            ..Handling::default()
        };
        let party = self.app.party.clone();
        let principal = PrincipalId::parse(&format!("officer@{party}")).unwrap();
        let source = Source {
            principal: principal.as_str().to_owned(),
            reader: Arc::new(
                Reader::new(Account::new(principal, Role::Officer, party.clone())).unwrap(),
            ),
            action: Action::Import,
            claims: false,
            party,
        };
        let incoming = objects.iter().map(|object| Incoming {
            bytes: object.clone().into_bytes(),
            position: Position {
                offset: 0,
                line: 1,
                column: 1,
                pointer: String::new(),
            },
        });
        let options = Arc::new(intake::options());
        let checked = intake::check_all(incoming.collect(), options)
            .await
            .unwrap();
        intake::accept(
            &self.app,
            checked,
            &[self.key(collection)],
            &source,
            handling,
        )
        .await
        .unwrap()
    }

    /// The latest version of a record, past all rules.
    pub(super) fn record(&self, id: &str) -> Option<Record> {
        let everything = self.app.release.everything().unwrap();
        self.app.store.get(id, &Which::Last, &everything).unwrap()
    }

    pub(super) async fn push(&self, peer: &str) -> usize {
        run::push_now(&self.app, &self.peer(peer)).await.unwrap()
    }

    pub(super) async fn give(&self, peer: &str) -> usize {
        let target = run::target(&self.app, &self.peer(peer)).unwrap();
        give(&self.app, &target).await.unwrap()
    }

    pub(super) fn recipient(&self, id: &str) -> Recipient {
        let record = self.record(id).unwrap();
        let mut found = recipients(&self.app, record.seq).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    pub(super) fn state(&self, id: &str) -> State {
        self.recipient(id).state
    }

    pub(super) fn alarms(&self) -> Vec<&'static str> {
        self.kinds(false)
    }

    /// Those nobody has acknowledged.
    pub(super) fn open_alarms(&self) -> Vec<&'static str> {
        self.kinds(true)
    }

    fn kinds(&self, open: bool) -> Vec<&'static str> {
        let alarms = self.app.store.alarms(open).unwrap();
        alarms
            .iter()
            .map(|alarm| alarm.raised.kind.word())
            .collect()
    }

    /// A command as a running node carries it out: on a thread of its own.
    pub(super) async fn command(&self, by: &str, command: Command) -> Result<Value, ControlError> {
        let (app, by) = (Arc::clone(&self.app), by.to_owned());
        tokio::task::spawn_blocking(move || {
            let mut kept = Kept::default();
            control::execute(&app, &by, command, &mut std::iter::empty(), &mut kept)
        })
        .await
        .unwrap()
    }

    /// An officer takes note of every open alarm.
    pub(super) async fn acknowledge(&self, by: &str) {
        for alarm in self.app.store.alarms(true).unwrap() {
            let acknowledge = Alarms::Acknowledge {
                id: alarm.id,
                remark: "asked by voice".to_owned(),
            };
            self.command(by, Command::Alarms(acknowledge))
                .await
                .unwrap();
        }
    }

    pub(super) fn fsck(&self) {
        let level = comity_store::Level::Deep;
        let report = comity_store::fsck(self.dir.path(), level, &mut |_| {}).unwrap();
        assert_eq!(report.problems, vec![]);
    }
}

/// UA pushes `shared` into EU's `from-ua`, and EU may fetch it.
pub(super) struct Pair {
    pub(super) ua: Side,
    pub(super) eu: Side,
}

impl Pair {
    pub(super) async fn meet() -> Self {
        let clock = FakeClock::default();
        let (ua, eu) = (
            Side::start("ua", &clock).await,
            Side::start("eu", &clock).await,
        );
        ua.person("officer@ua", "officer").await;
        eu.person("jean@eu", "officer").await;
        eu.person("ada@eu", "analyst").await;
        ua.collection("shared", "eu", true, false).await;
        eu.collection("from-ua", "ua", false, true).await;
        let pair = Self { ua, eu };
        add(&pair.eu, &pair.ua, &[]).await;
        add(&pair.ua, &pair.eu, &["shared=from-ua"]).await;
        pair
    }
}

/// Where a record stands with a peer, and why.
impl Side {
    pub(super) fn delivery(&self, id: &str) -> Option<(DeliveryState, Option<String>)> {
        let record = self.record(id).unwrap();
        let deliveries = self.app.store.deliveries(record.seq).unwrap();
        deliveries
            .into_iter()
            .next()
            .map(|it| (it.state, it.reason))
    }

    /// How many hand-overs the log tells of.
    pub(super) fn disclosures(&self) -> usize {
        let changes = self.app.store.changes(0, 10_000).unwrap();
        let of_kind = |change: &&Change| change.kind == EntryKind::Disclosure;
        changes.iter().filter(of_kind).count()
    }
}

pub(super) async fn add(side: &Side, other: &Side, push: &[&str]) {
    let asked = AddPeer {
        url: other.server.url(),
        fingerprint: other.server.fingerprint().map(str::to_owned),
        push: push.iter().map(|route| (*route).to_owned()).collect(),
        ..AddPeer::default()
    };
    let by = format!("officer@{}", side.app.party);
    let answer = admin::add(&side.app, &by, asked).await.unwrap();
    assert_eq!(answer["state"], "active", "{answer}");
    if !push.is_empty() {
        assert_eq!(answer["note"], serde_json::Value::Null, "{answer}");
    }
}

pub(super) fn id(number: u32) -> String {
    format!("indicator--8e2e2d2b-17d4-4cbf-938f-{number:012}")
}

/// An indicator under TLP:AMBER; each `version` is later.
pub(super) fn indicator(number: u32, version: u32) -> String {
    with(number, version, "")
}

/// The same with more members.
pub(super) fn with(number: u32, version: u32, more: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{}","created":"2021-01-01T00:00:00.000Z","modified":"2021-01-01T00:00:{version:02}.000Z","pattern":"[ipv4-addr:value = '192.0.2.{number}']","pattern_type":"stix","valid_from":"2021-01-01T00:00:00Z","indicator_types":["malicious-activity"]{more}}}"#,
        id(number)
    )
}
