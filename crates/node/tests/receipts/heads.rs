//! Logs that go back or split, and receipts that are not true: nothing is taken, and the evidence is kept.

use comity_node::control::{Alarms, Command, ErrorKind, Peer};
use comity_node::peers::receipts::give::batch;
use comity_node::peers::receipts::take::{TakeError, take};
use comity_node::peers::receipts::{Batch, State};
use comity_node::peers::{head, run};
use comity_testkit::clock::FakeClock;

use super::world::{Pair, Side, id, indicator};

/// A copy of a node's directory, as somebody would restore it.
fn copied(side: &Side) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for folder in ["keys", "tls"] {
        std::fs::create_dir_all(to.path().join(folder)).unwrap();
        for file in std::fs::read_dir(side.dir.path().join(folder)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.path().join(folder).join(file.file_name())).unwrap();
        }
    }
    let config = "comity.toml";
    std::fs::copy(side.dir.path().join(config), to.path().join(config)).unwrap();
    let register = to.path().join("register.db");
    side.app.store.backup(&register, &mut |_| {}).unwrap();
    to
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_log_that_goes_another_way_is_caught() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    ua.push("eu").await;
    let copy = copied(&ua);
    for number in 4..9 {
        ua.publish(&[indicator(number, 0)], "eu").await;
    }
    ua.push("eu").await;
    let known = eu.app.store.peer_head("ua").unwrap().unwrap();
    // the copy knows less than EU does, and says so when it is told: it went back
    let restored = Side::open(copy, &FakeClock::default()).await;
    restored.publish(&[indicator(3, 0)], "eu").await;
    let error = run::push_now(&restored.app, &restored.peer("eu"))
        .await
        .unwrap_err();
    assert!(error.contains("went back"), "{error}");
    assert_eq!(eu.alarms(), ["rollback"]);
    // nothing is taken until an officer has looked, and nothing wrong afterwards
    let error = run::push_now(&restored.app, &restored.peer("eu"))
        .await
        .unwrap_err();
    assert!(error.contains("nothing is taken"), "{error}");
    eu.acknowledge("jean").await;
    // then it grows past what EU knows, on another way
    for number in 10..60 {
        restored.publish(&[indicator(number, 0)], "eu").await;
    }
    let error = run::push_now(&restored.app, &restored.peer("eu"))
        .await
        .unwrap_err();
    assert!(error.contains("does not continue"), "{error}");
    assert_eq!(eu.alarms(), ["split", "rollback"]);
    assert!(eu.record(&id(3)).is_none());
    assert_eq!(eu.app.store.peer_head("ua").unwrap().unwrap(), known);
    // both heads are kept; acknowledged or not it is refused, and its next head is another alarm
    let show = Command::Alarms(Alarms::Show(2));
    let shown = eu.command("jean", show).await.unwrap();
    assert_eq!(shown["kept"], known.note);
    let note = shown["shown"].as_str().unwrap();
    assert!(note.starts_with("comity.ua/log/1\n"), "{note}");
    eu.acknowledge("jean").await;
    restored.publish(&[indicator(60, 0)], "eu").await;
    let error = run::push_now(&restored.app, &restored.peer("eu"))
        .await
        .unwrap_err();
    assert!(error.contains("does not continue"), "{error}");
    assert_eq!(eu.open_alarms(), ["split"]);
    let again = eu.app.store.alarms(true).unwrap().remove(0);
    assert_ne!(again.raised.shown.as_deref(), Some(note));
    eu.acknowledge("jean").await;
    // the true one goes on
    ua.publish(&[indicator(9, 0)], "eu").await;
    ua.push("eu").await;
    assert!(eu.record(&id(9)).is_some());
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_began_anew_is_taken_up_when_a_person_says_so() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    let copy = copied(&ua);
    for number in 2..9 {
        ua.publish(&[indicator(number, 0)], "eu").await;
    }
    ua.push("eu").await;
    let restored = Side::open(copy, &FakeClock::default()).await;
    assert!(
        run::push_now(&restored.app, &restored.peer("eu"))
            .await
            .is_err()
    );
    assert_eq!(eu.open_alarms(), ["rollback"]);
    let forget = || {
        Command::Peer(Peer::ForgetHeads {
            name: "ua".to_owned(),
            reason: "their disk died, they said by voice".to_owned(),
        })
    };
    let denied = eu.command("ada", forget()).await.unwrap_err();
    assert_eq!(denied.kind, ErrorKind::Forbidden);
    eu.command("jean", forget()).await.unwrap();
    assert!(eu.open_alarms().is_empty());
    restored.push("eu").await;
    assert!(eu.record(&id(1)).is_some());
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_is_not_true_is_refused_and_raises_an_alarm() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0), indicator(2, 0)], "eu").await;
    ua.push("eu").await;
    let owed = eu.app.store.answers_owed("ua", 10).unwrap();
    let (sound, ..) = batch(&eu.app, &owed, None).unwrap();
    // signed by a key nobody pinned
    let mut forged = sound.clone();
    let last = forged.receipts[0].note.len() - 10;
    forged.receipts[0].note.replace_range(last..=last, "A");
    // a true proof beside the other's receipt
    let mut crossed = sound.clone();
    crossed.receipts[0].proof = crossed.receipts[1].proof.clone();
    // true, signed, logged, and not about what we sent
    let mut about = owed.clone();
    about[0].sender_entry += 1;
    let (wrong_entry, ..) = batch(&eu.app, &about, None).unwrap();
    let mut about = owed.clone();
    about[0].id = id(99);
    let (wrong_record, ..) = batch(&eu.app, &about, None).unwrap();
    let mut alarms = 0;
    for false_one in [forged, crossed, wrong_entry, wrong_record] {
        let one = Batch {
            receipts: vec![false_one.receipts[0].clone()],
            ..Batch::default()
        };
        let answer = take(&ua.app, ua.peer("eu"), one, None).await.unwrap();
        assert_eq!(answer.results[0].state, State::Refused, "{answer:?}");
        alarms += 1;
        assert_eq!(ua.alarms(), vec!["false-receipt"; alarms], "{answer:?}");
        // not even what is true is taken until an officer has looked
        let paused = take(&ua.app, ua.peer("eu"), sound.clone(), None).await;
        assert!(matches!(paused, Err(TakeError::Paused(_))));
        ua.acknowledge("officer").await;
        let seq = ua.record(&id(1)).unwrap().seq;
        assert_eq!(ua.app.store.receipts(seq).unwrap(), vec![]);
    }
    // the head of the proof must be the log's
    let mut other = sound.clone();
    other.receipts[0].proof = other.receipts[0]
        .proof
        .replacen("comity.eu", "comity.ee", 1);
    let refused = take(&ua.app, ua.peer("eu"), other, None).await;
    assert!(matches!(
        refused,
        Err(TakeError::Head(head::HeadError::Head { .. }))
    ));
    let answer = take(&ua.app, ua.peer("eu"), sound, None).await.unwrap();
    assert!(answer.results.iter().all(|one| one.state == State::Stored));
    ua.fsck();
}
