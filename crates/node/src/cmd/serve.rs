//! `comity serve`: the node, until it is told to stop.

use std::net::SocketAddr;

use super::ui::Ui;
use super::{Global, exit};
use crate::config::{Config, Layer, LogFormat};
use crate::lifecycle::{self, Ended};

/// Arguments of `comity serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first SIGINT or SIGTERM stops softly: no new connections, running requests are finished.\n\
                  The second stops at once; nothing that was acknowledged is lost.\n\
                  When the register fails (the disk broke during a commit) the node ends with exit code 6: start it again."
)]
pub(crate) struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Serve plain HTTP; on a loopback address only
    #[arg(long)]
    insecure_http: bool,
    /// `text` or `json`
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// What to log, e.g. `info` or `comity_node=debug`
    #[arg(long, value_name = "FILTER")]
    log_level: Option<String>,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let flags = Layer {
        listen: args.listen,
        insecure_http: args.insecure_http.then_some(true),
        log_format: args.log_format,
        log_level: args.log_level,
        ..Layer::default()
    };
    let config = Config::load(&global.dir, flags)?;
    lifecycle::start_logging(&config)?;
    Ok(match lifecycle::run(config, &|text| ui.always(text))? {
        Ended::Softly => exit::DONE,
        Ended::Hard => exit::FOUND,
        Ended::Failed => exit::FAILED,
    })
}
