//! What a node says and does when its disk is full or broken.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::support::{Answer, COLLECTION, TestNode, indicator};

const SOUND: u8 = 0;
const FULL: u8 = 1;
const BROKEN: u8 = 2;
const REFUSING: u8 = 3;

/// A node and the state of its disk.
async fn node() -> (TestNode, Arc<AtomicU8>) {
    let disk = Arc::new(AtomicU8::new(SOUND));
    let state = Arc::clone(&disk);
    let faults = move |point: &str| match (state.load(Ordering::SeqCst), point) {
        (FULL, "head") => Err(Error::from(ErrorKind::StorageFull)),
        // a commit that may or may not be on disk
        (BROKEN, "after commit") => Err(Error::other("the disk broke")),
        (REFUSING, "begin") => Err(Error::other("not now")),
        _ => Ok(()),
    };
    (TestNode::start_faulty(Arc::new(faults)).await, disk)
}

async fn post(node: &TestNode, number: u32) -> Answer {
    let path = format!("/ua/collections/{COLLECTION}/objects/");
    let body = format!(r#"{{"objects":[{}]}}"#, indicator(number, false));
    node.send(Some("olena@ua"), "POST", &path, &body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_gets_over_it() {
    let (node, disk) = node().await;
    disk.store(FULL, Ordering::SeqCst);
    let answer = post(&node, 1).await;
    assert_eq!(answer.status, 503, "{}", answer.json);
    assert_eq!(answer.json["error_code"], "register.full");
    assert!(answer.headers.contains_key("retry-after"));
    let health = node.send(None, "GET", "/healthz", "").await;
    assert_eq!(
        (health.status.as_u16(), health.json["status"].as_str()),
        (200, Some("full"))
    );
    // what cannot be logged does not leave; the own staff read on
    let page = format!("/ua/collections/{COLLECTION}/objects/");
    disk.store(SOUND, Ordering::SeqCst);
    assert_eq!(post(&node, 1).await.status, 202);
    disk.store(FULL, Ordering::SeqCst);
    assert_eq!(post(&node, 2).await.status, 503);
    assert_eq!(node.get("anna@eu", &page).await.status, 503);
    assert_eq!(node.get("olena@ua", &page).await.status, 200);
    disk.store(SOUND, Ordering::SeqCst);
    assert_eq!(post(&node, 2).await.status, 202);
    assert_eq!(node.get("anna@eu", &page).await.status, 200);
    let health = node.send(None, "GET", "/healthz", "").await;
    assert_eq!(health.json["status"], "ok");
    assert!(node.app.sequencer.failed().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_in_doubt_ends_the_node_and_says_so() {
    let (node, disk) = node().await;
    assert_eq!(post(&node, 1).await.status, 202);
    disk.store(BROKEN, Ordering::SeqCst);
    let answer = post(&node, 2).await;
    assert_eq!(answer.status, 503, "{}", answer.json);
    assert_eq!(answer.json["error_code"], "register.failed");
    // the disk is sound again, and no write succeeds all the same
    disk.store(SOUND, Ordering::SeqCst);
    assert_eq!(post(&node, 3).await.status, 503);
    let health = node.send(None, "GET", "/healthz", "").await;
    assert_eq!(
        (health.status.as_u16(), health.json["status"].as_str()),
        (503, Some("failed"))
    );
    assert!(health.headers.contains_key("retry-after"));
    assert_eq!(node.app.metrics.register_failed.get(), 1);
    // what ends the node
    let why = tokio::time::timeout(Duration::from_secs(5), node.app.sequencer.failure());
    assert!(why.await.unwrap().contains("the disk broke"));
    // nothing leaves that cannot be logged
    let page = format!("/ua/collections/{COLLECTION}/objects/");
    assert_eq!(node.get("anna@eu", &page).await.status, 503);
    assert_eq!(node.get("olena@ua", &page).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disclosure_of_green_is_logged_however_long_it_takes() {
    let (node, disk) = node().await;
    assert_eq!(post(&node, 1).await.status, 202);
    let page = format!("/ua/collections/{COLLECTION}/objects/");
    let disclosures = || {
        let entries = node.app.store.changes(0, 1_000).unwrap();
        let kind = comity_store::EntryKind::Disclosure;
        entries.iter().filter(|entry| entry.kind == kind).count()
    };
    disk.store(REFUSING, Ordering::SeqCst);
    assert_eq!(node.get("anna@eu", &page).await.status, 200);
    let early = tokio::time::timeout(Duration::from_millis(300), node.app.notes.settled());
    assert!(early.await.is_err(), "a soft stop would wait for it");
    assert_eq!(disclosures(), 0);
    disk.store(SOUND, Ordering::SeqCst);
    let settled = tokio::time::timeout(Duration::from_secs(10), node.app.notes.settled());
    settled.await.expect("the note is on disk");
    assert_eq!(disclosures(), 1);
    // one that can never be logged is counted, and no other leaves
    disk.store(REFUSING, Ordering::SeqCst);
    assert_eq!(node.get("anna@eu", &page).await.status, 200);
    disk.store(BROKEN, Ordering::SeqCst);
    assert_eq!(post(&node, 2).await.status, 503);
    let settled = tokio::time::timeout(Duration::from_secs(10), node.app.notes.settled());
    settled.await.expect("it was given up");
    assert_eq!(node.app.metrics.disclosures_lost_total.get(), 1);
    assert_eq!(node.get("anna@eu", &page).await.status, 503);
}
