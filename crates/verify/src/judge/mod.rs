//! One judge a step. Each says what it checked or what is wrong, and goes on as far as anything can still be said.

mod custody;
mod layout;
mod log;
mod receipts;
mod seal;
mod timestamp;

use comity_evidence::package::{Name, Seal};
use comity_evidence::sha256;
use comity_ledger::note::VerifierKey;
use comity_ledger::policy::Policy;

use crate::Trust;
use crate::read::Collected;
use crate::report::{Report, Step};

pub(crate) fn all(package: &Collected, trust: &Trust, report: &mut Report) {
    layout::judge(package, report);
    let seal = package.kept.get(&Name::Seal);
    let Some(bytes) = seal else {
        return; // named as missing already
    };
    let seal = match Seal::parse(bytes) {
        Ok(seal) => seal,
        Err(error) => {
            let offset = crate::read::inner(&error);
            report.wrong(Step::Seal, "seal.form", Name::Seal, Some(offset), error);
            return;
        }
    };
    let exhibits = seal::judge(&seal, package, report);
    let keys = package_keys(package, report);
    custody::judge(&exhibits, &keys, package, trust, report);
    let own_policy = own_policy(package, report);
    let policy = trust.policy.as_ref().or(own_policy.as_ref());
    let Some(policy) = policy else {
        return; // named already
    };
    if trust.policy.is_none() {
        report.own_keys("own.log");
    }
    let checkpoint = log::judge(
        &log::Question {
            seal: &seal,
            seal_sha256: sha256(bytes),
            policy,
            own_policy: own_policy.as_ref(),
        },
        package,
        report,
    );
    receipts::judge(&seal, &exhibits, policy, &keys, package, trust, report);
    timestamp::judge(&seal, checkpoint.as_deref(), package, trust, report);
}

/// The policy that came along: a maker's word, used only when the caller has none.
fn own_policy(package: &Collected, report: &mut Report) -> Option<Policy> {
    let bytes = package.kept.get(&Name::Policy)?;
    match Policy::parse(bytes) {
        Ok(policy) => Some(policy),
        Err(error) => {
            report.wrong(Step::Log, "policy.form", Name::Policy, None, error);
            None
        }
    }
}

/// `seal/keys.txt`: sorted, each once, nothing else.
fn package_keys(package: &Collected, report: &mut Report) -> Vec<VerifierKey> {
    let Some(bytes) = package.kept.get(&Name::Keys) else {
        return Vec::new();
    };
    let mut keys: Vec<VerifierKey> = Vec::new();
    let mut at = 0;
    let mut before: &[u8] = b"";
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").map(str::from_utf8);
        let parsed = match text {
            Some(Ok(text)) => VerifierKey::parse(text)
                .map_err(|error| error.to_string())
                .and_then(|key| {
                    let plain = key.to_string() == text && line > before;
                    plain.then_some(key).ok_or_else(|| {
                        "not in order, there twice, or written in another way".to_owned()
                    })
                }),
            _ => Err("no line of text".to_owned()),
        };
        match parsed {
            Ok(key) => keys.push(key),
            Err(why) => report.wrong(Step::Custody, "keys.line", Name::Keys, Some(at), why),
        }
        before = line;
        at += line.len() as u64;
    }
    keys
}
