//! `comity log`: the transparency log, and the check of a proof by anybody.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use comity_ledger::entry::Entry;
use comity_ledger::note::VerifierKey;
use comity_ledger::policy::Policy;
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::salt::LabelOpening;
use comity_ledger::verify::{self, TrustedLog, VerifiedEntry, VerifyError, WitnessedEntry};
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
        /// Policy (C2SP tlog-policy) that says which logs and witnesses to believe; then a quorum must have cosigned
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
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
    /// The witnesses of this log as a policy (C2SP tlog-policy); with --policy, take another
    Witnesses {
        /// The policy to take; each witness needs a URL, a pin may stand behind it: `https://host/#sha256-HEX`
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// The witnesses of this log, one by one
    Witness {
        #[command(subcommand)]
        act: WitnessAct,
    },
}

#[derive(Debug, Subcommand)]
enum WitnessAct {
    /// Add one; the quorum becomes more than half of all
    Add {
        /// Its name here
        name: String,
        /// Its verifier key, as its operator gave it to you
        #[arg(value_name = "VKEY")]
        key: String,
        /// Where heads are submitted to it
        url: String,
        /// A further key of the same witness
        #[arg(long = "also", value_name = "VKEY")]
        also: Vec<String>,
        /// SHA-256 fingerprint of its certificate; without it a public authority must have signed that
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<String>,
    },
    /// Show all, and how it goes with each
    List,
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
                ui.line(call::whole(&proof, "text").trim_end())?;
            }
            Ok(exit::found(proof.get("valid") != Some(&Value::Bool(true))))
        }
        Act::Verify {
            proof,
            record,
            key,
            policy,
            label,
            label_opening,
        } => {
            let label = label.zip(label_opening);
            let trust = Trust::of(global, ui, key, policy.as_deref())?;
            verify(ui, &trust, &proof, record.as_deref(), label)
        }
        Act::Witnesses { policy } => witnesses(global, ui, policy.as_deref()),
        Act::Witness {
            act:
                WitnessAct::Add {
                    name,
                    key,
                    url,
                    also,
                    fingerprint,
                },
        } => {
            let add = Log::AddWitness {
                name,
                keys: std::iter::once(key).chain(also).collect(),
                url,
                fingerprint,
            };
            policy_taken(ui, &call::one(global, ui, Command::Log(add))?)
        }
        Act::Witness {
            act: WitnessAct::List,
        } => list_witnesses(global, ui),
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
        ui.line(call::whole(&head, "checkpoint").trim_end())?;
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

fn witnesses(global: &Global, ui: &Ui, policy: Option<&Path>) -> anyhow::Result<u8> {
    let text_of = |path: &Path| {
        String::from_utf8(read(path)?).with_context(|| format!("`{}` is not UTF-8", path.display()))
    };
    let set = policy.map(text_of).transpose()?;
    let changes = set.is_some();
    let answer = call::one(global, ui, Command::Log(Log::Policy { text: set }))?;
    if changes {
        return policy_taken(ui, &answer);
    }
    if ui.is_json() {
        ui.json(&answer)?;
        return Ok(exit::DONE);
    }
    if answer.get("policy").is_none_or(Value::is_null) {
        ui.say("no witnesses yet: `comity log witness add NAME VKEY URL`");
        return Ok(exit::DONE);
    }
    ui.line(call::whole(&answer, "policy").trim_end())?;
    let at = text(&answer, "cosigned");
    ui.say(if at.is_empty() {
        "no quorum has cosigned a head yet".to_owned()
    } else {
        format!(
            "a quorum has cosigned {} of {} entries, at {at}",
            number(&answer, "witnessed_size"),
            number(&answer, "log_size")
        )
    });
    Ok(exit::DONE)
}

fn policy_taken(ui: &Ui, answer: &Value) -> anyhow::Result<u8> {
    if ui.is_json() {
        ui.json(answer)?;
    } else {
        let quorum = text(answer, "quorum");
        ui.line(format!(
            "{} keys at {} places; quorum {}",
            number(answer, "witnesses"),
            number(answer, "places"),
            if quorum.is_empty() { "none" } else { &quorum }
        ))?;
        ui.say("tell the other parties: `comity peer card` names your witnesses, each decides whom to believe");
    }
    Ok(exit::DONE)
}

fn list_witnesses(global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let (rows, _) = call::rows(global, ui, Command::Log(Log::Witnesses))?;
    call::print(
        ui,
        &rows,
        &[
            ("name", "NAME"),
            ("size", "COSIGNED"),
            ("cosigned", "AT"),
            ("url", "URL"),
            ("problem", "PROBLEM"),
        ],
    )?;
    if rows.is_empty() {
        ui.say("no witnesses yet: `comity log witness add NAME VKEY URL`");
    }
    Ok(exit::DONE)
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

/// Who is believed.
enum Trust {
    Log(TrustedLog),
    Policy(Box<Policy>),
}

impl Trust {
    /// From a policy, which may leave the log to `--key` or this node; or from a key alone.
    fn of(
        global: &Global,
        ui: &Ui,
        key: Option<String>,
        policy: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let policy = policy
            .map(|path| {
                Policy::parse(&read(path)?)
                    .with_context(|| format!("`{}` is not a policy", path.display()))
            })
            .transpose()?;
        if let Some(policy) = &policy
            && key.is_none()
            && !policy.logs().is_empty()
        {
            return Ok(Self::Policy(Box::new(policy.clone())));
        }
        let key = match key {
            Some(key) => key,
            None => text(&call::one(global, ui, Command::Log(Log::Head))?, "key"),
        };
        let key =
            VerifierKey::parse(&key).with_context(|| format!("`{key}` is not a verifier key"))?;
        let log = TrustedLog {
            origin: key.name().as_str().to_owned(),
            keys: vec![key],
        };
        Ok(match policy {
            Some(policy) => Self::Policy(Box::new(policy.for_log(&log)?)),
            None => Self::Log(log),
        })
    }

    fn record(&self, proof: &[u8], content: &comity_ledger::Hash) -> Result<Checked, VerifyError> {
        match self {
            Self::Log(log) => {
                verify::record(log, proof, content).map(|it| Checked::by_log(it.entry()))
            }
            Self::Policy(policy) => verify::record_under(policy, proof, content)
                .map(|it| Checked::by_policy(it.entry())),
        }
    }

    fn entry(&self, proof: &[u8]) -> Result<Checked, VerifyError> {
        match self {
            Self::Log(log) => verify::entry(log, proof).map(|it| Checked::by_log(&it)),
            Self::Policy(policy) => {
                verify::entry_under(policy, proof).map(|it| Checked::by_policy(&it))
            }
        }
    }
}

/// What a proof has shown.
struct Checked {
    entry: Entry,
    index: u64,
    size: u64,
    origin: String,
    /// Of the policy, those that cosigned; `None` where none was asked for.
    witnesses: Option<Vec<String>>,
    quorum_at_seconds: Option<u64>,
}

impl Checked {
    fn by_log(it: &VerifiedEntry) -> Self {
        Self {
            entry: *it.entry(),
            index: it.index(),
            size: it.checkpoint().head().size(),
            origin: it.checkpoint().head().origin().to_owned(),
            witnesses: None,
            quorum_at_seconds: None,
        }
    }

    fn by_policy(it: &WitnessedEntry) -> Self {
        let head = it.checkpoint();
        let names = head
            .witnesses()
            .iter()
            .map(|one| one.witness().name().to_string());
        Self {
            entry: *it.entry(),
            index: it.index(),
            size: head.head().size(),
            origin: head.head().origin().to_owned(),
            witnesses: Some(names.collect()),
            quorum_at_seconds: head.quorum_at_seconds(),
        }
    }
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
    ui: &Ui,
    trust: &Trust,
    proof: &Path,
    record: Option<&Path>,
    label: Option<(String, String)>,
) -> anyhow::Result<u8> {
    let proof = read(proof)?;
    let checked = match record {
        Some(path) => {
            let canonical = comity_stix::canonical::canonical_bytes(
                read(path)?.trim_ascii(),
                &comity_stix::json::Limits::default(),
            )
            .with_context(|| format!("`{}` is not one record", path.display()))?;
            let content = Sha256::digest(canonical).into();
            trust.record(&proof, &content)
        }
        None => trust.entry(&proof),
    };
    let checked = checked
        .map_err(|error| error.to_string())
        .and_then(|entry| match &label {
            Some((label, opening)) => made_under(&proof, label, opening).map(|()| entry),
            None => Ok(entry),
        });
    match checked {
        Ok(checked) => {
            let time = micros_to_text(i64::try_from(checked.entry.time_micros).unwrap_or(i64::MAX));
            let event = checked.entry.event.name();
            let cosigned = checked.quorum_at_seconds.map(|seconds| {
                micros_to_text(
                    i64::try_from(seconds)
                        .unwrap_or(i64::MAX)
                        .saturating_mul(1_000_000),
                )
            });
            if ui.is_json() {
                let answer = json!({
                    "valid": true, "entry": checked.index, "log_size": checked.size, "event": event, "time": time,
                    "origin": checked.origin, "contents": record.is_some(), "label": label.is_some(),
                    "witnesses": checked.witnesses, "quorum_at": cosigned,
                });
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
                    checked.index,
                    checked.size,
                    checked.origin
                ))?;
                ui.line(format!(
                    "  {event} at {time}, by the clock of the node that keeps the log"
                ))?;
                if let Some(witnesses) = &checked.witnesses {
                    let at = cosigned
                        .map(|at| format!("; a quorum by {at}"))
                        .unwrap_or_default();
                    ui.line(format!("  cosigned by {}{at}", witnesses.join(", ")))?;
                }
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
