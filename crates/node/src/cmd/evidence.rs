//! `comity evidence`: exhibits and their custody. Contents are read and written by this process; what becomes of them is
//! said to the node, running or not, like every other act.

mod check;
mod event;
mod hold;
mod key;
mod list;
mod package;
mod person;
mod seal;
mod show;
mod transfer;
mod write_out;

use std::path::Path;

use clap::Subcommand;
use comity_evidence::{Hash, parse_hex};
use comity_store::vault::Vault;
use serde_json::Value;

use super::call::{self, number, text};
use super::ui::{Progress, Ui, Unit, counted, thousands};
use super::{Global, exit};
use crate::control::{Command, Evidence};

/// Arguments of `comity evidence`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every act is signed by the person who does it (`--by`) and by the authority. Make a key once:\n  \
                  comity --by olena evidence key new olena\n  \
                  comity --by olena evidence seal image.dd --title \"Laptop, serial 4711\" --basis \"warrant 12/2026\" --place Kyiv"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Take files into the vault as an exhibit
    Seal(seal::Args),
    /// Show all exhibits
    List,
    /// Show one exhibit: its items, its custody, how long it is kept
    Show(show::Args),
    /// Hash all contents again and note the result in the log
    Check(check::Args),
    /// Open the seal; with `--to`, write the contents out to work with
    Open(write_out::Args),
    /// Write a copy of the contents out
    Copy(write_out::Args),
    /// Write the contents out for people or tools outside
    Export(write_out::Args),
    /// Write exhibits out as a package that can be checked without any node
    Package(package::Args),
    /// Hand an exhibit over to a peer
    Send(transfer::SendArgs),
    /// Take over an exhibit that a peer hands over, with its contents
    Receive(transfer::ReceiveArgs),
    /// Do not take over an exhibit that a peer hands over
    Refuse(transfer::RefuseArgs),
    /// Note another event: analysed, derived, disclosed, returned, refused, sealed again
    Event(event::Args),
    /// Keep an exhibit from being destroyed, or no longer
    Hold(hold::Args),
    /// Say how long an exhibit is kept, and what it may be used for
    Retain(hold::RetainArgs),
    /// Destroy the contents for good; hash, reason and authority stay
    Destroy(event::DestroyArgs),
    /// Remove contents no exhibit has, left by seals that were begun anew
    Tidy,
    /// Keys by which persons sign custody
    Key(key::Args),
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    match args.act {
        Act::Seal(args) => seal::run(args, global, ui),
        Act::List => list::run(global, ui),
        Act::Show(args) => show::run(&args, global, ui),
        Act::Check(args) => check::run(&args, global, ui),
        Act::Open(args) => write_out::run(args, write_out::What::Opened, global, ui),
        Act::Copy(args) => write_out::run(args, write_out::What::Copied, global, ui),
        Act::Export(args) => write_out::run(args, write_out::What::Exported, global, ui),
        Act::Package(args) => package::run(&args, global, ui),
        Act::Send(args) => transfer::send(args, global, ui),
        Act::Receive(args) => transfer::receive(args, global, ui),
        Act::Refuse(args) => transfer::refuse(args, global, ui),
        Act::Event(args) => event::run(args, global, ui),
        Act::Hold(args) => hold::run(args, global, ui),
        Act::Retain(args) => hold::retain(args, global, ui),
        Act::Destroy(args) => event::destroy(args, global, ui),
        Act::Tidy => tidy(global, ui),
        Act::Key(args) => key::run(args, global, ui),
    }
}

fn tidy(global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let answer = call::one(global, ui, Command::Evidence(Evidence::Tidy))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        ui.line(format!(
            "{} removed, {} octets",
            counted(number(&answer, "objects"), "object"),
            thousands(number(&answer, "octets"))
        ))?;
    }
    Ok(exit::DONE)
}

/// What the node says before an event about `exhibit` can be made.
fn prepare(global: &Global, ui: &Ui, exhibit: Option<&str>) -> anyhow::Result<Value> {
    let exhibit = exhibit.map(str::to_owned);
    call::one(global, ui, Command::Evidence(Evidence::Prepare { exhibit }))
}

/// A hash of an answer.
fn hash_of(value: &Value, key: &str) -> anyhow::Result<Hash> {
    parse_hex(&text(value, key)).ok_or_else(|| anyhow::anyhow!("the node gave no `{key}`"))
}

/// The vault of the node's directory.
fn vault(dir: &Path) -> Vault {
    Vault::new(dir)
}

/// Runs `work` in a thread of its own and shows how many octets it has done.
fn watched<T: Send>(
    ui: &Ui,
    what: &str,
    total: u64,
    done: &std::sync::atomic::AtomicU64,
    work: impl FnOnce() -> T + Send,
) -> T {
    const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(120);
    let bar: Progress = ui.progress(Some(total), Unit::Bytes);
    bar.message(what);
    let main = std::thread::current();
    std::thread::scope(|scope| {
        let working = scope.spawn(move || {
            let result = work();
            main.unpark();
            result
        });
        while !working.is_finished() {
            bar.set(done.load(std::sync::atomic::Ordering::Relaxed), total);
            std::thread::park_timeout(LOOK_EVERY);
        }
        drop(bar);
        match working.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
