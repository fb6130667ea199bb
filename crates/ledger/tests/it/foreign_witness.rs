//! Witnesses other people wrote: the test data of FiloSottile's torchwood (litewitness) and sunlight, which is fetched, not
//! kept here. Put copies of those repositories at `$COMITY_DATA/torchwood` and `$COMITY_DATA/sunlight` (default
//! `../shared/data` beside the workspace) to run these.

use std::fs;

use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::Cosigner;
use comity_ledger::note::{SignedNote, VerifierKey};
use comity_ledger::verify::TrustedLog;
use comity_ledger::witness::{AddCheckpoint, conflict_body, decide, monitoring_path};
use sha2::Digest as _;

use crate::support::{foreign, name};

/// The requests to litewitness, and its answers, as its own tests have them.
#[test]
fn litewitness_decides_alike() {
    let Some(folder) = foreign("torchwood/cmd/litewitness/testdata") else {
        return;
    };
    let hex = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f";
    let origin =
        "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
    let public = crate::hex(hex).try_into().unwrap();
    let sigsum = VerifierKey::ed25519(name(origin), &public).unwrap();
    let sumdb =
        VerifierKey::parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
            .unwrap();
    for (file, origin, key, expected) in [
        ("litewitness.txt", origin, sigsum, 8),
        ("sumdb.txt", "go.sum database tree", sumdb, 1),
    ] {
        let log = TrustedLog {
            origin: origin.to_owned(),
            keys: vec![key],
        };
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let mut latest: Option<Checkpoint> = None;
        let mut requests = 0;
        for exchange in text.split("/add-checkpoint\n```\n").skip(1) {
            let (body, answer) = exchange.split_once("```\n").unwrap();
            let status: u16 = answer.strip_prefix("HTTP ").unwrap()[..3].parse().unwrap();
            // at the time of that snapshot, an unknown log was answered 403
            let status = if answer.contains("unknown log") {
                404
            } else {
                status
            };
            requests += 1;
            let Ok(request) = AddCheckpoint::parse(body.as_bytes()) else {
                // base64 with stray bits, which Go reads as another signature and we not at all
                assert!(body.contains("WVrx6gx=") && status == 403, "{body}");
                continue;
            };
            let known = (request.origin_unverified() == origin).then_some(&log);
            match decide(known, latest.as_ref(), &request) {
                Ok(accepted) => {
                    assert_eq!(status, 200, "{body}");
                    latest = Some(accepted.checkpoint().clone());
                }
                Err(refusal) => {
                    assert_eq!(refusal.status(), status, "{body}");
                    if let Some(size) = refusal.conflict_size() {
                        assert!(answer.contains(&format!("body == {:?}", conflict_body(size))));
                    }
                }
            }
        }
        assert!(requests >= expected, "{file}: {requests} requests");
    }
}

/// A checkpoint sunlight's witness serves: the cosignature holds, and with its test key ours is the same to the byte.
#[test]
fn sunlight_cosigns_alike() {
    let Some(folder) = foreign("sunlight/cmd/skylight/testdata/witness") else {
        return;
    };
    let json = fs::read_to_string(folder.join("witness.v0.json")).unwrap();
    let vkey = json
        .split('"')
        .find(|text| text.starts_with("witness.example.org+"))
        .unwrap();
    let key = VerifierKey::parse(vkey).unwrap();
    let served = fs::read(folder.join(monitoring_path("rome2026h1.example.org"))).unwrap();
    let note = SignedNote::parse(&served).unwrap();
    let verified = note.verify(std::slice::from_ref(&key)).unwrap();
    let time = verified.cosignatures()[0].time_seconds().unwrap();
    let seed = sha2::Sha256::digest("skylight test witness key").into();
    let cosigner = Cosigner::ed25519_from_seed(key.name().clone(), &seed).unwrap();
    assert_eq!(cosigner.verifier(), &key);
    let ours = cosigner
        .cosign(&crate::support::accepted(verified.text()), time)
        .unwrap();
    assert_eq!(
        note.signatures().iter().find(|line| line.is_by(&key)),
        Some(&ours)
    );
}
