//! Who had it: what CASE/UCO accepts (a receipt six years before the sending) is refused here.

use comity_evidence::Time;
use comity_verify::{Report, Verdict};

use crate::fixture::{TIME_MICROS, World, rehash};
use crate::good::{report, trust};

fn judged(world: &World) -> Report {
    report(&world.files(None), &trust(world))
}

fn refused(world: &World, code: &str, detail: &str) {
    let report = judged(world);
    let found = report
        .findings()
        .iter()
        .any(|it| it.code == code && it.detail.contains(detail));
    assert!(found, "{code} {detail}: {:?}", report.findings());
}

#[test]
fn c1_received_six_years_before_it_was_sent() {
    let event = |place: usize, fields: &mut comity_evidence::custody::Fields| {
        if place == 3 {
            fields.time = Time::from_micros(TIME_MICROS - 6 * 31_536_000_000_000);
        }
    };
    refused(
        &World {
            event,
            ..World::default()
        },
        "custody.order",
        "custody.time",
    );
}

#[test]
fn a_missing_event_breaks_the_chain() {
    let event = |place: usize, fields: &mut comity_evidence::custody::Fields| {
        if place == 2 {
            fields.previous = Some([9; 32]);
        }
    };
    refused(
        &World {
            event,
            ..World::default()
        },
        "custody.order",
        "custody.link",
    );
}

#[test]
fn received_by_somebody_it_was_not_handed_to() {
    let event = |place: usize, fields: &mut comity_evidence::custody::Fields| {
        if place == 2 {
            fields.counterparty = Some("at".to_owned());
        }
    };
    refused(
        &World {
            event,
            ..World::default()
        },
        "custody.order",
        "custody.other-recipient",
    );
}

#[test]
fn other_items_than_those_that_are_here() {
    let event = |place: usize, fields: &mut comity_evidence::custody::Fields| {
        if place == 3 {
            fields.items = 2;
        }
    };
    let report = judged(&World {
        event,
        ..World::default()
    });
    assert_eq!(
        report.verdict(),
        Verdict::NotVerified,
        "{:?}",
        report.findings()
    );
}

#[test]
fn an_authority_that_was_not_given_is_not_believed() {
    let world = World::default();
    let mut trust = trust(&world);
    trust
        .keys
        .as_mut()
        .unwrap()
        .retain(|key| !key.name().as_str().contains("eu/custody"));
    let report = report(&world.files(None), &trust);
    let code =
        |it: &comity_verify::Finding| it.code == "custody.signature" && it.detail.contains("eu");
    assert!(
        report.findings().iter().any(code),
        "{:?}",
        report.findings()
    );
}

#[test]
fn a_hand_over_without_counter_signature_is_said() {
    let world = World {
        countersigned: false,
        ..World::default()
    };
    let report = judged(&world);
    assert_eq!(report.verdict(), Verdict::Verified);
    assert!(
        report
            .facts()
            .iter()
            .any(|it| it.code == "custody.no-countersignature")
    );
}

#[test]
fn events_out_of_order_or_left_out_are_refused() {
    let world = World::default();
    let good = world.files(None);
    let text = String::from_utf8(good["seal/custody.jsonl"].clone()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for order in [
        vec![1, 0, 2, 3, 4],
        vec![0, 1, 3, 2, 4],
        vec![0, 1, 2, 4],
        vec![0, 1, 2, 3],
        vec![0, 0, 1, 2, 3, 4],
        vec![4, 0, 1, 2, 3],
    ] {
        let mut files = good.clone();
        let changed: String = order.iter().map(|place| lines[*place]).collect();
        files.insert("seal/custody.jsonl".to_owned(), changed.into_bytes());
        rehash(&mut files);
        let report = report(&files, &trust(&world));
        let custody = report
            .findings()
            .iter()
            .any(|it| it.code.starts_with("custody."));
        // leaving out the end is a sound chain for the fold; the seal has its hash
        let sealed = report.findings().iter().any(|it| it.code == "seal.hash");
        assert!(
            sealed && (custody || order == [0, 1, 2, 4]),
            "{order:?}: {:?}",
            report.findings()
        );
    }
}
