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
                  The second stops at once; nothing that was acknowledged is lost."
)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
}

/// The settings that flags can give.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Flags {
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

impl Flags {
    /// As a layer over the others.
    pub(crate) fn layer(self) -> Layer {
        Layer {
            listen: self.listen,
            insecure_http: self.insecure_http.then_some(true),
            log_format: self.log_format,
            log_level: self.log_level,
            ..Layer::default()
        }
    }

    /// Any is given.
    pub(crate) fn any(&self) -> bool {
        self.listen.is_some()
            || self.insecure_http
            || self.log_format.is_some()
            || self.log_level.is_some()
    }
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let config = Config::load(&global.dir, args.flags.layer())?;
    lifecycle::start_logging(&config)?;
    if config.log_format.value != Some(LogFormat::Json) {
        let ended = lifecycle::run(config, &|text| ui.always(text))?;
        return Ok(exit::found(ended == Ended::Hard));
    }
    // every line on stderr is one JSON object then, ours for people too
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a thread died")));
    match lifecycle::run(config, &|text| tracing::info!("{text}")) {
        Ok(ended) => Ok(exit::found(ended == Ended::Hard)),
        Err(error) => {
            let error = anyhow::Error::new(error);
            tracing::error!(error = format!("{error:#}"), "the node does not run");
            Ok(exit::code_of(&error))
        }
    }
}
