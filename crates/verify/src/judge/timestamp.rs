//! The time-stamping authority's word that the checkpoint existed.

use comity_evidence::Hex;
use comity_evidence::package::{Name, Seal};

use crate::Trust;
use crate::read::Collected;
use crate::report::{Report, Step};
use crate::time::utc;
use crate::tsp::{self, Anchor, TspError};

pub(super) fn judge(
    seal: &Seal,
    checkpoint: Option<&str>,
    package: &Collected,
    trust: &Trust,
    report: &mut Report,
) {
    if !seal.timestamp {
        report.fact(Step::Time, "time.none", []);
        return;
    }
    let files = (
        package.kept.get(&Name::Timestamp),
        package.kept.get(&Name::TsaChain),
    );
    let (Some(token), Some(beside)) = files else {
        return; // named as missing already
    };
    let Some(checkpoint) = checkpoint else {
        return; // nothing verified that it could be over
    };
    let beside = match tsp::certificates_strict(beside) {
        Ok(beside) => beside,
        Err(error) => {
            report.wrong(Step::Time, "time.chain-file", Name::TsaChain, None, error);
            return;
        }
    };
    let result = tsp::verify(token, checkpoint.as_bytes(), &beside, trust.tsa.as_deref());
    let stamp = match result {
        Ok(stamp) => stamp,
        Err(error) => {
            let (code, name, offset) = match &error {
                TspError::Form(place) => ("time.form", Name::Timestamp, Some(place.offset as u64)),
                TspError::Beside(_) => ("time.chain-file", Name::TsaChain, None),
                TspError::Imprint => ("time.imprint", Name::Timestamp, None),
                TspError::NoAnchor => ("time.anchor", Name::Timestamp, None),
                _ => ("time.token", Name::Timestamp, None),
            };
            let detail = match &error {
                // the fault may lie in either file
                TspError::Chain(_) | TspError::NoAnchor | TspError::Unused => {
                    format!("{error}; the chain is in {}", Name::TsaChain)
                }
                _ => error.to_string(),
            };
            report.wrong(Step::Time, code, name, offset, detail);
            return;
        }
    };
    if stamp.anchor == Anchor::PackageOnly {
        report.own_keys("own.time");
    }
    report.fact(
        Step::Time,
        "time.ok",
        [
            utc(stamp.time_micros),
            stamp
                .accuracy_micros
                .map_or_else(|| "-".to_owned(), |micros| format!("{}", micros / 1_000)),
            stamp.serial,
            Hex(&stamp.signer_sha256).to_string(),
            Hex(&stamp.anchor_sha256).to_string(),
        ],
    );
}
