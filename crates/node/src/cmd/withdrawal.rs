//! `comity withdrawal`: what other parties ask to remove, where an officer decides.

use clap::Subcommand;

use super::call::{self, number, text};
use super::ui::Ui;
use super::{Global, exit};
use crate::control::{Command, Withdrawal};

/// Arguments of `comity withdrawal`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "By default what a party withdraws is removed at once, and it gets a receipt for that. `comity peer set NAME --on-withdrawal ask`\n\
                  leaves the decision to an officer. To withdraw a record of your own: `comity withdraw ID`."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show what waits for a decision
    List {
        /// What was decided, too
        #[arg(long)]
        all: bool,
    },
    /// Remove the versions before the withdrawal; whoever asked gets a receipt
    Remove {
        /// STIX identifier
        id: String,
    },
    /// Keep them; whoever asked is told why
    Keep {
        /// STIX identifier
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let act = match args.act {
        Act::List { all } => {
            let command = Command::Withdrawal(Withdrawal::List { all });
            let (rows, _) = call::rows(global, ui, command)?;
            let columns = [
                ("id", "ID"),
                ("asked_by", "ASKED BY"),
                ("asked", "ASKED"),
                ("reason", "REASON"),
                ("decision", "DECISION"),
                ("by", "BY"),
                ("words", "WHY KEPT"),
            ];
            call::print(ui, &rows, &columns)?;
            if rows.is_empty() {
                ui.say("nothing waits for a decision");
            }
            return Ok(exit::DONE);
        }
        Act::Remove { id } => Withdrawal::Remove { id },
        Act::Keep { id, reason } => Withdrawal::Keep { id, reason },
    };
    let answer = call::one(global, ui, Command::Withdrawal(act))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        ui.line(format!(
            "{}: {} ({} earlier versions removed)",
            text(&answer, "id"),
            text(&answer, "result"),
            number(&answer, "versions_removed")
        ))?;
    }
    Ok(exit::DONE)
}
