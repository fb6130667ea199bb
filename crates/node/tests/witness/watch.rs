//! A peer's log, and what of its lies is noticed.

use std::sync::Arc;
use std::time::Duration;

use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::{MemoryTiles, inclusion_proof};
use comity_ledger::{policy::Policy, verify};
use comity_node::peers::judge::{STALLED_SECONDS, Shown, Source};
use comity_node::peers::run::paused;
use comity_node::peers::watch::{TilesOf, Watched, settle};
use comity_node::witnesses::Witnesses;
use comity_store::{Admin, AlarmKind, Peer, PeerKind, PeerState};

use super::{Log, Node, Site, TestClock};

struct Tiles(MemoryTiles);

impl TilesOf<MemoryTiles> for Tiles {
    fn of(&self, _size: u64) -> MemoryTiles {
        self.0.clone()
    }
}

/// UA's node, which watches EU's log.
struct Watch {
    node: Node,
    peer: Arc<Peer>,
    clock: TestClock,
    log: Log,
    site: Site,
}

impl Watch {
    async fn new() -> Self {
        let clock = TestClock::default();
        let node = Node::new("ua", &clock);
        let log = Log::new("comity.eu/log/1");
        let peer = Peer {
            key: "eu".to_owned(),
            party: "eu".to_owned(),
            display: "EU".to_owned(),
            kind: PeerKind::Comity,
            url: "https://node.example.eu/".to_owned(),
            fingerprint: None,
            log_key: Some(log.key()),
            receipt_key: None,
            settings: serde_json::json!({}),
            state: PeerState::Active,
            created: 0,
        };
        node.app
            .administer("test", Admin::PutPeer(peer.clone()))
            .await
            .unwrap();
        let site = Site::new(&clock, &[log.key()]);
        Self {
            node,
            peer: Arc::new(peer),
            clock,
            log,
            site,
        }
    }

    fn policy(&self) -> String {
        let lines = self.site.policy_lines("ee", "https://ee.example/");
        format!("{lines}quorum ee\n")
    }

    /// Has the witness cosign `log` and gives what it then shows to monitors.
    async fn cosigned(&self, log: &Log) -> Vec<u8> {
        let old = self.site.latest_size(&log.origin).unwrap_or(0);
        let answer = self.site.submit(log.request(old)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let kept = self.site.service.witness().db.log(&log.origin);
        kept.unwrap().unwrap().latest.unwrap().note.into_bytes()
    }

    async fn look(&self, shown: Vec<(Source, Vec<u8>)>, tiles: &Log) -> Watched {
        let shown = shown.into_iter();
        settle(
            &self.node.app,
            &self.peer,
            self.log.trusted(),
            Some(Witnesses::parse(self.policy().as_bytes(), &self.log.trusted()).unwrap()),
            shown.map(|(source, note)| Shown { source, note }).collect(),
            Vec::new(),
            Tiles(tiles.tiles.clone()),
        )
        .await
        .unwrap()
    }

    async fn peer_shows(&self, log: &Log) -> Watched {
        let note = log.note().to_string().into_bytes();
        self.look(vec![(Source::Peer, note)], log).await
    }

    fn alarms(&self) -> Vec<AlarmKind> {
        let alarms = self.node.app.store.alarms(true).unwrap();
        alarms.iter().map(|alarm| alarm.raised.kind).collect()
    }
}

fn ee() -> Source {
    Source::Witness("ee".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_grows_raises_nothing() {
    let mut watch = Watch::new().await;
    let mut log = watch.log.clone();
    for entries in [3, 1, 300] {
        log.grow(entries, "a");
        let cosigned = watch.cosigned(&log).await;
        let shown = vec![
            (ee(), cosigned.clone()),
            (Source::PeerWitnessed, cosigned),
            (Source::Peer, log.note().to_string().into_bytes()),
        ];
        let watched = watch.look(shown, &log).await;
        assert!(watched.consistent, "{:?}", watched.problems);
        assert_eq!(
            (watched.size, watched.witnessed),
            (log.size(), Some(log.size()))
        );
        watch.clock.0.advance(Duration::from_secs(10));
    }
    watch.log = log;
    assert!(watch.alarms().is_empty());
    assert_eq!(paused(&watch.node.app, "eu"), None);
}

/// E 1: same size, two roots. The witness cosigns one of them only; no proof under the other passes a policy; who is shown
/// both raises an alarm that keeps both, and takes nothing more until an officer has looked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e1_a_split_view_passes_nowhere_and_is_evidence() {
    let watch = Watch::new().await;
    let (mut log, mut other) = (watch.log.clone(), watch.log.clone());
    log.grow(4, "for UA");
    other.grow(4, "for EU");
    let cosigned = watch.cosigned(&log).await;
    assert_eq!(watch.site.submit(other.request(4)).await.status, 422);
    // a proof under the other head: the log alone is convinced, a policy is not
    let policy = Policy::parse(watch.policy().as_bytes()).unwrap();
    let policy = policy.for_log(&watch.log.trusted()).unwrap();
    let entry = comity_ledger::entry::Entry {
        event: comity_ledger::entry::Event::SubmissionAcceptance,
        time_micros: 1,
        commitment: [1; 32],
        link: [0; 32],
    };
    let mut forked = watch.log.clone();
    let grown = forked
        .frontier
        .append(&[entry.leaf_hash().unwrap()])
        .unwrap();
    forked.frontier = grown.frontier;
    forked.tiles.write(grown.tiles);
    let path = inclusion_proof(&forked.tiles, 0, 1).unwrap();
    let extra = Opening {
        entry: entry.encode().unwrap(),
        salt: None,
    };
    let proof = Proof::new(0, path, forked.note(), Some(extra.to_bytes())).unwrap();
    let proof = proof.to_string();
    assert!(verify::entry(&watch.log.trusted(), proof.as_bytes()).is_ok());
    assert!(verify::entry_under(&policy, proof.as_bytes()).is_err());
    // the peer shows us the one, its witness the other
    let shown = vec![
        (ee(), cosigned.clone()),
        (Source::Peer, other.note().to_string().into_bytes()),
    ];
    let watched = watch.look(shown, &other).await;
    assert!(!watched.consistent);
    assert_eq!(watch.alarms(), [AlarmKind::Split]);
    let alarm = watch.node.app.store.alarms(true).unwrap().remove(0);
    assert_eq!(
        alarm.raised.kept,
        Some(String::from_utf8(cosigned).unwrap())
    );
    assert_eq!(alarm.raised.shown, Some(other.note().to_string()));
    // it is an entry of our log
    let entry = watch
        .node
        .app
        .store
        .entry_detail(alarm.entry_index.unwrap());
    assert!(entry.unwrap().unwrap().content.contains("split"));
    assert!(paused(&watch.node.app, "eu").unwrap().contains("alarm 1"));
    // seen again it is the same alarm; the head known first stays
    watch.peer_shows(&other).await;
    assert_eq!(watch.alarms().len(), 1);
    let seen = watch
        .node
        .app
        .store
        .watched_head("comity.eu/log/1")
        .unwrap();
    assert_eq!(seen.unwrap().root, log.frontier.root());
    let change = Admin::AcknowledgeAlarm {
        id: alarm.id,
        remark: "spoke to Kaja by voice".to_owned(),
    };
    watch.node.app.administer("olena@ua", change).await.unwrap();
    assert_eq!(paused(&watch.node.app, "eu"), None);
    let all = watch.node.app.store.alarms(false).unwrap();
    assert_eq!(all[0].acknowledged_by.as_deref(), Some("olena@ua"));
}

/// E 1 again: the fork lies in the past, and the newer tree is larger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e1_history_written_anew_is_noticed_by_its_proof() {
    let watch = Watch::new().await;
    let (mut log, mut other) = (watch.log.clone(), watch.log.clone());
    log.grow(4, "a");
    other.grow(9, "b");
    assert!(watch.peer_shows(&log).await.consistent);
    let watched = watch.peer_shows(&other).await;
    assert!(!watched.consistent);
    assert_eq!((watched.size, watch.alarms()), (4, vec![AlarmKind::Split]));
}

/// E 2: the log goes on, and shows us an old head. Its witnesses have the newer one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e2_an_old_head_is_noticed_by_the_witnesses() {
    let watch = Watch::new().await;
    let mut log = watch.log.clone();
    log.grow(4, "a");
    let old = log.note().to_string().into_bytes();
    watch.peer_shows(&log).await;
    log.grow(4, "b");
    let cosigned = watch.cosigned(&log).await;
    let watched = watch
        .look(vec![(ee(), cosigned), (Source::Peer, old)], &log)
        .await;
    assert!(
        watched.problems[0].contains("old head"),
        "{:?}",
        watched.problems
    );
    assert_eq!(
        (watched.size, watch.alarms()),
        (8, vec![AlarmKind::Stalled])
    );
}

/// E 2: the log goes on and has nothing cosigned any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e2_a_log_that_witnesses_see_no_more_has_stalled() {
    let watch = Watch::new().await;
    let mut log = watch.log.clone();
    log.grow(4, "a");
    let cosigned = watch.cosigned(&log).await;
    log.grow(1, "b");
    let shown = || {
        vec![
            (ee(), cosigned.clone()),
            (Source::Peer, log.note().to_string().into_bytes()),
        ]
    };
    assert!(watch.look(shown(), &log).await.consistent);
    watch.clock.0.advance(Duration::from_secs(STALLED_SECONDS));
    assert!(watch.look(shown(), &log).await.consistent);
    watch.clock.0.advance(Duration::from_secs(1));
    assert!(!watch.look(shown(), &log).await.consistent);
    assert_eq!(watch.alarms(), [AlarmKind::Stalled]);
    // witnesses that cannot be reached say nothing about the peer
    let other = Watch::new().await;
    other.peer_shows(&log).await;
    other
        .clock
        .0
        .advance(Duration::from_secs(STALLED_SECONDS * 2));
    assert!(other.peer_shows(&log).await.consistent);
}

/// E 3: the log has lost its tail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e3_a_log_that_went_back_is_noticed() {
    let watch = Watch::new().await;
    let mut log = watch.log.clone();
    log.grow(4, "a");
    let before = log.clone();
    log.grow(4, "b");
    assert!(watch.peer_shows(&log).await.consistent);
    let watched = watch
        .look(
            vec![(Source::Peer, before.note().to_string().into_bytes())],
            &log,
        )
        .await;
    assert!(
        watched.problems[0].contains("from 8 to 4"),
        "{:?}",
        watched.problems
    );
    assert_eq!(
        (watched.size, watch.alarms()),
        (8, vec![AlarmKind::Rollback])
    );
}

/// A log that began anew is taken up when an officer says so: until then it is an alarm, and nothing is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_began_anew_is_watched_from_its_next_head() {
    let watch = Watch::new().await;
    let (mut log, mut anew) = (watch.log.clone(), watch.log.clone());
    log.grow(8, "a");
    anew.grow(8, "b");
    assert!(watch.peer_shows(&log).await.consistent);
    assert!(!watch.peer_shows(&anew).await.consistent);
    assert_eq!(watch.alarms(), [AlarmKind::Split]);
    for _ in 0..2 {
        let forget = Admin::ForgetHeads {
            party: "eu".to_owned(),
            origin: "comity.eu/log/1".to_owned(),
            reason: "their disk died".to_owned(),
        };
        watch.node.app.administer("olena@ua", forget).await.unwrap();
        assert!(watch.alarms().is_empty());
        assert_eq!(paused(&watch.node.app, "eu"), None);
        let watched = watch.peer_shows(&anew).await;
        assert!(watched.consistent, "{:?}", watched.problems);
        assert_eq!((watched.seen_before, watched.size), (None, 8));
    }
    anew.grow(1, "b");
    assert!(watch.peer_shows(&anew).await.consistent);
    let kept = watch.node.app.store.alarms(false).unwrap();
    assert_eq!(kept[0].remark.as_deref(), Some("their disk died"));
}

/// E 23: a head nobody of that log signed. From the peer it stops exchange; a witness cannot stop our exchange with a third
/// by showing nonsense.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e23_forged_heads_are_named_and_only_the_peer_pauses() {
    let watch = Watch::new().await;
    let mut log = watch.log.clone();
    log.grow(4, "a");
    let mut forged = log.clone();
    forged.signer = comity_ledger::note::Signer::from_seed(
        comity_ledger::note::KeyName::new("comity.eu/log/1").unwrap(),
        &[66; 32],
    )
    .unwrap();
    let forged = forged.note().to_string().into_bytes();
    let honest = log.note().to_string().into_bytes();
    let shown = vec![(ee(), forged.clone()), (Source::Peer, honest)];
    assert!(!watch.look(shown, &log).await.consistent);
    assert_eq!(watch.alarms(), [AlarmKind::Forged]);
    assert_eq!(paused(&watch.node.app, "eu"), None);
    watch.look(vec![(Source::Peer, forged)], &log).await;
    assert_eq!(watch.alarms().len(), 2);
    assert!(paused(&watch.node.app, "eu").is_some());
}

/// What cannot be proved is no alarm and no head: the peer gives no tiles.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_proof_nothing_is_kept() {
    let watch = Watch::new().await;
    let mut log = watch.log.clone();
    log.grow(4, "a");
    watch.peer_shows(&log).await;
    log.grow(4, "b");
    let shown = vec![(Source::Peer, log.note().to_string().into_bytes())];
    let watched = watch.look(shown, &watch.log).await;
    assert!(watched.consistent && watched.silent.len() == 1);
    assert_eq!(watched.size, 4);
}
