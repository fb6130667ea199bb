//! `comity man`: manual pages, made from the same definition as `--help`.

use std::path::PathBuf;

use anyhow::Context as _;

use super::exit;
use super::ui::Ui;

/// Arguments of `comity man`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write one page per command into this folder, instead of the first page to stdout
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> anyhow::Result<u8> {
    match args.out {
        Some(folder) => {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
            clap_mangen::generate_to(super::command(), &folder).with_context(|| {
                format!("cannot write manual pages into `{}`", folder.display())
            })?;
            ui.say(format_args!(
                "manual pages are in `{}`; read one with `man -l FILE`",
                folder.display()
            ));
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(super::command()).render(&mut page)?;
            ui.line(String::from_utf8_lossy(&page).trim_end())?;
        }
    }
    Ok(exit::DONE)
}
