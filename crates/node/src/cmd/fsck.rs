//! `comity fsck`: is the register what its log says, and is the log what its head says?

use clap::ValueEnum;
use comity_store::{Level, Report};

use super::ui::{Ink, Ui, Unit, counted, thousands};
use super::{Global, exit};

/// Arguments of `comity fsck`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads only, also beside a running node. Exit codes: 0 sound, 1 something is wrong, 2 could not be checked"
)]
pub(crate) struct Args {
    /// How deep to look
    #[arg(long, value_enum, default_value_t = Depth::Full, value_name = "DEPTH")]
    depth: Depth,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Depth {
    /// Head, tiles and counts
    Quick,
    /// Also every leaf, commitment and row
    Full,
    /// Also every content hash, from the bytes
    Deep,
}

impl From<Depth> for Level {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::Quick => Self::Quick,
            Depth::Full => Self::Full,
            Depth::Deep => Self::Deep,
        }
    }
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let bar = ui.progress(None, Unit::Count);
    let report = comity_store::fsck(&global.dir, args.depth.into(), &mut |at| {
        bar.message(at.stage);
        bar.set(at.done, at.total);
    })?;
    drop(bar);
    print(ui, &report)?;
    Ok(exit::found(!report.is_clean()))
}

/// Shows a report.
pub(crate) fn print(ui: &Ui, report: &Report) -> anyhow::Result<()> {
    if ui.is_json() {
        return ui.json(report);
    }
    for (check, count) in &report.checks {
        ui.say(format_args!("  {:>10}  {check}", thousands(*count)));
    }
    for problem in &report.problems {
        ui.line(format!(
            "{} at {}: {}",
            ui.ink(Ink::Red, &problem.what),
            problem.where_,
            problem.detail
        ))?;
    }
    if report.is_clean() {
        ui.line(ui.ink(Ink::Green, "sound: nothing is wrong"))?;
    } else {
        ui.line(counted(report.problems.len() as u64, "problem"))?;
        ui.say("help: keep this directory as it is; `comity restore` puts the last backup into a new one");
    }
    Ok(())
}
