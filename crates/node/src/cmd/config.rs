//! `comity config`: each effective value and where it comes from.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::ui::Ui;
use super::{Global, call, exit};
use crate::app;
use crate::config::{Config, FILE_NAME, Layer, LogFormat};
use crate::control::Command;

/// Arguments of `comity config`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A flag leads over the environment (COMITY_<KEY>), that over the file, that over the default. While a node runs it\n\
                  is asked what holds for it; with flags, or without a node, the answer is what `comity serve` would run with."
)]
pub(crate) struct Args {
    /// Only this key, only its value
    key: Option<String>,
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

    fn any(&self) -> bool {
        self.listen.is_some()
            || self.insecure_http
            || self.log_format.is_some()
            || self.log_level.is_some()
    }
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let rows: Vec<Value> = if !args.flags.any() && app::is_running(&global.dir) {
        call::rows(global, ui, Command::Settings)?.0
    } else {
        rows(&Config::load(&global.dir, args.flags.layer())?)
    };
    if let Some(key) = args.key {
        let Some(row) = rows.iter().find(|row| call::text(row, "key") == key) else {
            let keys: Vec<String> = rows.iter().map(|row| call::text(row, "key")).collect();
            anyhow::bail!("no setting `{key}`\n  help: one of {}", keys.join(", "));
        };
        if ui.is_json() {
            ui.json(row)?;
        } else {
            ui.line(call::text(row, "value"))?;
        }
        return Ok(exit::DONE);
    }
    ui.say(format_args!(
        "file: {}",
        global.dir.join(FILE_NAME).display()
    ));
    call::print(
        ui,
        &rows,
        &[("key", "KEY"), ("value", "VALUE"), ("origin", "ORIGIN")],
    )?;
    Ok(exit::DONE)
}

/// A configuration as rows.
fn rows(config: &Config) -> Vec<Value> {
    config
        .rows()
        .into_iter()
        .map(|(key, value, origin)| json!({ "key": key, "value": value, "origin": origin }))
        .collect()
}
