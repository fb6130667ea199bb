//! Quorums: by hand, and on random policies against `sigsum`.

use std::collections::BTreeSet;

use comity_ledger::note::VerifierKey;
use comity_ledger::policy::{Policy, PolicyBuilder, PolicyName, Threshold};
use proptest::prelude::*;
use sha2::Digest as _;

use crate::policy::{met, with_keys, witness_vkey};

#[test]
fn quorums() {
    #[track_caller]
    fn check(text: &str, by: &[&str], expected: bool) {
        let text = with_keys(&format!(
            "witness a <A>\nwitness b <B>\nwitness c <C>\n{text}"
        ));
        assert_eq!(
            met(&Policy::parse(text.as_bytes()).unwrap(), by),
            expected,
            "{text} {by:?}"
        );
    }
    check("quorum none\n", &[], true);
    check("quorum a\n", &[], false);
    check("quorum a\n", &["a"], true);
    check("quorum a\n", &["b", "c"], false);
    check("group g any a b\nquorum g\n", &["b"], true);
    check("group g any a b\nquorum g\n", &["c"], false);
    check("group g all a b\nquorum g\n", &["a", "c"], false);
    check("group g all a b\nquorum g\n", &["a", "b"], true);
    check("group g 2 a b c\nquorum g\n", &["a", "c"], true);
    check("group g 2 a b c\nquorum g\n", &["c"], false);
    check("group g 1 a\ngroup h 1 g\nquorum h\n", &["a"], true);
    // a witness may be the quorum and the member of a group at once
    check("group g all a b\nquorum b\n", &["b"], true);
    // words of the language are names as good as any, except `none`
    check("group all any a b\nquorum all\n", &["a"], true);
    check("group 2 2 a b\nquorum 2\n", &["a"], false);
}

/// A random policy: per group a threshold kind and how many of the free names it takes.
#[derive(Debug, Clone)]
struct Shape {
    witnesses: usize,
    groups: Vec<(u8, usize, usize)>,
    quorum: Option<prop::sample::Index>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let groups = prop::collection::vec((0_u8..3, 1_usize..5, any::<usize>()), 0..8);
    (
        1_usize..12,
        groups,
        prop::option::weighted(0.9, any::<prop::sample::Index>()),
    )
        .prop_map(|(witnesses, groups, quorum)| Shape {
            witnesses,
            groups,
            quorum,
        })
}

/// The same policy for us and for `sigsum`, whose builder takes a number as threshold and knows neither `none` nor `all`
/// nor `any` as words.
fn build(shape: &Shape) -> (Policy, sigsum::policy::Policy) {
    let (mut ours, mut theirs) = (
        PolicyBuilder::default(),
        sigsum::policy::PolicyBuilder::new(),
    );
    let mut names: Vec<String> = Vec::new();
    for number in 0..shape.witnesses {
        let key = VerifierKey::parse(&witness_vkey(u32::try_from(number).unwrap())).unwrap();
        let public: [u8; 32] = key.public_key().try_into().unwrap();
        names.push(format!("w{number}"));
        ours.witness(names[number].as_bytes(), key, None).unwrap();
        theirs
            .add_witness(names[number].clone(), public.into(), None)
            .unwrap();
    }
    let mut free: BTreeSet<String> = names.iter().cloned().collect();
    for (number, (kind, count, pick)) in shape.groups.iter().enumerate() {
        let members: Vec<String> = free
            .iter()
            .cycle()
            .skip(pick % free.len().max(1))
            .take((*count).min(free.len()))
            .cloned()
            .collect();
        if members.is_empty() {
            break;
        }
        let (threshold, k) = match kind {
            0 => (Threshold::All, members.len()),
            1 => (Threshold::Any, 1),
            _ => (
                Threshold::AtLeast(pick % members.len() + 1),
                pick % members.len() + 1,
            ),
        };
        free.retain(|name| !members.contains(name));
        let name = format!("g{number}");
        let refs: Vec<&[u8]> = members.iter().map(String::as_bytes).collect();
        ours.group(name.as_bytes(), threshold, &refs).unwrap();
        theirs.add_group(name.clone(), k, members).unwrap();
        free.insert(name.clone());
        names.push(name);
    }
    match shape.quorum {
        Some(at) => {
            let name = at.get(&names);
            ours.quorum(name.as_bytes()).unwrap();
            theirs.set_quorum(name.clone()).unwrap();
        }
        None => ours.quorum(b"none").unwrap(),
    }
    (ours.build().unwrap(), theirs.build())
}

/// The key hash `sigsum` uses, so that the comparison above compares anything.
#[test]
fn the_oracle_knows_our_witnesses() {
    let (ours, theirs) = build(&Shape {
        witnesses: 2,
        groups: vec![],
        quorum: None,
    });
    for witness in ours.witnesses() {
        let hash: [u8; 32] = sha2::Sha256::digest(witness.key().public_key()).into();
        assert!(theirs.get_witness_by_keyhash(&hash.into()).is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever the groups and whoever has cosigned, `sigsum` says the same; and the file says the same policy.
    #[test]
    fn quorums_are_those_of_the_oracle(shape in shape(), sets in prop::collection::vec(any::<u16>(), 1..20)) {
        let (ours, theirs) = build(&shape);
        prop_assert_eq!(&Policy::parse(&ours.to_bytes()).unwrap(), &ours);
        for set in sets {
            let cosigned = |at: usize| set & (1 << at) != 0;
            let by: Vec<&PolicyName> = ours.witnesses().iter().enumerate()
                .filter(|(at, _)| cosigned(*at)).map(|(_, witness)| witness.name()).collect();
            let hashes: Vec<sigsum::Hash> = ours.witnesses().iter().enumerate()
                .filter(|(at, _)| cosigned(*at))
                .map(|(_, witness)| sigsum::Hash::new(witness.key().public_key())).collect();
            prop_assert_eq!(ours.is_met(|witness| by.contains(&witness.name())), theirs.check_quorum(&hashes));
        }
    }

    /// More cosignatures never make it less.
    #[test]
    fn quorums_are_monotone(shape in shape(), set: u16, more: u16) {
        let (policy, _) = build(&shape);
        let met = |set: u16| {
            let mut at = 0;
            policy.is_met(|_| { at += 1; set & (1 << (at - 1)) != 0 })
        };
        prop_assert!(!met(set) || met(set | more));
    }
}
