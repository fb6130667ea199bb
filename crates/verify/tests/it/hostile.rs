//! The rows of evidence-log C2 and E 13-23 that are about packages, one test each; docs/THREATS.md maps them.

use std::os::unix::fs::symlink;

use comity_evidence::package::Seal;
use comity_evidence::sha256;
use comity_verify::{Report, Source, Trust, Verdict, verify};

use crate::fixture::{BASE, Files, World, rehash, resum, tar_header, tar_of, write_directory};
use crate::good::{report, stream, trust};

fn good() -> (Files, Trust) {
    let world = World::default();
    (world.files(None), trust(&world))
}

fn directory(files: &Files, trust: &Trust, change: impl FnOnce(&std::path::Path)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    write_directory(files, folder.path());
    change(folder.path());
    verify(Source::Path(folder.path()), trust, 2, &|_| {}).unwrap()
}

/// The codes of what was found, each once.
fn codes(report: &Report) -> Vec<&'static str> {
    let mut codes: Vec<_> = report.findings().iter().map(|it| it.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn ordered(files: &Files) -> Vec<(String, Vec<u8>)> {
    files.clone().into_iter().collect()
}

// --- C2 -----------------------------------------------------------------------------------------------------------------

#[test]
fn c2_names_with_percent_line_feeds_and_twins_are_metadata_only() {
    // the fixture's own names have line feeds; every tool accepts the package (tests/packages)
    let (files, trust) = good();
    let list = String::from_utf8(files["seal/files.jsonl"].clone()).unwrap();
    assert!(list.contains("mail/1%0A.eml"), "{list}");
    assert!(
        files
            .keys()
            .all(|path| path.is_ascii() && !path.contains('%'))
    );
    assert_eq!(report(&files, &trust).verdict(), Verdict::Verified);
}

#[test]
fn c2_a_manifest_that_leads_outside_is_refused() {
    let (mut files, trust) = good();
    let outside = format!(
        "{}  data/../../outside.txt\n",
        comity_evidence::Hex(&sha256(b"x"))
    );
    files
        .get_mut("manifest-sha256.txt")
        .unwrap()
        .extend(outside.bytes());
    assert!(codes(&report(&files, &trust)).contains(&"manifest.line"));
}

#[test]
fn c2_e17_a_link_is_no_file_and_is_not_followed() {
    let (files, trust) = good();
    let found = directory(&files, &trust, |folder| {
        let path = folder.join("data/000001.bin");
        std::fs::rename(&path, folder.parent().unwrap().join("moved.bin")).unwrap();
        symlink(folder.parent().unwrap().join("moved.bin"), &path).unwrap();
    });
    assert!(codes(&found).contains(&"file.kind"), "{found:?}");
    let found = directory(&files, &trust, |folder| {
        std::fs::rename(folder.join("seal"), folder.join("elsewhere")).unwrap();
        symlink("elsewhere", folder.join("seal")).unwrap();
    });
    assert!(codes(&found).contains(&"file.kind"), "{found:?}");
    let found = directory(&files, &trust, |folder| {
        let done = std::process::Command::new("mkfifo")
            .arg(folder.join("data/000005.bin"))
            .status();
        assert!(done.unwrap().success());
    });
    assert_eq!(codes(&found), ["file.kind"]);
}

#[test]
fn c2_e15_extra_files_of_either_kind_are_refused() {
    for (path, code) in [
        ("data/000005.bin", "file.unlisted"),
        ("data/readme.txt", "name.unknown"),
        ("fetch.txt", "name.unknown"),
        ("manifest-md5.txt", "name.unknown"),
        ("seal/receipts/2.receipt", "file.unlisted"),
        ("hidden/x", "folder.unknown"),
        ("data/more/000001.bin", "folder.unknown"),
    ] {
        let (mut files, trust) = good();
        files.insert(path.to_owned(), b"more".to_vec());
        let found = report(&files, &trust);
        assert!(codes(&found).contains(&code), "{path}: {found:?}");
        // a tag manifest made anew lists it, and the seal does not
        rehash(&mut files);
        assert_eq!(
            report(&files, &trust).verdict(),
            Verdict::NotVerified,
            "{path}"
        );
    }
}

#[test]
fn c2_e14_contents_and_all_manifests_made_anew_are_refused() {
    let (mut files, trust) = good();
    files.insert("data/000001.bin".to_owned(), b"other contents".to_vec());
    rehash(&mut files);
    let found = report(&files, &trust);
    assert!(codes(&found).contains(&"seal.hash"), "{found:?}");
}

#[test]
fn c2_e14_even_a_seal_made_anew_is_refused_by_the_log() {
    let (mut files, trust) = good();
    files.insert("data/000001.bin".to_owned(), b"other contents".to_vec());
    let list = String::from_utf8(files["seal/files.jsonl"].clone()).unwrap();
    let before = comity_evidence::Hex(&sha256(&World::default().contents[0])).to_string();
    let after = comity_evidence::Hex(&sha256(b"other contents")).to_string();
    let list = list
        .replace(&before, &after)
        .replace("\"size\":31}", "\"size\":14}");
    files.insert("seal/files.jsonl".to_owned(), list.into_bytes());
    rehash(&mut files);
    let mut seal = Seal::parse(&files["seal/seal.json"]).unwrap();
    seal.manifest_sha256 = sha256(&files["manifest-sha256.txt"]);
    seal.files_sha256 = sha256(&files["seal/files.jsonl"]);
    files.insert("seal/seal.json".to_owned(), seal.to_json().into_bytes());
    rehash(&mut files);
    let found = report(&files, &trust);
    assert!(codes(&found).contains(&"log.content"), "{found:?}");
    // and custody is signed over the items
    assert!(codes(&found).contains(&"exhibit.items"), "{found:?}");
}

#[test]
fn c2_without_its_tag_manifest_nothing_passes() {
    let (mut files, trust) = good();
    files.remove("tagmanifest-sha256.txt");
    files.insert("bag-info.txt".to_owned(), b"Contact-Name: X\n".to_vec());
    let found = codes(&report(&files, &trust));
    for code in ["file.missing", "bag.info", "seal.hash"] {
        assert!(found.contains(&code), "{found:?}");
    }
}

#[test]
fn c2_same_size_other_content_is_found() {
    let (mut files, trust) = good();
    let contents = files.get_mut("data/000003.bin").unwrap();
    contents[999] ^= 1;
    let found = report(&files, &trust);
    let payload: Vec<_> = found
        .findings()
        .iter()
        .map(|it| (it.code, it.file.as_str()))
        .collect();
    assert_eq!(payload, [("payload.hash", "data/000003.bin")]);
}

// --- E ------------------------------------------------------------------------------------------------------------------

#[test]
fn e13_a_proof_under_a_head_nobody_signed_is_refused() {
    let (mut files, trust) = good();
    let proof = String::from_utf8(files["seal/seal.tlog-proof"].clone()).unwrap();
    let (before, _) = proof.split_once("\n\u{2014} ").unwrap();
    // without signatures it is no note; with one by a stranger it is unsigned
    let stranger = World {
        seed: 50,
        ..World::default()
    };
    let text = before.rsplit_once("\n\n").unwrap().1.trim_end().to_owned() + "\n";
    let line = stranger.log_signer("ua").sign(&text).to_string();
    files.insert(
        "seal/seal.tlog-proof".to_owned(),
        format!("{before}\n{line}").into_bytes(),
    );
    rehash(&mut files);
    let found = codes(&report(&files, &trust));
    assert!(
        found.contains(&"log.signature") && found.contains(&"log.unknown-signer"),
        "{found:?}"
    );
}

#[test]
fn e13_the_proof_of_another_package_is_refused() {
    let (mut files, trust) = good();
    let other = World {
        contents: vec![b"another".to_vec()],
        ..World::default()
    }
    .files(None);
    for path in ["seal/seal.tlog-proof", "seal/entry.bin"] {
        files.insert(path.to_owned(), other[path].clone());
    }
    rehash(&mut files);
    assert_eq!(codes(&report(&files, &trust)), ["log.content"]);
}

#[test]
fn e16_names_that_lead_out_are_refused_before_anything_is_opened() {
    for (path, code) in [
        ("package/../package/bagit.txt", "name.escapes"),
        ("package/data/../../../etc/passwd", "name.escapes"),
        ("/package/bagit.txt", "name.escapes"),
        ("../package/bagit.txt", "name.escapes"),
        ("./package/bagit.txt", "tar.base"),
        ("C:\\package", "tar.base"),
        ("package/C:x", "name.escapes"),
        ("package/data\\000001.bin", "name.escapes"),
        ("package//bagit.txt", "name.escapes"),
        ("package/bagit.txt\u{1}", "name.control"),
        ("package/bagit\u{202e}txt", "name.ascii"),
        ("other/bagit.txt", "tar.base"),
        ("package", "tar.base"),
    ] {
        let (files, trust) = good();
        let mut tar = tar_of(&ordered(&files));
        let mut block = tar_header(path, 0);
        resum(&mut block);
        tar.splice(0..0, block);
        pad(&mut tar);
        let found = stream(&tar, &trust);
        assert!(codes(&found).contains(&code), "{path}: {found:?}");
    }
}

/// To a full record again.
fn pad(tar: &mut Vec<u8>) {
    tar.truncate(tar.len() - tar.iter().rev().take_while(|byte| **byte == 0).count());
    tar.resize(tar.len().next_multiple_of(512) + 1_024, 0);
    tar.resize(tar.len().next_multiple_of(10_240), 0);
}

#[test]
fn e17_members_that_are_no_plain_files_are_refused() {
    for kind in *b"123467xgLKSV\0" {
        let (files, trust) = good();
        let mut tar = tar_of(&ordered(&files));
        let block: &mut [u8; 512] = (&mut tar[..512]).try_into().unwrap();
        block[156] = kind;
        resum(block);
        let found = stream(&tar, &trust);
        assert!(codes(&found).contains(&"tar.kind"), "{kind}: {found:?}");
    }
    // a target where there is no link, a name with something behind its end, a long name
    for (place, byte) in [
        (157, b'x'),
        (99, b'x'),
        (345, b'x'),
        (500, 1),
        (264, b'x'),
        (100, b'9'),
        (124, b'-'),
    ] {
        let (files, trust) = good();
        let mut tar = tar_of(&ordered(&files));
        let block: &mut [u8; 512] = (&mut tar[..512]).try_into().unwrap();
        block[place] = byte;
        resum(block);
        let found = stream(&tar, &trust);
        assert!(codes(&found).contains(&"tar.header"), "{place}: {found:?}");
    }
}

#[test]
fn e18_there_is_one_way_to_read_an_archive() {
    let (files, trust) = good();
    let tar = tar_of(&ordered(&files));
    let refused = |tar: &[u8], code: &str| {
        let found = stream(tar, &trust);
        assert!(codes(&found).contains(&code), "{code}: {found:?}");
    };
    // a second archive after the end, a byte after the end, zeros beyond the record, a lost end
    refused(&[tar.clone(), tar.clone()].concat(), "tar.end");
    refused(&[tar.clone(), vec![0]].concat(), "tar.end");
    refused(&[tar.clone(), vec![0; 512]].concat(), "tar.end");
    refused(&[tar.clone(), vec![0; 10_240]].concat(), "tar.end");
    refused(&tar[..tar.len() - 512], "tar.end");
    refused(&tar[..1_024], "tar.cut");
    refused(&tar[..700], "tar.cut");
    refused(b"", "tar.cut");
    // something in the padding
    let mut padded = tar.clone();
    padded[512 + 100] = 1;
    refused(&padded, "tar.padding");
    // the same file twice: which one would be meant?
    let mut twice = ordered(&files);
    twice.push(("bagit.txt".to_owned(), files["bagit.txt"].clone()));
    refused(&tar_of(&twice), "file.twice");
    let mut twice = ordered(&files);
    twice.push(("data/000001.bin".to_owned(), b"other".to_vec()));
    refused(&tar_of(&twice), "file.twice");
    // compressed
    refused(&[0x1f, 0x8b, 8, 0].repeat(200), "tar.header");
}

#[test]
fn e18_json_has_one_spelling() {
    for (path, from, to) in [
        ("seal/seal.json", "{\"basis\"", "{ \"basis\""),
        (
            "seal/seal.json",
            "\"timestamp\":false",
            "\"timestamp\":false,\"timestamp\":true",
        ),
        ("seal/seal.json", "Article", "\\u0041rticle"),
        ("seal/files.jsonl", "\"size\":31", "\"size\":31.0"),
        ("seal/files.jsonl", "\n", "\r\n"),
        ("seal/exhibits.jsonl", "\"items\":3", "\"items\":03"),
        ("seal/custody.jsonl", "{\"event\"", "{\"a\":1,\"event\""),
    ] {
        let (mut files, trust) = good();
        let text = String::from_utf8(files[path].clone()).unwrap();
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed, "{path}: {from}");
        files.insert(path.to_owned(), changed.into_bytes());
        rehash(&mut files);
        let found = report(&files, &trust);
        let named = found
            .findings()
            .iter()
            .any(|it| it.file == path && it.offset.is_some());
        assert!(named, "{path}: {found:?}");
    }
}

#[test]
fn e21_twins_and_overrides_are_shown_escaped() {
    let (mut files, trust) = good();
    files.insert("data/\u{202e}nib.exe".to_owned(), Vec::new());
    files.insert("data/e\u{301}.txt".to_owned(), Vec::new());
    let found = report(&files, &trust);
    assert!(codes(&found).contains(&"name.ascii"));
    let text = found.to_text(comity_verify::Language::En);
    assert!(text.is_ascii() || !text.contains('\u{202e}'), "{text}");
    assert!(found.findings().iter().all(|it| it.file.is_ascii()));
}

#[test]
fn e22_files_larger_than_a_package_can_have_are_refused_unread() {
    let (files, trust) = good();
    let mut tar = Vec::new();
    tar.extend(tar_header(&format!("{BASE}/seal/policy.txt"), 100 << 20));
    let found = stream(&tar, &trust);
    assert!(codes(&found).contains(&"file.large"), "{found:?}");
    for path in ["seal/entry.bin", "bagit.txt", "seal/keys.txt"] {
        let mut files = files.clone();
        files.insert(path.to_owned(), vec![b'x'; 2 << 20]);
        let found = report(&files, &trust);
        assert!(codes(&found).contains(&"file.large"), "{path}: {found:?}");
    }
    // a line without an end
    let mut files = files.clone();
    files.insert("seal/files.jsonl".to_owned(), vec![b'x'; 1 << 20]);
    assert!(codes(&report(&files, &trust)).contains(&"files.line"));
}

#[test]
fn e22_a_million_findings_are_counted_not_kept() {
    let (mut files, trust) = good();
    for number in 0..1_000 {
        files.insert(format!("data/x{number}"), Vec::new());
    }
    // which ones are kept depends on the order of reading
    let found = stream(&tar_of(&ordered(&files)), &trust);
    assert_eq!(found.findings().len(), comity_verify::FINDINGS_MAX);
    assert!(found.to_text(comity_verify::Language::En).contains("and 8"));
}

#[test]
fn e23_a_signature_by_nobody_known_and_a_second_one_are_refused() {
    let (files, trust) = good();
    let proof = String::from_utf8(files["seal/seal.tlog-proof"].clone()).unwrap();
    let line = proof
        .lines()
        .find(|line| line.starts_with("\u{2014} witness.example/0"))
        .unwrap();
    for (changed, code) in [
        (format!("{proof}{line}\n"), "log.signature"),
        (
            format!("{proof}\u{2014} witness.example/9 AAAAAAEB\n"),
            "log.unknown-signer",
        ),
        (
            proof.replace("witness.example/0", "witness.example/1"),
            "log.unknown-signer",
        ),
    ] {
        let mut files = files.clone();
        files.insert("seal/seal.tlog-proof".to_owned(), changed.into_bytes());
        rehash(&mut files);
        let found = codes(&report(&files, &trust));
        assert!(found.contains(&code), "{code}: {found:?}");
    }
}

#[test]
fn e30_a_post_quantum_witness_counts() {
    // two of three are asked for: one Ed25519, one ML-DSA-44
    let world = World {
        witnesses: vec![0, 2],
        ..World::default()
    };
    let found = report(&world.files(None), &trust(&world));
    assert_eq!(
        (found.findings(), found.verdict()),
        (&[][..], Verdict::Verified)
    );
}

#[test]
fn e32_too_few_witnesses_are_pending_not_verified() {
    for witnesses in [vec![], vec![1]] {
        let world = World {
            witnesses,
            ..World::default()
        };
        let found = report(&world.files(None), &trust(&world));
        assert_eq!(codes(&found), ["witnesses.quorum"]);
    }
}
