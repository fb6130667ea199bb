//! The whole chain: one log, one record, and everything somebody might change.

use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::entry::{Entry, Event, LINK_NONE, commitment};
use comity_ledger::note::{KeyName, NoteInvalid, SignedNote, Signer};
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::{
    Frontier, MemoryTiles, ProofInvalid, consistency_proof, inclusion_proof, leaf_hash,
};
use comity_ledger::verify::{self, TrustedLog, VerifyError};

use crate::leaf;

const ORIGIN: &str = "csirt.example/log/1";
const CONTENT: Hash = [0xc0; 32];
const SALT: [u8; 32] = [0x5a; 32];
const INDEX: u64 = 4;

fn signer(seed: u8) -> Signer {
    Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[seed; 32]).unwrap()
}

pub(crate) fn log() -> TrustedLog {
    TrustedLog {
        origin: ORIGIN.to_owned(),
        keys: vec![signer(1).verifier().clone()],
    }
}

fn entry(content_sha256: &Hash) -> Entry {
    Entry {
        event: Event::SubmissionAcceptance,
        time_micros: 1_795_000_000_000_000,
        commitment: commitment(&SALT, content_sha256),
        link: LINK_NONE,
    }
}

/// A log of ten entries; the one at `INDEX` is a record's.
struct Fixture {
    tiles: MemoryTiles,
    root: Hash,
    note: SignedNote,
}

fn fixture(content_sha256: &Hash) -> Fixture {
    let record = entry(content_sha256).leaf_hash().unwrap();
    let leaves: Vec<_> = (0..10)
        .map(|n| if n == INDEX { record } else { leaf(n) })
        .collect();
    let appended = Frontier::empty().append(&leaves).unwrap();
    let mut tiles = MemoryTiles::default();
    tiles.write(appended.tiles);
    let note = Checkpoint::new(ORIGIN, 10, appended.root)
        .unwrap()
        .sign(&[&signer(1)])
        .unwrap();
    Fixture {
        tiles,
        root: appended.root,
        note,
    }
}

fn opening(content_sha256: &Hash, salt: Option<[u8; 32]>) -> Option<Vec<u8>> {
    Some(
        Opening {
            entry: entry(content_sha256).encode().unwrap(),
            salt,
        }
        .to_bytes(),
    )
}

fn proof(content_sha256: &Hash, extra: Option<Vec<u8>>) -> String {
    let Fixture { tiles, note, .. } = fixture(content_sha256);
    Proof::new(
        INDEX,
        inclusion_proof(&tiles, INDEX, 10).unwrap(),
        note,
        extra,
    )
    .unwrap()
    .to_string()
}

pub(crate) fn reader_proof_of(content_sha256: &Hash) -> String {
    proof(content_sha256, opening(content_sha256, Some(SALT)))
}

pub(crate) fn observer_proof(content_sha256: &Hash) -> String {
    proof(content_sha256, opening(content_sha256, None))
}

fn reader_proof() -> String {
    reader_proof_of(&CONTENT)
}

#[test]
fn a_record_is_verified() {
    let record = verify::record(&log(), reader_proof().as_bytes(), &CONTENT).unwrap();
    assert_eq!(
        (record.content_sha256(), record.entry().index()),
        (&CONTENT, INDEX)
    );
    assert_eq!(record.entry().entry(), &entry(&CONTENT));
    assert_eq!(record.entry().checkpoint().head().size(), 10);
    assert_eq!(record.entry().checkpoint().signers(), log().keys);
}

#[test]
fn an_observer_sees_the_entry_and_no_more() {
    let proof = observer_proof(&CONTENT);
    assert_eq!(
        verify::entry(&log(), proof.as_bytes()).unwrap().entry(),
        &entry(&CONTENT)
    );
    assert_eq!(
        verify::record(&log(), proof.as_bytes(), &CONTENT),
        Err(VerifyError::NoSalt)
    );
}

#[test]
fn every_changed_bit_is_refused() {
    let proof = reader_proof();
    for bit in 0..proof.len() * 8 {
        let mut bytes = proof.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verify::record(&log(), &bytes, &CONTENT).is_err(),
            "bit {bit}"
        );
    }
    for bit in 0..256 {
        let mut content = CONTENT;
        content[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            verify::record(&log(), proof.as_bytes(), &content),
            Err(VerifyError::Content)
        );
    }
    for end in 0..proof.len() {
        assert!(
            verify::record(&log(), &proof.as_bytes()[..end], &CONTENT).is_err(),
            "cut at {end}"
        );
    }
    for extra in ["\n", " ", "x", "\0", &proof] {
        assert!(
            verify::record(&log(), format!("{proof}{extra}").as_bytes(), &CONTENT).is_err(),
            "{extra:?}"
        );
    }
}

#[test]
fn each_step_says_why() {
    fn check(extra: Option<Vec<u8>>, log: &TrustedLog, expected: VerifyError) {
        assert_eq!(
            verify::record(log, proof(&CONTENT, extra).as_bytes(), &CONTENT),
            Err(expected)
        );
    }
    let reader = || opening(&CONTENT, Some(SALT));
    check(
        reader(),
        &TrustedLog {
            keys: vec![],
            ..log()
        },
        VerifyError::Signature(NoteInvalid::Unknown),
    );
    let foreign = TrustedLog {
        keys: vec![signer(2).verifier().clone()],
        ..log()
    };
    check(
        reader(),
        &foreign,
        VerifyError::Signature(NoteInvalid::Unknown),
    );
    let other = TrustedLog {
        origin: "other.example/log".to_owned(),
        ..log()
    };
    check(reader(), &other, VerifyError::Origin(ORIGIN.to_owned()));
    check(None, &log(), VerifyError::NoEntry);
    check(Some(vec![1; 77]), &log(), VerifyError::NoEntry);
    check(
        opening(&CONTENT, Some([0; 32])),
        &log(),
        VerifyError::Content,
    );
    let forged = Opening {
        entry: entry(&[1; 32]).encode().unwrap(),
        salt: Some(SALT),
    };
    check(
        Some(forged.to_bytes()),
        &log(),
        VerifyError::Tree(ProofInvalid::Root),
    );
}

/// A key that is being replaced: either signature will do, and both are reported.
#[test]
fn key_rotation() {
    let root = fixture(&CONTENT).root;
    let note = Checkpoint::new(ORIGIN, 10, root)
        .unwrap()
        .sign(&[&signer(1), &signer(2)])
        .unwrap()
        .to_string();
    let trusting = |seeds: &[u8]| TrustedLog {
        keys: seeds
            .iter()
            .map(|seed| signer(*seed).verifier().clone())
            .collect(),
        ..log()
    };
    for seeds in [&[1_u8][..], &[2], &[1, 2], &[2, 3]] {
        let verified = verify::checkpoint(&trusting(seeds), note.as_bytes()).unwrap();
        assert_eq!(
            verified.signers().len(),
            seeds.iter().filter(|seed| **seed < 3).count()
        );
    }
    assert!(verify::checkpoint(&trusting(&[3]), note.as_bytes()).is_err());
}

/// The tree holds something that is no entry of ours: it is in the log, but says nothing.
#[test]
fn a_leaf_that_is_no_entry() {
    let odd = [9; 76];
    let appended = Frontier::empty().append(&[leaf_hash(&odd)]).unwrap();
    let note = Checkpoint::new(ORIGIN, 1, appended.root)
        .unwrap()
        .sign(&[&signer(1)])
        .unwrap();
    let extra = Opening {
        entry: odd,
        salt: Some(SALT),
    }
    .to_bytes();
    let proof = Proof::new(0, vec![], note, Some(extra))
        .unwrap()
        .to_string();
    assert!(matches!(
        verify::record(&log(), proof.as_bytes(), &CONTENT),
        Err(VerifyError::Entry(_))
    ));
}

/// A signed text that is no checkpoint is not taken for one.
#[test]
fn a_signed_note_that_is_no_checkpoint() {
    let note = SignedNote::sign(format!("{ORIGIN}\nhello\n"), &[&signer(1)])
        .unwrap()
        .to_string();
    assert!(matches!(
        verify::checkpoint(&log(), note.as_bytes()),
        Err(VerifyError::Checkpoint(_))
    ));
    assert!(matches!(
        verify::checkpoint(&log(), b""),
        Err(VerifyError::Note(_))
    ));
}

#[test]
fn a_rewritten_log_is_not_consistent() {
    let Fixture { tiles, note, .. } = fixture(&CONTENT);
    let head = |size: u64| {
        let root = comity_ledger::tree::root(&tiles, size).unwrap();
        let note = Checkpoint::new(ORIGIN, size, root)
            .unwrap()
            .sign(&[&signer(1)])
            .unwrap();
        verify::checkpoint(&log(), note.to_string().as_bytes()).unwrap()
    };
    let new = verify::checkpoint(&log(), note.to_string().as_bytes()).unwrap();
    for old in 0..=10 {
        verify::consistency(
            &head(old),
            &new,
            &consistency_proof(&tiles, old, 10).unwrap(),
        )
        .unwrap();
    }
    let path = consistency_proof(&tiles, 6, 10).unwrap();
    assert!(verify::consistency(&head(5), &new, &path).is_err());
    assert!(verify::consistency(&new, &head(6), &path).is_err());
    assert!(verify::consistency(&head(6), &new, &path[1..]).is_err());
    // the same log with one entry changed, properly signed
    let mut leaves: Vec<_> = (0..10).map(leaf).collect();
    leaves[2] = leaf(99);
    let rewritten = Frontier::empty().append(&leaves).unwrap();
    let mut forged_tiles = MemoryTiles::default();
    forged_tiles.write(rewritten.tiles);
    let forged = Checkpoint::new(ORIGIN, 10, rewritten.root)
        .unwrap()
        .sign(&[&signer(1)])
        .unwrap();
    let forged = verify::checkpoint(&log(), forged.to_string().as_bytes()).unwrap();
    for path in [&path, &consistency_proof(&forged_tiles, 6, 10).unwrap()] {
        assert!(verify::consistency(&head(6), &forged, path).is_err());
    }
    let foreign = Signer::from_seed(KeyName::new("other.example").unwrap(), &[4; 32]).unwrap();
    let note = Checkpoint::new("other.example", 10, *new.head().root())
        .unwrap()
        .sign(&[&foreign])
        .unwrap()
        .to_string();
    let trusted = TrustedLog {
        origin: "other.example".to_owned(),
        keys: vec![foreign.verifier().clone()],
    };
    let other = verify::checkpoint(&trusted, note.as_bytes()).unwrap();
    assert_eq!(
        verify::consistency(&new, &other, &[]),
        Err(VerifyError::Origin("other.example".to_owned()))
    );
}
