//! The two scripts of `docs/LOG.md`, run as printed there, must say what the Rust verifier says.

use std::path::{Path, PathBuf};
use std::process::Command;

use comity_ledger::Hash;
use comity_ledger::verify as rust;
use sha2::Digest as _;

use crate::verify::{log, observer_proof, reader_proof_of};

const PAGE: &str = include_str!("../../../../docs/LOG.md");
const RECORD: &[u8] = b"{\"id\":\"note--1\",\"type\":\"note\"}";

#[test]
fn python_agrees() {
    agrees("python", "python3");
}

#[test]
fn shell_agrees() {
    agrees("sh", "sh");
}

fn agrees(language: &str, interpreter: &str) {
    if [interpreter, "openssl"].iter().any(|tool| !exists(tool)) {
        eprintln!("skipped: {interpreter} or openssl is not installed");
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(language);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("script"), block(language)).unwrap();
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

/// The one block of the page in this language.
fn block(language: &str) -> &'static str {
    let start = PAGE.split_once(&format!("```{language}\n")).unwrap().1;
    start.split_once("```").unwrap().0
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
