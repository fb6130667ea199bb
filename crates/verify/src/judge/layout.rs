//! Closed world: every file is listed once, and nothing else is there. The texts BagIt wants have one spelling.

use std::collections::BTreeSet;

use comity_evidence::Hex;
use comity_evidence::package::{BAGIT_TXT, Name};

use crate::read::{Collected, listed};
use crate::report::{Report, Step};

pub(super) fn judge(package: &Collected, report: &mut Report) {
    let missing = |name: &Name| !package.tags.contains_key(name);
    for name in Name::required().filter(missing) {
        report.wrong(Step::Layout, "file.missing", name, None, "");
    }
    package.check_complete(report);
    if let Some(bytes) = package.kept.get(&Name::BagIt)
        && bytes != BAGIT_TXT.as_bytes()
    {
        report.wrong(Step::Layout, "bag.declaration", Name::BagIt, None, "");
    }
    tag_manifest(package, report);
    report.fact(
        Step::Layout,
        "layout.ok",
        [(package.tags.len() as u64 + package.payload_files).to_string()],
    );
    report.fact(
        Step::Payload,
        "payload.ok",
        [
            package.payload_files.to_string(),
            package.payload_bytes.to_string(),
        ],
    );
}

/// `tagmanifest-sha256.txt`: every other file that is no payload, in the order of their paths.
fn tag_manifest(package: &Collected, report: &mut Report) {
    let Some(bytes) = package.kept.get(&Name::TagManifest) else {
        return;
    };
    let mut seen: BTreeSet<Name> = BTreeSet::new();
    let mut before: &[u8] = b"";
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let place = Some(at);
        at += line.len() as u64;
        let entry = listed(line).and_then(|(hash, path)| {
            let name = Name::parse(path).ok()?;
            let ordered = path > before;
            before = path;
            let belongs = !name.is_payload() && name != Name::TagManifest;
            (ordered && belongs).then_some((hash, name))
        });
        let Some((hash, name)) = entry else {
            report.wrong(Step::Layout, "manifest.line", Name::TagManifest, place, "");
            continue;
        };
        seen.insert(name);
        match package.tags.get(&name) {
            None => report.wrong(Step::Layout, "file.missing", name, None, ""),
            Some((is, _)) if *is != hash => {
                let detail = format!("its SHA-256 is {}", Hex(is));
                report.wrong(Step::Layout, "file.hash", name, None, detail);
            }
            Some(_) => {}
        }
    }
    for name in package.tags.keys() {
        if !seen.contains(name) && *name != Name::TagManifest {
            report.wrong(Step::Layout, "file.unlisted", name, None, Name::TagManifest);
        }
    }
}
