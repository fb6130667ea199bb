//! What goes where: routes that come and go, rules that change meanwhile, orders past the routes, collections that are closed.

use comity_node::control::{Command, Peer};
use comity_node::peers::{admin, push, run};
use comity_store::{Admin, DeliveryState, Op, Outcome, Relabel};

use super::world::{Pair, add, id, indicator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_that_is_routed_later_goes_with_what_is_in_it() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.collection("other", "eu", true, false).await;
    ua.publish_in("other", &[indicator(1, 0)], "eu").await;
    ua.publish(&[indicator(2, 0)], "eu").await;
    ua.push("eu").await;
    assert!(eu.record(&id(1)).is_none() && eu.record(&id(2)).is_some());
    let told = ua.disclosures();
    add(&ua, &eu, &["shared=from-ua", "other=from-ua"]).await;
    ua.push("eu").await;
    assert!(eu.record(&id(1)).is_some());
    assert_eq!(ua.disclosures(), told + 1, "the other did not go twice");
    // a peer that is forgotten and comes back gets what came meanwhile; what it has it knows
    admin::remove(&ua.app, "officer@ua", "eu").await.unwrap();
    assert!(ua.app.catalog().peer("eu").is_none() && ua.app.reader("node@eu").is_none());
    ua.publish(&[indicator(3, 0)], "eu").await;
    add(&ua, &eu, &["shared=from-ua"]).await;
    ua.push("eu").await;
    assert!(eu.record(&id(3)).is_some());
    ua.fsck();
    eu.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_asked_again_before_a_record_leaves() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.publish(&[indicator(1, 0)], "eu").await;
    let target = run::target(&ua.app, &ua.peer("eu")).unwrap();
    while push::queue(&ua.app, &target).await.unwrap() > 0 {}
    assert_eq!(ua.delivery(&id(1)).unwrap().0, DeliveryState::Queued);
    let relabel = |audience: &str| {
        let record = ua.record(&id(1)).unwrap();
        let label = ua.app.release.label(record.label_set).unwrap();
        let mut draft = label.to_draft();
        draft.audience.parties.clear();
        if !audience.is_empty() {
            let party = comity_access::PartyId::parse(audience).unwrap();
            draft.audience.parties.insert(party);
        }
        Op::Relabel(Relabel {
            seq: record.seq,
            label_set: comity_access::LabelSet::new(draft).unwrap().to_json(),
            reason: "agreed".to_owned(),
            by: "officer@ua".to_owned(),
            salt: [7; 32],
        })
    };
    let outcomes = ua.app.sequencer.submit(vec![relabel("")]).await.unwrap();
    assert!(
        matches!(outcomes[0], Outcome::Logged { .. }),
        "{outcomes:?}"
    );
    push::send(&ua.app, &target, &mut 500).await.unwrap();
    let (state, why) = ua.delivery(&id(1)).unwrap();
    assert_eq!(state, DeliveryState::Skipped, "{why:?}");
    assert!(eu.record(&id(1)).is_none());
    // and when the rule is gone, it goes
    ua.app.sequencer.submit(vec![relabel("eu")]).await.unwrap();
    ua.push("eu").await;
    assert_eq!(ua.delivery(&id(1)).unwrap().0, DeliveryState::Accepted);
    // what the peer has is not said to have been kept from it
    ua.app.sequencer.submit(vec![relabel("")]).await.unwrap();
    ua.push("eu").await;
    assert_eq!(ua.delivery(&id(1)).unwrap().0, DeliveryState::Accepted);
    ua.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_goes_past_the_routes_and_not_past_the_rules() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.collection("elsewhere", "eu", false, false).await;
    ua.publish_in("elsewhere", &[indicator(1, 0)], "eu").await;
    ua.publish_in("elsewhere", &[indicator(2, 0)], "pl").await;
    ua.push("eu").await;
    assert!(ua.delivery(&id(1)).is_none());
    let order = |number| {
        Command::Peer(Peer::PassOn {
            peer: "eu".to_owned(),
            record: id(number),
        })
    };
    let done = ua.command("officer@ua", order(1)).await.unwrap();
    assert_eq!(done["state"], "accepted", "{done}");
    assert!(eu.record(&id(1)).is_some());
    ua.command("officer@ua", order(2)).await.unwrap_err();
    assert!(eu.record(&id(2)).is_none());
    // a peer that is away: the order fails, is told so, and is not carried out behind the person's back
    ua.publish_in("elsewhere", &[indicator(3, 0)], "eu").await;
    eu.server.stop().await;
    ua.command("officer@ua", order(3)).await.unwrap_err();
    let (state, why) = ua.delivery(&id(3)).unwrap();
    assert_eq!(state, DeliveryState::Refused);
    assert!(why.unwrap().contains("not repeated"));
    ua.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_collection_does_not_hold_up_the_others() {
    let Pair { ua, eu } = Pair::meet().await;
    ua.collection("first", "eu", true, false).await;
    eu.collection("closed-soon", "ua", false, true).await;
    add(&ua, &eu, &["first=closed-soon", "shared=from-ua"]).await;
    let mut closed = (*eu.app.catalog().collection("closed-soon").unwrap())
        .as_ref()
        .clone();
    closed.grants.clear();
    eu.administer(Admin::PutCollection(closed.clone())).await;
    ua.publish_in("first", &[indicator(1, 0)], "eu").await;
    ua.publish(&[indicator(2, 0)], "eu").await;
    let error = run::push_now(&ua.app, &ua.peer("eu")).await.unwrap_err();
    assert!(error.contains("` answered 40"), "{error}");
    assert_eq!(ua.delivery(&id(2)).unwrap().0, DeliveryState::Accepted);
    let (state, why) = ua.delivery(&id(1)).unwrap();
    assert_eq!(state, DeliveryState::Queued);
    assert!(why.is_some());
    // it waits, and goes when the collection is open again
    assert_eq!(ua.push("eu").await, 0);
    closed.grants = vec![admin::grant("ua", false, true)];
    eu.administer(Admin::PutCollection(closed)).await;
    ua.clock.advance(std::time::Duration::from_secs(301));
    ua.push("eu").await;
    assert_eq!(ua.delivery(&id(1)).unwrap().0, DeliveryState::Accepted);
    ua.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_away_does_not_fill_the_log() {
    let Pair { ua, eu } = Pair::meet().await;
    let target = run::target(&ua.app, &ua.peer("eu")).unwrap();
    ua.publish(&[indicator(1, 0)], "eu").await;
    while push::queue(&ua.app, &target).await.unwrap() > 0 {}
    push::send(&ua.app, &target, &mut 500).await.unwrap();
    eu.server.stop().await;
    ua.publish(&[indicator(2, 0)], "eu").await;
    while push::queue(&ua.app, &target).await.unwrap() > 0 {}
    let told = ua.disclosures();
    for _ in 0..3 {
        push::send(&ua.app, &target, &mut 500).await.unwrap_err();
        assert_eq!(ua.delivery(&id(2)).unwrap().0, DeliveryState::Queued);
    }
    assert_eq!(ua.disclosures(), told + 1);
    ua.fsck();
}
