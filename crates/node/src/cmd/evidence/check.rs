//! `comity evidence check`: all contents are hashed again. That is no custody event (nobody handled the exhibit); it is noted in
//! the log as an act of administration, with what it gave.

use std::sync::atomic::AtomicU64;

use comity_evidence::Hex;
use serde_json::Value;

use crate::cmd::call::{self, list, number, text};
use crate::cmd::ui::{Ink, Ui, counted};
use crate::cmd::{Global, exit};
use crate::control::{Command, Evidence};

/// Arguments of `comity evidence check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number or identifier
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let show = Evidence::Show {
        exhibit: args.exhibit.clone(),
    };
    let exhibit = call::one(global, ui, Command::Evidence(show))?;
    anyhow::ensure!(
        text(&exhibit, "destroyed").is_empty(),
        "the contents of `{}` were destroyed",
        text(&exhibit, "number")
    );
    let vault = super::vault(&global.dir);
    let hash = super::hash_of(&exhibit, "items_sha256")?;
    let done = AtomicU64::new(0);
    let rehashed = super::watched(ui, "hashing", number(&exhibit, "size"), &done, || {
        vault.rehash(&hash, &done)
    })?;
    let checked = Evidence::Checked {
        exhibit: text(&exhibit, "id"),
        rehashed: Hex(&rehashed.items_sha256).to_string(),
        damaged: rehashed.damaged.clone(),
    };
    let answer = call::one(global, ui, Command::Evidence(checked))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else if answer.get("whole") == Some(&Value::Bool(true)) {
        ui.line(format!(
            "{}  {}: {}",
            text(&answer, "number"),
            ui.ink(Ink::Green, "whole"),
            counted(number(&exhibit, "items"), "item")
        ))?;
    } else {
        ui.line(format!(
            "{}  {}: {} of {}",
            text(&answer, "number"),
            ui.ink(Ink::Red, "DAMAGED"),
            rehashed.damaged_count,
            counted(number(&exhibit, "items"), "item")
        ))?;
        for line in list(&answer, "damaged") {
            ui.line(format!("  {}", call::plain(line)))?;
        }
    }
    Ok(exit::found(rehashed.damaged_count > 0))
}
