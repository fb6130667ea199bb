//! What an answer tells a sender about records it may not see, and what comes back after a deletion.

use comity_store::{Admin, Collection, CollectionKey, Grant, Subject};

use crate::support::{COLLECTION, TestNode, indicator, principal, token};

const INBOX: &str = "22222222-2222-4222-8222-222222222222";

/// A node with a collection that EU's account may write to, and not read.
async fn node() -> TestNode {
    let node = TestNode::start().await;
    for change in [
        Admin::PutPrincipal(principal("node@eu", "peer")),
        Admin::PutToken(token("node@eu")),
    ] {
        node.app.administer("test@ua", change).await.unwrap();
    }
    let grant = |name: &str, read, write| Grant {
        subject: Subject::Principal(name.to_owned()),
        read,
        write,
        delete: read && write,
    };
    let inbox = Collection {
        key: CollectionKey(0),
        uuid: INBOX.to_owned(),
        alias: None,
        title: "Inbox".to_owned(),
        description: None,
        media_types: Vec::new(),
        grants: vec![grant("olena@ua", true, true), grant("node@eu", false, true)],
        created: 0,
    };
    node.app
        .administer("test@ua", Admin::PutCollection(inbox))
        .await
        .unwrap();
    node
}

/// Posts one object; gives whether it was taken and what was said.
async fn post(node: &TestNode, who: &str, collection: &str, object: &str) -> (bool, String) {
    let path = format!("/ua/collections/{collection}/objects/");
    let body = format!(r#"{{"objects":[{object}]}}"#);
    let answer = node.send(Some(who), "POST", &path, &body).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    let taken = answer.json["success_count"] == 1;
    let list = if taken { "successes" } else { "failures" };
    let said = answer.json[list][0]["message"].as_str().unwrap();
    (taken, said.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_does_not_tell_of_records_the_sender_may_not_see() {
    let node = node().await;
    // ours, without an audience: EU may not know of it
    let hidden = indicator(1, true);
    let (taken, said) = post(&node, "olena@ua", COLLECTION, &hidden).await;
    assert!(taken && said.contains("log entry"), "{said}");
    let before = node.app.store.head().unwrap().size;
    // the very same, and one that was never here: the same words, each with an entry of its own
    let known = post(&node, "node@eu", INBOX, &hidden).await;
    let new = post(&node, "node@eu", INBOX, &indicator(2, false)).await;
    assert_eq!(known, (true, format!("accepted as log entry {before}")));
    assert_eq!(new, (true, format!("accepted as log entry {}", before + 1)));
    // and so when they are sent once more
    let known = post(&node, "node@eu", INBOX, &hidden).await;
    let new = post(&node, "node@eu", INBOX, &indicator(2, false)).await;
    assert_eq!(known, (true, format!("already here, log entry {before}")));
    assert_eq!(
        new,
        (true, format!("already here, log entry {}", before + 1))
    );
    // other content under the version EU gave too: what it would be told if only its own were here
    let (_, said) = post(
        &node,
        "node@eu",
        INBOX,
        &hidden.replace("192.0.2.1", "192.0.2.7"),
    )
    .await;
    let (_, of_its_own) = post(&node, "node@eu", INBOX, &indicator(2, true)).await;
    assert_eq!(said, of_its_own);
    // other content under a version it never gave, and a later version of it: one refusal, whatever the reason
    let hidden = indicator(4, true);
    assert!(post(&node, "olena@ua", COLLECTION, &hidden).await.0);
    let other = hidden.replace("192.0.2.4", "192.0.2.77");
    let later = other.replace(r#""modified":"2024-01-01"#, r#""modified":"2024-02-01"#);
    let conflict = post(&node, "node@eu", INBOX, &other).await;
    let originator = post(&node, "node@eu", INBOX, &later).await;
    assert!(!conflict.0 && !originator.0);
    assert_eq!(conflict, originator);
    assert!(
        !conflict.1.contains("kept") && !conflict.1.contains("entry"),
        "{}",
        conflict.1
    );
    // the log has the true reasons, and who may see the record is told them
    let reasons: Vec<String> = node
        .app
        .store
        .refusals(None, 10)
        .unwrap()
        .into_iter()
        .map(|detail| detail.content)
        .collect();
    assert!(
        reasons.iter().any(|text| text.contains("originator")),
        "{reasons:?}"
    );
    assert!(
        reasons.iter().any(|text| text.contains("other content")),
        "{reasons:?}"
    );
    let (_, said) = post(&node, "olena@ua", COLLECTION, &hidden).await;
    assert!(said.contains("already here, log entry"), "{said}");
    let (_, said) = post(&node, "olena@ua", COLLECTION, &other).await;
    assert!(said.contains("another content is kept"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_is_not_taken_again_from_another_party() {
    let node = node().await;
    let object = indicator(3, false);
    assert!(post(&node, "node@eu", INBOX, &object).await.0);
    let id = format!("indicator--8e2e2d2b-17d4-4cbf-938f-{:012}", 3);
    let path = format!("/ua/collections/{INBOX}/objects/{id}/");
    let gone = node.send(Some("olena@ua"), "DELETE", &path, "").await;
    assert_eq!(gone.status, 200, "{}", gone.json);
    let (taken, said) = post(&node, "node@eu", INBOX, &object).await;
    assert!(!taken && said.contains("deleted here"), "{said}");
    assert_eq!(node.get("olena@ua", &path).await.status, 404);
    // the own staff may bring it back; then it is here for everybody
    assert!(post(&node, "olena@ua", INBOX, &object).await.0);
    assert!(post(&node, "node@eu", INBOX, &object).await.0);
}
