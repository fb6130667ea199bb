//! A whole node in a temporary folder, asked without sockets, and what tests ask it with. It stands here and not in
//! `comity-testkit`, which must not depend on the node (nothing does).

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

/// Its collection.
pub(crate) const COLLECTION: &str = "11111111-1111-4111-8111-111111111111";

/// A node of party `ua` with an officer, an analyst, an analyst of `eu`, and a collection that the first and last may read.
pub(crate) struct TestNode {
    pub(crate) front: Front,
    pub(crate) app: Arc<App>,
    _running: Running,
    _stop: tokio::sync::watch::Sender<bool>,
    _dir: tempfile::TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: ::http::HeaderMap,
    pub(crate) json: serde_json::Value,
}

impl TestNode {
    /// Makes and opens it.
    pub(crate) async fn start() -> Self {
        Self::start_faulty(Arc::new(|_| Ok(()))).await
    }

    /// A node whose writes fail when `faults` says so.
    pub(crate) async fn start_faulty(faults: comity_store::Faults) -> Self {
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

    /// One request, under the token of `who`.
    pub(crate) async fn send(
        &self,
        who: Option<&str>,
        method: &str,
        path: &str,
        body: &str,
    ) -> Answer {
        let mut request = Ask::new(method, path).body(body);
        if let Some(who) = who {
            request = request.by(&secret(who));
        }
        request.send(&self.front).await
    }

    /// GET.
    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(Some(who), "GET", path, "").await
    }

    /// Adds objects that must be taken, over TAXII.
    pub(crate) async fn add(&self, objects: &[String]) {
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

/// The token of an account.
pub(crate) fn secret(who: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(who)
}

/// The row of that token.
pub(crate) fn token(who: &str) -> Token {
    Token {
        sha256: Sha256::digest(secret(who)).into(),
        name: who.replace('@', "-"),
        principal: who.to_owned(),
        scopes: Vec::new(),
        created: 0,
        expires: None,
    }
}

/// The row of an account.
pub(crate) fn principal(id: &str, role: &str) -> Principal {
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
pub(crate) fn indicator(number: u32, amber: bool) -> String {
    let marking = if amber {
        "f88d31f6-486f-44da-b317-01333bde0b82"
    } else {
        "34098fce-860f-48ae-8e50-ebd3cc5e41da"
    };
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-{number:012}","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","pattern":"[ipv4-addr:value = '192.0.2.{number}']","pattern_type":"stix","valid_from":"2024-01-01T00:00:00Z","indicator_types":["malicious-activity"],"object_marking_refs":["marking-definition--{marking}"]}}"#
    )
}

/// Identifiers of the objects of a page.
pub(crate) fn ids(answer: &Answer) -> Vec<String> {
    let objects = answer.json["objects"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    objects
        .iter()
        .map(|object| object["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A request as a TAXII client makes it, unless said otherwise.
pub(crate) struct Ask {
    request: ::http::request::Builder,
    body: String,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let taxii = "application/taxii+json;version=2.1";
        let accept = if path.starts_with("/api") {
            "*/*"
        } else {
            taxii
        };
        Self {
            request: Request::builder()
                .method(method)
                .uri(path)
                .header("host", "node.example.org")
                .header("accept", accept)
                .header("content-type", taxii),
            body: String::new(),
        }
    }

    /// With a bearer token.
    pub(crate) fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With a body.
    pub(crate) fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// From a documentation address, over TLS without client certificate.
    pub(crate) async fn send(self, front: &Front) -> Answer {
        let (parts, body) = self.open(front).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    /// The same, for an answer that does not end.
    pub(crate) async fn open(self, front: &Front) -> axum::response::Response {
        let connection = Arc::new(Connection {
            address: SocketAddr::from(([192, 0, 2, 1], 4_000)),
            tls: true,
            certificate: None,
        });
        let request = self.request.body(Body::from(self.body)).unwrap();
        front.answer(connection, request).await.unwrap()
    }
}
