//! `comity serve`: the node, until it is told to stop.

use super::config::Flags;
use super::ui::Ui;
use super::{Global, exit};
use crate::config::{Config, LogFormat};
use crate::lifecycle::{self, Ended};

/// Arguments of `comity serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first SIGINT or SIGTERM stops softly: no new connections, running requests are finished.\n\
                  The second stops at once; nothing that was acknowledged is lost.\n\
                  When the register fails (the disk broke during a commit) the node ends with exit code 6: start it again."
)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let config = Config::load(&global.dir, args.flags.layer())?;
    lifecycle::start_logging(&config)?;
    let code = |ended| match ended {
        Ended::Softly => exit::DONE,
        Ended::Hard => exit::FOUND,
        Ended::Failed => exit::FAILED,
    };
    if config.log_format.value != Some(LogFormat::Json) {
        return Ok(code(lifecycle::run(config, &|text| ui.always(text))?));
    }
    // every line on stderr is one JSON object then, ours for people too
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a thread died")));
    match lifecycle::run(config, &|text| tracing::info!("{text}")) {
        Ok(ended) => Ok(code(ended)),
        Err(error) => {
            let error = anyhow::Error::new(error);
            tracing::error!(error = format!("{error:#}"), "the node does not run");
            Ok(exit::code_of(&error))
        }
    }
}
