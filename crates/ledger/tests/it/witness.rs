//! The messages of tlog-witness and the witness's decision, check by check in the specification's order.

use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::{CosignError, Cosigner};
use comity_ledger::note::{NoteError, NoteInvalid, NoteSignature, SIGNATURES_MAX, SignedNote};
use comity_ledger::tree::{
    Frontier, MemoryTiles, ProofInvalid, consistency_proof, empty_root, root,
};
use comity_ledger::verify::{self, TrustedLog};
use comity_ledger::witness::{
    ADD_CHECKPOINT_BYTES_MAX, AddCheckpoint, Answer, AnswerError, AnswerInvalid, Evidence, Reason,
    RequestError, conflict_body, decide, monitoring_path, parse_conflict,
};
use proptest::prelude::*;
use tlog_tiles::tlog;

use crate::support::{ed25519_witness, ml_dsa_witness, name, signer};
use crate::{grown, leaf, leaves};

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
const ORIGIN: &str = "comity.ua/log/1";
const NOW: u64 = 1_795_000_000;

fn log() -> TrustedLog {
    TrustedLog {
        origin: ORIGIN.to_owned(),
        keys: vec![
            signer(ORIGIN, 1).verifier().clone(),
            ml_dsa_witness(ORIGIN, 2).verifier().clone(),
        ],
    }
}

/// The log whose entries are 0, 1, 2...
fn tiles() -> MemoryTiles {
    grown(&[40]).1
}

fn head(size: u64) -> Checkpoint {
    Checkpoint::new(ORIGIN, size, root(&tiles(), size).unwrap()).unwrap()
}

fn sign(text: impl Into<String>) -> SignedNote {
    SignedNote::sign(text.into(), &[&signer(ORIGIN, 1)]).unwrap()
}

fn request(old: u64, size: u64) -> AddCheckpoint {
    let proof = consistency_proof(&tiles(), old, size).unwrap();
    AddCheckpoint::new(old, proof, sign(head(size).to_string())).unwrap()
}

/// Another log under the same key: the first entry differs.
fn forked(old: u64, size: u64) -> (MemoryTiles, AddCheckpoint) {
    let mut leaves = leaves(0, size);
    leaves[0] = leaf(99);
    let appended = Frontier::empty().append(&leaves).unwrap();
    let mut tiles = MemoryTiles::default();
    tiles.write(appended.tiles);
    let proof = consistency_proof(&tiles, old, size).unwrap();
    let text = Checkpoint::new(ORIGIN, size, appended.root)
        .unwrap()
        .to_string();
    (tiles, AddCheckpoint::new(old, proof, sign(text)).unwrap())
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

/// From the first head on: what is accepted is cosigned, stored, and served to monitors.
#[test]
fn a_log_is_witnessed() {
    let cosigners = [
        ed25519_witness("w.example", 5),
        ml_dsa_witness("w.example", 6),
    ];
    let keys: Vec<_> = cosigners.iter().map(|it| it.verifier().clone()).collect();
    let mut latest: Option<Checkpoint> = None;
    for size in [0, 0, 1, 1, 7, 8, 39, 39, 40] {
        let old = latest.as_ref().map_or(0, Checkpoint::size);
        let sent = AddCheckpoint::parse(request(old, size).to_string().as_bytes()).unwrap();
        let accepted = decide(Some(&log()), latest.as_ref(), &sent).unwrap();
        assert_eq!(accepted.checkpoint(), &head(size));
        let both: Vec<&Cosigner> = cosigners.iter().collect();
        let cosigned = accepted.cosign(&both, NOW + size).unwrap();
        // the log adds the lines to its own note
        let answer = Answer::parse(cosigned.answer().to_string().as_bytes()).unwrap();
        let mut own = sign(head(size).to_string());
        for cosignature in answer.cosignatures(&head(size), &keys).unwrap() {
            assert_eq!(cosignature.verified.time_seconds(), Some(NOW + size));
            own.add(cosignature.line).unwrap();
        }
        assert_eq!(own.verify(&keys).unwrap().cosignatures().len(), 2);
        // "it MUST include the cosignature(s) [...] and the cosignature from the log key(s) that the witness verified"
        assert_eq!(&own, cosigned.note());
        verify::checkpoint(&log(), cosigned.note().to_string().as_bytes()).unwrap();
        latest = Some(head(size));
    }
    let nobody = decide(Some(&log()), None, &request(0, 3))
        .unwrap()
        .cosign(&[], NOW);
    assert_eq!(nobody, Err(CosignError::Signing));
    let early = decide(Some(&log()), None, &request(0, 3))
        .unwrap()
        .cosign(&[&cosigners[0]], 0);
    assert_eq!(early, Err(CosignError::Time(0)));
}

/// Lines by others than the log are not kept: nobody verified them.
#[test]
fn unknown_signatures_are_ignored_and_dropped() {
    let mut note = sign(head(3).to_string());
    let stranger = signer("stranger.example", 9).sign(note.text_unverified());
    note.add(stranger).unwrap();
    let sent = AddCheckpoint::new(0, vec![], note).unwrap();
    let accepted = decide(Some(&log()), None, &sent).unwrap();
    assert_eq!(accepted.note(), &sign(head(3).to_string()));
    // the log's ML-DSA-44 key alone is as good
    let own = ml_dsa_witness(ORIGIN, 2).sign_own(&head(3), NOW).unwrap();
    let mut note =
        SignedNote::sign(head(3).to_string(), &[&signer("stranger.example", 9)]).unwrap();
    note.add(own.clone()).unwrap();
    let accepted = decide(
        Some(&log()),
        None,
        &AddCheckpoint::new(0, vec![], note).unwrap(),
    )
    .unwrap();
    assert_eq!(accepted.note().signatures(), [own]);
}

#[test]
fn refusals_in_the_order_of_the_specification() {
    #[track_caller]
    fn check(
        latest: Option<u64>,
        request: &AddCheckpoint,
        expected: (u16, Reason),
        evidence: &str,
    ) {
        let latest = latest.map(head);
        let refusal = decide(Some(&log()), latest.as_ref(), request).unwrap_err();
        assert_eq!((refusal.status(), refusal.reason().clone()), expected);
        let said = match refusal.evidence() {
            Evidence::None => "none",
            Evidence::Suspicion(note) | Evidence::Misbehaviour(note) if note != request.note() => {
                "another note"
            }
            Evidence::Suspicion(_) => "suspicion",
            Evidence::Misbehaviour(_) => "misbehaviour",
        };
        assert_eq!(said, evidence);
        assert_eq!(
            refusal.conflict_size(),
            match expected.1 {
                Reason::Conflict { latest, .. } => Some(latest),
                _ => None,
            }
        );
        assert_eq!(refusal.to_string(), refusal.reason().to_string());
    }
    let with = |old: u64, proof: Vec<Hash>, text: String| {
        AddCheckpoint::new(old, proof, sign(text)).unwrap()
    };
    let proof = |old: u64, size: u64| consistency_proof(&tiles(), old, size).unwrap();
    // 404 comes before everything, also before signatures
    let unknown = || (404, Reason::UnknownOrigin("other.example/log".to_owned()));
    let other = Checkpoint::new("other.example/log", 9, [1; 32])
        .unwrap()
        .to_string();
    check(Some(6), &with(30, vec![], other.clone()), unknown(), "none");
    let nobody = decide(None, None, &request(0, 3)).unwrap_err();
    assert_eq!((nobody.status(), nobody.evidence()), (404, &Evidence::None));
    // 403: nobody's signature, a wrong one beside a right one, two by one key
    let unsigned = SignedNote::sign(head(9).to_string(), &[&signer(ORIGIN, 77)]).unwrap();
    let unsigned = AddCheckpoint::new(30, vec![], unsigned).unwrap();
    check(
        Some(6),
        &unsigned,
        (403, NoteInvalid::Unknown.into()),
        "none",
    );
    let mut wrong = sign(head(9).to_string());
    let moved = ml_dsa_witness(ORIGIN, 2).sign_own(&head(8), NOW).unwrap();
    wrong.add(moved).unwrap();
    let wrong = AddCheckpoint::new(6, proof(6, 9), wrong).unwrap();
    check(
        Some(6),
        &wrong,
        (403, NoteInvalid::Wrong(name(ORIGIN)).into()),
        "none",
    );
    let mut twice = sign(head(9).to_string());
    twice.add(twice.signatures()[0].clone()).unwrap();
    let twice = AddCheckpoint::new(6, proof(6, 9), twice).unwrap();
    check(
        Some(6),
        &twice,
        (403, NoteInvalid::Twice(name(ORIGIN)).into()),
        "none",
    );
    // 400 before 409
    check(
        Some(6),
        &with(10, vec![], head(9).to_string()),
        (400, Reason::OldSize { old: 10, size: 9 }),
        "none",
    );
    check(
        Some(10),
        &with(10, vec![], head(9).to_string()),
        (400, Reason::OldSize { old: 10, size: 9 }),
        "none",
    );
    // 409 before 422: whatever the proof
    let conflict = |old, latest| (409, Reason::Conflict { old, latest });
    check(
        Some(6),
        &with(0, vec![[1; 32]; 9], head(9).to_string()),
        conflict(0, 6),
        "none",
    );
    check(
        Some(6),
        &with(5, proof(5, 9), head(9).to_string()),
        conflict(5, 6),
        "none",
    );
    check(
        Some(6),
        &with(5, proof(5, 5), head(5).to_string()),
        conflict(5, 6),
        "none",
    );
    check(
        None,
        &with(5, proof(5, 9), head(9).to_string()),
        conflict(5, 0),
        "none",
    );
    // 422: the empty tree with a root
    let rooted = format!("{ORIGIN}\n0\n{}\n", "A".repeat(43) + "=");
    check(
        None,
        &with(0, vec![], rooted.clone()),
        (422, Reason::EmptyRoot),
        "misbehaviour",
    );
    check(
        Some(0),
        &with(0, vec![], rooted.clone()),
        (422, Reason::EmptyRoot),
        "misbehaviour",
    );
    check(
        Some(6),
        &with(0, vec![], rooted),
        conflict(0, 6),
        "misbehaviour",
    );
    // 422: a proof where none is needed
    check(
        None,
        &with(0, vec![[1; 32]], head(9).to_string()),
        (422, ProofInvalid::Length.into()),
        "suspicion",
    );
    check(
        Some(9),
        &with(9, vec![[1; 32]], head(9).to_string()),
        (422, ProofInvalid::Length.into()),
        "suspicion",
    );
    // 422: a proof that does not hold
    let mut changed = proof(6, 9);
    changed[0][0] ^= 1;
    check(
        Some(6),
        &with(6, changed, head(9).to_string()),
        (422, ProofInvalid::Root.into()),
        "suspicion",
    );
    check(
        Some(6),
        &with(6, vec![], head(9).to_string()),
        (422, ProofInvalid::Length.into()),
        "suspicion",
    );
    // 422: same size, other root
    let split = forked(9, 9).1;
    check(Some(9), &split, (422, Reason::SplitView), "misbehaviour");
    // the same with a wrong old size: 409 first, but the contradiction is seen
    let split = AddCheckpoint::new(8, vec![], split.note().clone()).unwrap();
    check(Some(9), &split, conflict(8, 9), "misbehaviour");
    // a fork that grew on, with its own proof
    check(
        Some(9),
        &forked(9, 12).1,
        (422, ProofInvalid::Root.into()),
        "suspicion",
    );
}

/// Keys or a head looked up for another origin: a mistake of the caller, and no reason to sign.
#[test]
fn state_of_another_log() {
    let other = TrustedLog {
        origin: "other.example/log".to_owned(),
        ..log()
    };
    assert_eq!(
        decide(Some(&other), None, &request(0, 3))
            .unwrap_err()
            .status(),
        404
    );
    let foreign = Checkpoint::new("other.example/log", 0, empty_root()).unwrap();
    assert_eq!(
        decide(Some(&log()), Some(&foreign), &request(0, 3))
            .unwrap_err()
            .status(),
        404
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

/// `tlog_tiles` keeps every node in one list.
struct Nodes(std::cell::RefCell<Vec<tlog::Hash>>);

impl tlog::HashReader for Nodes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        let nodes = self.0.borrow();
        Ok(indexes
            .iter()
            .map(|i| nodes[usize::try_from(*i).unwrap()])
            .collect())
    }
}

fn nodes(leaves: &[Hash]) -> Nodes {
    let nodes = Nodes(std::cell::RefCell::default());
    for (n, leaf) in (0..).zip(leaves) {
        let hashes = tlog::stored_hashes_for_record_hash(n, tlog::Hash(*leaf), &nodes).unwrap();
        nodes.0.borrow_mut().extend(hashes);
    }
    nodes
}

/// One submission: which of two histories, from where, to where, with what done to the proof.
#[derive(Debug, Clone)]
struct Step {
    fork: bool,
    old: Option<u64>,
    size: u64,
    spoil: Option<(prop::sample::Index, u8)>,
}

fn step() -> impl Strategy<Value = Step> {
    let spoil = prop::option::weighted(0.2, any::<(prop::sample::Index, u8)>());
    (
        prop::bool::weighted(0.2),
        prop::option::weighted(0.4, 0_u64..90),
        0_u64..90,
        spoil,
    )
        .prop_map(|(fork, old, size, spoil)| Step {
            fork,
            old,
            size,
            spoil,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any submissions from a log that forks at a random place: what is accepted is always one history, `tlog_tiles` agrees
    /// with each verdict on proofs, and nothing honest is ever refused.
    #[test]
    fn no_two_accepted_heads_contradict(fork_at in 0_u64..90, steps in prop::collection::vec(step(), 1..25)) {
        let honest = leaves(0, 90);
        let mut other = honest.clone();
        other[usize::try_from(fork_at).unwrap()] = leaf(1_000_000);
        let histories = [nodes(&honest), nodes(&other)];
        let mut latest: Option<(Checkpoint, bool)> = None;
        for Step { fork, old, size, spoil } in steps {
            let theirs = &histories[usize::from(fork)];
            let latest_size = latest.as_ref().map_or(0, |(head, _)| head.size());
            let old = old.unwrap_or(latest_size);
            let root = if size == 0 { empty_root() } else { tlog::tree_hash(size, theirs).unwrap().0 };
            let mut proof: Vec<Hash> = if 0 < old && old < size {
                tlog::prove_tree(size, old, theirs).unwrap().into_iter().map(|hash| hash.0).collect()
            } else {
                vec![]
            };
            let spoilt = match spoil {
                Some((at, bit)) if !proof.is_empty() => {
                    let at = at.index(proof.len());
                    proof[at][usize::from(bit / 8)] ^= 1 << (bit % 8);
                    true
                }
                Some(_) => { proof.push([7; 32]); true }
                None => false,
            };
            let text = Checkpoint::new(ORIGIN, size, root).unwrap().to_string();
            let sent = AddCheckpoint::new(old, proof.clone(), sign(text)).unwrap();
            let sent = AddCheckpoint::parse(sent.to_string().as_bytes()).unwrap();
            let verdict = decide(Some(&log()), latest.as_ref().map(|(head, _)| head), &sent);
            // the same history, as far as the two heads reach
            let was_fork = latest.as_ref().is_some_and(|(_, fork)| *fork);
            let same = was_fork == fork || latest_size <= fork_at;
            let expected = if old > size { 400 } else if old != latest_size { 409 } else if spoilt || !same { 422 } else { 200 };
            prop_assert_eq!(verdict.as_ref().map_or_else(|refusal| refusal.status(), |_| 200), expected);
            if expected == 422 && 0 < old && old < size {
                let proof: Vec<_> = proof.into_iter().map(tlog::Hash).collect();
                let old_root = tlog::Hash(*latest.as_ref().unwrap().0.root());
                prop_assert!(tlog::check_tree(&proof, size, tlog::Hash(root), old, old_root).is_err());
            }
            match verdict {
                Ok(accepted) => latest = Some((accepted.checkpoint().clone(), fork && size > fork_at)),
                Err(refusal) => {
                    let second_root = latest.as_ref().is_some_and(|(head, _)| head.size() == size && *head.root() != root);
                    prop_assert_eq!(matches!(refusal.evidence(), Evidence::Misbehaviour(_)), second_root);
                }
            }
        }
    }

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
