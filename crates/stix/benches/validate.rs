//! Speed of strict validation over Enterprise ATT&CK: objects and bytes a second on one core.
//!
//! `COMITY_DATA=DIR cargo bench -p comity-stix --bench validate`; DIR holds `attack/enterprise-attack.json` (or `.json.gz`,
//! read through `gzip -dc`). Best of several rounds, because the machine is shared.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench prints and measures time"
)]

use comity_stix::bundle::Reader;
use comity_stix::canonical::canonical;
use comity_stix::json::{Document, Limits};
use comity_stix::validate::{Checker, Options};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let Some(text) = enterprise() else {
        println!("no data: set COMITY_DATA");
        return;
    };
    let limits = Limits::default();
    let objects: Vec<Vec<u8>> = Reader::new(&text[..], limits.clone())
        .map(|raw| raw.expect("a bundle").bytes)
        .collect();
    let bytes: usize = objects.iter().map(Vec::len).sum();
    let report = |name: &str, best: Duration| {
        let seconds = best.as_secs_f64();
        println!(
            "{name:<28} {:>9.0} objects/s {:>7.0} MB/s",
            objects.len() as f64 / seconds,
            bytes as f64 / seconds / 1e6
        );
    };
    report(
        "split the bundle",
        best(|| Reader::new(&text[..], limits.clone()).count()),
    );
    report(
        "read JSON",
        best(|| {
            objects
                .iter()
                .map(|object| {
                    Document::parse(object, &limits).map_or(0, |document| document.root().len())
                })
                .sum()
        }),
    );
    report(
        "canonical",
        best(|| {
            objects
                .iter()
                .map(|object| {
                    Document::parse(object, &limits)
                        .map_or(0, |document| canonical(document.root()).len())
                })
                .sum()
        }),
    );
    let mut checker = Checker::new(Options::default());
    report(
        "validate (strict)",
        best(|| {
            objects
                .iter()
                .filter(|object| checker.check(object).object.is_some())
                .count()
        }),
    );
    report(
        "split and validate",
        best(|| {
            Reader::new(&text[..], limits.clone())
                .flatten()
                .filter(|raw| {
                    checker
                        .check_at(&raw.bytes, &raw.position())
                        .object
                        .is_some()
                })
                .count()
        }),
    );
}

fn best(mut run: impl FnMut() -> usize) -> Duration {
    let rounds = (0..7).map(|_| {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

fn enterprise() -> Option<Vec<u8>> {
    let root = std::env::var("COMITY_DATA")
        .map_or_else(|_| PathBuf::from("../../../shared/data"), PathBuf::from);
    let plain = root.join("attack/enterprise-attack.json");
    std::fs::read(plain)
        .ok()
        .or_else(|| unzip(&root.join("attack/enterprise-attack.json.gz")))
}

fn unzip(path: &Path) -> Option<Vec<u8>> {
    let output = std::process::Command::new("gzip")
        .arg("-dc")
        .arg(path)
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}
