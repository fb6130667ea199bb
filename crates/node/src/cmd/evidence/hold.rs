//! `comity evidence hold` and `retain`: what must not be destroyed, until when, and what it may be used for.

use clap::Subcommand;

use crate::cmd::call::{self, text};
use crate::cmd::ui::Ui;
use crate::cmd::{Global, exit};
use crate::control::{Command, Evidence, EvidenceKeep, evidence_time};

/// Arguments of `comity evidence hold`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Keep it from being destroyed
    Set {
        /// Number or identifier
        #[arg(value_name = "EXHIBIT")]
        exhibit: String,
        /// By which order
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End the hold
    Lift {
        /// Number or identifier
        #[arg(value_name = "EXHIBIT")]
        exhibit: String,
    },
}

/// Arguments of `comity evidence retain`.
#[derive(Debug, clap::Args)]
pub(crate) struct RetainArgs {
    /// Number or identifier
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// Not to be destroyed before this day; `never` for no such day
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// What it may be used for; empty for no limits
    #[arg(long, value_name = "TEXT")]
    use_limits: Option<String>,
}

pub(super) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let keep = match args.act {
        Act::Set { exhibit, reason } => {
            anyhow::ensure!(!reason.trim().is_empty(), "`--reason` is empty");
            EvidenceKeep {
                exhibit,
                hold: Some(reason),
                ..EvidenceKeep::default()
            }
        }
        Act::Lift { exhibit } => EvidenceKeep {
            exhibit,
            hold: Some(String::new()),
            ..EvidenceKeep::default()
        },
    };
    change(keep, global, ui)
}

pub(super) fn retain(args: RetainArgs, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    anyhow::ensure!(
        args.until.is_some() || args.use_limits.is_some(),
        "nothing to change\n  help: `--until DAY`, `--use-limits TEXT`"
    );
    let retention_until = match args.until.as_deref() {
        None => None,
        Some("never") => Some(0),
        Some(day) => Some(evidence_time(day)?),
    };
    let keep = EvidenceKeep {
        exhibit: args.exhibit,
        hold: None,
        retention_until,
        use_limits: args.use_limits,
    };
    change(keep, global, ui)
}

fn change(keep: EvidenceKeep, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let answer = call::one(global, ui, Command::Evidence(Evidence::Keep(keep)))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        ui.line(format!(
            "{}  {}",
            text(&answer, "number"),
            text(&answer, "title")
        ))?;
        for (name, key) in [
            ("keep until", "retention_until"),
            ("hold", "hold"),
            ("use limits", "use_limits"),
        ] {
            let value = text(&answer, key);
            ui.line(format!(
                "  {name:<12} {}",
                if value.is_empty() { "-" } else { &value }
            ))?;
        }
    }
    Ok(exit::DONE)
}
