//! Writes the tests' package to disk, for suites in other languages, benchmarks and demonstrations:
//!
//!     cargo run -p comity-verify --example make_package -- OUT [--tsa DIR] [--payload BYTES]...
//!
//! OUT/package is the directory, OUT/package.tar the same as a tar, OUT/policy.txt and OUT/keys.txt what a court would have from
//! elsewhere. DIR holds a time-stamping authority for `openssl ts`: tsa.cnf and chain.pem.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

#[path = "../tests/it/fixture.rs"]
mod fixture;

use std::path::{Path, PathBuf};
use std::process::Command;

use fixture::{World, tar_of, write_directory};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().expect("where to?"));
    let mut world = World::default();
    let mut tsa = None;
    let mut payload = Vec::new();
    while let Some(argument) = arguments.next() {
        let value = arguments.next().expect("a value");
        match argument.as_str() {
            "--tsa" => tsa = Some(PathBuf::from(value)),
            "--payload" => payload.push(value.parse::<usize>().expect("a number")),
            other => panic!("unknown argument {other}"),
        }
    }
    if !payload.is_empty() {
        world.contents = payload
            .into_iter()
            .enumerate()
            .map(|(place, size)| noise(place as u64, size))
            .collect();
    }
    std::fs::create_dir_all(&out).unwrap();
    let stamp = tsa.map(|tsa| move |text: &str| stamp(&tsa, text));
    let files = world.files(stamp.as_ref().map(|stamp| stamp as _));
    write_directory(&files, &out.join("package"));
    std::fs::write(
        out.join("package.tar"),
        tar_of(&files.into_iter().collect::<Vec<_>>()),
    )
    .unwrap();
    std::fs::write(out.join("policy.txt"), world.policy()).unwrap();
    let keys = world.keys().into_iter().map(|key| format!("{key}\n"));
    std::fs::write(out.join("keys.txt"), keys.collect::<String>()).unwrap();
}

/// Octets that do not compress, the same every time.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(size + 8);
    while out.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend(state.to_le_bytes());
    }
    out.truncate(size);
    out
}

fn stamp(tsa: &Path, text: &str) -> (Vec<u8>, Vec<u8>) {
    let run = |arguments: &[&str]| {
        let done = Command::new("openssl")
            .args(arguments)
            .current_dir(tsa)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    std::fs::write(tsa.join("text"), text).unwrap();
    run(&[
        "ts", "-query", "-data", "text", "-sha256", "-cert", "-out", "query",
    ]);
    run(&[
        "ts",
        "-reply",
        "-config",
        "tsa.cnf",
        "-queryfile",
        "query",
        "-out",
        "reply",
    ]);
    let reply = std::fs::read(tsa.join("reply")).unwrap();
    let reply = comity_verify::tsp::plain_response(&reply).unwrap();
    (reply, std::fs::read(tsa.join("chain.pem")).unwrap())
}
