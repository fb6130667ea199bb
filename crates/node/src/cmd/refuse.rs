//! `comity refuse`: an officer refuses another party's record, and its sender is told.

use super::call::{self, text};
use super::ui::Ui;
use super::{Global, exit};
use crate::control::{Command, Refuse};

/// Arguments of `comity refuse`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Give an officer with --by. The refusal is an entry of the log, and the sender gets a signed receipt with the reason.\n\
                  The record stays, marked as refused, unless --delete."
)]
pub(crate) struct Args {
    /// STIX identifier
    #[arg(value_name = "ID")]
    id: String,
    /// This version (its `modified`) instead of the latest
    #[arg(long = "at", value_name = "TIME")]
    version: Option<String>,
    /// Why; the sender is told
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Remove the record, too; its log entry and the reason stay
    #[arg(long)]
    delete: bool,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let command = Command::Refuse(Refuse {
        id: args.id,
        version: args.version,
        reason: args.reason,
        delete: args.delete,
    });
    let answer = call::one(global, ui, command)?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        let told = text(&answer, "told");
        let told = if told.is_empty() {
            "nobody is told: it did not come from a Comity node".to_owned()
        } else {
            format!("{told} is told")
        };
        ui.line(format!(
            "{} {}: refused; {told}",
            text(&answer, "id"),
            text(&answer, "version")
        ))?;
    }
    Ok(exit::DONE)
}
