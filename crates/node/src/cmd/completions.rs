//! `comity completions`: the script that makes a shell complete our commands.

use clap_complete::Shell;

use super::exit;
use super::ui::Ui;

/// Arguments of `comity completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: comity completions bash > /etc/bash_completion.d/comity")]
pub(crate) struct Args {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: Args, ui: &Ui) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "comity", &mut script);
    ui.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(exit::DONE)
}
