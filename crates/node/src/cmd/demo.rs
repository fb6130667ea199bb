//! `comity demo`: two parties and an observer on this machine.

use std::path::PathBuf;

use super::Global;
use super::ui::Ui;

/// Arguments of `comity demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Play it with the bundles of this folder instead of the built-in synthetic data
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Leave the nodes running and print their addresses
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(args: Args, _global: &Global, _ui: &Ui) -> anyhow::Result<u8> {
    let Args { data: _, keep: _ } = args;
    anyhow::bail!("the demo is not part of this build")
}
