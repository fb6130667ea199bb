//! `comity receipt`: checks a receipt of another party, anywhere, without a node.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use comity_ledger::note::VerifierKey;
use comity_ledger::proof::Proof;
use comity_ledger::receipt::{self, ReceiptEvent, VerifiedReceipt};
use comity_ledger::verify::TrustedLog;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::ui::{Ink, Ui};
use super::{Global, exit};
use crate::clock::micros_to_text;

/// Arguments of `comity receipt`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Check a receipt and the proof of its entry; needs no node
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Checks in this order: the receipt key signed the text; the receiver's log key signed the head; the entry is in that log;\n\
                  text and entry say the same; the entry commits to the contents. With --sent: it is for that entry of the sender's log.\n\
                  Take the keys from somebody you trust, not from whoever gave you the files."
)]
struct Verify {
    /// The receipt, a signed note
    receipt: PathBuf,
    /// The proof of its entry in the receiver's log (C2SP tlog-proof)
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
    /// The receiver's key for receipts (vkey)
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// The key of the receiver's log (vkey)
    #[arg(long, value_name = "VKEY")]
    log_key: String,
    /// The record it should be for
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// The sender's own proof of the record, whose entry the receipt should answer
    #[arg(long, value_name = "FILE")]
    sent: Option<PathBuf>,
}

pub(crate) fn run(args: Args, _global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let Act::Verify(asked) = args.act;
    let key = |text: &str| {
        VerifierKey::parse(text).with_context(|| format!("`{text}` is not a verifier key"))
    };
    let log_key = key(&asked.log_key)?;
    let log = TrustedLog {
        origin: log_key.name().as_str().to_owned(),
        keys: vec![log_key],
    };
    let (note, proof) = (read(&asked.receipt)?, read(&asked.proof)?);
    let verified = receipt::verify(&[key(&asked.key)?], &log, &note, &proof);
    let problem = match &verified {
        Ok(verified) => mismatch(verified, &asked)?,
        Err(error) => Some(error.to_string()),
    };
    match (verified, problem) {
        (Ok(verified), None) => good(ui, &verified)?,
        (_, problem) => {
            let problem = problem.unwrap_or_default();
            if ui.is_json() {
                ui.json(&json!({ "valid": false, "problem": problem }))?;
            } else {
                ui.line(format!("{}: {problem}", ui.ink(Ink::Red, "not valid")))?;
            }
            return Ok(exit::FOUND);
        }
    }
    Ok(exit::DONE)
}

/// What of the record or the sender's entry the receipt is not for.
fn mismatch(verified: &VerifiedReceipt, asked: &Verify) -> anyhow::Result<Option<String>> {
    let said = verified.receipt();
    if let Some(path) = &asked.record {
        let limits = comity_stix::json::Limits::default();
        let canonical = comity_stix::canonical::canonical_bytes(read(path)?.trim_ascii(), &limits)
            .with_context(|| format!("`{}` is not one record", path.display()))?;
        if comity_ledger::Hash::from(Sha256::digest(canonical)) != said.content_sha256 {
            return Ok(Some("the receipt is for other contents".to_owned()));
        }
    }
    if let Some(path) = &asked.sent {
        let proof = Proof::parse(&read(path)?)
            .with_context(|| format!("`{}` is not a proof", path.display()))?;
        let leaf = proof
            .extra()
            .and_then(comity_ledger::proof::Opening::parse)
            .map(|opening| comity_ledger::tree::leaf_hash(&opening.entry));
        if leaf != Some(said.sender_leaf) || proof.index() != said.sender_entry {
            return Ok(Some(
                "the receipt answers another entry than that of the sender's proof".to_owned(),
            ));
        }
    }
    Ok(None)
}

fn good(ui: &Ui, verified: &VerifiedReceipt) -> anyhow::Result<()> {
    let said = verified.receipt();
    let time = micros_to_text(i64::try_from(said.time_micros).unwrap_or(i64::MAX));
    let head = verified.record().entry().checkpoint().head();
    if ui.is_json() {
        return ui.json(&json!({
            "valid": true,
            "event": format!("{:02x}", said.event.code()),
            "name": said.event.event().name(),
            "record": said.record,
            "version": said.version,
            "sender": said.sender,
            "sender_entry": said.sender_entry,
            "receiver": said.receiver,
            "entry": said.entry,
            "log_size": head.size(),
            "time": time,
            "label": said.label,
            "reason": said.reason,
        }));
    }
    let what = match said.event {
        ReceiptEvent::Received => "received",
        ReceiptEvent::Opened => "opened by an officer",
        ReceiptEvent::RefusedByOfficer => "refused by an officer",
        ReceiptEvent::RefusedByNode => "refused by the node",
        ReceiptEvent::Removed => "removed, as asked",
        ReceiptEvent::Kept => "kept, though its removal was asked",
    };
    ui.line(format!(
        "{}: {} {} was {what} at {time}",
        ui.ink(Ink::Green, "valid"),
        said.record,
        said.version
    ))?;
    ui.line(format!(
        "  entry {} of {} in the log {}, in answer to entry {} of {}",
        said.entry,
        head.size(),
        said.receiver,
        said.sender_entry,
        said.sender
    ))?;
    if let Some(label) = &said.label {
        ui.line(format!("  under the label {label}"))?;
    }
    if let Some(reason) = &said.reason {
        ui.line(format!("  because: {reason}"))?;
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
