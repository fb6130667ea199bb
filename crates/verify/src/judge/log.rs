//! The log has committed to the seal, under a head that it signed and that witnesses have seen.

use comity_evidence::Hash;
use comity_evidence::package::{Name, Seal};
use comity_ledger::entry::Event;
use comity_ledger::note::VerifierKey;
use comity_ledger::policy::{Policy, PolicyWitness};
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::verify::{self, VerifyError};

use crate::read::Collected;
use crate::report::{Report, Step};
use crate::time::utc;

pub(super) struct Question<'a> {
    pub(super) seal: &'a Seal,
    pub(super) seal_sha256: Hash,
    /// Whom to believe.
    pub(super) policy: &'a Policy,
    /// Whom the package names, to tell a witness the caller does not know from a line somebody added.
    pub(super) own_policy: Option<&'a Policy>,
}

/// Gives the text of the verified checkpoint.
pub(super) fn judge(
    question: &Question<'_>,
    package: &Collected,
    report: &mut Report,
) -> Option<String> {
    let bytes = package.kept.get(&Name::Proof)?;
    let wrong = |report: &mut Report, step, code, detail: String| {
        report.wrong(step, code, Name::Proof, None, detail);
    };
    let proof = match Proof::parse(bytes) {
        Ok(proof) => proof,
        Err(error) => {
            wrong(report, Step::Log, "log.proof", chain(&error));
            return None;
        }
    };
    entry_file(&proof, package, report);
    signers(question, &proof, report);
    let record = match verify::record_under(question.policy, bytes, &question.seal_sha256) {
        Ok(record) => record,
        Err(error @ VerifyError::Quorum { .. }) => {
            wrong(report, Step::Witnesses, "witnesses.quorum", chain(&error));
            return None;
        }
        Err(error) => {
            if matches!(error, VerifyError::Content) {
                // the seal is what does not fit
                report.wrong(Step::Log, "log.content", Name::Seal, None, chain(&error));
                return None;
            }
            let code = match error {
                VerifyError::Signature(_) | VerifyError::NoLog(_) => "log.signature",
                _ => "log.proof",
            };
            wrong(report, Step::Log, code, chain(&error));
            return None;
        }
    };
    let entry = record.entry();
    if entry.entry().event != Event::Disclosure {
        let name = entry.entry().event.name();
        wrong(report, Step::Log, "log.event", name.to_owned());
    }
    let head = entry.checkpoint().head();
    let maker = question.seal.parties.first().map_or("", String::as_str);
    if !head.origin().starts_with(&format!("comity.{maker}/log/")) {
        wrong(report, Step::Log, "log.party", head.origin().to_owned());
    }
    report.fact(
        Step::Log,
        "log.ok",
        [
            head.origin().to_owned(),
            entry.index().to_string(),
            head.size().to_string(),
            utc(i64::try_from(entry.entry().time_micros).unwrap_or(i64::MAX)),
        ],
    );
    for key in entry.checkpoint().checkpoint().signers() {
        report.fact(Step::Log, "log.key", [key.to_string()]);
    }
    witnesses(question, entry.checkpoint(), report);
    Some(head.to_string())
}

fn witnesses(
    question: &Question<'_>,
    checkpoint: &verify::WitnessedCheckpoint,
    report: &mut Report,
) {
    for witness in checkpoint.witnesses() {
        let time = witness
            .time_seconds()
            .and_then(|seconds| i64::try_from(seconds).ok())
            .and_then(|seconds| seconds.checked_mul(1_000_000))
            .map_or_else(|| "-".to_owned(), utc);
        let name = String::from_utf8_lossy(witness.witness().name().as_bytes()).into_owned();
        report.fact(Step::Witnesses, "witnesses.one", [name, time]);
    }
    match question.policy.quorum() {
        Some(quorum) => report.fact(
            Step::Witnesses,
            "witnesses.ok",
            [
                checkpoint.witnesses().len().to_string(),
                question.policy.witnesses().len().to_string(),
                quorum.to_string(),
            ],
        ),
        None => report.fact(Step::Witnesses, "witnesses.none", []),
    }
}

/// `seal/entry.bin` is what the proof carries.
fn entry_file(proof: &Proof, package: &Collected, report: &mut Report) {
    let entry = package.kept.get(&Name::Entry);
    let carried = proof.extra().and_then(Opening::parse);
    if let Some(entry) = entry
        && carried.is_none_or(|opening| opening.entry.as_slice() != entry.as_slice())
    {
        report.wrong(Step::Log, "log.entry", Name::Entry, None, "");
    }
}

/// "Verifiers MUST ignore signatures from unknown keys" (signed-note): but a line that no policy knows has no business in a
/// package, and one by a key the package names must hold, whether or not the caller counts it.
fn signers(question: &Question<'_>, proof: &Proof, report: &mut Report) {
    let policies = [Some(question.policy), question.own_policy];
    let mut known: Vec<VerifierKey> = Vec::new();
    for policy in policies.into_iter().flatten() {
        let logs = policy.logs().iter().map(|log| log.key());
        let witnesses = policy.witnesses().iter().map(PolicyWitness::key);
        for key in logs.chain(witnesses) {
            if !known.contains(key) {
                known.push(key.clone());
            }
        }
    }
    let note = proof.checkpoint();
    for line in note.signatures() {
        if !known.iter().any(|key| line.is_by(key)) {
            report.wrong(
                Step::Log,
                "log.unknown-signer",
                Name::Proof,
                None,
                line.name(),
            );
        }
    }
    if let Err(error) = note.verify(&known) {
        report.wrong(Step::Log, "log.signature", Name::Proof, None, error);
    }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
