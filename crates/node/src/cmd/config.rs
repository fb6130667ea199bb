//! `comity config`: each effective value and where it comes from.

use serde_json::{Value, json};

use super::serve::Flags;
use super::ui::Ui;
use super::{Global, call, exit};
use crate::app;
use crate::config::{Config, FILE_NAME};
use crate::control::Command;

/// Arguments of `comity config`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A flag leads over the environment (COMITY_<KEY>), that over the file, that over the default.\n\
                  A node that runs is asked what holds for it; with flags, or without a node, the answer is\n\
                  what `comity serve` would run with."
)]
pub(crate) struct Args {
    /// Only this key, only its value
    key: Option<String>,
    #[command(flatten)]
    flags: Flags,
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
