//! `comity alarm`: what somebody must look at, with the evidence.

use clap::Subcommand;

use super::call::{self, number};
use super::ui::Ui;
use super::{Global, exit};
use crate::control::{Alarm, Command};

/// Arguments of `comity alarm`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Codes: head.rollback (a party's log went back), head.split (it does not continue the one seen before), receipt.false (a receipt\n\
                  that is not true). The evidence is part of a log entry and stays. Ask the other side by voice before anything else.\n\
                  Exit code 1: there are open alarms."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show what nobody has seen to
    List {
        /// Seen ones, too
        #[arg(long)]
        all: bool,
    },
    /// Say that an alarm was seen to
    Seen {
        /// Its log entry
        entry: u64,
    },
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    match args.act {
        Act::List { all } => {
            let (rows, _) = call::rows(global, ui, Command::Alarm(Alarm::List { all }))?;
            let columns = [
                ("entry", "ENTRY"),
                ("party", "PARTY"),
                ("code", "CODE"),
                ("raised", "RAISED"),
                ("times", "TIMES"),
                ("text", "TEXT"),
            ];
            call::print(ui, &rows, &columns)?;
            if rows.is_empty() {
                ui.say("no alarms");
            } else if !ui.is_json() {
                ui.say("`--format json` shows the evidence");
            }
            let open = rows
                .iter()
                .any(|row| row.get("seen").is_none_or(serde_json::Value::is_null));
            Ok(exit::found(open))
        }
        Act::Seen { entry } => {
            let answer = call::one(global, ui, Command::Alarm(Alarm::Seen { entry }))?;
            if ui.is_json() {
                ui.json(&answer)?;
            } else {
                ui.line(format!("alarm {} was seen to", number(&answer, "entry")))?;
            }
            Ok(exit::DONE)
        }
    }
}
