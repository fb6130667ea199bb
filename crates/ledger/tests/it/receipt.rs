//! Receipts: one function that checks all, and everything somebody might change. Their lines are in `receipt_text`.

use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::entry::{Entry, Event, LINK_NONE, commitment};
use comity_ledger::note::{NoteInvalid, SignedNote};
use comity_ledger::policy::Policy;
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::receipt::{self, Receipt, ReceiptError, ReceiptEvent, ReceiptInvalid};
use comity_ledger::tree::{Frontier, MemoryTiles, inclusion_proof};
use comity_ledger::verify::{self, TrustedLog, VerifiedRecord, VerifyError};
use comity_ledger::witness::{AddCheckpoint, decide};

use crate::leaf;
use crate::support::{ed25519_witness, name, signer};

const CONTENT: Hash = [0xc0; 32];
const SENDER: &str = "comity.ua/log/1";
const RECEIVER: &str = "comity.eu/log/1";
pub(crate) const KEY: &str = "comity.eu/receipts/1";
const INDEX: u64 = 4;

fn log(origin: &str) -> TrustedLog {
    TrustedLog {
        origin: origin.to_owned(),
        keys: vec![signer(origin, 1).verifier().clone()],
    }
}

/// A log of seven entries with this one at `index`, and the proof of it.
fn logged(origin: &str, index: u64, entry: &Entry, salt: [u8; 32]) -> Proof {
    let at = entry.leaf_hash().unwrap();
    let leaves: Vec<_> = (0..7)
        .map(|n| if n == index { at } else { leaf(n) })
        .collect();
    let appended = Frontier::empty().append(&leaves).unwrap();
    let mut tiles = MemoryTiles::default();
    tiles.write(appended.tiles);
    let head = Checkpoint::new(origin, 7, appended.root).unwrap();
    let note = head.sign(&[&signer(origin, 1)]).unwrap();
    let extra = Opening {
        entry: entry.encode().unwrap(),
        salt: Some(salt),
    }
    .to_bytes();
    Proof::new(
        index,
        inclusion_proof(&tiles, index, 7).unwrap(),
        note,
        Some(extra),
    )
    .unwrap()
}

/// What the sender logged, and can prove.
fn sent() -> VerifiedRecord {
    let entry = Entry {
        event: Event::Disclosure,
        time_micros: 1_794_999_999_000_000,
        commitment: commitment(&[1; 32], &CONTENT),
        link: LINK_NONE,
    };
    let proof = logged(SENDER, 2, &entry, [1; 32]).to_string();
    verify::record(&log(SENDER), proof.as_bytes(), &CONTENT).unwrap()
}

pub(crate) fn receipt() -> Receipt {
    Receipt {
        event: ReceiptEvent::Received,
        record: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".to_owned(),
        version: "2021-06-03T00:00:00.000Z".to_owned(),
        content_sha256: CONTENT,
        sender: SENDER.to_owned(),
        sender_entry: 2,
        sender_leaf: *sent().entry().leaf(),
        receiver: RECEIVER.to_owned(),
        entry: INDEX,
        time_micros: 1_795_000_000_000_000,
        label: Some("{\"tlp\":\"amber\"}".to_owned()),
        reason: None,
    }
}

/// The receiver's entry for a receipt.
fn entry(receipt: &Receipt) -> Entry {
    Entry {
        event: receipt.event.event(),
        time_micros: receipt.time_micros,
        commitment: commitment(&[2; 32], &receipt.content_sha256),
        link: receipt.sender_leaf,
    }
}

pub(crate) fn proof(receipt: &Receipt) -> String {
    logged(RECEIVER, INDEX, &entry(receipt), [2; 32]).to_string()
}

pub(crate) fn signed(receipt: &Receipt) -> String {
    receipt.sign(&signer(KEY, 3)).unwrap().to_string()
}

pub(crate) fn check(note: &str, proof: &str) -> Result<receipt::VerifiedReceipt, ReceiptInvalid> {
    let keys = [signer(KEY, 3).verifier().clone()];
    receipt::verify(&keys, &log(RECEIVER), note.as_bytes(), proof.as_bytes())
}

/// A receipt of each kind, as the two rules about label and reason want it.
pub(crate) fn of(event: ReceiptEvent) -> Receipt {
    Receipt {
        event,
        label: receipt().label.filter(|_| event == ReceiptEvent::Received),
        reason: event.needs_reason().then(|| "no legal basis".to_owned()),
        ..receipt()
    }
}

#[test]
fn a_receipt_is_verified() {
    for event in ReceiptEvent::ALL {
        let said = of(event);
        let verified = check(&signed(&said), &proof(&said)).unwrap();
        assert_eq!(verified.receipt(), &said);
        assert_eq!(
            (
                verified.record().entry().index(),
                verified.record().content_sha256()
            ),
            (INDEX, &CONTENT)
        );
        assert_eq!(verified.record().entry().entry().event, event.event());
        assert!(verified.answers(&sent()));
        assert_eq!(event.code(), event.event().code());
    }
    // of another entry of the sender's log, of another log, of other contents
    let others = [
        Receipt {
            sender_entry: 3,
            ..receipt()
        },
        Receipt {
            sender: "comity.other/log/1".to_owned(),
            ..receipt()
        },
        Receipt {
            sender_leaf: [9; 32],
            ..receipt()
        },
        Receipt {
            content_sha256: [9; 32],
            ..receipt()
        },
    ];
    for other in others {
        assert!(
            !check(&signed(&other), &proof(&other))
                .unwrap()
                .answers(&sent())
        );
    }
}

#[test]
fn each_step_says_why() {
    let (note, good) = (signed(&receipt()), proof(&receipt()));
    // note
    let foreign = receipt().sign(&signer(KEY, 99)).unwrap().to_string();
    assert_eq!(check(&foreign, &good), Err(NoteInvalid::Unknown.into()));
    // the log's own key signs no receipts, nor any other key of the card
    let foreign = receipt().sign(&signer(RECEIVER, 1)).unwrap().to_string();
    assert_eq!(check(&foreign, &good), Err(NoteInvalid::Unknown.into()));
    let changed = note.replace("entry 4", "entry 5");
    assert_eq!(
        check(&changed, &good),
        Err(NoteInvalid::Wrong(name(KEY)).into())
    );
    assert!(matches!(check("", &good), Err(ReceiptInvalid::Note(_))));
    // text
    let other = SignedNote::sign("hello\n".to_owned(), &[&signer(KEY, 3)])
        .unwrap()
        .to_string();
    assert_eq!(check(&other, &good), Err(ReceiptError::Header.into()));
    // proof
    let other = TrustedLog {
        keys: vec![signer(RECEIVER, 98).verifier().clone()],
        ..log(RECEIVER)
    };
    let keys = [signer(KEY, 3).verifier().clone()];
    let unsigned = receipt::verify(&keys, &other, note.as_bytes(), good.as_bytes());
    assert!(matches!(
        unsigned,
        Err(ReceiptInvalid::Proof(VerifyError::Signature(_)))
    ));
    let elsewhere = good.replace("index 4", "index 3");
    assert!(matches!(
        check(&note, &elsewhere),
        Err(ReceiptInvalid::Proof(VerifyError::Tree(_)))
    ));
    // text = entry
    let differs = [
        (
            "event",
            Receipt {
                event: ReceiptEvent::Opened,
                label: None,
                ..receipt()
            },
        ),
        (
            "time",
            Receipt {
                time_micros: receipt().time_micros + 1,
                ..receipt()
            },
        ),
        (
            "sender-leaf",
            Receipt {
                sender_leaf: [9; 32],
                ..receipt()
            },
        ),
        (
            "entry",
            Receipt {
                entry: 3,
                ..receipt()
            },
        ),
    ];
    for (what, said) in differs {
        assert_eq!(
            check(&signed(&said), &good),
            Err(ReceiptInvalid::Entry(what))
        );
    }
    let said = Receipt {
        receiver: "comity.other/log/1".to_owned(),
        ..receipt()
    };
    assert_eq!(
        check(&signed(&said), &good),
        Err(ReceiptInvalid::Receiver("comity.other/log/1".to_owned()))
    );
    // entry -> content
    let said = Receipt {
        content_sha256: [9; 32],
        ..receipt()
    };
    assert_eq!(
        check(&signed(&said), &good),
        Err(VerifyError::Content.into())
    );
}

#[test]
fn every_changed_bit_is_refused() {
    let (note, good) = (signed(&receipt()), proof(&receipt()));
    let flipped = |text: &str, bit: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    let keys = [signer(KEY, 3).verifier().clone()];
    let verify = |note: &[u8], proof: &[u8]| receipt::verify(&keys, &log(RECEIVER), note, proof);
    assert!(verify(note.as_bytes(), good.as_bytes()).is_ok());
    for bit in 0..note.len() * 8 {
        assert!(
            verify(&flipped(&note, bit), good.as_bytes()).is_err(),
            "bit {bit} of the receipt"
        );
    }
    for bit in 0..good.len() * 8 {
        assert!(
            verify(note.as_bytes(), &flipped(&good, bit)).is_err(),
            "bit {bit} of the proof"
        );
    }
    for extra in ["\n", "x", "\0", &note] {
        assert!(verify(format!("{note}{extra}").as_bytes(), good.as_bytes()).is_err());
    }
    for end in 0..note.len() {
        assert!(
            verify(&note.as_bytes()[..end], good.as_bytes()).is_err(),
            "cut at {end}"
        );
    }
}

/// A quorum over the head of the receiver's proof.
#[test]
fn under_a_policy() {
    let witness = ed25519_witness("w.example", 8);
    let policy = format!("witness w {}\nquorum w\n", witness.verifier());
    let policy = Policy::parse(policy.as_bytes())
        .unwrap()
        .for_log(&log(RECEIVER))
        .unwrap();
    let keys = [signer(KEY, 3).verifier().clone()];
    let verify = |proof: &Proof| {
        receipt::verify_under(
            &keys,
            &policy,
            signed(&receipt()).as_bytes(),
            proof.to_string().as_bytes(),
        )
    };
    let pending = logged(RECEIVER, INDEX, &entry(&receipt()), [2; 32]);
    assert!(matches!(
        verify(&pending),
        Err(ReceiptInvalid::Proof(VerifyError::Quorum { .. }))
    ));
    let request = AddCheckpoint::new(0, vec![], pending.checkpoint().clone()).unwrap();
    let accepted = decide(Some(&log(RECEIVER)), None, &request).unwrap();
    let cosigned = accepted.cosign(&[&witness], 77).unwrap();
    let extra = pending.extra().map(<[u8]>::to_vec);
    let witnessed = Proof::new(
        INDEX,
        pending.path().to_vec(),
        cosigned.note().clone(),
        extra,
    )
    .unwrap();
    let receipt = verify(&witnessed).unwrap();
    assert_eq!(
        receipt.record().entry().checkpoint().quorum_at_seconds(),
        Some(77)
    );
    assert!(receipt.answers(&sent()));
}
