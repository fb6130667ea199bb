//! The policies against an independent judge written from the text of TLP 2.0: random readers, random labels.

use comity_access::{
    Access, Account, Action, Audience, Draft, Grants, GranularLabel, LabelSet, Reader, Resource,
    Role,
};
use comity_testkit::oracle::{self, What, Who};
use proptest::prelude::*;

use crate::support::{party, person};

const HOLDER: &str = "ua";
// Few names, so that they often meet.
const PARTIES: &[&str] = &["ua", "eu", "ee", "energo", "bank"];
const PERSONS: &[&str] = &[
    "a@ua", "b@ua", "a@eu", "node@eu", "a@ee", "a@energo", "a@bank",
];
const COLORS: &[&str] = &["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"];
const EXERCISES: &[&str] = &["ex1", "ex2"];

fn some_of(names: &'static [&'static str], max: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set(proptest::sample::select(names), 0..=max)
        .prop_map(|set| set.into_iter().map(str::to_owned).collect())
}

fn maybe(names: &'static [&'static str], weight: f64) -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(
        weight,
        proptest::sample::select(names).prop_map(str::to_owned),
    )
}

fn who() -> impl Strategy<Value = Who> {
    let role = proptest::sample::select(&Role::ALL[..]);
    let person = proptest::sample::select(PERSONS);
    (
        role,
        person,
        any::<bool>(),
        maybe(EXERCISES, 0.3),
        any::<bool>(),
        proptest::sample::select(PARTIES),
    )
        .prop_map(|(role, person, community, exercise, granted, csirt)| {
            let party = person.split_once('@').unwrap().1.to_owned();
            let csirt = if csirt == party { "cert" } else { csirt };
            Who {
                person: person.to_owned(),
                role: role.word().to_owned(),
                client_of: (role == Role::Entity).then(|| csirt.to_owned()),
                party,
                community,
                exercise,
                reads: if granted {
                    vec!["feed".to_owned()]
                } else {
                    Vec::new()
                },
            }
        })
}

fn what() -> impl Strategy<Value = What> {
    (
        maybe(COLORS, 0.9),
        proptest::sample::select(PARTIES),
        maybe(PERSONS, 0.5),
        some_of(PARTIES, 3),
        some_of(PERSONS, 2),
        maybe(EXERCISES, 0.2),
    )
        .prop_map(
            |(tlp, originator, author, parties, persons, exercise)| What {
                tlp,
                originator: originator.to_owned(),
                author,
                parties,
                persons,
                exercise,
            },
        )
}

fn reader(who: &Who) -> Reader {
    Reader::new(Account {
        principal: person(&who.person),
        role: who.role.parse().unwrap(),
        party: party(&who.party),
        entity_of: who.client_of.as_deref().map(party),
        community: who.community,
        exercise: who.exercise.clone(),
        grants: Grants {
            read: who.reads.iter().cloned().collect(),
            ..Grants::default()
        },
    })
    .unwrap()
}

fn label(what: &What, granular: &[&str]) -> LabelSet {
    LabelSet::new(Draft {
        tlp: what.tlp.as_deref().map(|word| word.parse().unwrap()),
        author: what.author.as_deref().map(person),
        audience: Audience {
            parties: what.parties.iter().map(|name| party(name)).collect(),
            persons: what.persons.iter().map(|name| person(name)).collect(),
        },
        exercise: what.exercise.clone(),
        granular: granular
            .iter()
            .map(|word| GranularLabel {
                marking_ref: (*word).to_owned(),
                tlp: word.parse().unwrap(),
            })
            .collect(),
        ..Draft::new(party(&what.originator))
    })
    .unwrap()
}

proptest! {
    // One case is 10 readers and 10 labels at 2 places and once passed on: 300 questions. 40 cases, 12,000 questions, stay
    // quick in an unoptimised build; `PROPTEST_CASES=400` asks 120,000 (CI).
    #![proptest_config(config())]

    #[test]
    fn release_is_what_the_oracle_says(
        readers in proptest::collection::vec(who(), 10),
        labels in proptest::collection::vec(what(), 10),
    ) {
        let access = shared();
        for who in &readers {
            let reader = reader(who);
            for what in &labels {
                let label = label(what, &[]);
                for place in [None, Some("feed")] {
                    let thing = match place {
                        Some(key) => Resource::record_in(&label, key),
                        None => Resource::record(&label),
                    };
                    let got = access.decide(&reader, Action::Read, thing);
                    let expected = oracle::may_read(HOLDER, who, what, place);
                    prop_assert_eq!(got.permitted, expected, "read {:?} {:?} {:?}: {}", who, what, place, got.text());
                }
                let got = access.may_pass_on(&label, &reader);
                prop_assert_eq!(got.permitted, oracle::may_receive(HOLDER, who, what), "receive {:?} {:?}: {}", who, what, got.text());
            }
        }
    }

    #[test]
    fn parts_are_left_out_as_the_oracle_says(who in who(), what in what(), part in proptest::sample::select(COLORS)) {
        let reader = reader(&who);
        let label = label(&what, &[part]);
        let thing = Resource::record_in(&label, "feed");
        if shared().decide(&reader, Action::Read, thing).permitted {
            let shown = shared().redactions(&reader, Action::Read, thing).is_empty();
            prop_assert_eq!(shown, oracle::may_read_part(HOLDER, &who, &what, part, Some("feed")), "{:?} {:?} {}", who, what, part);
        }
    }

    /// Narrowing never opens: a stricter colour is read by nobody who could not read the milder one.
    #[test]
    fn stricter_is_never_wider(who in who(), what in what()) {
        let reader = reader(&who);
        let mut readable_before = true;
        for colour in COLORS {
            // The author of a RED record is the one exception, and has a label of its own here.
            let what = What { tlp: Some((*colour).to_owned()), author: None, ..what.clone() };
            let label = label(&what, &[]);
            let readable = shared().decide(&reader, Action::Read, Resource::record_in(&label, "feed")).permitted;
            prop_assert!(readable_before || !readable, "{} opens to {:?}: {:?}", colour, who, what);
            readable_before = readable;
        }
    }
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(40);
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    }
}

fn shared() -> &'static Access {
    static ACCESS: std::sync::OnceLock<Access> = std::sync::OnceLock::new();
    ACCESS.get_or_init(|| Access::new(party(HOLDER)).unwrap())
}
