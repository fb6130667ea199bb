//! Who had it: signatures of person and authority on every event, counter-signatures, and an order that is possible.

use comity_evidence::Exhibit;
use comity_evidence::custody::{Chain, Kind, Line, custody_key_name};
use comity_evidence::package::Name;
use comity_ledger::note::VerifierKey;

use crate::Trust;
use crate::read::{Collected, inner};
use crate::report::{Report, Step};

pub(super) fn judge(
    exhibits: &[Exhibit],
    own: &[VerifierKey],
    package: &Collected,
    trust: &Trust,
    report: &mut Report,
) {
    let Some(bytes) = package.kept.get(&Name::Custody) else {
        return;
    };
    let lines = read(bytes, report);
    if trust.keys.is_none() {
        report.own_keys("own.custody");
    }
    let keys = trust.keys.as_deref().unwrap_or(own);
    signatures(&lines, own, keys, report);
    let mut lines = lines.as_slice();
    for exhibit in exhibits {
        let of = |line: &&Placed| line.line.event_unverified().fields().exhibit == exhibit.id;
        let count = lines.iter().take_while(of).count();
        let (mine, rest) = lines.split_at_checked(count).unwrap_or((lines, &[]));
        lines = rest;
        order(exhibit, mine, report);
    }
    if let Some(more) = lines.first() {
        let detail = &more.line.event_unverified().fields().exhibit;
        report.wrong(
            Step::Custody,
            "custody.foreign",
            Name::Custody,
            Some(more.at),
            detail,
        );
    }
}

struct Placed {
    at: u64,
    line: Line,
}

fn read(bytes: &[u8], report: &mut Report) -> Vec<Placed> {
    let mut lines = Vec::new();
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match Line::parse_line(line) {
            Ok(line) => lines.push(Placed { at, line }),
            Err(error) => {
                let offset = Some(at + inner(&error));
                report.wrong(Step::Custody, "custody.line", Name::Custody, offset, error);
            }
        }
        at += line.len() as u64;
    }
    lines
}

/// Every signature on every event holds, and none is by somebody unknown.
fn signatures(lines: &[Placed], own: &[VerifierKey], keys: &[VerifierKey], report: &mut Report) {
    // those who acted somewhere in the file: their authorities vouch for them there
    let persons: Vec<VerifierKey> = lines
        .iter()
        .map(|placed| &placed.line.event_unverified().fields().actor.key)
        .fold(Vec::new(), |mut persons, key| {
            if !persons.contains(key) {
                persons.push(key.clone());
            }
            persons
        });
    let mut used: Vec<&VerifierKey> = Vec::new();
    for placed in lines {
        let wrong = |report: &mut Report, code, detail: String| {
            report.wrong(Step::Custody, code, Name::Custody, Some(placed.at), detail);
        };
        match placed.line.verify(keys, &persons) {
            Err(error) => wrong(report, "custody.signature", error.to_string()),
            Ok(verified) => {
                if let Some(unknown) = verified.unknown_signers().first() {
                    wrong(report, "custody.unknown-signer", unknown.to_string());
                }
                let fields = verified.event().fields();
                if !own.contains(&fields.actor.key) {
                    wrong(report, "custody.key-missing", fields.actor.key.to_string());
                }
                if fields.kind == Kind::Transferred && verified.countersigned().is_none() {
                    report.fact(
                        Step::Custody,
                        "custody.no-countersignature",
                        [fields.time.to_string()],
                    );
                }
                let authority = custody_key_name(&fields.actor.authority);
                let named = |key: &&VerifierKey| key.name().as_str() == authority;
                used.extend(keys.iter().filter(named));
            }
        }
    }
    used.sort_by_key(|key| key.to_string());
    used.dedup();
    for key in used {
        report.fact(Step::Custody, "custody.key", [key.to_string()]);
    }
}

/// Whether the events can have happened in this order, and end with the exhibit as it is here.
fn order(exhibit: &Exhibit, lines: &[Placed], report: &mut Report) {
    let mut chain = Chain::default();
    for placed in lines {
        if let Err(impossible) = chain.push(placed.line.event_unverified()) {
            let detail = format!("{}: {impossible}", impossible.code());
            report.wrong(
                Step::Custody,
                "custody.order",
                Name::Custody,
                Some(placed.at),
                detail,
            );
            return;
        }
    }
    if chain.len() != lines.len() {
        report.wrong(
            Step::Custody,
            "custody.twice",
            Name::Custody,
            None,
            &exhibit.number,
        );
    }
    let last = lines
        .last()
        .map(|placed| placed.line.event_unverified().fields());
    let Some(last) = last else {
        report.wrong(
            Step::Custody,
            "custody.none",
            Name::Custody,
            None,
            &exhibit.number,
        );
        return;
    };
    if last.items_sha256 != exhibit.items_sha256
        || last.items != exhibit.items
        || last.size != exhibit.size
    {
        report.wrong(
            Step::Custody,
            "custody.items",
            Name::Custody,
            lines.last().map(|placed| placed.at),
            &exhibit.number,
        );
    }
    for placed in lines {
        let fields = placed.line.event_unverified().fields();
        report.fact(
            Step::Custody,
            "custody.event",
            [
                exhibit.number.to_string(),
                fields.time.to_string(),
                fields.kind.to_string(),
                fields.actor.name.clone(),
                fields
                    .counterparty
                    .clone()
                    .unwrap_or_else(|| "-".to_owned()),
            ],
        );
        if let Some(anomaly) = &fields.anomaly {
            report.fact(Step::Custody, "custody.anomaly", [anomaly.clone()]);
        }
    }
    report.fact(
        Step::Custody,
        "custody.ok",
        [
            exhibit.number.to_string(),
            lines.len().to_string(),
            chain.holder().unwrap_or("-").to_owned(),
        ],
    );
}
