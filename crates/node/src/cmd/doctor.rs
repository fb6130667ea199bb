//! `comity doctor`: looks for what is wrong with an installation, and says what to do about it.

mod certificate;
mod checks;

use serde::Serialize;

use super::ui::{Ink, Ui};
use super::{Global, exit};
use crate::config::{Config, Layer};

/// Arguments of `comity doctor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Changes nothing. Exit codes: 0 nothing is wrong, 1 something is (warnings too with --strict)"
)]
pub(crate) struct Args {
    /// Warnings count too
    #[arg(long)]
    strict: bool,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    state: State,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    Warning,
    Bad,
}

impl Check {
    fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Good,
            text: text.into(),
            help: None,
        }
    }

    fn warning(check: &'static str, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Warning,
            text: text.into(),
            help: Some(help.into()),
        }
    }

    fn bad(check: &'static str, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Bad,
            text: text.into(),
            help: Some(help.into()),
        }
    }
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let mut checks = Vec::new();
    match Config::load(&global.dir, Layer::default()) {
        Ok(config) => {
            checks.push(Check::good(
                "configuration",
                format!("party `{}`", config.party()),
            ));
            checks::all(&config, &mut checks);
        }
        Err(error) => checks.push(Check::bad(
            "configuration",
            error.to_string(),
            "`comity init` makes a node",
        )),
    }
    for check in &checks {
        if ui.is_json() {
            ui.json(check)?;
        } else {
            let (ink, word) = match check.state {
                State::Good => (Ink::Green, "good"),
                State::Warning => (Ink::Yellow, "look"),
                State::Bad => (Ink::Red, "bad "),
            };
            ui.line(format!(
                "{}  {:<14} {}",
                ui.ink(ink, word),
                check.check,
                check.text
            ))?;
            if let Some(help) = &check.help {
                ui.line(format!("      {:<14} help: {help}", ""))?;
            }
        }
    }
    let limit = if args.strict {
        State::Warning
    } else {
        State::Bad
    };
    Ok(exit::found(checks.iter().any(|check| check.state >= limit)))
}
