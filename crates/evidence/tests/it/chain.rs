//! Which orders of events are possible.

use comity_evidence::custody::{Chain, Event, Fields, Impossible, Kind, linked};
use comity_evidence::{ExhibitId, Time};

use crate::support::{OTHER, chain, fields};

/// Steps, then `ok` with the state, or the place and code of what is impossible.
fn check(steps: &[&str], expect: &str) {
    let events = chain(steps);
    let found = match Chain::of(&events) {
        Ok(chain) => state(&chain),
        Err((place, error)) => format!("{place} {}", error.code()),
    };
    assert_eq!(found, expect, "{steps:?}");
}

fn state(chain: &Chain) -> String {
    let away = chain.away().map(|away| format!(" away to {}", away.to));
    format!(
        "ok {}{}{}{}",
        chain.holder().unwrap_or("nobody"),
        if chain.is_sealed() { " sealed" } else { "" },
        away.unwrap_or_default(),
        if chain.is_destroyed() {
            " destroyed"
        } else {
            ""
        },
    )
}

#[test]
fn possible_orders() {
    check(&["sealed/ua"], "ok ua sealed");
    check(&["seized/ua", "acquired/ua", "sealed/ua"], "ok ua sealed");
    check(&["acquired/ua"], "ok ua");
    check(
        &[
            "sealed/ua",
            "opened/ua",
            "analysed/ua",
            "derived/ua",
            "sealed/ua",
        ],
        "ok ua sealed",
    );
    check(
        &["sealed/ua", "copied/ua", "exported/ua", "disclosed/ua"],
        "ok ua sealed",
    );
    check(&["sealed/ua", "transferred/ua"], "ok ua sealed away to eu");
    check(
        &["sealed/ua", "transferred/ua", "received/eu", "opened/eu"],
        "ok eu",
    );
    check(
        &["sealed/ua", "transferred/ua", "refused/eu", "opened/ua"],
        "ok ua",
    );
    check(
        &["sealed/ua", "transferred/ua", "refused/ua", "opened/ua"],
        "ok ua",
    );
    check(
        &[
            "sealed/ua",
            "transferred/ua",
            "received/eu",
            "returned/eu",
            "received/ua",
        ],
        "ok ua sealed",
    );
    check(&["sealed/ua", "destroyed/ua"], "ok ua sealed destroyed");
}

#[test]
fn impossible_orders_have_a_name() {
    check(&["opened/ua"], "0 custody.begins");
    check(&["received/eu"], "0 custody.begins");
    check(&["sealed/ua", "sealed/ua"], "1 custody.already-sealed");
    check(&["acquired/ua", "opened/ua"], "1 custody.not-sealed");
    check(&["sealed/ua", "seized/ua"], "1 custody.too-late");
    check(&["acquired/ua", "acquired/ua"], "1 custody.too-late");
    check(&["sealed/ua", "received/eu"], "1 custody.not-away");
    check(&["sealed/ua", "refused/eu"], "1 custody.not-away");
    check(&["sealed/ua", "opened/eu"], "1 custody.not-holder");
    check(&["sealed/ua", "transferred/eu"], "1 custody.not-holder");
    for kind in [
        "opened",
        "copied",
        "analysed",
        "exported",
        "disclosed",
        "destroyed",
        "transferred",
        "returned",
        "derived",
        "sealed",
    ] {
        let step = format!("{kind}/ua");
        check(
            &["sealed/ua", "transferred/ua", &step],
            "2 custody.while-away",
        );
    }
    check(
        &["sealed/ua", "transferred/ua", "opened/eu"],
        "2 custody.not-holder",
    );
    check(
        &["sealed/ua", "transferred/ua", "received/eu", "received/eu"],
        "3 custody.not-away",
    );
    check(
        &["sealed/ua", "transferred/ua", "received/eu", "opened/ua"],
        "3 custody.not-holder",
    );
    check(
        &["sealed/ua", "transferred/ua", "received/xx"],
        "2 custody.other-recipient",
    );
    check(
        &["sealed/ua", "transferred/ua", "refused/xx"],
        "2 custody.other-recipient",
    );
    for kind in Kind::all() {
        let step = format!("{kind}/ua");
        check(
            &["sealed/ua", "destroyed/ua", &step],
            "2 custody.after-destroyed",
        );
    }
}

/// `sealed/ua`, then `kind/by` changed by `edit`.
fn second(kind: Kind, by: &str, edit: impl FnOnce(&mut Fields)) -> Result<Chain, Impossible> {
    let start = if kind == Kind::Received {
        vec!["sealed/ua", "transferred/ua"]
    } else {
        vec!["sealed/ua"]
    };
    let events = chain(&start);
    let mut chain = Chain::of(&events).unwrap();
    let mut fields = fields(kind, by, 9);
    fields.previous = chain.last().copied();
    edit(&mut fields);
    let event = Event::new(fields).unwrap();
    let before = state(&chain);
    match chain.push(&event) {
        Ok(()) => Ok(chain),
        Err(error) => {
            assert_eq!(state(&chain), before, "a refused event changes nothing");
            Err(error)
        }
    }
}

#[test]
fn links_times_and_contents_must_fit() {
    let code =
        |result: Result<Chain, Impossible>| result.map_or_else(|error| error.code(), |_| "ok");
    assert_eq!(code(second(Kind::Opened, "ua", |_| {})), "ok");
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.previous = None)),
        "custody.second-beginning"
    );
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.previous = Some([1; 32]))),
        "custody.link"
    );
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.time = Time::from_micros(-1))),
        "custody.time"
    );
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.time = Time::from_micros(0))),
        "ok"
    );
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.exhibit =
            ExhibitId::parse(OTHER).unwrap())),
        "custody.other-exhibit"
    );
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.items_sha256 = [1; 32])),
        "custody.items-changed"
    );
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.size = 1)),
        "custody.items-changed"
    );
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| {
            f.items_sha256 = [1; 32];
            f.anomaly = Some("bit rot".into())
        })),
        "ok"
    );
    assert_eq!(code(second(Kind::Received, "eu", |_| {})), "ok");
    assert_eq!(
        code(second(Kind::Received, "eu", |f| {
            f.items_sha256 = [1; 32];
            f.anomaly = Some("x".into())
        })),
        "custody.other-received"
    );
    assert_eq!(
        code(second(Kind::Received, "eu", |f| f.counterparty = Some("xx".into()))),
        "custody.other-recipient"
    );
    let reused = chain(&["sealed/ua"])[0].fields().id.clone();
    assert_eq!(
        code(second(Kind::Opened, "ua", |f| f.id = reused)),
        "custody.id-reused"
    );
}

#[test]
fn what_was_seen_changes_nothing() {
    let events = chain(&["sealed/ua", "transferred/ua", "received/eu", "opened/eu"]);
    let once = Chain::of(&events).unwrap();
    let twice = Chain::of(events.iter().flat_map(|event| [event, event])).unwrap();
    let again = Chain::of(events.iter().chain(&events)).unwrap();
    for other in [twice, again] {
        assert_eq!(
            (state(&other), other.len(), other.last()),
            (state(&once), 4, once.last())
        );
    }
}

#[test]
fn any_order_of_arrival_is_put_in_order() {
    let events = chain(&["sealed/ua", "transferred/ua", "received/eu", "opened/eu"]);
    let mixed = [2, 0, 3, 1, 0, 2].map(|place: usize| &events[place]);
    assert_eq!(linked(mixed).unwrap(), events.iter().collect::<Vec<_>>());
    assert_eq!(linked([]).unwrap(), Vec::<&Event>::new());
    assert_eq!(
        linked([&events[1]]).unwrap_err().code(),
        "custody.no-beginning"
    );
    assert_eq!(
        linked([&events[0], &events[2]]).unwrap_err().code(),
        "custody.link"
    );
    let mut fork = events[1].fields().clone();
    fork.place = "elsewhere".to_owned();
    let fork = Event::new(fork).unwrap();
    assert_eq!(
        linked([&events[0], &events[1], &fork]).unwrap_err().code(),
        "custody.fork"
    );
    let mut begin = events[0].fields().clone();
    begin.place = "elsewhere".to_owned();
    let begin = Event::new(begin).unwrap();
    assert_eq!(
        linked([&events[0], &begin]).unwrap_err().code(),
        "custody.second-beginning"
    );
}
