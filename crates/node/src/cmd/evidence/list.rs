//! `comity evidence list`: all exhibits.

use crate::cmd::ui::Ui;
use crate::cmd::{Global, call, exit};
use crate::control::{Command, Evidence};

pub(super) fn run(global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let (rows, _) = call::rows(global, ui, Command::Evidence(Evidence::List))?;
    call::print(
        ui,
        &rows,
        &[
            ("number", "NUMBER"),
            ("title", "TITLE"),
            ("items", "ITEMS"),
            ("size", "OCTETS"),
            ("state", "STATE"),
            ("holder", "HELD BY"),
            ("last_event", "LAST"),
            ("last_event_at", "AT"),
            ("hold", "HOLD"),
        ],
    )?;
    Ok(exit::DONE)
}
