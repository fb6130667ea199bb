//! Labels: one text each, limits, and what is assumed.

use comity_access::{AUDIENCE_PARTIES_MAX, Audience, Draft, GranularLabel, LabelError, LabelSet};
use comity_stix::marking::{Pap, Tlp};
use proptest::prelude::*;

use crate::support::{label, label_by, party, person};

#[test]
fn canonical_text_is_short_and_stable() {
    assert_eq!(
        label("AMBER ua").to_json(),
        r#"{"tlp":"AMBER","originator":"ua"}"#
    );
    assert_eq!(
        label("none ua").to_json(),
        r#"{"tlp":"AMBER","assumed":true,"originator":"ua"}"#
    );
    assert_eq!(
        label("AMBER+STRICT ua -> eu ee b@ee a@eu / ex1").to_json(),
        r#"{"tlp":"AMBER+STRICT","originator":"ua","parties":["ee","eu"],"persons":["a@eu","b@ee"],"exercise":"ex1"}"#
    );
}

#[test]
fn no_label_is_amber_never_clear() {
    assert_eq!(
        (label("none ua").tlp(), label("none ua").assumed()),
        (Tlp::Amber, true)
    );
}

#[test]
fn author_is_kept_only_where_red_makes_it_matter() {
    assert_eq!(
        label_by("RED ua", Some("olena@ua")).author(),
        Some(&person("olena@ua"))
    );
    assert_eq!(label_by("AMBER ua", Some("olena@ua")), label("AMBER ua"));
}

#[test]
fn clear_has_no_audience() {
    assert_eq!(label("CLEAR ua -> eu"), label("CLEAR ua"));
}

#[test]
fn milder_parts_change_nothing() {
    let mut draft = label("AMBER ua").to_draft();
    draft.granular = vec![
        GranularLabel {
            marking_ref: "green".to_owned(),
            tlp: Tlp::Green,
        },
        GranularLabel {
            marking_ref: "red".to_owned(),
            tlp: Tlp::Red,
        },
        GranularLabel {
            marking_ref: "red".to_owned(),
            tlp: Tlp::Red,
        },
    ];
    let label = LabelSet::new(draft).unwrap();
    assert_eq!(label.granular().len(), 1);
    assert_eq!(label.granular()[0].marking_ref, "red");
}

#[test]
fn what_is_not_understood_is_not_given_away() {
    let record = [
        Tlp::Green.id(),
        Tlp::Clear.id(),
        "marking-definition--statement",
    ];
    let parts = [
        "marking-definition--unknown",
        "marking-definition--statement",
        Tlp::Red.id(),
    ];
    let statement = |id: &str| id.ends_with("statement");
    let label =
        LabelSet::new(Draft::from_markings(party("ua"), record, parts, &statement)).unwrap();
    assert_eq!(label.tlp(), Tlp::Green);
    let parts: Vec<(&str, Tlp)> = label
        .granular()
        .iter()
        .map(|part| (part.marking_ref.as_str(), part.tlp))
        .collect();
    assert_eq!(
        parts,
        [
            (Tlp::Red.id(), Tlp::Red),
            ("marking-definition--unknown", Tlp::Amber)
        ]
    );
    assert!(
        Draft::from_markings(party("ua"), ["x"], [], &statement)
            .tlp
            .is_none()
    );
}

#[test]
fn an_audience_has_a_limit() {
    let mut draft = Draft::new(party("ua"));
    draft.audience.parties = (0..=AUDIENCE_PARTIES_MAX)
        .map(|n| party(&format!("p{n:04}")))
        .collect();
    assert!(matches!(
        LabelSet::new(draft),
        Err(LabelError::TooMany { .. })
    ));
}

#[test]
fn hostile_texts_are_refused() {
    for text in [
        "",
        "null",
        "{}",
        r#"{"tlp":"CLEAR"}"#,
        r#"{"tlp":"PINK","originator":"ua"}"#,
        r#"{"tlp":"WHITE","originator":"ua"}"#,
        r#"{"tlp":"TLP:AMBER","originator":"ua"}"#,
        r#"{"originator":"ua","tlp":"AMBER"}"#,
        r#"{"tlp":"AMBER", "originator":"ua"}"#,
        r#"{"tlp":"AMBER","tlp":"CLEAR","originator":"ua"}"#,
        r#"{"tlp":"AMBER","originator":"UA"}"#,
        r#"{"tlp":"CLEAR","assumed":true,"originator":"ua"}"#,
        r#"{"tlp":"CLEAR","originator":"ua","parties":["eu"]}"#,
        r#"{"tlp":"AMBER","originator":"ua","parties":[]}"#,
        r#"{"tlp":"AMBER","originator":"ua","parties":["eu","ee"]}"#,
        r#"{"tlp":"AMBER","originator":"ua","more":1}"#,
        r#"{"tlp":"AMBER","originator":"ua","author":"olena@ua"}"#,
        r#"{"tlp":"AMBER","originator":"ua","exercise":"Ex 1"}"#,
    ] {
        assert!(LabelSet::from_json(text).is_err(), "{text}");
    }
}

prop_compose! {
    fn any_label()(
        tlp in proptest::option::of(proptest::sample::select(&Tlp::ALL[..])),
        pap in proptest::option::of(proptest::sample::select(&Pap::ALL[..])),
        originator in "[a-z][a-z0-9-]{1,31}",
        author in proptest::option::of("[a-z0-9.+_-]{1,20}@[a-z][a-z0-9-]{1,31}"),
        parties in proptest::collection::btree_set("[a-z][a-z0-9-]{1,31}", 0..5),
        persons in proptest::collection::btree_set("[a-z0-9.+_-]{1,20}@[a-z][a-z0-9-]{1,31}", 0..5),
        exercise in proptest::option::of("[a-z0-9-]{1,64}"),
        granular in proptest::collection::vec((".{0,40}", proptest::sample::select(&Tlp::ALL[..])), 0..4),
    ) -> LabelSet {
        LabelSet::new(Draft {
            tlp,
            pap,
            originator: party(&originator),
            author: author.as_deref().map(person),
            audience: Audience {
                parties: parties.iter().map(|name| party(name)).collect(),
                persons: persons.iter().map(|name| person(name)).collect(),
            },
            exercise,
            granular: granular.into_iter().map(|(marking_ref, tlp)| GranularLabel { marking_ref, tlp }).collect(),
        })
        .unwrap()
    }
}

proptest! {
    #[test]
    fn text_round_trip(label in any_label()) {
        let text = label.to_json();
        prop_assert_eq!(&LabelSet::from_json(&text).unwrap(), &label);
        prop_assert_eq!(LabelSet::new(label.to_draft()).unwrap().to_json(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = LabelSet::from_json(&text);
    }
}
