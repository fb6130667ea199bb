//! `comity sent`: where a record went, and what each recipient signed about it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::call::{self, list, number, text};
use super::ui::{Ui, counted};
use super::{Global, exit};
use crate::control::{Command, Sent};

/// Arguments of `comity sent`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "States: skipped (by a rule), queued, sent (a receipt is awaited), received (the receipt was verified), opened (by an officer),\n\
                  refused, expired (none came in the agreed time; the log says so), removed and kept (after a withdrawal),\n\
                  handed-over and fetched (by servers and readers that cannot give receipts).\n\
                  Without ID: how many receipts came, are awaited and did not come, by party. Exit code 1: some did not come in time."
)]
pub(crate) struct Args {
    /// STIX identifier; without it an overview
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// This version (its `modified`) instead of the latest
    #[arg(long = "at", value_name = "TIME", requires = "id")]
    version: Option<String>,
    /// Write the receipts, their proofs and the record's own proof into this folder, for somebody who trusts nobody
    #[arg(long, value_name = "DIR", requires = "id")]
    receipts: Option<PathBuf>,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let whole = args.id.is_none();
    let command = Command::Sent(Sent {
        id: args.id,
        version: args.version,
    });
    let (rows, answer) = call::rows(global, ui, command)?;
    if whole {
        return overview(ui, &rows, &answer);
    }
    if let Some(dir) = &args.receipts {
        let files = write(dir, &rows, &answer)?;
        ui.say(format_args!(
            "{} in `{}`; `README.txt` there says how to check them",
            counted(files, "file"),
            dir.display()
        ));
    }
    if ui.is_json() {
        for row in &rows {
            ui.json(row)?;
        }
        return Ok(exit::DONE);
    }
    ui.line(format!(
        "{} {}  log entry {}",
        text(&answer, "id"),
        text(&answer, "version"),
        number(&answer, "entry")
    ))?;
    let asks = answer.get("asks_removal").and_then(Value::as_str);
    if let Some(reason) = asks {
        let why = if reason.is_empty() {
            String::new()
        } else {
            format!(": {reason}")
        };
        ui.line(format!(
            "this version asks everybody to remove the ones before{why}"
        ))?;
    }
    let shown: Vec<Value> = rows.iter().map(readable).collect();
    let columns = [
        ("party", "PARTY"),
        ("state", "STATE"),
        ("at", "SINCE"),
        ("entries", "THEIR ENTRIES"),
        ("tlp", "LABEL THERE"),
        ("witnessed", "WITNESSES"),
        ("about", "ABOUT"),
    ];
    call::print(ui, &shown, &columns)?;
    if rows.is_empty() {
        ui.say("it went nowhere yet");
    }
    Ok(exit::DONE)
}

/// A recipient in the columns of the table.
fn readable(row: &Value) -> Value {
    let receipts = list(row, "receipts");
    let entries: Vec<String> = receipts
        .iter()
        .map(|one| format!("{} {}", text(one, "event"), number(one, "entry")))
        .collect();
    let label: Value = serde_json::from_str(&text(row, "label")).unwrap_or_default();
    let witnessed = match receipts.iter().map(|one| number(one, "witnesses")).max() {
        None => String::new(),
        Some(0) => "pending".to_owned(),
        Some(count) => count.to_string(),
    };
    let late = row.get("late") == Some(&Value::Bool(true));
    let mut about: Vec<String> = Vec::new();
    if late {
        about.push("late".to_owned());
    }
    about.extend(
        ["reason", "note"]
            .iter()
            .map(|key| text(row, key))
            .filter(|text| !text.is_empty()),
    );
    if receipts.is_empty() && text(row, "state") == "sent" && !text(row, "due").is_empty() {
        about.push(format!("due {}", text(row, "due")));
    }
    serde_json::json!({
        "party": text(row, "party"),
        "state": text(row, "state"),
        "at": text(row, "at"),
        "entries": entries.join(", "),
        "tlp": text(&label, "tlp"),
        "witnessed": witnessed,
        "about": about.join("; "),
    })
}

fn overview(ui: &Ui, rows: &[Value], answer: &Value) -> anyhow::Result<u8> {
    let columns = [
        ("party", "PARTY"),
        ("received", "RECEIVED"),
        ("awaited", "AWAITED"),
        ("expired", "EXPIRED"),
        ("oldest", "OLDEST WITHOUT"),
        ("owed", "WE OWE"),
        ("given", "WE GAVE"),
    ];
    call::print(ui, rows, &columns)?;
    let without = list(answer, "without_receipt");
    let expired = rows.iter().any(|row| number(row, "expired") > 0);
    if ui.is_json() {
        ui.json(answer)?;
    } else {
        let columns = [
            ("id", "WITHOUT RECEIPT"),
            ("party", "PARTY"),
            ("sent", "SENT"),
            ("due", "DUE"),
            ("expired", "EXPIRED"),
        ];
        call::print(ui, without, &columns)?;
        let alarms = number(answer, "alarms");
        if alarms > 0 {
            ui.say(format_args!(
                "{}: `comity alarms list`",
                counted(alarms, "open alarm")
            ));
        }
        if rows.is_empty() {
            ui.say("nothing went to a node that gives receipts yet");
        }
    }
    Ok(exit::found(expired))
}

/// Writes receipts and proofs; gives the number of files.
fn write(dir: &Path, rows: &[Value], answer: &Value) -> anyhow::Result<u64> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    let mut files = 0_u64;
    let mut put = |name: &str, content: &str| -> anyhow::Result<()> {
        let path = dir.join(name);
        std::fs::write(&path, content)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        files += 1;
        Ok(())
    };
    put("record.json", call::whole(answer, "object"))?;
    put("record.tlog-proof", call::whole(answer, "proof"))?;
    let log_key = text(answer, "log_key");
    let mut words = format!(
        "{} {}\n\nOur log has it as entry {}:\n  comity log verify record.tlog-proof --record record.json --key '{log_key}'\n",
        text(answer, "id"),
        text(answer, "version"),
        number(answer, "entry"),
    );
    for row in rows {
        let party = text(row, "party");
        let keys = answer.get("keys").and_then(|keys| keys.get(&party));
        let key = |which: &str| keys.map(|keys| text(keys, which)).unwrap_or_default();
        words.push_str(&format!("\n{party}: {}\n", text(row, "state")));
        for receipt in list(row, "receipts") {
            let name = format!(
                "{party}-{}-{}",
                text(receipt, "event"),
                number(receipt, "entry")
            );
            put(&format!("{name}.receipt"), call::whole(receipt, "receipt"))?;
            put(&format!("{name}.tlog-proof"), call::whole(receipt, "proof"))?;
            words.push_str(&format!(
                "  {} at {}\n    comity receipt verify {name}.receipt --proof {name}.tlog-proof --sent record.tlog-proof --record record.json \\\n      --key '{}' --log-key '{}'\n",
                text(receipt, "name"),
                text(receipt, "time"),
                key("receipts"),
                key("log"),
            ));
        }
    }
    words.push_str(
        "\nThe keys stand here for comparison only. Take them from somebody you trust, not from whoever gave you these files.\n",
    );
    put("README.txt", &words)?;
    Ok(files)
}
