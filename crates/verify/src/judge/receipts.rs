//! What the other side said that it has: its receipt, and its log's proof of it.

use std::collections::BTreeSet;

use comity_evidence::Exhibit;
use comity_evidence::package::{Name, Seal};
use comity_ledger::note::VerifierKey;
use comity_ledger::policy::Policy;
use comity_ledger::receipt::{self, Receipt};
use comity_ledger::verify::TrustedLog;

use super::log::chain;
use crate::Trust;
use crate::read::Collected;
use crate::report::{Report, Step};
use crate::time::utc;

pub(super) fn judge(
    seal: &Seal,
    exhibits: &[Exhibit],
    policy: &Policy,
    own: &[VerifierKey],
    package: &Collected,
    trust: &Trust,
    report: &mut Report,
) {
    let numbers: BTreeSet<u32> = package
        .kept
        .keys()
        .filter_map(|name| match name {
            Name::Receipt(number) | Name::ReceiptProof(number) => Some(*number),
            _ => None,
        })
        .collect();
    if numbers.is_empty() {
        report.fact(Step::Receipts, "receipts.none", []);
    } else if trust.keys.is_none() {
        report.own_keys("own.receipts");
    }
    let keys = trust.keys.as_deref().unwrap_or(own);
    for (expected, number) in (1..).zip(numbers) {
        let name = Name::Receipt(number);
        let pair = (
            package.kept.get(&name),
            package.kept.get(&Name::ReceiptProof(number)),
        );
        let (Some(note), Some(proof)) = pair else {
            report.wrong(Step::Receipts, "receipt.pair", name, None, "");
            continue;
        };
        if expected != number {
            report.wrong(Step::Receipts, "receipt.number", name, None, "");
        }
        match one(note, proof, seal, exhibits, policy, keys) {
            Ok(receipt) => report.fact(
                Step::Receipts,
                "receipt.ok",
                [
                    receipt.receiver.clone(),
                    receipt.event.event().name().to_owned(),
                    receipt.record.clone(),
                    utc(i64::try_from(receipt.time_micros).unwrap_or(i64::MAX)),
                ],
            ),
            Err((code, detail)) => report.wrong(Step::Receipts, code, name, None, detail),
        }
    }
}

fn one(
    note: &[u8],
    proof: &[u8],
    seal: &Seal,
    exhibits: &[Exhibit],
    policy: &Policy,
    keys: &[VerifierKey],
) -> Result<Receipt, (&'static str, String)> {
    // whose keys to ask for: believed only once they have verified it
    let said = comity_ledger::note::SignedNote::parse(note)
        .map_err(|error| ("receipt.invalid", error.to_string()))?;
    let said = Receipt::parse(said.text_unverified())
        .map_err(|error| ("receipt.invalid", error.to_string()))?;
    let party = said
        .receiver
        .strip_prefix("comity.")
        .and_then(|rest| rest.split_once("/log/"))
        .map(|(party, _)| party.to_owned())
        .filter(|party| seal.parties.iter().skip(1).any(|other| other == party))
        .ok_or_else(|| ("receipt.party", said.receiver.clone()))?;
    let prefix = format!("comity.{party}/receipts/");
    let keys: Vec<VerifierKey> = keys
        .iter()
        .filter(|key| key.name().as_str().starts_with(&prefix))
        .cloned()
        .collect();
    let log: TrustedLog = policy
        .log(&said.receiver)
        .ok_or_else(|| ("receipt.log", said.receiver.clone()))?;
    let verified = receipt::verify(&keys, &log, note, proof)
        .map_err(|error| ("receipt.invalid", chain(&error)))?;
    let receipt = verified.receipt().clone();
    let maker = seal.parties.first().map_or("", String::as_str);
    if !receipt.sender.starts_with(&format!("comity.{maker}/log/")) {
        return Err(("receipt.party", receipt.sender));
    }
    let of_exhibit = exhibits
        .iter()
        .any(|exhibit| exhibit.id.as_str() == receipt.record);
    if of_exhibit || receipt.record.starts_with("comity-custody--") {
        Ok(receipt)
    } else {
        Err(("receipt.record", receipt.record))
    }
}
