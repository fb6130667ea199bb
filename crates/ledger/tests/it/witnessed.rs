//! Verification under a policy: which witnesses, when, and everything that must not pass for witnessed.

use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::Cosigner;
use comity_ledger::entry::{Entry, Event, LINK_NONE, commitment};
use comity_ledger::note::{NoteInvalid, NoteSignature, SignedNote};
use comity_ledger::policy::Policy;
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::{Frontier, MemoryTiles, inclusion_proof};
use comity_ledger::verify::{self, TrustedLog, VerifyError};
use comity_ledger::witness::{AddCheckpoint, Answer, decide};
use proptest::prelude::*;

use crate::leaf;
use crate::support::{ed25519_witness, ml_dsa_witness, name, signer};

const ORIGIN: &str = "comity.eu/log/1";
const CONTENT: Hash = [0xc0; 32];
const SALT: [u8; 32] = [0x5a; 32];
const INDEX: u64 = 4;
const NOW: u64 = 1_795_000_000;

fn log() -> TrustedLog {
    TrustedLog {
        origin: ORIGIN.to_owned(),
        keys: vec![signer(ORIGIN, 1).verifier().clone()],
    }
}

/// Three witnesses of two kinds.
fn witnesses() -> [Cosigner; 3] {
    [
        ed25519_witness("state.example/witness", 11),
        ml_dsa_witness("university.example/witness", 12),
        ed25519_witness("ngo.example/witness", 13),
    ]
}

fn policy_with(quorum: &str) -> Policy {
    let [state, university, ngo] = witnesses().map(|it| it.verifier().to_string());
    let text = format!(
        "log {}\nwitness state {state}\nwitness university {university}\nwitness ngo {ngo}\n{quorum}\n",
        signer(ORIGIN, 1).verifier()
    );
    Policy::parse(text.as_bytes()).unwrap()
}

/// Two of three.
fn policy() -> Policy {
    policy_with("group any-two 2 state university ngo\nquorum any-two")
}

fn entry() -> Entry {
    Entry {
        event: Event::SubmissionAcceptance,
        time_micros: NOW * 1_000_000,
        commitment: commitment(&SALT, &CONTENT),
        link: LINK_NONE,
    }
}

/// A log of ten entries of which one is a record's; `variant` is the first entry, so that two variants are a split view.
fn tree(variant: u64) -> (MemoryTiles, Checkpoint) {
    let record = entry().leaf_hash().unwrap();
    let leaves: Vec<_> = (0..10)
        .map(|n| match n {
            0 => leaf(variant),
            INDEX => record,
            n => leaf(n),
        })
        .collect();
    let appended = Frontier::empty().append(&leaves).unwrap();
    let mut tiles = MemoryTiles::default();
    tiles.write(appended.tiles);
    (tiles, Checkpoint::new(ORIGIN, 10, appended.root).unwrap())
}

/// The head, signed by the log and cosigned by these witnesses, who have seen no other.
fn head(variant: u64, by: &[(usize, u64)]) -> SignedNote {
    let (_, checkpoint) = tree(variant);
    let mut note = checkpoint.sign(&[&signer(ORIGIN, 1)]).unwrap();
    let request = AddCheckpoint::new(0, vec![], note.clone()).unwrap();
    for (at, time) in by {
        let accepted = decide(Some(&log()), None, &request).unwrap();
        note.add(witnesses()[*at].cosign(&accepted, *time).unwrap())
            .unwrap();
    }
    note
}

fn proof(variant: u64, note: SignedNote) -> Vec<u8> {
    let path = inclusion_proof(&tree(variant).0, INDEX, 10).unwrap();
    let extra = Opening {
        entry: entry().encode().unwrap(),
        salt: Some(SALT),
    }
    .to_bytes();
    Proof::new(INDEX, path, note, Some(extra))
        .unwrap()
        .to_string()
        .into_bytes()
}

fn reached(by: &[(usize, u64)]) -> Result<Vec<(String, Option<u64>)>, VerifyError> {
    let record = verify::record_under(&policy(), &proof(0, head(0, by)), &CONTENT)?;
    let head = record.entry().checkpoint();
    assert_eq!(
        (
            record.entry().index(),
            record.entry().entry(),
            record.content_sha256()
        ),
        (INDEX, &entry(), &CONTENT)
    );
    assert_eq!(
        (head.head(), head.checkpoint().signers()),
        (&tree(0).1, &log().keys[..])
    );
    Ok(head
        .witnesses()
        .iter()
        .map(|it| (it.witness().name().to_string(), it.time_seconds()))
        .collect())
}

#[test]
fn a_record_is_witnessed() {
    let named = |it: &[(&str, u64)]| {
        it.iter()
            .map(|(name, time)| ((*name).to_owned(), Some(*time)))
            .collect::<Vec<_>>()
    };
    // in the policy's order, whatever the note's
    assert_eq!(
        reached(&[(1, NOW), (0, NOW + 9)]),
        Ok(named(&[("state", NOW + 9), ("university", NOW)]))
    );
    let all = reached(&[(0, 5), (1, 6), (2, 7)]).unwrap();
    assert_eq!(all, named(&[("state", 5), ("university", 6), ("ngo", 7)]));
    // entry and head alone
    let note = head(0, &[(0, NOW), (2, NOW)]);
    let entry = verify::entry_under(&policy(), &proof(0, note.clone())).unwrap();
    assert_eq!(entry.leaf(), &self::entry().leaf_hash().unwrap());
    let alone = verify::checkpoint_under(&policy(), note.to_string().as_bytes()).unwrap();
    assert_eq!(&alone, entry.checkpoint());
}

/// A proof may go out before the witnesses have answered: it holds the log to its word, and nobody else.
#[test]
fn pending_witnesses() {
    for by in [&[][..], &[(1, NOW)]] {
        assert!(verify::record(&log(), &proof(0, head(0, by)), &CONTENT).is_ok());
        let VerifyError::Quorum {
            quorum,
            witnessed,
            known,
        } = reached(by).unwrap_err()
        else {
            panic!("another error");
        };
        assert_eq!(
            (quorum.to_string().as_str(), witnessed.len(), known),
            ("any-two", by.len(), 3)
        );
    }
    assert_eq!(
        reached(&[(1, NOW)]).unwrap_err().to_string(),
        "the quorum `any-two` is not reached: of 3 known witnesses, these have cosigned: `university`; ask the log for a newer proof"
    );
    assert!(
        reached(&[])
            .unwrap_err()
            .to_string()
            .contains("these have cosigned: none;")
    );
    // with no quorum, the log's word is enough, and who has cosigned is still told
    let none = policy_with("quorum none");
    let record = verify::record_under(&none, &proof(0, head(0, &[(1, NOW)])), &CONTENT).unwrap();
    let head = record.entry().checkpoint();
    assert_eq!(
        (head.witnesses().len(), head.quorum_at_seconds()),
        (1, None)
    );
}

/// The time by which enough had cosigned, which is that of the last one needed.
#[test]
fn when_the_quorum_was_reached() {
    #[track_caller]
    fn check(quorum: &str, by: &[(usize, u64)], expected: Option<u64>) {
        let policy = policy_with(quorum);
        let head = verify::checkpoint_under(&policy, head(0, by).to_string().as_bytes()).unwrap();
        assert_eq!(head.quorum_at_seconds(), expected);
    }
    let two = "group any-two 2 state university ngo\nquorum any-two";
    check(two, &[(0, 30), (1, 10)], Some(30));
    check(two, &[(0, 30), (1, 10), (2, 20)], Some(20));
    check("quorum ngo", &[(0, 30), (1, 10), (2, 20)], Some(20));
    check(
        "group all-of all state university ngo\nquorum all-of",
        &[(0, 30), (1, 10), (2, 20)],
        Some(30),
    );
}

/// The log shows one tree to some and another to others: honest witnesses cosign one of the two only.
#[test]
fn a_split_view() {
    // every witness is a program with one row of state
    let mut latest: [Option<Checkpoint>; 3] = [None, None, None];
    let mut submit = |variant: u64, to: &[usize]| {
        let (_, checkpoint) = tree(variant);
        let mut note = checkpoint.sign(&[&signer(ORIGIN, 1)]).unwrap();
        let mut refused = Vec::new();
        for at in to {
            let old = latest[*at].as_ref().map_or(0, Checkpoint::size);
            let request = AddCheckpoint::new(old, vec![], note.only(&log().keys).unwrap()).unwrap();
            match decide(Some(&log()), latest[*at].as_ref(), &request) {
                Ok(accepted) => {
                    note.add(witnesses()[*at].cosign(&accepted, NOW).unwrap())
                        .unwrap();
                    latest[*at] = Some(accepted.checkpoint().clone());
                }
                Err(refusal) => refused.push(refusal.status()),
            }
        }
        (note, refused)
    };
    let (shown_to_us, refused) = submit(0, &[0, 1]);
    assert_eq!(refused, []);
    let (shown_to_them, refused) = submit(77, &[0, 1, 2]);
    assert_eq!(refused, [422, 422]);
    let record = |variant, note: SignedNote| {
        verify::record_under(&policy(), &proof(variant, note), &CONTENT)
    };
    assert!(record(0, shown_to_us.clone()).is_ok());
    assert!(matches!(
        record(77, shown_to_them.clone()),
        Err(VerifyError::Quorum { .. })
    ));
    // the log alone is believed by whoever asks nobody else; this is what witnesses are for
    assert!(verify::record(&log(), &proof(77, shown_to_them), &CONTENT).is_ok());
    // lines moved from one head to the other
    let mut moved = tree(77).1.sign(&[&signer(ORIGIN, 1)]).unwrap();
    for line in &shown_to_us.signatures()[1..] {
        moved.add(line.clone()).unwrap();
    }
    let wrong = VerifyError::Signature(NoteInvalid::Wrong(name("state.example/witness")));
    assert_eq!(record(77, moved).unwrap_err(), wrong);
}

/// A node restored from an old backup submits a smaller head: no witness cosigns it, whatever the proof.
#[test]
fn a_rollback() {
    let (tiles, latest) = tree(0);
    let root = comity_ledger::tree::root(&tiles, 6).unwrap();
    let rolled = Checkpoint::new(ORIGIN, 6, root)
        .unwrap()
        .sign(&[&signer(ORIGIN, 1)])
        .unwrap();
    for (old, status) in [(10, 400), (6, 409), (0, 409)] {
        let request = AddCheckpoint::new(old, vec![], rolled.clone()).unwrap();
        let refusal = decide(Some(&log()), Some(&latest), &request).unwrap_err();
        assert_eq!(refusal.status(), status);
    }
}

#[test]
fn what_does_not_count() {
    let [state, university, _] = witnesses();
    let (_, checkpoint) = tree(0);
    let request = AddCheckpoint::new(0, vec![], head(0, &[])).unwrap();
    let accepted = decide(Some(&log()), None, &request).unwrap();
    let good = state.cosign(&accepted, NOW).unwrap();
    let verified = |lines: Vec<NoteSignature>| {
        let mut note = checkpoint.sign(&[&signer(ORIGIN, 1)]).unwrap();
        lines.into_iter().for_each(|line| note.add(line).unwrap());
        verify::record_under(&policy(), &proof(0, note), &CONTENT).map(drop)
    };
    let quorum =
        |result: Result<(), VerifyError>| matches!(result, Err(VerifyError::Quorum { .. }));
    // one witness twice, also with another time
    let again = vec![good.clone(), state.cosign(&accepted, NOW + 1).unwrap()];
    assert_eq!(
        verified(again),
        Err(NoteInvalid::Twice(name("state.example/witness")).into())
    );
    // an Ed25519 cosignature does not name the cosigner: the same line under another name is a stranger's
    let renamed = ed25519_witness("other.example/witness", 11);
    let line = NoteSignature::new(
        name("other.example/witness"),
        renamed.verifier().id(),
        good.signature().to_vec(),
    );
    assert!(quorum(verified(vec![good.clone(), line.unwrap()])));
    // a witness of that name with a key of its own
    let impostor = ed25519_witness("university.example/witness", 66)
        .cosign(&accepted, NOW)
        .unwrap();
    assert!(quorum(verified(vec![good.clone(), impostor])));
    // the right name and key ID, another's signature
    let forged = NoteSignature::new(
        name("university.example/witness"),
        university.verifier().id(),
        good.signature().to_vec(),
    );
    let wrong = Err(NoteInvalid::Wrong(name("university.example/witness")).into());
    assert_eq!(verified(vec![good.clone(), forged.unwrap()]), wrong);
    // a witness's key used as a log's
    let plain = signer("state.example/witness", 11).sign(&checkpoint.to_string());
    assert!(quorum(verified(vec![plain])));
}

/// "signed by a log public key configured for that origin line": neither a witness nor another log of the policy will do.
#[test]
fn a_log_must_have_signed() {
    let note = head(0, &[(0, NOW), (1, NOW)]);
    let by = |keep: &[comity_ledger::note::VerifierKey]| note.only(keep).unwrap();
    let cosigned_only = by(&witnesses().map(|it| it.verifier().clone()));
    assert_eq!(
        verify::record_under(&policy(), &proof(0, cosigned_only.clone()), &CONTENT),
        Err(VerifyError::NoLog(ORIGIN.to_owned()))
    );
    let other = signer("other.example/log", 9);
    let text = [
        format!("log {}\n", other.verifier()).as_bytes(),
        &policy().to_bytes(),
    ]
    .concat();
    let both = Policy::parse(&text).unwrap();
    let mut foreign = cosigned_only;
    foreign.add(other.sign(foreign.text_unverified())).unwrap();
    assert_eq!(
        verify::record_under(&both, &proof(0, foreign.clone()), &CONTENT),
        Err(VerifyError::NoLog(ORIGIN.to_owned()))
    );
    foreign
        .add(signer(ORIGIN, 1).sign(foreign.text_unverified()))
        .unwrap();
    let verified = verify::record_under(&both, &proof(0, foreign), &CONTENT).unwrap();
    assert_eq!(
        verified.entry().checkpoint().checkpoint().signers(),
        log().keys
    );
    // a policy without logs, completed with the log that is known from elsewhere
    let text = String::from_utf8(policy().to_bytes()).unwrap();
    let without = text.split_once('\n').unwrap().1;
    let without = Policy::parse(without.as_bytes()).unwrap();
    let good = proof(0, note.clone());
    let unsigned = verify::record_under(&without, &good, &CONTENT);
    assert_eq!(unsigned, Err(VerifyError::NoLog(ORIGIN.to_owned())));
    assert!(verify::record_under(&without.for_log(&log()).unwrap(), &good, &CONTENT).is_ok());
}

/// A log with two keys: Ed25519 for today, ML-DSA-44 for later; a policy may list either or both.
#[test]
fn a_log_with_two_keys() {
    let own = ml_dsa_witness(ORIGIN, 2);
    let mut note = head(0, &[(0, NOW), (1, NOW)]);
    note.add(own.sign_own(&tree(0).1, NOW).unwrap()).unwrap();
    let keys = [signer(ORIGIN, 1).verifier().clone(), own.verifier().clone()];
    for (keys, count) in [(&keys[..1], 1), (&keys[1..], 1), (&keys[..], 2)] {
        let log = TrustedLog {
            origin: ORIGIN.to_owned(),
            keys: keys.to_vec(),
        };
        let policy = policy().for_log(&log).unwrap();
        let head = verify::checkpoint_under(&policy, note.to_string().as_bytes()).unwrap();
        assert_eq!(
            (head.checkpoint().signers().len(), head.witnesses().len()),
            (count, 2)
        );
        assert!(verify::record(&log, &proof(0, note.clone()), &CONTENT).is_ok());
    }
}

#[test]
fn every_changed_bit_is_refused() {
    let policy = policy_with("group both all state ngo\nquorum both");
    let good = proof(0, head(0, &[(0, NOW), (2, NOW)]));
    assert!(verify::record_under(&policy, &good, &CONTENT).is_ok());
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify::record_under(&policy, &bytes, &CONTENT).is_err(),
            "bit {bit}"
        );
    }
    for end in 0..good.len() {
        assert!(
            verify::record_under(&policy, &good[..end], &CONTENT).is_err(),
            "cut at {end}"
        );
    }
    assert_eq!(
        verify::record_under(&policy, &good, &[0; 32]),
        Err(VerifyError::Content)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A log grows and three witnesses answer when they feel like it: a head passes exactly when two of three cosigned it,
    /// and the answers can be collected over the wire in any order.
    #[test]
    fn a_head_passes_exactly_with_a_quorum(rounds in prop::collection::vec((1_u64..30, prop::array::uniform3(any::<bool>())), 1..6)) {
        let policy = policy();
        let mut latest: [Option<Checkpoint>; 3] = [None, None, None];
        let (mut frontier, mut tiles) = (Frontier::empty(), MemoryTiles::default());
        for (time, (grow, answers)) in (NOW..).zip(rounds) {
            let from = frontier.size();
            let appended = frontier.append(&(from..from + grow).map(leaf).collect::<Vec<_>>()).unwrap();
            tiles.write(appended.tiles);
            frontier = appended.frontier;
            let checkpoint = Checkpoint::new(ORIGIN, frontier.size(), appended.root).unwrap();
            let signed = checkpoint.sign(&[&signer(ORIGIN, 1)]).unwrap();
            let mut note = signed.clone();
            for at in (0..3).filter(|at| answers[*at]) {
                let witness = &witnesses()[at];
                let old = latest[at].as_ref().map_or(0, Checkpoint::size);
                let path = comity_ledger::tree::consistency_proof(&tiles, old, frontier.size()).unwrap();
                let body = AddCheckpoint::new(old, path, signed.clone()).unwrap().to_string();
                let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
                let accepted = decide(Some(&log()), latest[at].as_ref(), &request).unwrap();
                let cosigned = accepted.cosign(&[witness], time).unwrap();
                latest[at] = Some(accepted.checkpoint().clone());
                let answer = Answer::parse(cosigned.answer().to_string().as_bytes()).unwrap();
                for cosignature in answer.cosignatures(&checkpoint, &[witness.verifier().clone()]).unwrap() {
                    note.add(cosignature.line).unwrap();
                }
            }
            let verified = verify::checkpoint_under(&policy, note.to_string().as_bytes());
            let count = answers.iter().filter(|it| **it).count();
            prop_assert_eq!(verified.is_ok(), count >= 2);
            if let Ok(head) = verified {
                prop_assert_eq!((head.witnesses().len(), head.quorum_at_seconds()), (count, Some(time)));
            }
        }
    }
}
