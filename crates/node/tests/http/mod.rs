//! The HTTP side over a whole node in a temporary folder, without sockets: what each reader gets, and does not.

mod bounds;
mod secrecy;
mod trouble;

use std::net::SocketAddr;
use std::sync::Arc;

use ::http::{Request, StatusCode};
use axum::body::Body;
use base64::Engine as _;
use comity_node::app::{App, Running};
use comity_node::clock::{SharedClock, SystemClock};
use comity_node::config::{Config, Layer};
use comity_node::entropy::{SharedEntropy, SystemEntropy};
use comity_node::http::Context;
use comity_node::http::connection::Connection;
use comity_node::http::service::Front;
use comity_store::{Admin, Collection, CollectionKey, Grant, Principal, Subject, Token};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

const COLLECTION: &str = "11111111-1111-4111-8111-111111111111";

struct Node {
    front: Front,
    app: Arc<App>,
    _running: Running,
    _stop: tokio::sync::watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: ::http::HeaderMap,
    json: serde_json::Value,
}

impl Node {
    async fn start() -> Self {
        Self::start_faulty(Arc::new(|_| Ok(()))).await
    }

    /// A node whose writes fail when `faults` says so.
    async fn start_faulty(faults: comity_store::Faults) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("comity.toml"),
            "party = \"ua\"\ninsecure_http = true\n",
        )
        .unwrap();
        let config = Config::load(dir.path(), Layer::default()).unwrap();
        let clock: SharedClock = Arc::new(SystemClock::new());
        let entropy: SharedEntropy = Arc::new(SystemEntropy);
        App::create(&config, &clock, &entropy).unwrap();
        let (app, running) = App::open_faulty(config, clock, entropy, faults).unwrap();
        for (id, role) in [
            ("olena@ua", "officer"),
            ("petro@ua", "analyst"),
            ("anna@eu", "analyst"),
        ] {
            app.administer("test@ua", Admin::PutPrincipal(principal(id, role)))
                .await
                .unwrap();
            app.administer("test@ua", Admin::PutToken(token(id)))
                .await
                .unwrap();
        }
        let read = |name: &str| Grant {
            subject: Subject::Principal(name.to_owned()),
            read: true,
            write: false,
            delete: false,
        };
        let grants = vec![
            Grant {
                write: true,
                delete: true,
                ..read("olena@ua")
            },
            read("anna@eu"),
        ];
        let collection = Collection {
            key: CollectionKey(0),
            uuid: COLLECTION.to_owned(),
            alias: Some("feed".to_owned()),
            title: "Feed".to_owned(),
            description: None,
            media_types: Vec::new(),
            grants,
            created: 0,
        };
        app.administer("test@ua", Admin::PutCollection(collection))
            .await
            .unwrap();
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let ctx = Context::new(Arc::clone(&app), None, stopping).unwrap();
        Self {
            front: Front::new(ctx),
            app,
            _running: running,
            _stop: stop,
            _dir: dir,
        }
    }

    async fn send(&self, who: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "node.example.org")
            .header("accept", "application/taxii+json;version=2.1")
            .header("content-type", "application/taxii+json;version=2.1");
        if let Some(who) = who {
            request = request.header("authorization", format!("bearer {}", secret(who)));
        }
        let address = SocketAddr::from(([192, 0, 2, 1], 4_000));
        let connection = Arc::new(Connection {
            address,
            tls: true,
            certificate: None,
        });
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self
            .front
            .answer(connection, request)
            .await
            .unwrap()
            .into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json,
        }
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(Some(who), "GET", path, "").await
    }

    async fn add(&self, objects: &[String]) {
        let body = format!(r#"{{"objects":[{}]}}"#, objects.join(","));
        let answer = self
            .send(
                Some("olena@ua"),
                "POST",
                &format!("/ua/collections/{COLLECTION}/objects/"),
                &body,
            )
            .await;
        assert_eq!(answer.status, 202, "{}", answer.json);
        assert_eq!(answer.json["failure_count"], 0, "{}", answer.json);
    }
}

fn secret(who: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(who)
}

fn token(who: &str) -> Token {
    Token {
        sha256: Sha256::digest(secret(who)).into(),
        name: who.replace('@', "-"),
        principal: who.to_owned(),
        scopes: Vec::new(),
        created: 0,
        expires: None,
    }
}

fn principal(id: &str, role: &str) -> Principal {
    Principal {
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
    }
}

/// An indicator with the TLP:GREEN or the TLP:AMBER marking of TLP 1.
fn indicator(number: u32, amber: bool) -> String {
    let marking = if amber {
        "f88d31f6-486f-44da-b317-01333bde0b82"
    } else {
        "34098fce-860f-48ae-8e50-ebd3cc5e41da"
    };
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","pattern":"[ipv4-addr:value = '192.0.2.{number}']","pattern_type":"stix","valid_from":"2024-01-01T00:00:00Z","indicator_types":["malicious-activity"],"object_marking_refs":["marking-definition--{marking}"]}}"#
    )
}

fn ids(answer: &Answer) -> Vec<String> {
    let objects = answer.json["objects"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    objects
        .iter()
        .map(|object| object["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reader_gets_its_own_pages_and_no_others() {
    let node = Node::start().await;
    node.add(&[indicator(1, false), indicator(2, true), indicator(3, false)])
        .await;
    for where_ in ["objects", "manifest"] {
        let path = format!("/ua/collections/{COLLECTION}/{where_}/");
        assert_eq!(ids(&node.get("olena@ua", &path).await).len(), 3);
        // asked twice: the second answer may come from the kept pages
        for _ in 0..2 {
            let foreign = ids(&node.get("anna@eu", &path).await);
            assert_eq!(foreign.len(), 2, "{foreign:?}");
            assert!(!foreign.iter().any(|id| id.ends_with('2')));
        }
        assert_eq!(node.get("petro@ua", &path).await.status, 404);
    }
    let hidden = format!(
        "/ua/collections/{COLLECTION}/objects/indicator--8e2e2d2b-17d4-4cbf-938f-{:012}/",
        2
    );
    assert_eq!(node.get("anna@eu", &hidden).await.status, 404);
    assert_eq!(
        node.get("anna@eu", &format!("{hidden}versions/"))
            .await
            .status,
        404
    );
    assert_eq!(node.get("olena@ua", &hidden).await.status, 200);
    // what left for another party is in the log, for TLP:GREEN shortly after
    let mut size = node.app.sequencer.size();
    loop {
        let entries = node.app.store.changes(0, 1_000).unwrap();
        if entries
            .iter()
            .any(|entry| entry.kind == comity_store::EntryKind::Disclosure)
        {
            break;
        }
        let grown = tokio::time::timeout(std::time::Duration::from_secs(5), size.changed());
        grown.await.expect("the disclosure is logged").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_meets_a_change_without_losing_or_repeating() {
    let node = Node::start().await;
    node.add(
        &(1..=7)
            .map(|number| indicator(number, false))
            .collect::<Vec<_>>(),
    )
    .await;
    let path = "/ua/collections/feed/objects/?limit=3";
    let first = node.get("olena@ua", path).await;
    assert_eq!(
        (ids(&first).len(), first.json["more"].as_bool()),
        (3, Some(true))
    );
    node.add(&[indicator(8, false)]).await;
    let (mut seen, mut next) = (ids(&first), first.json["next"].as_str().map(str::to_owned));
    while let Some(position) = next {
        let page = node
            .get("olena@ua", &format!("{path}&next={position}"))
            .await;
        seen.extend(ids(&page));
        next = page.json["next"].as_str().map(str::to_owned);
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (8, 8));
    // deleted objects leave the kept pages at once
    let gone = format!("/ua/collections/feed/objects/{}/", seen[0]);
    assert_eq!(
        node.send(Some("olena@ua"), "DELETE", &gone, "")
            .await
            .status,
        200
    );
    assert!(!ids(&node.get("olena@ua", path).await).contains(&seen[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_and_addresses() {
    let node = Node::start().await;
    let found = node.get("olena@ua", "/taxii2/").await;
    assert_eq!(found.json["default"], "https://node.example.org/ua/");
    assert_eq!(node.send(None, "GET", "/taxii2/", "").await.status, 401);
    assert_eq!(node.send(None, "GET", "/healthz", "").await.status, 200);
    assert_eq!(node.send(None, "GET", "/", "").await.status, 200);
    assert_eq!(node.send(None, "GET", "/metrics", "").await.status, 401);
    let moved = node.get("olena@ua", "/ua/collections?x=1").await;
    assert_eq!(
        (
            moved.status.as_u16(),
            moved.headers["location"].to_str().unwrap()
        ),
        (308, "/ua/collections/?x=1")
    );
    let method = node
        .send(Some("olena@ua"), "PATCH", "/ua/collections/", "")
        .await;
    assert_eq!(
        (
            method.status.as_u16(),
            method.headers["allow"].to_str().unwrap()
        ),
        (405, "GET,HEAD")
    );
    assert_eq!(method.json["http_status"], "405");
    // an empty page goes on from where it was asked
    let path = format!("/ua/collections/{COLLECTION}/objects/?added_after=2024-01-01T00:00:00.5Z");
    let empty = node.get("olena@ua", &path).await;
    assert_eq!(empty.json, serde_json::json!({}));
    assert_eq!(
        empty.headers["x-taxii-date-added-last"],
        "2024-01-01T00:00:00.500000Z"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_proved_to_its_readers() {
    let node = Node::start().await;
    node.add(&[indicator(1, true)]).await;
    let path = format!(
        "/api/v1/records/indicator--8e2e2d2b-17d4-4cbf-938f-{:012}",
        1
    );
    let record = node.get("olena@ua", &path).await;
    assert_eq!(
        (record.status.as_u16(), record.json["tlp"].as_str()),
        (200, Some("TLP:AMBER"))
    );
    assert_eq!(
        node.get("olena@ua", &format!("{path}/proof")).await.status,
        200
    );
    assert_eq!(
        node.get("anna@eu", &format!("{path}/proof?collection=feed"))
            .await
            .status,
        404
    );
    assert_eq!(
        node.get("olena@ua", "/api/v1/log/checkpoint").await.status,
        200
    );
    assert_eq!(
        node.get("olena@ua", "/api/v1/log/tile/0/000.p/1")
            .await
            .status,
        200
    );
    assert_eq!(
        node.get("olena@ua", "/api/v1/log/tile/9/999").await.status,
        404
    );
    let hits = node
        .get("olena@ua", "/api/v1/records?id=indicator--8e2e2d2b")
        .await;
    assert_eq!(
        hits.json["records"].as_array().map(Vec::len),
        Some(1),
        "{}",
        hits.json
    );
}

/// The way peers learn within a second that there is something to fetch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_comes_within_a_second_of_a_record() {
    let node = Node::start().await;
    let request = Request::builder()
        .uri("/api/v1/events")
        .header("host", "node.example.org")
        .header("authorization", format!("bearer {}", secret("anna@eu")));
    let connection = Arc::new(Connection {
        address: SocketAddr::from(([192, 0, 2, 1], 4_000)),
        tls: true,
        certificate: None,
    });
    let request = request.body(Body::empty()).unwrap();
    let response = node.front.answer(connection, request).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let mut event = async || {
        let within = std::time::Duration::from_secs(1);
        let frame = tokio::time::timeout(within, body.frame()).await;
        let frame = frame.expect("an event within a second").unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    let first = event().await;
    node.add(&[indicator(1, false)]).await;
    let size = node.app.store.head().unwrap().size;
    // growth in between may be events of its own
    let mut last = first;
    while !last.contains(&format!(r#""size":{size}"#)) {
        last = event().await;
    }
    assert!(last.contains("event: log"), "{last}");
}

/// Strangers do not see the log grow, and identifiers are not searched for by a letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_learn_nothing_of_the_log_s_growth() {
    let node = Node::start().await;
    node.add(&[indicator(1, false)]).await;
    let stranger = node.send(None, "GET", "/healthz", "").await.json;
    assert_eq!(stranger, serde_json::json!({ "status": "ok" }));
    let account = node.get("petro@ua", "/healthz").await.json;
    assert!(account["last_commit_age_seconds"].is_i64(), "{account}");
    for broad in ["i", "indicator--", "indicator--8e2"] {
        let answer = node
            .get("olena@ua", &format!("/api/v1/records?id={broad}"))
            .await;
        assert_eq!(answer.status, 400, "{broad}");
    }
}

/// An account that is disabled while it asks leaves no right behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_was_taken_is_gone_for_the_next_request() {
    let node = Node::start().await;
    let path = format!("/ua/collections/{COLLECTION}/objects/");
    assert_eq!(node.get("anna@eu", &path).await.status, 200);
    let mut row = principal("anna@eu", "analyst");
    row.disabled = true;
    node.app
        .administer("test@ua", Admin::PutPrincipal(row))
        .await
        .unwrap();
    assert_eq!(node.get("anna@eu", &path).await.status, 401);
}
