//! Random patterns: every construct of the language, valid by the grammar.

use std::num::NonZeroU64;

use comity_stix::pattern::{
    Comparator, Comparison, Constant, Finite, Leaf, ObjectPath, Observation, Pattern, Qualifier,
    Seconds, Step, Test,
};
use comity_stix::timestamp::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) fn pattern() -> impl Strategy<Value = Pattern> {
    observation().prop_map(|root| Pattern { root })
}

fn observation() -> impl Strategy<Value = Observation> {
    let single = comparison().prop_map(Observation::Single);
    single.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Observation::And),
            vec(inner.clone(), 2..4).prop_map(Observation::Or),
            vec(inner.clone(), 2..4).prop_map(Observation::FollowedBy),
            (inner, qualifiers()).prop_map(|(inner, qualifiers)| Observation::Qualified(
                Box::new(inner),
                qualifiers
            )),
        ]
    })
}

/// One to three, no two of a kind, in any order.
fn qualifiers() -> impl Strategy<Value = Vec<Qualifier>> {
    let repeats =
        (1..u64::from(u32::MAX)).prop_map(|n| Qualifier::Repeats(NonZeroU64::new(n).unwrap()));
    let within = (0.000_001..1e12_f64).prop_map(|n| Qualifier::Within(Seconds::new(n).unwrap()));
    let window =
        (timestamp(), timestamp()).prop_map(|(start, stop)| Qualifier::StartStop { start, stop });
    (
        repeats,
        within,
        window,
        1..4_usize,
        any::<proptest::sample::Index>(),
    )
        .prop_map(|(a, b, c, count, turn)| {
            let mut all = vec![a, b, c];
            all.rotate_left(turn.index(3));
            all.truncate(count);
            all
        })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    leaf()
        .prop_map(Comparison::Leaf)
        .prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 2..4).prop_map(Comparison::And),
                vec(inner, 2..4).prop_map(Comparison::Or),
            ]
        })
}

fn leaf() -> impl Strategy<Value = Leaf> {
    (path(), any::<bool>(), test()).prop_map(|(path, negated, test)| Leaf {
        path,
        negated,
        test,
    })
}

fn test() -> impl Strategy<Value = Test> {
    let equality = prop_oneof![Just(Comparator::Equal), Just(Comparator::NotEqual)];
    let order = prop_oneof![
        Just(Comparator::Less),
        Just(Comparator::LessOrEqual),
        Just(Comparator::Greater),
        Just(Comparator::GreaterOrEqual)
    ];
    prop_oneof![
        (equality, constant())
            .prop_map(|(comparator, constant)| Test::Compare(comparator, constant)),
        (order, ordered_constant())
            .prop_map(|(comparator, constant)| Test::Compare(comparator, constant)),
        set().prop_map(Test::In),
        text().prop_map(Test::Like),
        text().prop_map(Test::Matches),
        text().prop_map(Test::IsSubset),
        text().prop_map(Test::IsSuperset),
        Just(Test::Exists),
    ]
}

fn set() -> impl Strategy<Value = Vec<Constant>> {
    prop_oneof![
        vec(text().prop_map(Constant::String), 1..4),
        vec(number(), 1..4),
        vec(bytes(), 1..4),
        vec(any::<bool>().prop_map(Constant::Boolean), 1..3),
        vec(timestamp().prop_map(Constant::Timestamp), 1..3),
    ]
}

fn constant() -> impl Strategy<Value = Constant> {
    prop_oneof![
        ordered_constant(),
        any::<bool>().prop_map(Constant::Boolean)
    ]
}

fn ordered_constant() -> impl Strategy<Value = Constant> {
    prop_oneof![
        4 => text().prop_map(Constant::String),
        2 => number(),
        1 => bytes(),
        1 => timestamp().prop_map(Constant::Timestamp),
    ]
}

fn number() -> impl Strategy<Value = Constant> {
    prop_oneof![
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Constant::Integer),
        any::<f64>().prop_filter_map("finite", |value| Finite::new(value).map(Constant::Float)),
    ]
}

fn bytes() -> impl Strategy<Value = Constant> {
    prop_oneof![
        vec(any::<u8>(), 0..20).prop_map(Constant::Hex),
        vec(any::<u8>(), 0..20).prop_map(Constant::Binary),
    ]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (
        1970..2100_u32,
        1..13_u32,
        1..29_u32,
        0..24_u32,
        0..60_u32,
        0..60_u32,
        "(\\.[0-9]{1,12})?",
    )
        .prop_map(|(year, month, day, hour, minute, second, fraction)| {
            let text = format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"
            );
            Timestamp::parse(&text).unwrap()
        })
}

fn path() -> impl Strategy<Value = ObjectPath> {
    let object_type = prop_oneof![
        Just("file".to_owned()),
        Just("ipv4-addr".to_owned()),
        Just("network-traffic".to_owned()),
        "[a-z][a-z0-9-]{0,8}",
        "x-[a-z0-9_-]{1,8}",
        Just("IN".to_owned()),
        Just("t".to_owned()),
    ];
    let step = prop_oneof![
        4 => key().prop_map(Step::Key),
        1 => (0..9_007_199_254_740_991_u64).prop_map(Step::Index),
        1 => Just(Step::Any),
    ];
    (object_type, key(), vec(step, 0..4)).prop_map(|(object_type, first, rest)| {
        let mut steps = vec![Step::Key(first)];
        steps.extend(rest);
        ObjectPath { object_type, steps }
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z_][a-z0-9_]{0,8}",
        1 => "[A-Za-z0-9_.-]{1,8}",
        1 => prop_oneof![Just("AND".to_owned()), Just("true".to_owned()), Just("SHA-256".to_owned()), Just("t".to_owned())],
        1 => "\\PC{1,6}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 .:/%_-]{0,12}",
        "['\\\\a-z \\[\\]()]{0,8}",
        any::<String>(),
    ]
}
