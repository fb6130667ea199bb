//! `comity restore`: a backup into a new data directory, checked from bottom to top before it is one.

use std::path::PathBuf;

use anyhow::Context as _;

use super::backup::{NOTE, Note, REGISTER, copy, copy_keys};
use super::init::make_private;
use super::ui::{Ui, Unit};
use super::{Global, exit, fsck};
use crate::config::FILE_NAME;
use crate::keys;

/// Arguments of `comity restore`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Peers and witnesses remember a log's later heads. If the node went on after this backup, what came since is lost\n\
                  here, and they will see two logs: give the restored node a new key then. See docs/OPERATOR.md."
)]
pub(crate) struct Args {
    /// A folder that `comity backup` made
    #[arg(value_name = "SRC")]
    from: PathBuf,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let (from, dir) = (&args.from, &global.dir);
    let note = std::fs::read(from.join(NOTE)).with_context(|| {
        format!(
            "`{}` is not a whole backup: it has no `{NOTE}`",
            from.display()
        )
    })?;
    let note: Note =
        serde_json::from_slice(&note).with_context(|| format!("`{NOTE}` cannot be read"))?;
    for name in [REGISTER, FILE_NAME] {
        let path = dir.join(name);
        anyhow::ensure!(
            !path.exists(),
            "`{}` is there already\n  help: restore into a new directory (`--dir`); nothing is ever overwritten",
            path.display()
        );
    }
    make_private(dir)?;
    let bar = ui.progress(None, Unit::Count);
    let report = comity_store::restore(&from.join(REGISTER), dir, comity_store::Level::Deep, &mut |at| {
        bar.message(at.stage);
        bar.set(at.done, at.total);
    })?;
    drop(bar);
    if note.with_keys {
        copy_keys(from, dir)?;
    }
    copy(&from.join(FILE_NAME), &dir.join(FILE_NAME))?;
    fsck::print(ui, &report)?;
    ui.say(format_args!(
        "restored `{}` as of {}, {} log entries, into `{}`",
        note.origin,
        note.made,
        note.log_size,
        dir.display()
    ));
    if !keys::log_seed_path(dir).exists() {
        ui.warn(format_args!(
            "the keys are not in this backup: put the log's key at `{}` (mode 0600) before `comity serve`",
            keys::log_seed_path(dir).display()
        ));
    }
    ui.warn("what the node took in after this backup is not here; tell peers and witnesses before you serve");
    Ok(exit::found(!report.is_clean()))
}
