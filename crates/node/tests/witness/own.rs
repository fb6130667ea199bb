//! A register put back from an old copy signs nothing while somebody knows more of its log.

use comity_node::sequencer::SubmitError;
use comity_node::witnesses::own;
use comity_node::witnesses::submit::Submitter;
use comity_store::{Admin, AlarmKind};

use super::{Node, Site, TestClock, sources};

fn set(node: &Node, site: &Site, url: &str) {
    let text = format!("{}quorum ee\n", site.policy_lines("ee", url));
    node.app.set_witnesses(text.as_bytes()).unwrap();
}

fn keys(node: &Node) -> Vec<String> {
    let keys = node.app.own_log.keys.iter();
    keys.map(ToString::to_string).collect()
}

/// The node as it was when `copy` was made, opened anew as on another machine: what it remembers of its last head itself is gone
/// too.
async fn put_back(node: Node, copy: &std::path::Path, clock: &TestClock) -> Node {
    let Node { app, _running, dir } = node;
    drop(app);
    _running.join();
    for name in [
        "register.db",
        "register.db-wal",
        "register.db-shm",
        "head.seen",
    ] {
        let _gone = std::fs::remove_file(dir.path().join(name));
    }
    std::fs::copy(copy, dir.path().join("register.db")).unwrap();
    let (clock, entropy) = sources(clock);
    Node::open(dir, &clock, &entropy)
}

/// E 4: the database is an old backup. At start the witness shows the newer head: the node does not start, signs nothing, and
/// names both heads; nor does it when nobody can be asked any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e4_a_restored_old_backup_is_refused() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    let site = Site::new(&clock, &keys(&node));
    let (url, port) = site.listen().await;
    set(&node, &site, &url);
    node.note("one").await;
    let copy = node.dir.path().join("copy.db");
    node.app.store.backup(&copy, &mut |_| {}).unwrap();
    node.note("two").await;
    assert!(Submitter::default().round(&node.app).await.quorum);
    assert!(own::check_at_start(&node.app).await.is_ok());
    let (newer, older) = (node.size(), node.size() - 1);
    let node = put_back(node, &copy, &clock).await;
    assert_eq!(node.size(), older);
    let refused = own::check_at_start(&node.app).await.unwrap_err();
    for part in [
        format!("shown: {newer} entries"),
        format!("here:  {older} entries"),
        "comity restore".to_owned(),
        "witness `ee-1`".to_owned(),
    ] {
        assert!(refused.contains(&part), "{refused}");
    }
    let signing = node
        .app
        .administer("test", Admin::Note(serde_json::json!({})))
        .await
        .unwrap_err();
    assert!(signing.to_string().contains("signs nothing"), "{signing}");
    let alarms = node.app.store.alarms(true).unwrap();
    assert_eq!(alarms[0].raised.kind, AlarmKind::OwnRollback);
    assert_eq!((alarms[0].entry_index, node.size()), (None, older));
    // the register remembers, also when nobody can be asked
    port.stop().await;
    let Node { app, _running, dir } = node;
    drop(app);
    _running.join();
    let (shared, entropy) = sources(&clock);
    let node = Node::open(dir, &shared, &entropy);
    assert!(own::check_at_start(&node.app).await.is_err());
}

/// E 4: nobody answers at the start; the node goes on, and stops signing when a witness names the later head.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e4_a_witness_that_answers_later_stops_the_signing() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    let site = Site::new(&clock, &keys(&node));
    let (url, port) = site.listen().await;
    set(&node, &site, &url);
    let copy = node.dir.path().join("copy.db");
    node.note("one").await;
    node.app.store.backup(&copy, &mut |_| {}).unwrap();
    node.note("two").await;
    node.note("three").await;
    assert!(Submitter::default().round(&node.app).await.quorum);
    port.stop().await;
    let node = put_back(node, &copy, &clock).await;
    let asked = own::check_at_start(&node.app).await.unwrap();
    assert_eq!((asked.answered.len(), asked.silent.len()), (0, 1));
    // it signs another history meanwhile, as long as the old one
    node.note("another").await;
    node.note("history").await;
    // the witness is back, at another place
    let (url, _port) = site.listen().await;
    set(&node, &site, &url);
    let round = Submitter::default().round(&node.app).await;
    assert_eq!((round.cosigned, round.quorum), (0, false));
    let halted = node.app.sequencer.halted().unwrap();
    assert!(halted.contains("another root"), "{halted}");
    let refused = node
        .app
        .sequencer
        .submit(vec![comity_store::Op::Admin(comity_store::Administer {
            change: Admin::Note(serde_json::json!({})),
            by: "test".to_owned(),
            salt: [0; 32],
        })])
        .await;
    assert!(matches!(refused, Err(SubmitError::Halted(_))));
}

/// E 5: two writers with one key. The second node on the directory is refused; a copy of it elsewhere that writes on is
/// caught by the witness that both submit to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e5_two_writers_with_one_key_are_caught() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    let (shared, entropy) = sources(&clock);
    let config = comity_node::config::Config::load(node.dir.path(), Default::default()).unwrap();
    let second = comity_node::app::App::open(config, shared.clone(), entropy.clone());
    assert!(matches!(
        second.err(),
        Some(comity_node::app::AppError::Locked(_))
    ));
    let site = Site::new(&clock, &keys(&node));
    let (url, _port) = site.listen().await;
    set(&node, &site, &url);
    node.note("one").await;
    // the same register and keys in another directory
    let elsewhere = tempfile::tempdir().unwrap();
    node.app
        .store
        .backup(&elsewhere.path().join("register.db"), &mut |_| {})
        .unwrap();
    std::fs::create_dir(elsewhere.path().join("keys")).unwrap();
    for name in [
        "keys/log.seed",
        "keys/log-mldsa.seed",
        "comity.toml",
        "witness.policy",
    ] {
        std::fs::copy(node.dir.path().join(name), elsewhere.path().join(name)).unwrap();
    }
    let twin = Node::open(elsewhere, &shared, &entropy);
    let (mut ours, mut theirs) = (Submitter::default(), Submitter::default());
    assert!(ours.round(&node.app).await.quorum);
    node.note("ours").await;
    twin.note("theirs").await;
    assert!(ours.round(&node.app).await.quorum);
    let round = theirs.round(&twin.app).await;
    assert!(!round.quorum && twin.app.sequencer.halted().is_some());
    assert!(node.app.sequencer.halted().is_none());
}

/// A head that our key did not sign says nothing: nobody can stop a node by inventing one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invented_head_stops_nothing() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    node.note("one").await;
    let mut invented = super::Log::new("comity.ua/log/1");
    invented.grow(100, "x");
    let note = invented.note().to_string();
    assert!(own::compare(&node.app, "witness `ee`", note.as_bytes()).is_none());
    let own_note = node.app.store.head().unwrap().note;
    assert!(own::compare(&node.app, "witness `ee`", own_note.as_bytes()).is_none());
}
