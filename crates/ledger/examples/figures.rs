//! Prints the figures of this crate: `cargo run --release -p comity-ledger --example figures`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement, run by hand"
)]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::hint::black_box;
use std::time::Instant;

use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::Cosigner;
use comity_ledger::entry::{Entry, Event, LINK_NONE, commitment};
use comity_ledger::note::{KeyError, KeyName, Signer};
use comity_ledger::policy::{PolicyBuilder, Threshold};
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::tree::{Frontier, MemoryTiles, consistency_proof, inclusion_proof, leaf_hash};
use comity_ledger::verify::{TrustedLog, checkpoint_under, record};
use comity_ledger::witness::{AddCheckpoint, decide};

const ORIGIN: &str = "bench.example/log";

fn main() {
    let entry = Entry {
        event: Event::SubmissionAcceptance,
        time_micros: 1,
        commitment: commitment(&[1; 32], &[2; 32]),
        link: LINK_NONE,
    };
    rate("encode an entry and hash its leaf", 1_000_000, |n| {
        black_box(
            Entry {
                time_micros: n,
                ..entry
            }
            .leaf_hash()
            .unwrap(),
        );
    });
    let leaves: Vec<_> = (0..1_000_000_u64)
        .map(|n| leaf_hash(&n.to_be_bytes()))
        .collect();
    for batch in [1, 16, 256, 1024, 65_536] {
        let mut frontier = Frontier::empty();
        let count = if batch == 1 { 50_000 } else { leaves.len() };
        let start = Instant::now();
        for chunk in leaves.get(..count).unwrap().chunks(batch) {
            let appended = frontier.append(chunk).unwrap();
            black_box(&appended.tiles);
            frontier = appended.frontier;
        }
        print_rate(
            &format!("append leaf hashes, {batch} a batch, root each batch"),
            count,
            start,
        );
    }
    let mut tiles = MemoryTiles::default();
    let mut leaves = leaves;
    leaves.splice(500_000..500_001, [entry.leaf_hash().unwrap()]);
    let appended = Frontier::empty().append(&leaves).unwrap();
    tiles.write(appended.tiles);
    let size = appended.frontier.size();
    rate(
        "inclusion proof from tiles of 1,000,000 entries",
        2_000,
        |n| {
            black_box(inclusion_proof(&tiles, n * 499, size).unwrap());
        },
    );
    rate(
        "consistency proof from tiles of 1,000,000 entries",
        2_000,
        |n| {
            black_box(consistency_proof(&tiles, 1 + n * 499, size).unwrap());
        },
    );
    let signer = Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[3; 32]).unwrap();
    let head = Checkpoint::new(ORIGIN, size, appended.root).unwrap();
    rate("sign a checkpoint", 5_000, |_| {
        black_box(head.sign(&[&signer]).unwrap());
    });
    let opening = Opening {
        entry: entry.encode().unwrap(),
        salt: Some([1; 32]),
    }
    .to_bytes();
    let path = inclusion_proof(&tiles, 500_000, size).unwrap();
    let proof = Proof::new(500_000, path, head.sign(&[&signer]).unwrap(), Some(opening))
        .unwrap()
        .to_string();
    let log = TrustedLog {
        origin: ORIGIN.to_owned(),
        keys: vec![signer.verifier().clone()],
    };
    rate("verify a record, all steps", 5_000, |_| {
        black_box(record(&log, proof.as_bytes(), &[2; 32]).unwrap());
    });
    println!(
        "a proof of a log of {size} entries has {} bytes",
        proof.len()
    );
    witnesses(&log, &head, &signer);
}

/// Cosigning, and a head with five witnesses of each kind.
fn witnesses(log: &TrustedLog, head: &Checkpoint, signer: &Signer) {
    let note = head.sign(&[signer]).unwrap();
    let request = AddCheckpoint::new(0, vec![], note).unwrap();
    rate("decide on a submitted head", 2_000, |_| {
        black_box(decide(Some(log), None, &request).unwrap());
    });
    let accepted = decide(Some(log), None, &request).unwrap();
    for (kind, make) in KINDS {
        let cosigners: Vec<Cosigner> = (0..5)
            .map(|n| make(KeyName::new(format!("w{n}.example")).unwrap(), &[n; 32]).unwrap())
            .collect();
        let first = cosigners.first().unwrap();
        rate(&format!("cosign, {kind}"), 1_000, |n| {
            black_box(first.cosign(&accepted, n + 1).unwrap());
        });
        let all: Vec<&Cosigner> = cosigners.iter().collect();
        let note = accepted.cosign(&all, 1).unwrap().note().to_string();
        let mut builder = PolicyBuilder::default();
        builder.log(signer.verifier().clone(), None).unwrap();
        let names: Vec<String> = (0..5).map(|n| format!("w{n}")).collect();
        for (name, cosigner) in names.iter().zip(&cosigners) {
            let key = cosigner.verifier().clone();
            builder.witness(name.as_bytes(), key, None).unwrap();
        }
        let members: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
        builder.group(b"all", Threshold::All, &members).unwrap();
        builder.quorum(b"all").unwrap();
        let policy = builder.build().unwrap();
        rate(
            &format!("verify a head with 5 witnesses, {kind}"),
            500,
            |_| {
                black_box(checkpoint_under(&policy, note.as_bytes()).unwrap());
            },
        );
        println!("that head has {} bytes", note.len());
    }
}

type Make = fn(KeyName, &[u8; 32]) -> Result<Cosigner, KeyError>;
const KINDS: [(&str, Make); 2] = [
    ("Ed25519", Cosigner::ed25519_from_seed),
    ("ML-DSA-44", Cosigner::ml_dsa_44_from_seed),
];

fn rate(what: &str, count: u64, mut step: impl FnMut(u64)) {
    let start = Instant::now();
    (0..count).for_each(&mut step);
    print_rate(what, usize::try_from(count).unwrap(), start);
}

fn print_rate(what: &str, count: usize, start: Instant) {
    let micros = start.elapsed().as_micros().max(1);
    println!("{what}: {} /s", count as u128 * 1_000_000 / micros);
}
