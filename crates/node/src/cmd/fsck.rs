//! `comity fsck`: is the register what its log says, and is the log what its head says?

use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;
use comity_ledger::note::VerifierKey;
use comity_store::{Checks, Level, Report};

use super::ui::{Ink, Ui, Unit, counted, thousands};
use super::{Global, exit};
use crate::app;
use crate::config::{Config, Layer};
use crate::{handling, intake};

/// Arguments of `comity fsck`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads only, also beside a running node. Exit codes: 0 sound, 1 something is wrong, 2 could not be checked"
)]
pub(crate) struct Args {
    /// How deep to look
    #[arg(long, value_enum, default_value_t = Depth::Full, value_name = "DEPTH")]
    depth: Depth,
    /// The key the log must be signed with (vkey); by default this node's own, when it is there
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Depth {
    /// Head, tiles and counts
    Quick,
    /// Also every leaf, commitment and row, and who may do what, against the log
    Full,
    /// Also every content hash from the bytes, what was read from them, and the words of the search
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
    let key = match &args.key {
        Some(key) => Some(
            VerifierKey::parse(key).with_context(|| format!("`{key}` is not a verifier key"))?,
        ),
        None => own_key(&global.dir, ui),
    };
    let checks = checks(args.depth.into(), key.as_ref());
    let bar = ui.progress(None, Unit::Count);
    let report = comity_store::fsck(&global.dir, checks, &mut |at| {
        bar.message(at.stage);
        bar.set(at.done, at.total);
    })?;
    drop(bar);
    print(ui, &report)?;
    Ok(exit::found(!report.is_clean()))
}

/// All that a register of a node can be checked against.
pub(crate) fn checks(level: Level, log_key: Option<&VerifierKey>) -> Checks<'_> {
    Checks {
        level,
        log_key,
        label_fits: Some(&handling::fits),
        unversioned: Some((intake::STABLE_KEY, intake::STABLE_TEXT)),
    }
}

/// The key of the node in this directory. Without it a head signed by somebody else looks like any other, so that is said.
pub(crate) fn own_key(dir: &Path, ui: &Ui) -> Option<VerifierKey> {
    let config = Config::load(dir, Layer::default()).map_err(anyhow::Error::from);
    let signer = config.and_then(|config| Ok(app::log_signer(&config)?));
    match signer {
        Ok(signer) => Some(signer.verifier().clone()),
        Err(error) => {
            ui.warn(format_args!(
                "who signed the head is not checked: {error:#}"
            ));
            None
        }
    }
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
