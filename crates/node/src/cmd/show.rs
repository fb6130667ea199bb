//! `comity show`: one record, readable.

use serde_json::Value;

use super::call::{self, list, number, text};
use super::ui::{Ink, Ui, visible_lines};
use super::{Global, exit};
use crate::control::{Command, Show};

/// Arguments of `comity show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// STIX identifier
    #[arg(value_name = "ID")]
    id: String,
    /// This version (its `modified`) instead of the latest
    #[arg(long = "at", value_name = "TIME")]
    version: Option<String>,
    /// As this user; by default as the party's own officer
    #[arg(long = "as", value_name = "USER")]
    reader: Option<String>,
    /// Only the list of versions
    #[arg(long, conflicts_with_all = ["raw", "proof"])]
    versions: bool,
    /// Only the object, exactly as it is kept
    #[arg(long, conflicts_with = "proof")]
    raw: bool,
    /// Only the proof that it is in the log (C2SP tlog-proof), for `comity log verify`
    #[arg(long)]
    proof: bool,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let command = Command::Show(Show {
        id: args.id,
        version: args.version,
        reader: args.reader,
        opens: !args.proof && !args.versions,
    });
    let record = call::one(global, ui, command)?;
    let proof = record.get("proof").cloned().unwrap_or_default();
    let proven = proof.get("valid") == Some(&Value::Bool(true));
    if args.raw {
        ui.line(call::whole(&record, "object"))?;
    } else if args.proof {
        anyhow::ensure!(!proof.is_null(), "there is no proof for this record");
        ui.line(call::whole(&proof, "text").trim_end())?;
    } else if args.versions {
        call::print(
            ui,
            list(&record, "versions"),
            &[("version", "VERSION"), ("added", "ADDED")],
        )?;
    } else if ui.is_json() {
        ui.json(&record)?;
    } else {
        readable(ui, &record, &proof, proven)?;
    }
    // where parts are left out there is nothing to check the proof against
    Ok(exit::found(proof.get("valid") == Some(&Value::Bool(false))))
}

fn readable(ui: &Ui, record: &Value, proof: &Value, proven: bool) -> anyhow::Result<()> {
    let label = record.get("label").cloned().unwrap_or_default();
    let revoked = if record.get("revoked") == Some(&Value::Bool(true)) {
        ui.ink(Ink::Red, "  withdrawn")
    } else {
        String::new()
    };
    ui.line(format!(
        "{}  {}{revoked}",
        ui.ink(Ink::Bold, text(record, "type")),
        text(record, "summary")
    ))?;
    let field = |name: &str, value: String| -> anyhow::Result<()> {
        if !value.is_empty() {
            ui.line(format!("  {name:<12} {value}"))?;
        }
        Ok(())
    };
    field("id", text(record, "id"))?;
    field("version", text(record, "version"))?;
    let assumed = if label.get("assumed") == Some(&Value::Bool(true)) {
        " (assumed: it carries none)"
    } else {
        ""
    };
    field("label", format!("{}{assumed}", text(&label, "tlp")))?;
    field("pap", text(&label, "pap"))?;
    for part in list(&label, "parts") {
        field(
            "part",
            format!("{} under {}", text(part, "tlp"), text(part, "marking")),
        )?;
    }
    field("originator", text(&label, "originator"))?;
    let audience = text(&label, "audience");
    field(
        "audience",
        if audience.is_empty() {
            "nobody by name".to_owned()
        } else {
            audience
        },
    )?;
    field("exercise", text(&label, "exercise"))?;
    field("from", text(record, "from"))?;
    field("author", text(record, "author"))?;
    field("received", text(record, "received"))?;
    for place in list(record, "collections") {
        field(
            "collection",
            format!(
                "{} since {}",
                text(place, "collection"),
                text(place, "added")
            ),
        )?;
    }
    let versions = list(record, "versions").len();
    field(
        "versions",
        if versions > 1 {
            format!("{versions} (--versions)")
        } else {
            String::new()
        },
    )?;
    field(
        "log entry",
        format!(
            "{} of {}",
            number(record, "entry"),
            number(proof, "log_size")
        ),
    )?;
    field("sha-256", text(record, "content_sha256"))?;
    field(
        "proof",
        match (proof.is_null(), proven) {
            (true, _) => "none".to_owned(),
            (false, false) if proof.get("valid").is_none() => {
                format!("not checked: {}", text(proof, "problem"))
            }
            (false, true) => format!(
                "{}{}",
                ui.ink(Ink::Green, "verified against the signed head"),
                match text(proof, "witnesses").as_str() {
                    "quorum" => ", cosigned by a quorum of witnesses",
                    "pending" => ", pending witnesses",
                    _ => "",
                }
            ),
            (false, false) => ui.ink(Ink::Red, format!("NOT VALID: {}", text(proof, "problem"))),
        },
    )?;
    for row in list(record, "disclosures") {
        field(
            "read by",
            format!(
                "{} ({}) at {}, log entry {}",
                text(row, "by"),
                text(row, "party"),
                text(row, "at"),
                text(row, "entry")
            ),
        )?;
    }
    for row in list(record, "deliveries") {
        let reason = text(row, "reason");
        let why = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        field(
            "to peer",
            format!(
                "{} {} at {}{why}",
                text(row, "peer"),
                text(row, "state"),
                text(row, "changed")
            ),
        )?;
    }
    if !(list(record, "deliveries").is_empty() && list(record, "disclosures").is_empty()) {
        field("receipts", format!("comity sent {}", text(record, "id")))?;
    }
    for row in list(record, "answers") {
        let reason = text(row, "reason");
        let mut told = if text(row, "taken").is_empty() {
            "receipt not taken yet".to_owned()
        } else {
            format!("receipt taken {}", text(row, "taken"))
        };
        if !text(row, "refused").is_empty() {
            told = format!("receipt refused: {}", text(row, "refused"));
        }
        let why = if reason.is_empty() {
            String::new()
        } else {
            format!(" ({reason})")
        };
        field(
            "answered",
            format!(
                "{} {}{why}, log entry {}; {told}",
                text(row, "party"),
                text(row, "event"),
                text(row, "entry")
            ),
        )?;
    }
    for row in list(record, "referred_to_by") {
        field(
            "used by",
            format!("{} {}", text(row, "id"), text(row, "property")),
        )?;
    }
    if record.get("redacted") == Some(&Value::Bool(true)) {
        ui.line("  (parts this reader may not see are left out)")?;
    }
    let object: Value = serde_json::from_str(call::whole(record, "object"))?;
    let pretty = serde_json::to_string_pretty(&object)?;
    ui.line(format!("\n{}", visible_lines(&pretty)))?;
    Ok(())
}
