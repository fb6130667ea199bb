//! What comes beside records is held against the sender's log before anything is taken.

use axum::body::Body;
use comity_node::http::Context;
use comity_node::http::connection::Connection;
use comity_node::http::service::Front;
use comity_node::peers::{inbound, pull, push, run};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::world::{Pair, Side, id, indicator};

/// Asks a node without a socket, as `who`.
async fn ask(
    side: &Side,
    who: &str,
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> (u16, Value, Option<String>) {
    let (_, stopping) = tokio::sync::watch::channel(false);
    let front = Front::new(Context::new(std::sync::Arc::clone(&side.app), None, stopping).unwrap());
    let media = if path.starts_with("/api") {
        "application/json"
    } else {
        "application/taxii+json;version=2.1"
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "node.example")
        .header("accept", media)
        .header("content-type", media)
        .header("authorization", format!("Bearer token of {who}"))
        .body(Body::from(body))
        .unwrap();
    let connection = std::sync::Arc::new(Connection {
        address: std::net::SocketAddr::from(([192, 0, 2, 1], 1)),
        tls: true,
        certificate: None,
    });
    let (parts, body) = front
        .answer(connection, request)
        .await
        .unwrap()
        .into_parts();
    let head = parts
        .headers
        .get("comity-head")
        .map(|value| value.to_str().unwrap().to_owned());
    let bytes = body.collect().await.unwrap().to_bytes();
    (
        parts.status.as_u16(),
        serde_json::from_slice(&bytes).unwrap_or_default(),
        head,
    )
}

/// A true envelope of UA's records, as a push makes it.
fn envelope(ua: &Side, objects: &[String]) -> Value {
    let body = format!(r#"{{"objects":[{}]}}"#, objects.join(","));
    let records: Vec<_> = objects
        .iter()
        .map(|object| {
            let object: Value = serde_json::from_str(object).unwrap();
            let record = ua.record(object["id"].as_str().unwrap()).unwrap();
            (record.seq, record.label_set)
        })
        .collect();
    let whole = inbound::with_sidecar(&ua.app, body.as_bytes(), &records, None).unwrap();
    serde_json::from_slice(&whole).unwrap()
}

async fn post(eu: &Side, envelope: &Value) -> (u16, Value, Option<String>) {
    let path = "/eu/collections/from-ua/objects/";
    let body = serde_json::to_vec(envelope).unwrap();
    ask(eu, "node@ua", "POST", path, body).await
}

/// Changes one thing of an envelope.
type Damage = (&'static str, fn(&mut Value));

const DAMAGES: &[Damage] = &[
    ("the proof that its sender logged it", |envelope| {
        envelope["x_comity_handling"] = json!([]);
    }),
    ("without its sender's signed head", |envelope| {
        envelope
            .as_object_mut()
            .unwrap()
            .remove("x_comity_checkpoint");
    }),
    ("is not its log's", |envelope| {
        let note = envelope["x_comity_checkpoint"].as_str().unwrap();
        let broken = note.replacen("\n1", "\n2", 1).replacen("\n2", "\n3", 1);
        envelope["x_comity_checkpoint"] = json!(format!("{broken} "));
    }),
    ("without its sender's log entry", |envelope| {
        envelope["x_comity_handling"][0]
            .as_object_mut()
            .unwrap()
            .remove("logged");
    }),
    ("without the path", |envelope| {
        envelope["x_comity_handling"][0]
            .as_object_mut()
            .unwrap()
            .remove("path");
    }),
    ("proof does not hold", |envelope| {
        envelope["x_comity_handling"][0]["path"]
            .as_array_mut()
            .unwrap()
            .pop();
    }),
    ("proof does not hold", |envelope| {
        let entry = envelope["x_comity_handling"][0]["entry"].as_u64().unwrap();
        envelope["x_comity_handling"][0]["entry"] = json!(entry - 1);
    }),
    ("proof does not hold", |envelope| {
        use base64::Engine as _;
        let salt = base64::engine::general_purpose::STANDARD.encode([7; 32]);
        envelope["x_comity_handling"][0]["salt"] = json!(salt);
    }),
    ("proof does not hold", |envelope| {
        envelope["objects"][0]["description"] = json!("changed on the way");
    }),
    ("without the salt", |envelope| {
        envelope["x_comity_handling"][0]
            .as_object_mut()
            .unwrap()
            .remove("salt");
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_without_a_proof_that_holds_is_refused_with_that_reason() {
    let Pair { ua, eu } = Pair::meet().await;
    eu.token("node@ua").await;
    let objects = [indicator(1, 0)];
    ua.publish(&objects, "eu").await;
    let sound = envelope(&ua, &objects);
    for (reason, damage) in DAMAGES {
        let mut broken = sound.clone();
        damage(&mut broken);
        let (status, answer, _) = post(&eu, &broken).await;
        assert_eq!(status, 202, "{reason}: {answer}");
        assert_eq!(answer["failure_count"], 1, "{reason}: {answer}");
        let said = answer["failures"][0]["message"].as_str().unwrap();
        assert!(said.contains(reason), "{reason} expected: {said}");
        assert!(eu.record(&id(1)).is_none(), "{reason}");
        // what was not proved is owed nothing
        assert!(eu.app.store.answers_owed("ua", 10).unwrap().is_empty());
    }
    // what is malformed is refused whole
    let mut broken = sound.clone();
    broken["x_comity_handling"][0]["leaf"] = json!("AAAA");
    assert_eq!(post(&eu, &broken).await.0, 422);
    let (status, answer, _) = post(&eu, &sound).await;
    assert_eq!((status, answer["success_count"].as_u64()), (202, Some(1)));
    assert_eq!(eu.app.store.answers_owed("ua", 10).unwrap().len(), 1);
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cross_link_stands_before_what_rests_on_it() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    ua.push("eu").await;
    let head = eu.app.store.peer_head("ua").unwrap().unwrap();
    let record = eu.record(&id(1)).unwrap();
    assert!(head.entry_index < record.entry_index);
    assert!(head.size > ua.record(&id(1)).unwrap().entry_index);
    let entry = eu
        .app
        .store
        .entries(head.entry_index, head.entry_index + 1)
        .unwrap();
    let entry = comity_ledger::entry::Entry::decode(&entry[0]).unwrap();
    assert_eq!((entry.event.code(), entry.link), (0x05, head.root));
    eu.give("ua").await;
    assert!(ua.app.store.peer_head("eu").unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_come_with_proofs_too() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0), indicator(2, 0)], "eu").await;
    let target = run::target(&eu.app, &eu.peer("ua")).unwrap();
    let shared = ua.app.catalog().collection("shared").unwrap().uuid.clone();
    let target = push::Target {
        settings: comity_node::peers::settings::PeerSettings {
            api_root: format!("{}/ua/", ua.server.url()),
            ..target.settings.clone()
        },
        ..target
    };
    let local = eu.key("from-ua");
    let pulled = pull::pull(&eu.app, &target, local, &shared).await.unwrap();
    assert_eq!((pulled.new, pulled.refused), (2, 0));
    // a second page rests on a newer head, whose consistency the server proves
    ua.publish(&[indicator(3, 0)], "eu").await;
    let pulled = pull::pull(&eu.app, &target, local, &shared).await.unwrap();
    assert_eq!((pulled.new, pulled.refused), (1, 0));
    assert_eq!(eu.alarms(), Vec::<&str>::new());
    eu.give("ua").await;
    for number in 1..=3 {
        assert_eq!(ua.state(&id(number)), comity_node::sent::State::Received);
    }
    ua.fsck();
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_pass_between_peers_only() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    ua.push("eu").await;
    for who in ["jean@eu", "ada@eu"] {
        let (status, ..) = ask(&eu, who, "GET", "/api/v1/receipts", Vec::new()).await;
        assert_eq!(status, 403, "{who}");
        let body = br#"{"receipts":[]}"#.to_vec();
        let (status, ..) = ask(&eu, who, "POST", "/api/v1/receipts", body).await;
        assert_eq!(status, 403, "{who}");
    }
    ua.token("node@eu").await;
    let path = format!("/api/v1/records/{}/sent", id(1));
    let (status, answer, _) = ask(&ua, "officer@ua", "GET", &path, Vec::new()).await;
    assert_eq!(
        (status, answer["recipients"][0]["state"].as_str()),
        (200, Some("sent"))
    );
    let foreign = format!("{path}?collection=shared");
    assert_eq!(
        ask(&ua, "node@eu", "GET", &foreign, Vec::new()).await.0,
        403
    );
}
