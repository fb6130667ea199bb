//! `comity log`: the transparency log, and the check of a proof by anybody.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use comity_ledger::note::VerifierKey;
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::salt::LabelOpening;
use comity_ledger::verify::{self, TrustedLog};
use comity_store::Level;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::call::{self, number, text};
use super::ui::{Ink, Ui, Unit};
use super::{Global, exit};
use crate::app::{self, App};
use crate::clock::{SystemClock, micros_to_text};
use crate::config::{Config, Layer};
use crate::control::{Command, Log};
use crate::entropy::SystemEntropy;

/// Arguments of `comity log`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show the signed head
    Head {
        /// Only the checkpoint itself (C2SP signed note)
        #[arg(long)]
        note: bool,
    },
    /// Show entries, the latest by default
    Show {
        /// From this entry on
        #[arg(long, value_name = "INDEX")]
        from: Option<u64>,
        /// So many
        #[arg(long, default_value_t = 20, value_name = "COUNT")]
        limit: usize,
    },
    /// Print the proof that a record is in the log (C2SP tlog-proof)
    Prove {
        /// STIX identifier
        id: String,
        /// This version instead of the latest
        #[arg(long = "at", value_name = "TIME")]
        version: Option<String>,
    },
    /// Check a proof, here or anywhere; needs no node with --key
    Verify {
        /// The proof; `-` is standard input
        proof: PathBuf,
        /// The record it is for; without it only the entry is checked
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// The log's public key (vkey); by default this node's own
        #[arg(long, value_name = "VKEY")]
        key: Option<String>,
        /// Also check that the entry was made under this label (its text, as `prove --format json` gives it)
        #[arg(long, value_name = "TEXT", requires = "label_opening")]
        label: Option<String>,
        /// What shows the label, in base64
        #[arg(long, value_name = "BASE64", requires = "label")]
        label_opening: Option<String>,
    },
    /// Go on with a head that another key signed: after the log's key was lost or replaced
    ///
    /// The whole register is checked first, an entry says which key signed until here and which from now on, and this node's key
    /// signs the next head. Peers that know the old key refuse the new one until they add this node anew. Compare the root with what
    /// a peer saw last before you name it: who had the file could have put another history into it.
    Rekey {
        /// Root of the head, as the refusal to start shows it
        #[arg(long, value_name = "HEX")]
        root: String,
    },
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    match args.act {
        Act::Head { note } => head(global, ui, note),
        Act::Show { from, limit } => {
            let (mut rows, answer) =
                call::rows(global, ui, Command::Log(Log::Entries { from, limit }))?;
            if !ui.is_json() {
                rows.iter_mut().for_each(shorten);
            }
            call::print(
                ui,
                &rows,
                &[
                    ("entry", "ENTRY"),
                    ("time", "TIME"),
                    ("kind", "KIND"),
                    ("event", "EVENT"),
                    ("from", "FROM"),
                    ("about", "ABOUT"),
                ],
            )?;
            ui.say(format_args!("{} entries in all", number(&answer, "size")));
            Ok(exit::DONE)
        }
        Act::Prove { id, version } => {
            let proof = call::one(global, ui, Command::Log(Log::Prove { id, version }))?;
            anyhow::ensure!(!proof.is_null(), "there is no proof for this record");
            if ui.is_json() {
                ui.json(&proof)?;
            } else {
                ui.line(text(&proof, "text").trim_end())?;
            }
            Ok(exit::found(proof.get("valid") != Some(&Value::Bool(true))))
        }
        Act::Verify {
            proof,
            record,
            key,
            label,
            label_opening,
        } => {
            let label = label.zip(label_opening);
            verify(global, ui, &proof, record.as_deref(), key, label)
        }
        Act::Rekey { root } => rekey(global, ui, &root),
    }
}

/// What an entry is about, on the rest of a line.
fn shorten(row: &mut Value) {
    let about = row.get("about").cloned().unwrap_or_default();
    let id = text(&about, "id");
    let whole = if about.is_null() {
        String::new()
    } else if id.is_empty() {
        about.to_string()
    } else {
        format!("{id} {}", text(&about, "version"))
    };
    let cut: String = whole.chars().take(ABOUT_CHARACTERS).collect();
    let dots = if cut.len() < whole.len() { "…" } else { "" };
    if let Some(members) = row.as_object_mut() {
        members.insert("about".to_owned(), format!("{cut}{dots}").into());
    }
}

const ABOUT_CHARACTERS: usize = 120;

fn head(global: &Global, ui: &Ui, note: bool) -> anyhow::Result<u8> {
    let head = call::one(global, ui, Command::Log(Log::Head))?;
    let bad = head.get("signature_valid") == Some(&Value::Bool(false));
    if ui.is_json() {
        ui.json(&head)?;
    } else if note {
        ui.line(text(&head, "checkpoint").trim_end())?;
    } else {
        for (key, name) in [
            ("origin", "origin"),
            ("size", "size"),
            ("root", "root"),
            ("key", "key"),
        ] {
            ui.line(format!("{name:<10} {}", text(&head, key)))?;
        }
        let word = if bad {
            ui.ink(Ink::Red, "NOT VALID")
        } else {
            ui.ink(Ink::Green, "valid")
        };
        ui.line(format!("{:<10} {word}", "signature"))?;
    }
    Ok(exit::found(bad))
}

fn rekey(global: &Global, ui: &Ui, root: &str) -> anyhow::Result<u8> {
    let root = hash(root).with_context(|| {
        format!("`{root}` is not a root\n  help: 64 hexadecimal digits, as the refusal to start shows them")
    })?;
    let bar = ui.progress(None, Unit::Count);
    let report = comity_store::fsck(
        &global.dir,
        super::fsck::checks(Level::Deep, None),
        &mut |at| {
            bar.message(at.stage);
            bar.set(at.done, at.total);
        },
    )?;
    drop(bar);
    if !report.is_clean() {
        super::fsck::print(ui, &report)?;
        return Ok(exit::FOUND);
    }
    let config = Config::load(&global.dir, Layer::default())?;
    let key = app::log_signer(&config)?.verifier().to_string();
    App::take_over(
        config,
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy),
        &global.by,
        root,
    )?;
    if ui.is_json() {
        ui.json(&json!({ "key": key }))?;
    } else {
        ui.line(format!("the log goes on under {key}"))?;
        ui.say("tell peers by voice: they refuse the new key until they add this node anew");
    }
    Ok(exit::DONE)
}

/// 32 bytes from hexadecimal.
fn hash(text: &str) -> Option<comity_ledger::Hash> {
    let digits = text.trim();
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    bytes?.try_into().ok()
}

fn verify(
    global: &Global,
    ui: &Ui,
    proof: &Path,
    record: Option<&Path>,
    key: Option<String>,
    label: Option<(String, String)>,
) -> anyhow::Result<u8> {
    let key = match key {
        Some(key) => key,
        None => text(&call::one(global, ui, Command::Log(Log::Head))?, "key"),
    };
    let key = VerifierKey::parse(&key).with_context(|| format!("`{key}` is not a verifier key"))?;
    let log = TrustedLog {
        origin: key.name().as_str().to_owned(),
        keys: vec![key],
    };
    let proof = read(proof)?;
    let checked = match record {
        Some(path) => {
            let canonical = comity_stix::canonical::canonical_bytes(
                read(path)?.trim_ascii(),
                &comity_stix::json::Limits::default(),
            )
            .with_context(|| format!("`{}` is not one record", path.display()))?;
            let content = Sha256::digest(canonical).into();
            verify::record(&log, &proof, &content).map(|record| record.entry().clone())
        }
        None => verify::entry(&log, &proof),
    };
    let checked = checked
        .map_err(|error| error.to_string())
        .and_then(|entry| match &label {
            Some((label, opening)) => made_under(&proof, label, opening).map(|()| entry),
            None => Ok(entry),
        });
    match checked {
        Ok(entry) => {
            let time = micros_to_text(i64::try_from(entry.entry().time_micros).unwrap_or(i64::MAX));
            let (event, size) = (entry.entry().event.name(), entry.checkpoint().head().size());
            if ui.is_json() {
                let answer = json!({ "valid": true, "entry": entry.index(), "log_size": size, "event": event, "time": time, "origin": log.origin, "contents": record.is_some(), "label": label.is_some() });
                ui.json(&answer)?;
            } else {
                let what = if record.is_some() {
                    "this record is"
                } else {
                    "the entry (not its contents) is"
                };
                ui.line(format!(
                    "{}: {what} entry {} of {} in the log {}",
                    ui.ink(Ink::Green, "valid"),
                    entry.index(),
                    size,
                    log.origin
                ))?;
                ui.line(format!(
                    "  {event} at {time}, by the clock of the node that keeps the log"
                ))?;
                if let Some((label, _)) = &label {
                    ui.line(format!("  taken in under the label {label}"))?;
                }
            }
            Ok(exit::DONE)
        }
        Err(error) => {
            if ui.is_json() {
                ui.json(&json!({ "valid": false, "problem": error }))?;
            } else {
                ui.line(format!("{}: {error}", ui.ink(Ink::Red, "not valid")))?;
            }
            Ok(exit::FOUND)
        }
    }
}

/// Whether the salt in a proof that was verified commits to this label.
fn made_under(proof: &[u8], label: &str, opening: &str) -> Result<(), String> {
    let proof = Proof::parse(proof).map_err(|error| error.to_string())?;
    let salt = Opening::parse(proof.extra().unwrap_or_default())
        .and_then(|opened| opened.salt)
        .ok_or("the proof has no salt, so it shows no label")?;
    let opening = STANDARD
        .decode(opening.trim())
        .ok()
        .and_then(|bytes| LabelOpening::from_bytes(&bytes))
        .ok_or("the label's opening is not the base64 of 64 bytes")?;
    if opening.salt(label) == salt {
        Ok(())
    } else {
        Err("the entry was made under another label".to_owned())
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
            .context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
