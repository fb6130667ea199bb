//! The tampering matrix: every file changed in every simple way, as it is and with all hashes made to fit again. Nothing
//! passes, and what is wrong is named (evidence-log F.9: "0 accepted", "100 % found, named by file").

use comity_verify::{Trust, Verdict};

use crate::fixture::{Files, World, rehash, tar_of};
use crate::good::{report, stream, trust};
use crate::tsa::{Shape, Tsa};

/// A package with everything in it, a time stamp too if there is an openssl.
pub(crate) fn full() -> (Files, Trust) {
    let world = World::default();
    let mut trust = trust(&world);
    let tsa = Tsa::new(&Shape::default());
    let stamp = tsa.as_ref().map(|tsa| |text: &str| tsa.stamp(text));
    let files = world.files(stamp.as_ref().map(|stamp| stamp as _));
    if let Some(tsa) = &tsa {
        trust.tsa = Some(comity_verify::tsp::certificates(&tsa.read("ca.crt")).unwrap());
    }
    (files, trust)
}

fn ordered(files: &Files) -> Vec<(String, Vec<u8>)> {
    files.clone().into_iter().collect()
}

#[test]
fn the_full_package_is_good() {
    let (files, trust) = full();
    let report = report(&files, &trust);
    assert_eq!(
        (report.findings(), report.verdict()),
        (&[][..], Verdict::Verified)
    );
}

type Change = fn(&mut Files, &str);

const CHANGES: &[(&str, Change)] = &[
    ("first bit", |files, path| {
        match files.get_mut(path).unwrap().first_mut() {
            Some(byte) => *byte ^= 1,
            None => files.get_mut(path).unwrap().push(1),
        }
    }),
    ("last bit", |files, path| {
        match files.get_mut(path).unwrap().last_mut() {
            Some(byte) => *byte ^= 0x80,
            None => files.get_mut(path).unwrap().push(1),
        }
    }),
    ("a zero after the end", |files, path| {
        files.get_mut(path).unwrap().push(0);
    }),
    ("a line feed after the end", |files, path| {
        files.get_mut(path).unwrap().push(b'\n');
    }),
    ("a blank in front", |files, path| {
        files.get_mut(path).unwrap().insert(0, b' ');
    }),
    ("the last octet gone", |files, path| {
        let bytes = files.get_mut(path).unwrap();
        if bytes.pop().is_none() {
            bytes.push(0);
        }
    }),
    ("emptied", |files, path| {
        let bytes = files.get_mut(path).unwrap();
        if bytes.is_empty() {
            bytes.push(0);
        } else {
            bytes.clear();
        }
    }),
    ("twice the contents", |files, path| {
        let bytes = files.get_mut(path).unwrap();
        if bytes.is_empty() {
            bytes.push(0);
        }
        bytes.extend_from_within(..);
    }),
    ("removed", |files, path| {
        files.remove(path);
    }),
    ("renamed", |files, path| {
        let bytes = files.remove(path).unwrap();
        files.insert(format!("{path}.orig"), bytes);
    }),
    ("renamed in case", |files, path| {
        let bytes = files.remove(path).unwrap();
        let mut other = path.to_ascii_uppercase();
        if other == path {
            other = path.to_ascii_lowercase();
        }
        files.insert(other, bytes);
    }),
    ("exchanged with the seal", |files, path| {
        let other = if path == "seal/seal.json" {
            "seal/policy.txt"
        } else {
            "seal/seal.json"
        };
        let (one, two) = (files[path].clone(), files[other].clone());
        files.insert(path.to_owned(), two);
        files.insert(other.to_owned(), one);
    }),
    ("a copy beside it", |files, path| {
        let bytes = files[path].clone();
        files.insert(format!("{path}~"), bytes);
    }),
    ("a file added to the payload", |files, _| {
        files.insert("data/000005.bin".to_owned(), b"more".to_vec());
    }),
    ("a file added to the seal", |files, _| {
        files.insert("seal/receipts/2.receipt".to_owned(), b"more".to_vec());
    }),
];

#[test]
fn every_change_to_every_file_is_found_and_named() {
    let (files, trust) = full();
    let mut accepted = Vec::new();
    let mut count = 0;
    for path in files.keys() {
        for (what, change) in CHANGES {
            for with_rehash in [false, true] {
                let mut changed = files.clone();
                change(&mut changed, path);
                if with_rehash {
                    rehash(&mut changed);
                }
                if changed == files {
                    continue; // the attacker has put it right again
                }
                count += 1;
                let report = report(&changed, &trust);
                let named = report.findings().iter().all(|it| {
                    !it.code.is_empty() && (!it.file.is_empty() || it.code.starts_with("tar."))
                });
                if report.verdict() != Verdict::NotVerified || !named {
                    accepted.push(format!("{path}: {what}, rehashed: {with_rehash}"));
                }
            }
        }
    }
    assert!(count > 500, "{count}");
    assert_eq!(accepted, Vec::<String>::new());
}

/// Flips one bit and says where; the finding must name the file.
fn flip(
    files: &Files,
    trust: &Trust,
    path: &str,
    bit: usize,
    with_rehash: bool,
) -> Result<(), String> {
    let mut changed = files.clone();
    changed.get_mut(path).unwrap()[bit / 8] ^= 1 << (bit % 8);
    if with_rehash {
        rehash(&mut changed);
        if changed == *files {
            return Ok(());
        }
    }
    let report = stream(&tar_of(&ordered(&changed)), trust);
    let about = |it: &comity_verify::Finding| it.file == path || it.detail.contains(path);
    // a manifest's line may name what it lists instead of itself
    let lists = path.contains("manifest");
    if report.findings().iter().any(about) || lists && !report.findings().is_empty() {
        Ok(())
    } else {
        Err(format!("{path}, bit {bit}: {:?}", report.findings()))
    }
}

fn flips(every: usize, with_rehash: bool) {
    let (files, trust) = full();
    let mut jobs = Vec::new();
    for (path, bytes) in &files {
        for bit in (0..bytes.len() * 8).step_by(every) {
            jobs.push((path.as_str(), bit));
        }
    }
    let half = jobs.len() / 2;
    let run = |jobs: &[(&str, usize)]| -> Vec<String> {
        jobs.iter()
            .filter_map(|(path, bit)| flip(&files, &trust, path, *bit, with_rehash).err())
            .collect()
    };
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| run(&jobs[half..]));
        (run(&jobs[..half]), second.join().unwrap())
    });
    assert_eq!([first, second].concat(), Vec::<String>::new());
}

#[test]
fn flipped_bits_of_any_file_are_found_and_named() {
    // a prime, so that every place in an octet has its turn; the exhaustive one is below
    flips(251, false);
}

#[test]
fn flipped_bits_are_found_when_all_hashes_fit_again() {
    flips(509, true);
}

#[test]
#[ignore = "every single bit: minutes"]
fn every_bit_of_every_file_is_found_and_named() {
    flips(1, false);
    flips(1, true);
}

#[test]
fn flipped_bits_of_the_tar_itself_are_found() {
    let (files, trust) = full();
    let good = tar_of(&ordered(&files));
    for bit in (0..good.len() * 8).step_by(811) {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let report = stream(&changed, &trust);
        assert_eq!(report.verdict(), Verdict::NotVerified, "bit {bit}");
    }
}
