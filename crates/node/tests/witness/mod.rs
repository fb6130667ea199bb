//! Witnesses: the role over HTTP as tlog-witness says, the node that submits to them, and what is noticed of a log that lies.
//! Time stands still unless a test moves it; sockets are on loopback.

mod own;
mod spec;
mod submit;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Request, StatusCode};
use axum::body::Body;
use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::{KeyName, SignedNote, Signer};
use comity_ledger::tree::{Frontier, MemoryTiles, consistency_proof, leaf_hash};
use comity_ledger::verify::TrustedLog;
use comity_ledger::witness::AddCheckpoint;
use comity_node::app::{App, Running};
use comity_node::clock::{Clock, SharedClock};
use comity_node::config::{Config, Layer};
use comity_node::entropy::{SharedEntropy, SystemEntropy};
use comity_node::http::connection::Connection;
use comity_node::http::{Handler as _, Port};
use comity_node::witness::service::Service;
use comity_node::witness::{Witness, keys};
use comity_store::witness::WitnessDb;
use comity_store::{Admin, Faults};
use comity_testkit::clock::FakeClock;
use http_body_util::BodyExt as _;

/// Time that moves when a test says so.
#[derive(Clone, Default)]
struct TestClock(FakeClock);

impl Clock for TestClock {
    fn now_micros(&self) -> i64 {
        self.0.now_micros()
    }
    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

/// A log under our hands, which may be made to lie.
#[derive(Clone)]
struct Log {
    origin: String,
    signer: Signer,
    frontier: Frontier,
    tiles: MemoryTiles,
}

impl Log {
    fn new(origin: &str) -> Self {
        let name = KeyName::new(origin).unwrap();
        Self {
            origin: origin.to_owned(),
            signer: Signer::from_seed(name, &[5; 32]).unwrap(),
            frontier: Frontier::empty(),
            tiles: MemoryTiles::default(),
        }
    }

    /// Grows by entries that hold `text`.
    fn grow(&mut self, entries: usize, text: &str) -> &mut Self {
        let leaves: Vec<Hash> = (0..entries)
            .map(|number| leaf_hash(format!("{text} {number}").as_bytes()))
            .collect();
        let grown = self.frontier.append(&leaves).unwrap();
        self.frontier = grown.frontier;
        self.tiles.write(grown.tiles);
        self
    }

    fn size(&self) -> u64 {
        self.frontier.size()
    }

    fn key(&self) -> String {
        self.signer.verifier().to_string()
    }

    fn trusted(&self) -> TrustedLog {
        TrustedLog {
            origin: self.origin.clone(),
            keys: vec![self.signer.verifier().clone()],
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(self.origin.as_str(), self.size(), self.frontier.root()).unwrap()
    }

    fn note(&self) -> SignedNote {
        self.checkpoint().sign(&[&self.signer]).unwrap()
    }

    fn proof(&self, old: u64) -> Vec<Hash> {
        consistency_proof(&self.tiles, old, self.size()).unwrap()
    }

    fn request(&self, old: u64) -> String {
        AddCheckpoint::new(old, self.proof(old), self.note())
            .unwrap()
            .to_string()
    }
}

/// A witness on a port of its own.
struct Site {
    dir: tempfile::TempDir,
    service: Service,
    clock: TestClock,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

const NAME: &str = "witness.example/w1";

impl Site {
    fn new(clock: &TestClock, log_keys: &[String]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        keys::create(dir.path(), &SystemEntropy).unwrap();
        WitnessDb::create(dir.path()).unwrap();
        let site = Self {
            service: service(dir.path(), clock, None),
            dir,
            clock: clock.clone(),
        };
        log_keys.iter().for_each(|key| site.add(key));
        site
    }

    fn add(&self, key: &str) {
        let origin = key.split('+').next().unwrap();
        let db = &self.service.witness().db;
        db.add_log(origin, key, 0).unwrap();
    }

    /// Ends and begins again on what is on disk, as after a crash.
    fn reopened(self, faults: Option<Faults>) -> Self {
        let Self {
            dir,
            service: old,
            clock,
        } = self;
        drop(old);
        Self {
            service: service(dir.path(), &clock, faults),
            dir,
            clock,
        }
    }

    fn vkeys(&self) -> Vec<String> {
        let cosigners = self.service.witness().cosigners.iter();
        cosigners
            .map(|cosigner| cosigner.verifier().to_string())
            .collect()
    }

    /// As a policy line names it, each key by `name` and a number.
    fn policy_lines(&self, name: &str, url: &str) -> String {
        let keys = self.vkeys();
        format!(
            "witness {name}-1 {} {url}\nwitness {name}-2 {} {url}\ngroup {name} any {name}-1 {name}-2\n",
            keys[0], keys[1]
        )
    }

    async fn listen(&self) -> (String, comity_node::http::server::Listening) {
        let port = Port::open(SocketAddr::from(([127, 0, 0, 1], 0)), None)
            .await
            .unwrap();
        let listening = port.serve(self.service.clone());
        (listening.url(), listening)
    }

    async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let connection = Arc::new(Connection {
            address: SocketAddr::from(([192, 0, 2, 1], 4_000)),
            tls: true,
            certificate: None,
        });
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(body.into())
            .unwrap();
        let (parts, body) = self.service.answer(connection, request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn submit(&self, body: impl Into<Body>) -> Answer {
        self.send("POST", "/add-checkpoint", body).await
    }

    fn latest_size(&self, origin: &str) -> Option<u64> {
        let log = self.service.witness().db.log(origin).unwrap().unwrap();
        log.latest.map(|latest| latest.size)
    }
}

fn service(dir: &std::path::Path, clock: &TestClock, faults: Option<Faults>) -> Service {
    let shared: SharedClock = Arc::new(clock.clone());
    let witness = Witness::open(dir, NAME, shared, faults).unwrap();
    Service::new(witness, 1_000).unwrap()
}

/// A node in a folder, without a port.
struct Node {
    app: Arc<App>,
    _running: Running,
    dir: tempfile::TempDir,
}

impl Node {
    fn new(party: &str, clock: &TestClock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("party = \"{party}\"\ninsecure_http = true\n");
        std::fs::write(dir.path().join("comity.toml"), text).unwrap();
        let config = Config::load(dir.path(), Layer::default()).unwrap();
        let (clock, entropy) = sources(clock);
        App::create(&config, &clock, &entropy).unwrap();
        Self::open(dir, &clock, &entropy)
    }

    fn open(dir: tempfile::TempDir, clock: &SharedClock, entropy: &SharedEntropy) -> Self {
        let config = Config::load(dir.path(), Layer::default()).unwrap();
        let (app, running) = App::open(config, Arc::clone(clock), Arc::clone(entropy)).unwrap();
        Self {
            app,
            _running: running,
            dir,
        }
    }

    async fn note(&self, text: &str) {
        let note = Admin::Note(serde_json::json!({ "text": text }));
        self.app.administer("test", note).await.unwrap();
    }

    fn size(&self) -> u64 {
        self.app.store.head().unwrap().size
    }
}

fn sources(clock: &TestClock) -> (SharedClock, SharedEntropy) {
    (Arc::new(clock.clone()), Arc::new(SystemEntropy))
}
