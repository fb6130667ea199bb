//! `comity alarms`: what is wrong with a log, ours or a peer's, or with a receipt, and who took note of it.

use clap::Subcommand;

use super::call::{self, number, text};
use super::ui::Ui;
use super::{Global, exit};
use crate::control::{Alarms, Command};

/// Arguments of `comity alarms`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Kinds: split (two histories), rollback (the log went back), stalled (it shows an old head), forged (a head it did not\n\
                  sign), false-receipt, own-rollback (this register is an old copy). Nothing is taken from a peer with an open\n\
                  alarm until an officer acknowledges it. Keep the evidence: two heads together prove to anybody what happened.\n\
                  If the log truly began anew: `comity peer forget-heads`. Exit code 1: an alarm is open."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show alarms, newest first
    List {
        /// Those that were acknowledged too
        #[arg(long)]
        all: bool,
    },
    /// Show one with its evidence: the head that was known and the one that contradicts it, or the false receipt
    Show {
        /// Its number
        id: i64,
    },
    /// Say that an officer has taken note of it; exchange with the peer goes on
    Acknowledge {
        /// Its number
        id: i64,
        /// What was found out, for the log
        #[arg(long, value_name = "TEXT")]
        remark: String,
    },
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    match args.act {
        Act::List { all } => {
            let command = Command::Alarms(Alarms::List { open: !all });
            let (rows, answer) = call::rows(global, ui, command)?;
            call::print(
                ui,
                &rows,
                &[
                    ("alarm", "ALARM"),
                    ("state", "STATE"),
                    ("kind", "KIND"),
                    ("log", "LOG"),
                    ("time", "TIME"),
                    ("detail", "WHAT"),
                ],
            )?;
            if rows.is_empty() {
                ui.say(if all { "no alarms" } else { "no open alarms" });
            }
            Ok(exit::found(number(&answer, "open") > 0))
        }
        Act::Show { id } => {
            let alarm = call::one(global, ui, Command::Alarms(Alarms::Show(id)))?;
            print(ui, &alarm)?;
            Ok(exit::found(text(&alarm, "state") == "open"))
        }
        Act::Acknowledge { id, remark } => {
            let command = Command::Alarms(Alarms::Acknowledge { id, remark });
            print(ui, &call::one(global, ui, command)?)?;
            Ok(exit::DONE)
        }
    }
}

fn print(ui: &Ui, alarm: &serde_json::Value) -> anyhow::Result<()> {
    if ui.is_json() {
        return ui.json(alarm);
    }
    for key in [
        "alarm",
        "kind",
        "peer",
        "log",
        "source",
        "time",
        "entry",
        "state",
        "acknowledged",
        "acknowledged_by",
        "remark",
        "detail",
    ] {
        let value = text(alarm, key);
        if !value.is_empty() {
            ui.line(format!("{:<16} {value}", key.replace('_', " ")))?;
        }
    }
    let false_receipt = text(alarm, "kind") == "false-receipt";
    let shown = if false_receipt {
        "receipt and proof"
    } else {
        "contradicts it"
    };
    for (key, name) in [("kept", "known before"), ("shown", shown)] {
        let note = text(alarm, key);
        if !note.is_empty() {
            ui.line(format!("--- {name}\n{}", note.trim_end()))?;
        }
    }
    Ok(())
}
