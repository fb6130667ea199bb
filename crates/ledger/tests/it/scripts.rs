//! The scripts of `docs/LOG.md`, run as printed there, must say what the Rust verifier says.

use std::path::{Path, PathBuf};
use std::process::Command;

use comity_ledger::Hash;
use comity_ledger::note::{NoteSignature, SignedNote, VerifierKey};
use comity_ledger::verify as rust;
use sha2::Digest as _;

use crate::support::{accepted, ed25519_witness, ml_dsa_witness, signer};
use crate::verify::{log, observer_proof, reader_proof_of};

const PAGE: &str = include_str!("../../../../docs/LOG.md");
const RECORD: &[u8] = b"{\"id\":\"note--1\",\"type\":\"note\"}";

#[test]
fn python_agrees() {
    agrees("python", "# python3 verify.py", "python3");
}

#[test]
fn shell_agrees() {
    agrees("sh", "# sh verify.sh", "sh");
}

/// Any Ed25519 line of any note: a log's, a witness's, a receipt's.
#[test]
fn shell_agrees_on_signatures() {
    let Some(folder) = prepared("sh", "# sh signature.sh", "sh") else {
        return;
    };
    let text = "comity.ua/log/1\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let (log, witness) = (
        signer("comity.ua/log/1", 1),
        ed25519_witness("w.example", 2),
    );
    let pq = ml_dsa_witness("w.example", 3);
    let mut note = SignedNote::sign(text.to_owned(), &[&log]).unwrap();
    for cosigner in [&pq, &witness] {
        let line = cosigner.cosign(&accepted(text), 1_795_000_000);
        note.add(line.unwrap()).unwrap();
    }
    let good = note.to_string();
    let check = |note: &str, key: &VerifierKey, says: Option<&str>, what: &str| {
        let rust = SignedNote::parse(note.as_bytes()).unwrap();
        let rust = rust.verify(std::slice::from_ref(key)).is_ok();
        assert_eq!(rust, says.is_some(), "{what}: Rust");
        std::fs::write(folder.join("note"), note).unwrap();
        let output = Command::new("sh")
            .current_dir(&folder)
            .args(["script", "note", &key.to_string()])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.success(), says.is_some(), "{what}: sh");
        assert_eq!(said.trim_end(), says.unwrap_or_default(), "{what}");
    };
    let at = "verified: signed by w.example at 1795000000, 2026-11-18 11:06:40 UTC";
    check(&good, witness.verifier(), Some(at), "the witness");
    let by = "verified: signed by comity.ua/log/1";
    check(&good, log.verifier(), Some(by), "the log");
    let other = ed25519_witness("w.example", 9);
    check(&good, other.verifier(), None, "another key of that name");
    let other = ed25519_witness("x.example", 2);
    check(&good, other.verifier(), None, "another name of that key");
    let changed = good.replace("\n7\n", "\n8\n");
    check(&changed, witness.verifier(), None, "another size");
    check(&changed, log.verifier(), None, "another size");
    let extended = good.replace("q2I=\n", "q2I=\nmore\n");
    check(&extended, witness.verifier(), None, "one line more");
    // the time is signed: the fifth byte of the blob is its first
    let line = note.signatures().last().unwrap();
    let mut blob = line.signature().to_vec();
    blob[7] ^= 1;
    let later = NoteSignature::new(line.name().clone(), line.key_id(), blob).unwrap();
    let later = good.replace(&line.to_string(), &later.to_string());
    assert_ne!(later, good);
    check(&later, witness.verifier(), None, "another time");
    // a receipt is a note by another key
    let receipt = "comity-receipt/v1\nevent d1\n".to_owned();
    let key = signer("comity.eu/receipts/1", 5);
    let receipt = SignedNote::sign(receipt, &[&key]).unwrap().to_string();
    let by = "verified: signed by comity.eu/receipts/1";
    check(&receipt, key.verifier(), Some(by), "a receipt");
    check(
        &receipt.replace("d1", "e1"),
        key.verifier(),
        None,
        "another event",
    );
}

/// The script in a folder of its own, unless a tool is missing.
fn prepared(language: &str, starts: &str, interpreter: &str) -> Option<PathBuf> {
    if [interpreter, "openssl"].iter().any(|tool| !exists(tool)) {
        eprintln!("skipped: {interpreter} or openssl is not installed");
        return None;
    }
    let name = starts.replace(['#', ' '], "");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("script"), block(language, starts)).unwrap();
    Some(folder)
}

fn agrees(language: &str, starts: &str, interpreter: &str) {
    let Some(folder) = prepared(language, starts, interpreter) else {
        return;
    };
    let content: Hash = sha2::Sha256::digest(RECORD).into();
    let good = reader_proof_of(&content);
    let check = |proof: &str, record: &[u8], expected: bool, what: &str| {
        assert!(
            expected || proof != good || record != RECORD,
            "{what}: nothing is changed"
        );
        let digest = sha2::Sha256::digest(record).into();
        assert_eq!(
            rust::record(&log(), proof.as_bytes(), &digest).is_ok(),
            expected,
            "{what}: Rust"
        );
        assert_eq!(
            runs(interpreter, &folder, proof, record),
            expected,
            "{what}: {language}"
        );
    };
    check(&good, RECORD, true, "as it is");
    check(
        &good,
        b"{\"id\":\"note--2\",\"type\":\"note\"}",
        false,
        "another record",
    );
    check(
        &good.replace("index 4", "index 5"),
        RECORD,
        false,
        "another index",
    );
    check(
        &good.replace("index 4", "index 10"),
        RECORD,
        false,
        "index beyond the tree",
    );
    check(
        &good.replace("\n10\n", "\n11\n"),
        RECORD,
        false,
        "another size",
    );
    check(
        &good.replace("log/1\n", "log/2\n"),
        RECORD,
        false,
        "another origin",
    );
    check(
        &good.replace("extra AaEA", "extra AaIA"),
        RECORD,
        false,
        "another entry",
    );
    check(&observer_proof(&content), RECORD, false, "no salt");
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    check(
        &[&lines[..3], &lines[4..]].concat().concat(),
        RECORD,
        false,
        "a hash missing",
    );
    check(
        &[&lines[..4], &lines[3..]].concat().concat(),
        RECORD,
        false,
        "a hash too many",
    );
    let signature = good.rfind('\u{2014}').unwrap() + 40;
    let mut forged = good.clone();
    let other = if &good[signature..=signature] == "A" {
        "B"
    } else {
        "A"
    };
    forged.replace_range(signature..=signature, other);
    check(&forged, RECORD, false, "another signature");
}

fn exists(tool: &str) -> bool {
    let probe = if tool == "sh" { "-c true" } else { "--version" };
    let probe = if tool == "openssl" { "version" } else { probe };
    Command::new(tool)
        .args(probe.splitn(2, ' '))
        .output()
        .is_ok_and(|output| output.status.success())
}

/// The block of the page in this language that starts like this.
fn block(language: &str, starts: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let blocks = PAGE.split(&fence).skip(1);
    let mut blocks = blocks.map(|rest| rest.split_once("```").unwrap().0);
    blocks.find(|block| block.starts_with(starts)).unwrap()
}

fn runs(interpreter: &str, folder: &Path, proof: &str, record: &[u8]) -> bool {
    std::fs::write(folder.join("record.tlog-proof"), proof).unwrap();
    std::fs::write(folder.join("record.json"), record).unwrap();
    let output = Command::new(interpreter)
        .current_dir(folder)
        .arg("script")
        .arg("record.tlog-proof")
        .args([log().keys[0].to_string(), log().origin])
        .arg("record.json")
        .output()
        .unwrap();
    output.status.success() && output.stdout.starts_with(b"verified: entry 4, event a1")
}
