//! `comity log`: the transparency log, and the check of a proof by anybody.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use comity_ledger::note::VerifierKey;
use comity_ledger::verify::{self, TrustedLog};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::call::{self, data, number, text};
use super::ui::{Ink, Ui};
use super::{Global, exit};
use crate::clock::micros_to_text;
use crate::control::{Command, Log};

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
                ui.line(data(&proof, "text").trim_end())?;
            }
            Ok(exit::found(proof.get("valid") != Some(&Value::Bool(true))))
        }
        Act::Verify { proof, record, key } => verify(global, ui, &proof, record.as_deref(), key),
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
        ui.line(data(&head, "checkpoint").trim_end())?;
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

fn verify(
    global: &Global,
    ui: &Ui,
    proof: &Path,
    record: Option<&Path>,
    key: Option<String>,
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
    match checked {
        Ok(entry) => {
            let time = micros_to_text(i64::try_from(entry.entry().time_micros).unwrap_or(i64::MAX));
            let (event, size) = (entry.entry().event.name(), entry.checkpoint().head().size());
            if ui.is_json() {
                let answer = json!({ "valid": true, "entry": entry.index(), "log_size": size, "event": event, "time": time, "origin": log.origin, "contents": record.is_some() });
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
            }
            Ok(exit::DONE)
        }
        Err(error) => {
            if ui.is_json() {
                ui.json(&json!({ "valid": false, "problem": error.to_string() }))?;
            } else {
                ui.line(format!("{}: {error}", ui.ink(Ink::Red, "not valid")))?;
            }
            Ok(exit::FOUND)
        }
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
