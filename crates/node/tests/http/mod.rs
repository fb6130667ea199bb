//! The HTTP side over a whole node in a temporary folder, without sockets: what each reader gets, and does not.

mod bounds;
mod secrecy;
mod trouble;

use std::collections::BTreeSet;

use comity_store::Admin;
use http_body_util::BodyExt as _;

use crate::support::{Ask, COLLECTION, TestNode, ids, indicator, principal, secret};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reader_gets_its_own_pages_and_no_others() {
    let node = TestNode::start().await;
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
    let node = TestNode::start().await;
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
    let node = TestNode::start().await;
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
    let node = TestNode::start().await;
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
    let node = TestNode::start().await;
    let asked = Ask::new("GET", "/api/v1/events").by(&secret("anna@eu"));
    let response = asked.open(&node.front).await;
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
    let node = TestNode::start().await;
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
    let node = TestNode::start().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_stands_beside_the_object_only_does_not_get_lost_at_another_party() {
    use comity_access::{Account, Action, Reader, Role};
    use comity_node::handling::{Handling, Source};
    use comity_node::intake::{self, Incoming};
    let node = TestNode::start().await;
    let audience = comity_access::Audience {
        parties: [comity_access::PartyId::parse("eu").unwrap()].into(),
        ..Default::default()
    };
    let handling = Handling {
        tlp: Some(comity_stix::marking::Tlp::Amber),
        audience,
        ..Handling::default()
    };
    let officer = comity_access::PrincipalId::parse("olena@ua").unwrap();
    let account = Account::new(officer, Role::Officer, node.app.party.clone());
    let source = Source {
        party: node.app.party.clone(),
        principal: "olena@ua".to_owned(),
        reader: std::sync::Arc::new(Reader::new(account).unwrap()),
        action: Action::Import,
        claims: false,
    };
    let key = node.app.catalog().collection(COLLECTION).unwrap().key;
    // 1 and 3 say TLP:GREEN themselves and were labelled AMBER by hand; 2 says TLP:AMBER itself
    for (number, amber) in [(1, false), (2, true), (3, false)] {
        let incoming = Incoming {
            bytes: indicator(number, amber).into_bytes(),
            position: comity_stix::finding::Position::START,
        };
        let checked = intake::check(&incoming, &intake::options());
        let verdicts = intake::accept(&node.app, vec![checked], &[key], &source, handling.clone())
            .await
            .unwrap();
        assert!(verdicts[0].fate.is_success(), "{:?}", verdicts[0].fate);
    }
    for door in ["objects", "manifest"] {
        let path = format!("/ua/collections/{COLLECTION}/{door}/");
        assert_eq!(ids(&node.get("olena@ua", &path).await).len(), 3, "{door}");
        // a short page neither, and it does not say that more follows
        for path in [path.clone(), format!("{path}?limit=1")] {
            let page = node.get("anna@eu", &path).await;
            let foreign = ids(&page);
            assert!(
                foreign.len() == 1 && foreign[0].ends_with('2') && page.json["more"].is_null(),
                "{path} {}",
                page.json
            );
        }
    }
    let object = format!(
        "/ua/collections/{COLLECTION}/objects/indicator--8e2e2d2b-17d4-4cbf-938f-{:012}/",
        1
    );
    assert_eq!(node.get("anna@eu", &object).await.status, 404);
    assert_eq!(node.get("olena@ua", &object).await.status, 200);
    // where the label is told with the record, it is given
    let view = format!(
        "/api/v1/records/indicator--8e2e2d2b-17d4-4cbf-938f-{:012}?collection=feed",
        1
    );
    let view = node.get("anna@eu", &view).await;
    assert_eq!(
        (view.status.as_u16(), view.json["tlp"].as_str()),
        (200, Some("TLP:AMBER"))
    );
    assert!(node.app.metrics.records_kept_back_total.get() >= 3);
}

/// That no path is missing is held by a test beside the routes; here, that no method is, and that strangers may ask what it says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_of_the_interface_is_served_and_names_every_method() {
    let node = TestNode::start().await;
    let description = node.send(None, "GET", "/api/v1/openapi.json", "").await;
    assert_eq!(description.status, 200);
    let paths = description.json["paths"].as_object().unwrap();
    assert!(paths.contains_key("/api/v1/receipts"));
    for (path, operations) in paths {
        let place = path.replace("{id}", "x").replace("{path}", "checkpoint");
        let answer = node.send(Some("olena@ua"), "TRACE", &place, "").await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed: BTreeSet<String> = answer.headers["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .filter(|method| *method != "HEAD")
            .map(str::to_lowercase)
            .collect();
        let described: BTreeSet<String> = operations.as_object().unwrap().keys().cloned().collect();
        assert_eq!(allowed, described, "{path}");
        for (method, operation) in operations.as_object().unwrap() {
            let stranger = node.send(None, &method.to_uppercase(), &place, "").await;
            let public = operation["security"].as_array().unwrap().is_empty();
            assert_eq!(stranger.status != 401, public, "{method} {path}");
        }
    }
}
