//! `comity evidence show`: one exhibit.

use comity_evidence::Item;
use serde_json::Value;

use crate::cmd::call::{self, list, number, text};
use crate::cmd::ui::{Ink, Ui, counted, thousands};
use crate::cmd::{Global, exit};
use crate::control::{Command, Evidence};

/// Arguments of `comity evidence show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number or identifier
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// All items, not only the first 20
    #[arg(long)]
    items: bool,
    /// Only the custody, as lines of `custody.jsonl`
    #[arg(long, conflicts_with = "items")]
    custody: bool,
}

/// Items shown without `--items`.
const ITEMS_SHOWN: u64 = 20;

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let command = Evidence::Show {
        exhibit: args.exhibit.clone(),
    };
    let mut answer = call::one(global, ui, Command::Evidence(command))?;
    let unverified = list(&answer, "custody")
        .iter()
        .any(|event| event.get("verified") != Some(&Value::Bool(true)));
    let mut items = Vec::new();
    let mut unread = None;
    if text(&answer, "destroyed").is_empty() && !args.custody {
        let hash = super::hash_of(&answer, "items_sha256")?;
        let shown = if args.items { u64::MAX } else { ITEMS_SHOWN };
        let read = super::vault(&global.dir).items(&hash, &mut |item| {
            if item.number <= shown {
                items.push(item);
            }
            Ok(())
        });
        unread = read.err().map(|error| error.to_string());
    }
    if ui.is_json() {
        if let Some(members) = answer.as_object_mut() {
            let list: Value = items.iter().map(item_json).collect();
            members.insert("items_list".to_owned(), list);
            members.insert("items_problem".to_owned(), unread.clone().into());
        }
        ui.json(&answer)?;
    } else {
        if !args.custody {
            head(&answer, ui)?;
            for item in &items {
                ui.line(format!(
                    "  {:>6}  {:>16}  {}",
                    item.number,
                    thousands(item.size),
                    item.name
                ))?;
            }
            let more = number(&answer, "items").saturating_sub(items.len() as u64);
            if more > 0 && !items.is_empty() {
                ui.line(format!("          {} more (--items)", thousands(more)))?;
            }
            if let Some(problem) = &unread {
                ui.line(format!("  {}", ui.ink(Ink::Red, problem)))?;
            }
            ui.line("custody")?;
        }
        for event in list(&answer, "custody") {
            custody(event, ui)?;
        }
    }
    Ok(exit::found(unverified || unread.is_some()))
}

fn item_json(item: &Item) -> Value {
    serde_json::from_str(&item.to_line()).unwrap_or_default()
}

fn head(answer: &Value, ui: &Ui) -> anyhow::Result<()> {
    ui.line(format!(
        "{}  {}",
        ui.ink(Ink::Bold, text(answer, "number")),
        text(answer, "title")
    ))?;
    let field = |name: &str, value: String| -> anyhow::Result<()> {
        if !value.is_empty() {
            ui.line(format!("  {name:<12} {value}"))?;
        }
        Ok(())
    };
    field("id", text(answer, "id"))?;
    field(
        "contents",
        format!(
            "{}, {} octets",
            counted(number(answer, "items"), "item"),
            thousands(number(answer, "size"))
        ),
    )?;
    field(
        "sha-256",
        format!("{} (of the list of items)", text(answer, "items_sha256")),
    )?;
    field("state", text(answer, "state"))?;
    field("held by", text(answer, "holder"))?;
    field("handed to", text(answer, "handed_to"))?;
    let over = if answer.get("retention_over") == Some(&Value::Bool(true)) {
        " (over)"
    } else {
        ""
    };
    let until = text(answer, "retention_until");
    field(
        "keep until",
        if until.is_empty() {
            until
        } else {
            format!("{until}{over}")
        },
    )?;
    field("hold", text(answer, "hold"))?;
    field("use limits", text(answer, "use_limits"))?;
    field("destroyed", text(answer, "destroyed"))
}

fn custody(event: &Value, ui: &Ui) -> anyhow::Result<()> {
    let actor = event.get("actor").cloned().unwrap_or_default();
    let mark = if event.get("verified") == Some(&Value::Bool(true)) {
        ui.ink(Ink::Green, "signed")
    } else {
        ui.ink(Ink::Red, format!("NOT VALID: {}", text(event, "problem")))
    };
    ui.line(format!(
        "  {}  {:<11} {}  {mark}",
        text(event, "time"),
        text(event, "kind"),
        text(&actor, "name")
    ))?;
    for (name, key) in [
        ("on behalf of", "on_behalf_of"),
        ("with", "counterparty"),
        ("counter-signed by", "countersigned_by"),
        ("basis", "basis"),
        ("place", "place"),
        ("reason", "reason"),
        ("anomaly", "anomaly"),
        ("hashed again", "rehashed"),
    ] {
        let value = text(event, key);
        if !value.is_empty() {
            ui.line(format!("      {name} {value}"))?;
        }
    }
    Ok(())
}
