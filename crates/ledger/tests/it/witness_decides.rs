//! What a witness decides: check by check in the specification's order, and on random logs that fork, against `tlog_tiles`.

use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::{CosignError, Cosigner};
use comity_ledger::note::{NoteInvalid, SignedNote};
use comity_ledger::tree::{Frontier, MemoryTiles, ProofInvalid, consistency_proof, empty_root};
use comity_ledger::verify::{self, TrustedLog};
use comity_ledger::witness::{AddCheckpoint, Answer, Evidence, Reason, decide};
use proptest::prelude::*;
use tlog_tiles::tlog;

use crate::support::{ed25519_witness, ml_dsa_witness, name, signer};
use crate::witness::{NOW, ORIGIN, head, log, request, sign, tiles};
use crate::{leaf, leaves};

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
    assert_eq!(nobody, Err(CosignError::NoCosigner));
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
}
