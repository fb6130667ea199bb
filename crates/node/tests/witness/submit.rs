//! The node hands its heads to witnesses, and its proofs carry what came back.

use std::sync::Arc;
use std::time::Duration;

use comity_ledger::policy::Policy;
use comity_ledger::verify;
use comity_node::http::Port;
use comity_node::witnesses::proof::{WitnessState, head_for};
use comity_node::witnesses::submit::{REFRESH, Round, Submitter};

use super::{Node, Site, TestClock};

fn all_keys(node: &Node) -> Vec<String> {
    let keys = node.app.own_log.keys.iter();
    keys.map(ToString::to_string).collect()
}

fn set(node: &Node, lines: &[String], quorum: &str) {
    let text = format!("{}{quorum}", lines.concat());
    node.app.set_witnesses(text.as_bytes()).unwrap();
}

fn state(node: &Node, index: u64) -> WitnessState {
    let has = node.app.witnesses().is_some();
    head_for(&node.app.store, has, index).unwrap().witnesses
}

/// A proof under a quorum's head passes a policy; the same file without the node's word does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quorum_cosigns_and_the_proof_carries_it() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    node.note("one").await;
    let sites: Vec<Site> = (0..3)
        .map(|_| Site::new(&clock, &all_keys(&node)))
        .collect();
    let (mut lines, mut ports) = (Vec::new(), Vec::new());
    for (site, name) in sites.iter().zip(["ee", "lv", "lt"]) {
        let (url, port) = site.listen().await;
        lines.push(site.policy_lines(name, &url));
        ports.push(port);
    }
    assert_eq!(state(&node, 0), WitnessState::None);
    set(&node, &lines, "group q 2 ee lv lt\nquorum q\n");
    assert_eq!(state(&node, 0), WitnessState::Pending);
    let mut submitter = Submitter::default();
    let round = submitter.round(&node.app).await;
    let all = Round {
        asked: 3,
        cosigned: 3,
        quorum: true,
    };
    assert_eq!(round, all);
    assert_eq!(state(&node, 0), WitnessState::Quorum);
    let kept = node.app.store.witnessed_head(true).unwrap().unwrap();
    // as a third person with the same policy reads it
    let policy = node.app.witnesses().unwrap().policy.clone();
    let policy = Policy::parse(&policy.to_bytes()).unwrap();
    let head = verify::checkpoint_under(&policy, kept.note.as_bytes()).unwrap();
    assert_eq!(head.witnesses().len(), 6);
    // the log's second key has signed it too
    assert_eq!(head.checkpoint().signers().len(), 2);
    // nothing new: nobody is asked
    assert_eq!(submitter.round(&node.app).await, Round::default());
    // growth goes out from the size that was cosigned
    node.note("two").await;
    assert_eq!(state(&node, node.size() - 1), WitnessState::Pending);
    assert_eq!(submitter.round(&node.app).await, all);
    assert_eq!(sites[0].latest_size("comity.ua/log/1"), Some(node.size()));
    // an idle log is cosigned anew when its cosignatures grow old
    clock.0.advance(REFRESH + Duration::from_secs(1));
    assert_eq!(submitter.round(&node.app).await, all);
    let again = node.app.store.witnessed_head(true).unwrap().unwrap();
    assert!(again.cosigned > kept.cosigned);
}

/// A process that begins anew does not know what its witnesses have; it is told and goes on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_says_where_to_go_on() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    let site = Site::new(&clock, &all_keys(&node));
    let (url, _port) = site.listen().await;
    set(&node, &[site.policy_lines("ee", &url)], "quorum ee\n");
    node.note("one").await;
    assert!(Submitter::default().round(&node.app).await.quorum);
    node.note("two").await;
    assert!(Submitter::default().round(&node.app).await.quorum);
}

/// E 32: an observer is down. The log goes on, a quorum of the others is enough, and what it is not yet enough for says
/// `pending witnesses`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e32_a_witness_that_is_down_holds_nothing_up() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    node.note("one").await;
    let site = Site::new(&clock, &all_keys(&node));
    let dead = Site::new(&clock, &[]);
    let (url, _port) = site.listen().await;
    // nobody listens there any more
    let gone = Port::open(([127, 0, 0, 1], 0).into(), None).await.unwrap();
    let listening = gone.serve(dead.service.clone());
    let gone_url = listening.url();
    listening.stop().await;
    let lines = [
        site.policy_lines("ee", &url),
        dead.policy_lines("lv", &gone_url),
    ];
    set(&node, &lines, "group q all ee lv\nquorum q\n");
    let mut submitter = Submitter::default();
    let round = submitter.round(&node.app).await;
    assert_eq!((round.asked, round.cosigned, round.quorum), (2, 1, false));
    // the log goes on, and the proof says what it lacks, with the one word there is
    node.note("two").await;
    assert_eq!(state(&node, 0), WitnessState::Pending);
    let partly = node.app.store.witnessed_head(false).unwrap().unwrap();
    let policy = &node.app.witnesses().unwrap().policy;
    let error = verify::checkpoint_under(policy, partly.note.as_bytes()).unwrap_err();
    assert!(
        matches!(error, verify::VerifyError::Quorum { .. }),
        "{error}"
    );
    // the one that is down waits, the other is asked at once
    let round = submitter.round(&node.app).await;
    assert_eq!((round.asked, round.cosigned), (1, 1));
    set(&node, &lines, "group q any ee lv\nquorum q\n");
    clock.0.advance(REFRESH + Duration::from_secs(1));
    assert!(submitter.round(&node.app).await.quorum);
    assert_eq!(state(&node, 0), WitnessState::Quorum);
}

/// E 23: a witness under another key than the policy names, one that answers nonsense, one whose signature is over something
/// else. Nothing of theirs is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e23_a_lying_witness_is_not_believed() {
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    node.note("one").await;
    let (real, forger) = (
        Site::new(&clock, &all_keys(&node)),
        Site::new(&clock, &all_keys(&node)),
    );
    // the forger answers at the place where the policy expects the real one's keys
    let (url, _port) = forger.listen().await;
    set(&node, &[real.policy_lines("ee", &url)], "quorum ee\n");
    let round = Submitter::default().round(&node.app).await;
    assert_eq!((round.asked, round.cosigned, round.quorum), (1, 0, false));
    assert!(node.app.store.witnessed_head(true).unwrap().is_none());
    assert!(node.app.store.witnessed_head(false).unwrap().is_none());
    let said = node.app.witnessing.health(&format!("{url}/"));
    assert!(said.last_error.unwrap().contains("cosignature"));
    assert!(node.app.sequencer.halted().is_none());
}

/// The cosigned head never goes back, whatever order answers come in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_head_is_never_replaced_by_an_older_one() {
    use comity_store::{Op, Progress, WitnessedHead};
    let clock = TestClock::default();
    let node = Node::new("ua", &clock);
    let head = |size: u64| WitnessedHead {
        quorum: true,
        size,
        root: [1; 32],
        note: size.to_string(),
        cosigned: 0,
    };
    for size in [3, 9, 4] {
        let op = Op::Progress(Progress::Witnessed(head(size)));
        node.app.sequencer.submit(vec![op]).await.unwrap();
    }
    let kept = node.app.store.witnessed_head(true).unwrap().unwrap();
    assert_eq!(kept.size, 9);
    let _shared = Arc::clone(&node.app);
}
