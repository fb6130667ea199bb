//! `comity withdraw`: a record of ours no longer holds.

use super::call;
use super::ui::Ui;
use super::{Global, exit};
use crate::control::{Command, Withdraw};

/// Arguments of `comity withdraw`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The record gets a last version that says `revoked`, under the same label and in the same collections;\n\
                  it goes to every peer that has the record. This cannot be undone: STIX has no way back from `revoked`.\n\
                  A person with an account does it: name one with --by (or COMITY_BY)."
)]
pub(crate) struct Args {
    /// STIX identifier
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let answer = call::one(global, ui, Command::Withdraw(Withdraw { id: args.id }))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        ui.line(format!(
            "{} {}: {}",
            call::text(&answer, "id"),
            call::text(&answer, "version"),
            call::text(&answer, "text")
        ))?;
    }
    Ok(exit::DONE)
}
