//! What a receiver answers, and what its sender sees.

use std::time::Duration;

use comity_ledger::note::VerifierKey;
use comity_ledger::receipt::{self, ReceiptEvent};
use comity_ledger::verify::TrustedLog;
use comity_node::control::{self, Command, Kept, Refuse, Sent, Show, Withdraw, Withdrawal};
use comity_node::peers::admin;
use comity_node::peers::receipts::expire::expire;
use comity_node::peers::receipts::take;
use comity_node::peers::settings::OnWithdrawal;
use comity_node::sent::State;
use serde_json::Value;

use super::world::{Pair, Side, id, indicator, with};

/// A command as a running node carries it out: on a thread of its own.
async fn run(side: &Side, by: &str, command: Command) -> Result<Value, control::ControlError> {
    rows(side, by, command).await.map(|(_, answer)| answer)
}

async fn rows(
    side: &Side,
    by: &str,
    command: Command,
) -> Result<(Vec<Value>, Value), control::ControlError> {
    let (app, by) = (std::sync::Arc::clone(&side.app), by.to_owned());
    tokio::task::spawn_blocking(move || {
        let mut kept = Kept::default();
        let answer = control::execute(&app, &by, command, &mut std::iter::empty(), &mut kept)?;
        Ok((kept.rows, answer))
    })
    .await
    .unwrap()
}

fn show(number: u32) -> Command {
    Command::Show(Show {
        id: id(number),
        opens: true,
        ..Show::default()
    })
}

fn verified(side: &Side, of: &Side, id: &str) -> Vec<receipt::Receipt> {
    let peer = side.peer(of.app.party.as_str());
    let key = VerifierKey::parse(peer.receipt_key.as_deref().unwrap()).unwrap();
    let log_key = VerifierKey::parse(peer.log_key.as_deref().unwrap()).unwrap();
    let log = TrustedLog {
        origin: log_key.name().as_str().to_owned(),
        keys: vec![log_key],
    };
    let seq = side.record(id).unwrap().seq;
    let receipts = side.app.store.receipts(seq).unwrap();
    receipts
        .iter()
        .map(|one| {
            let found = receipt::verify(
                std::slice::from_ref(&key),
                &log,
                one.note.as_bytes(),
                one.proof.as_bytes(),
            );
            found.unwrap().receipt().clone()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_received_and_opened_provably() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0), indicator(2, 0)], "eu").await;
    assert_eq!(ua.push("eu").await, 2);
    assert_eq!(ua.state(&id(1)), State::Sent);
    assert_eq!(eu.give("ua").await, 2);
    assert_eq!(ua.state(&id(1)), State::Received);
    let sent = ua.record(&id(1)).unwrap();
    let got = verified(&ua, &eu, &id(1));
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].event, ReceiptEvent::Received);
    assert_eq!(got[0].sender_entry, sent.entry_index);
    assert_eq!(got[0].content_sha256, sent.content_sha256);
    assert_eq!(got[0].entry, eu.record(&id(1)).unwrap().entry_index);
    assert!(got[0].label.as_ref().unwrap().contains("AMBER"));
    // an analyst looks, an auditor's bulk reads: nothing is opened; the officer opens once
    let look = Command::Show(Show {
        id: id(1),
        reader: Some("ada".to_owned()),
        opens: true,
        ..Show::default()
    });
    run(&eu, "jean", look).await.unwrap();
    assert_eq!(eu.give("ua").await, 0);
    run(&eu, "jean", show(1)).await.unwrap();
    run(&eu, "jean", show(1)).await.unwrap();
    assert_eq!(eu.give("ua").await, 1);
    assert_eq!(ua.state(&id(1)), State::Opened);
    assert_eq!(ua.state(&id(2)), State::Received);
    let events: Vec<_> = verified(&ua, &eu, &id(1))
        .iter()
        .map(|receipt| receipt.event)
        .collect();
    assert_eq!(events, [ReceiptEvent::Received, ReceiptEvent::Opened]);
    // the sender's own opening of its own record tells nobody
    run(&ua, "officer", show(1)).await.unwrap();
    let (found, answer) = rows(
        &ua,
        "officer",
        Command::Sent(Sent {
            id: Some(id(1)),
            version: None,
        }),
    )
    .await
    .unwrap();
    assert_eq!(found[0]["state"], "opened");
    assert!(answer["proof"].as_str().unwrap().contains("tlog-proof"));
    let (parties, answer) = rows(&ua, "officer", Command::Sent(Sent::default()))
        .await
        .unwrap();
    assert_eq!(parties[0]["received"], 2);
    assert_eq!(answer["without_receipt"], serde_json::json!([]));
    ua.fsck();
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_twice_is_answered_once() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    ua.push("eu").await;
    let again = || {
        comity_store::Op::Progress(comity_store::Progress::Mark {
            peer: "eu".to_owned(),
            records: vec![ua.record(&id(1)).unwrap().seq],
            state: comity_store::DeliveryState::Queued,
            reason: None,
            receipt: None,
            not_before: 0,
        })
    };
    for _ in 0..2 {
        ua.app.sequencer.submit(vec![again()]).await.unwrap();
        ua.push("eu").await;
    }
    assert_eq!(eu.give("ua").await, 1);
    // the answer to the post was lost: it goes again, and is known
    let answers = eu.app.store.answers_after("ua", None, 10).unwrap();
    let (batch, unfit, _) =
        comity_node::peers::receipts::give::batch(&eu.app, &answers, None).unwrap();
    assert_eq!((batch.receipts.len(), unfit.len()), (1, 0));
    let consistency = comity_node::proof::Prover::new(&eu.app.store).unwrap();
    let kept = ua.app.store.peer_head("eu").unwrap().unwrap().size;
    let batch = comity_node::peers::receipts::Batch {
        consistency: Some(comity_node::peers::head::Consistency::new(
            kept,
            &consistency.consistency(kept).unwrap(),
        )),
        ..batch
    };
    let answer = take::take(&ua.app, ua.peer("eu"), batch, None)
        .await
        .unwrap();
    assert_eq!(
        answer.results[0].state,
        comity_node::peers::receipts::State::Known
    );
    assert_eq!(verified(&ua, &eu, &id(1)).len(), 1);
    ua.fsck();
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_answered_with_the_reason() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    ua.push("eu").await;
    // conflicts: EU holds other content under this identifier and version, which UA may read, and under that one, which it may not
    eu.collection("shared", "ua", true, false).await;
    eu.publish(&[with(2, 0, r#","name":"another""#)], "ua")
        .await;
    eu.publish(&[with(3, 0, r#","name":"another""#)], "pl")
        .await;
    ua.publish(&[indicator(2, 0), indicator(3, 0)], "eu").await;
    ua.push("eu").await;
    while eu.give("ua").await > 0 {}
    assert_eq!(ua.state(&id(1)), State::Received);
    let refused = ua.recipient(&id(2));
    assert_eq!(refused.state, State::Refused);
    assert!(refused.reason.unwrap().contains("other content"));
    assert_eq!(refused.receipts[0].event, "a2");
    let unseen = ua.recipient(&id(3));
    assert_eq!(unseen.state, State::Refused);
    assert_eq!(
        unseen.reason.as_deref(),
        Some("it cannot be taken under this identifier"),
        "a receipt tells no more than the answer"
    );
    // whose it was, is shown on the other side
    let show = Command::Peer(control::Peer::Show("ua".to_owned()));
    let shown = run(&eu, "jean", show).await.unwrap();
    let lately = shown["refused_lately"].as_array().unwrap();
    assert_eq!(lately.len(), 2, "{lately:?}");
    let reason = lately[0]["reason"].as_str().unwrap();
    assert!(reason.contains("other content"), "the true one: {reason}");
    // an officer refuses what the node took
    let command = || {
        Command::Refuse(Refuse {
            id: id(1),
            version: None,
            reason: "not for us".to_owned(),
            delete: false,
        })
    };
    let denied = run(&eu, "ada", command()).await.unwrap_err();
    assert_eq!(denied.kind, control::ErrorKind::Forbidden);
    run(&eu, "jean", command()).await.unwrap();
    assert!(run(&eu, "jean", command()).await.is_err(), "once");
    eu.give("ua").await;
    let refused = ua.recipient(&id(1));
    assert_eq!(
        (refused.state, refused.reason.as_deref()),
        (State::Refused, Some("not for us"))
    );
    assert!(eu.record(&id(1)).is_some(), "it stays");
    let delete = Command::Refuse(Refuse {
        id: id(1),
        version: None,
        reason: "not for us".to_owned(),
        delete: true,
    });
    run(&eu, "jean", delete).await.unwrap();
    assert!(eu.record(&id(1)).is_none());
    ua.fsck();
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_receipt_in_time_is_logged_once_and_a_late_one_is_taken() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    ua.push("eu").await;
    assert_eq!(expire(&ua.app).await.unwrap(), 0);
    ua.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    assert_eq!(expire(&ua.app).await.unwrap(), 1);
    assert_eq!(expire(&ua.app).await.unwrap(), 0);
    let expired = ua.recipient(&id(1));
    assert_eq!(expired.state, State::Expired);
    let entry = expired.expiry_entry.unwrap();
    let logged = ua.app.store.changes(entry, 1).unwrap().remove(0);
    assert_eq!(logged.event.code(), 0xc5);
    assert!(!ua.alarms().contains(&"false-receipt"));
    eu.give("ua").await;
    let late = ua.recipient(&id(1));
    assert_eq!((late.state, late.late), (State::Received, true));
    // another agreement holds for what goes from then on
    admin::agree(&ua.app, "officer@ua", "eu", Some(60), None)
        .await
        .unwrap();
    ua.publish(&[indicator(2, 0)], "eu").await;
    ua.push("eu").await;
    ua.clock.advance(Duration::from_secs(61));
    assert_eq!(expire(&ua.app).await.unwrap(), 1);
    ua.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_is_answered_by_removal_or_by_keeping() {
    let Pair { ua, eu } = Pair::meet().await;
    let objects = [indicator(1, 0), indicator(1, 1), indicator(2, 0)];
    ua.publish(&objects, "eu").await;
    ua.push("eu").await;
    while eu.give("ua").await > 0 {}
    let withdraw = |number: u32| {
        Command::Withdraw(Withdraw {
            id: id(number),
            reason: "wrong address".to_owned(),
        })
    };
    run(&ua, "officer", withdraw(1)).await.unwrap();
    ua.push("eu").await;
    let left = eu.record(&id(1)).unwrap();
    assert!(left.revoked);
    let scope = eu.app.release.everything().unwrap();
    assert_eq!(eu.app.store.history(&id(1), &scope).unwrap().len(), 1);
    assert_eq!(eu.app.store.tombstones(&id(1)).unwrap().len(), 2);
    while eu.give("ua").await > 0 {}
    assert_eq!(ua.state(&id(1)), State::Removed);
    // where an officer decides
    admin::agree(&eu.app, "jean@eu", "ua", None, Some(OnWithdrawal::Ask))
        .await
        .unwrap();
    run(&ua, "officer", withdraw(2)).await.unwrap();
    ua.push("eu").await;
    while eu.give("ua").await > 0 {}
    assert_eq!(ua.state(&id(2)), State::Received);
    assert_eq!(eu.app.store.history(&id(2), &scope).unwrap().len(), 2);
    let list = Command::Withdrawal(Withdrawal::List { all: false });
    let (waiting, _) = rows(&eu, "jean", list).await.unwrap();
    assert_eq!(waiting[0]["reason"], "wrong address");
    let keep = Command::Withdrawal(Withdrawal::Keep {
        id: id(2),
        reason: "evidence in a case".to_owned(),
    });
    run(&eu, "jean", keep).await.unwrap();
    while eu.give("ua").await > 0 {}
    let kept = ua.recipient(&id(2));
    assert_eq!(
        (kept.state, kept.reason.as_deref()),
        (State::Kept, Some("evidence in a case"))
    );
    // and later thinks better of it
    let remove = Command::Withdrawal(Withdrawal::Remove { id: id(2) });
    let answer = run(&eu, "jean", remove).await.unwrap();
    assert_eq!(answer["versions_removed"], 1);
    while eu.give("ua").await > 0 {}
    assert_eq!(ua.state(&id(2)), State::Removed);
    ua.fsck();
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_cannot_reach_us_is_asked() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0), indicator(2, 0)], "eu").await;
    ua.push("eu").await;
    assert_eq!(take::collect_now(&ua.app, &ua.peer("eu")).await.unwrap(), 2);
    assert_eq!(ua.state(&id(1)), State::Received);
    assert_eq!(take::collect_now(&ua.app, &ua.peer("eu")).await.unwrap(), 0);
    // having asked for what comes after, it has what came before
    assert_eq!(eu.app.store.answers_owed("ua", 10).unwrap().len(), 0);
    ua.fsck();
    eu.fsck();
}
