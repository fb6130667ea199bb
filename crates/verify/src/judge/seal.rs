//! The seal has the hash of every file that was there before the log's answer; items add up to exhibits.

use comity_evidence::package::{Date, Name, Seal, bag_info};
use comity_evidence::{Exhibit, Hex};

use crate::read::{Collected, inner};
use crate::report::{Report, Step};

pub(super) fn judge(seal: &Seal, package: &Collected, report: &mut Report) -> Vec<Exhibit> {
    sealed(seal, package, report);
    let info = bag_info(
        Date::from(seal.created),
        package.payload_bytes,
        package.payload_files,
    );
    if let Some(bytes) = package.kept.get(&Name::BagInfo)
        && bytes != info.as_bytes()
    {
        report.wrong(Step::Layout, "bag.info", Name::BagInfo, None, "");
    }
    let exhibits = exhibits(package, report);
    items(&exhibits, package, report);
    report.fact(
        Step::Seal,
        "seal.ok",
        [
            seal.parties.join(", "),
            seal.created.to_string(),
            seal.basis.clone(),
        ],
    );
    exhibits
}

/// Both ways: what is there has the hash the seal says, and what the seal names is there.
fn sealed(seal: &Seal, package: &Collected, report: &mut Report) {
    for (name, (is, _)) in &package.tags {
        match seal.hash_of(*name) {
            Some(hash) if hash == is => {}
            Some(_) => {
                let detail = format!("its SHA-256 is {}", Hex(is));
                report.wrong(Step::Seal, "seal.hash", name, None, detail);
            }
            None if name.is_other() => report.wrong(Step::Seal, "seal.unsealed", name, None, ""),
            None => {}
        }
    }
    for name in seal.others.keys() {
        if !package.tags.contains_key(name) {
            report.wrong(Step::Seal, "file.missing", name, None, Name::Seal);
        }
    }
    for name in [Name::Timestamp, Name::TsaChain] {
        match (seal.timestamp, package.tags.contains_key(&name)) {
            (true, false) => report.wrong(Step::Time, "file.missing", name, None, Name::Seal),
            (false, true) => report.wrong(Step::Time, "seal.unsealed", name, None, ""),
            _ => {}
        }
    }
}

fn exhibits(package: &Collected, report: &mut Report) -> Vec<Exhibit> {
    let Some(bytes) = package.kept.get(&Name::Exhibits) else {
        return Vec::new();
    };
    let mut exhibits: Vec<Exhibit> = Vec::new();
    let mut numbers = std::collections::BTreeSet::new();
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match Exhibit::parse_line(line) {
            Ok(exhibit) => {
                let twice = !numbers.insert(exhibit.id.as_str().to_owned())
                    | !numbers.insert(exhibit.number.as_str().to_owned());
                if twice {
                    let detail = exhibit.number.as_str();
                    report.wrong(
                        Step::Seal,
                        "exhibit.twice",
                        Name::Exhibits,
                        Some(at),
                        detail,
                    );
                }
                exhibits.push(exhibit);
            }
            Err(error) => {
                let offset = Some(at + inner(&error));
                report.wrong(Step::Seal, "exhibits.line", Name::Exhibits, offset, error);
            }
        }
        at += line.len() as u64;
    }
    if exhibits.is_empty() {
        report.wrong(Step::Seal, "exhibits.none", Name::Exhibits, None, "");
    }
    exhibits
}

/// The list of files, cut by exhibits, gives each exhibit's number of items, size and `items_sha256`, in the same order.
fn items(exhibits: &[Exhibit], package: &Collected, report: &mut Report) {
    let mut listed = package.listed.iter();
    for exhibit in exhibits {
        let fits = listed.next().is_some_and(|listed| {
            listed.exhibit == exhibit.id
                && listed.items.items() == exhibit.items
                && listed.items.size() == exhibit.size
                && listed.items.sha256() == exhibit.items_sha256
        });
        if fits {
            report.fact(
                Step::Seal,
                "exhibit.ok",
                [
                    exhibit.number.to_string(),
                    exhibit.title.clone(),
                    exhibit.items.to_string(),
                    exhibit.size.to_string(),
                    Hex(&exhibit.items_sha256).to_string(),
                ],
            );
        } else {
            report.wrong(
                Step::Seal,
                "exhibit.items",
                Name::Files,
                None,
                &exhibit.number,
            );
        }
    }
    if let Some(more) = listed.next() {
        report.wrong(
            Step::Seal,
            "exhibit.unknown",
            Name::Files,
            None,
            &more.exhibit,
        );
    }
}
