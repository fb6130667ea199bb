//! The messages of tlog-witness: examples, errors, round trips. What a witness decides is in `witness_decides`.

use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::{NoteError, NoteInvalid, NoteSignature, SIGNATURES_MAX, SignedNote};
use comity_ledger::tree::{MemoryTiles, consistency_proof, root};
use comity_ledger::verify::TrustedLog;
use comity_ledger::witness::{
    ADD_CHECKPOINT_BYTES_MAX, AddCheckpoint, Answer, AnswerError, AnswerInvalid, RequestError,
    conflict_body, decide, monitoring_path, parse_conflict,
};
use proptest::prelude::*;

use crate::grown;
use crate::support::{ed25519_witness, ml_dsa_witness, name, signer};

/// The example request of tlog-witness, signatures and all. The document does not print the keys.
const REQUEST: &str = "old 20852014\n\
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
    jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
    5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
    /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
    \n\
    example.com/behind-the-sofa\n\
    20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
    \n\
    \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
/// The example answer.
const ANSWER: &str = "\u{2014} witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n\
    \u{2014} witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==\n\
    \u{2014} witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==\n";
pub(crate) const ORIGIN: &str = "comity.ua/log/1";
pub(crate) const NOW: u64 = 1_795_000_000;

pub(crate) fn log() -> TrustedLog {
    TrustedLog {
        origin: ORIGIN.to_owned(),
        keys: vec![
            signer(ORIGIN, 1).verifier().clone(),
            ml_dsa_witness(ORIGIN, 2).verifier().clone(),
        ],
    }
}

/// The log whose entries are 0, 1, 2...
pub(crate) fn tiles() -> MemoryTiles {
    grown(&[40]).1
}

pub(crate) fn head(size: u64) -> Checkpoint {
    Checkpoint::new(ORIGIN, size, root(&tiles(), size).unwrap()).unwrap()
}

pub(crate) fn sign(text: impl Into<String>) -> SignedNote {
    SignedNote::sign(text.into(), &[&signer(ORIGIN, 1)]).unwrap()
}

pub(crate) fn request(old: u64, size: u64) -> AddCheckpoint {
    let proof = consistency_proof(&tiles(), old, size).unwrap();
    AddCheckpoint::new(old, proof, sign(head(size).to_string())).unwrap()
}

#[test]
fn the_examples_of_the_specification() {
    let request = AddCheckpoint::parse(REQUEST.as_bytes()).unwrap();
    assert_eq!((request.old_size(), request.proof().len()), (20_852_014, 4));
    assert_eq!(request.origin_unverified(), "example.com/behind-the-sofa");
    assert_eq!(
        (
            request.note().signatures().len(),
            request.to_string().as_str()
        ),
        (2, REQUEST)
    );
    let answer = Answer::parse(ANSWER.as_bytes()).unwrap();
    assert_eq!(
        (answer.lines().len(), answer.to_string().as_str()),
        (3, ANSWER)
    );
    assert_eq!(
        (
            conflict_body(20_852_163).as_str(),
            parse_conflict(b"20852163\n")
        ),
        ("20852163\n", Some(20_852_163))
    );
    // printf example.com/behind-the-sofa | sha256sum
    assert_eq!(
        monitoring_path("example.com/behind-the-sofa"),
        "5fd2dc0beb4ce54da5050cf6d5c75248b023abad441c3cecde3976fbe9da4fe4/checkpoint"
    );
}

#[test]
fn request_errors() {
    fn check(from: &str, to: &str, expected: RequestError) {
        let changed = REQUEST.replacen(from, to, 1);
        assert_ne!(changed, REQUEST);
        assert_eq!(
            AddCheckpoint::parse(changed.as_bytes()),
            Err(expected),
            "{changed}"
        );
    }
    check("old ", "new ", RequestError::Old);
    check("old ", "old  ", RequestError::Old);
    check("old ", " old ", RequestError::Old);
    check("old ", "Old ", RequestError::Old);
    check("old 2", "old 02", RequestError::Old);
    check("old 2", "old -2", RequestError::Old);
    check("old 20852014", "old ", RequestError::Old);
    check("old 20852014", "old 9223372036854775808", RequestError::Old);
    check("old 20852014\n", "", RequestError::Old);
    check("kaw=", "kaw", RequestError::Proof(1));
    check("kaw=", "kax=", RequestError::Proof(1));
    check("PlRN", "PlRNAAAA", RequestError::Proof(1));
    check("jrJZ", " jrJZ", RequestError::Proof(2));
    check("Kj/0=\n\n", "Kj/0=\n", RequestError::Proof(5));
    check(
        "Kj/0=\n\n",
        "Kj/0=\n\n\n",
        RequestError::Checkpoint(comity_ledger::checkpoint::CheckpointError::Origin),
    );
    check(
        "Kj/0=\n",
        &format!(
            "Kj/0=\n{}",
            format!("{}\n", "A".repeat(43) + "=").repeat(60)
        ),
        RequestError::Proof(64),
    );
    check(
        "20852163\n",
        "020852163\n",
        RequestError::Checkpoint(comity_ledger::checkpoint::CheckpointError::Size),
    );
    check(
        "\n\n\u{2014}",
        "\n\u{2014}",
        RequestError::Note(NoteError::Separator),
    );
    check(
        "AYQ8=\n",
        "AYQ8=\r\n",
        RequestError::Note(NoteError::Control(207)),
    );
    let long = vec![b'a'; ADD_CHECKPOINT_BYTES_MAX + 1];
    assert_eq!(
        AddCheckpoint::parse(&long),
        Err(RequestError::Long(long.len()))
    );
    assert_eq!(
        AddCheckpoint::parse(b"old 1\n\xff"),
        Err(RequestError::Note(NoteError::Utf8))
    );
    for end in 0..REQUEST.len() {
        // whole lines may be missing at the end: the second signature
        let cut = AddCheckpoint::parse(&REQUEST.as_bytes()[..end]);
        assert!(
            cut.is_err() || REQUEST.as_bytes()[..end].ends_with(b"AYQ8=\n"),
            "cut at {end}"
        );
    }
    for extra in ["\n", "x", " ", "\0", REQUEST] {
        assert!(
            AddCheckpoint::parse(format!("{REQUEST}{extra}").as_bytes()).is_err(),
            "{extra:?}"
        );
    }
    // the longest there can be
    let mut largest = sign(head(5).to_string());
    while largest
        .add(NoteSignature::new(name("w"), 1, vec![0; 5000]).unwrap())
        .is_ok()
    {}
    let largest = AddCheckpoint::new(1, vec![[7; 32]; 63], largest).unwrap();
    assert_eq!(
        AddCheckpoint::parse(largest.to_string().as_bytes()),
        Ok(largest.clone())
    );
    assert_eq!(
        AddCheckpoint::new(1, vec![[7; 32]; 64], largest.note().clone()),
        Err(RequestError::Proof(64))
    );
    assert_eq!(
        AddCheckpoint::new(1 << 63, vec![], largest.note().clone()),
        Err(RequestError::Old)
    );
    assert!(AddCheckpoint::new(1, vec![], sign("hello\n")).is_err());
}

#[test]
fn answer_errors() {
    let check = |body: &str, expected| {
        assert_eq!(Answer::parse(body.as_bytes()), Err(expected), "{body:?}")
    };
    check("", AnswerError::Count);
    check("\n", AnswerError::Line(1));
    check(&ANSWER[..ANSWER.len() - 1], AnswerError::Line(3));
    check(&format!("{ANSWER}\n"), AnswerError::Line(4));
    check(&format!("{ANSWER}x"), AnswerError::Line(4));
    check(&ANSWER.replacen('\u{2014}', "-", 1), AnswerError::Line(1));
    check(&ANSWER.replacen("w1", "w+1", 1), AnswerError::Line(1));
    check(&ANSWER.replacen("==", "=", 1), AnswerError::Line(1));
    check(
        &"\u{2014} n AAAAAAE=\n".repeat(SIGNATURES_MAX + 1),
        AnswerError::Count,
    );
    assert_eq!(Answer::parse(b"\xff"), Err(AnswerError::Line(1)));
    assert_eq!(
        Answer::parse(&vec![b'a'; 1_000_001]),
        Err(AnswerError::Long(1_000_001))
    );
    for wrong in [
        "",
        "1",
        "1\n\n",
        "01\n",
        " 1\n",
        "1\r\n",
        "-1\n",
        "9223372036854775808\n",
    ] {
        assert_eq!(parse_conflict(wrong.as_bytes()), None, "{wrong:?}");
    }
    assert_eq!(
        (parse_conflict(b"0\n"), parse_conflict(b"\xff\n")),
        (Some(0), None)
    );
}

#[test]
fn answers_that_are_of_no_use() {
    let (w1, w2) = (ed25519_witness("w1", 5), ml_dsa_witness("w2", 6));
    let keys = [w1.verifier().clone(), w2.verifier().clone()];
    let accepted = decide(Some(&log()), None, &request(0, 9)).unwrap();
    let lines = [
        w1.cosign(&accepted, NOW).unwrap(),
        w2.cosign(&accepted, NOW).unwrap(),
    ];
    let check = |lines: &[NoteSignature], checkpoint: u64| {
        Answer::new(lines.to_vec())
            .unwrap()
            .cosignatures(&head(checkpoint), &keys)
            .map(|them| them.len())
    };
    assert_eq!(check(&lines, 9), Ok(2));
    // "The client MUST ignore any cosignatures from unknown keys"
    let stranger = ed25519_witness("w3", 7).cosign(&accepted, NOW).unwrap();
    assert_eq!(check(&[stranger.clone(), lines[0].clone()], 9), Ok(1));
    assert_eq!(check(&[stranger], 9), Err(NoteInvalid::Unknown.into()));
    // of another head
    assert_eq!(
        check(&lines[..1], 8),
        Err(NoteInvalid::Wrong(name("w1")).into())
    );
    assert_eq!(
        check(&[lines[0].clone(), lines[0].clone()], 9),
        Err(NoteInvalid::Twice(name("w1")).into())
    );
    // "the timestamp MUST NOT be zero"
    use fips204::traits::{KeyGen as _, Signer as _};
    let message = [
        b"subtree/v1\n\0\x02w2".as_slice(),
        &[0; 8],
        &[15],
        ORIGIN.as_bytes(),
        &[0; 8],
        &9_u64.to_be_bytes(),
        head(9).root(),
    ]
    .concat();
    let (_, private) = fips204::ml_dsa_44::KG::keygen_from_seed(&[6; 32]);
    let signature = private.try_sign_with_seed(&[0; 32], &message, &[]).unwrap();
    let timeless = NoteSignature::new(
        name("w2"),
        keys[1].id(),
        [&[0; 8], signature.as_slice()].concat(),
    )
    .unwrap();
    assert_eq!(
        check(&[timeless], 9),
        Err(AnswerInvalid::NoTime(name("w2")))
    );
    // a key that signs texts cannot vouch as a witness
    let plain = signer("w1", 5);
    let answer = Answer::new(vec![plain.sign(&head(9).to_string())]).unwrap();
    assert_eq!(
        answer.cosignatures(&head(9), &[plain.verifier().clone()]),
        Err(AnswerInvalid::NoCosigner(name("w1")))
    );
}

proptest! {
    #[test]
    fn round_trip(old in 0_u64..1 << 63, proof in prop::collection::vec(any::<[u8; 32]>(), 0..64), size in 1_u64..1 << 63) {
        let text = Checkpoint::new(ORIGIN, size, [3; 32]).unwrap().to_string();
        let request = AddCheckpoint::new(old, proof, sign(text)).unwrap();
        prop_assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request));
        prop_assert_eq!(parse_conflict(conflict_body(old).as_bytes()), Some(old));
    }

    #[test]
    fn answers_round_trip(lines in prop::collection::vec(("[a-z]{1,9}", any::<u32>(), prop::collection::vec(any::<u8>(), 1..90)), 1..20)) {
        let lines = lines.into_iter().map(|(key, id, blob)| NoteSignature::new(name(&key), id, blob).unwrap()).collect();
        let answer = Answer::new(lines).unwrap();
        prop_assert_eq!(Answer::parse(answer.to_string().as_bytes()), Ok(answer));
    }

    /// Any lines: what is read prints back to the same bytes.
    #[test]
    fn reading_is_exact(body in "(old [0-9]{1,3}\n)?([A-C]{43}=\n){0,3}\n?(o\n[0-9]\n[A-C]{43}=\n)?\n?(\u{2014} n AAAAAAE=\n){0,3}") {
        if let Ok(request) = AddCheckpoint::parse(body.as_bytes()) {
            prop_assert_eq!(request.to_string(), &body[..]);
        }
        if let Ok(answer) = Answer::parse(body.as_bytes()) {
            prop_assert_eq!(answer.to_string(), body);
        }
    }
}
