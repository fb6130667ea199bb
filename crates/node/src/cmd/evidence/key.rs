//! `comity evidence key`: keys by which persons sign custody.

use std::path::PathBuf;

use clap::Subcommand;
use comity_evidence::Hex;

use crate::cmd::call::{self, text};
use crate::cmd::ui::Ui;
use crate::cmd::{Global, exit};
use crate::control::{Command, Evidence};
use crate::entropy::SystemEntropy;
use crate::evidence::keys;

/// Arguments of `comity evidence key`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a key for a person and let the node know it
    New {
        /// `olena` or `olena@ua`
        #[arg(value_name = "PERSON")]
        person: String,
        /// Write the secret there instead of into the node's directory: the person keeps it
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Let the node know a public key made elsewhere
    Add {
        /// The key: `name+id+base64`
        #[arg(value_name = "KEY")]
        vkey: String,
    },
    /// Take no new signatures by a key; those there are stay good
    Retire {
        /// The key: `name+id+base64`
        #[arg(value_name = "KEY")]
        vkey: String,
    },
    /// Show all keys
    List,
}

pub(super) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    match args.act {
        Act::New { person, key } => new(&person, key, global, ui)?,
        Act::Add { vkey } => add(vkey, global, ui)?,
        Act::Retire { vkey } => {
            let answer = call::one(global, ui, Command::Evidence(Evidence::KeyRetire { vkey }))?;
            if ui.is_json() {
                ui.json(&answer)?;
            } else {
                ui.line(format!("retired {}", text(&answer, "retired")))?;
            }
        }
        Act::List => {
            let (rows, answer) = call::rows(global, ui, Command::Evidence(Evidence::Keys))?;
            call::print(
                ui,
                &rows,
                &[
                    ("principal", "PERSON"),
                    ("key", "KEY"),
                    ("added", "ADDED"),
                    ("retired", "RETIRED"),
                ],
            )?;
            ui.say(format!("authority: {}", text(&answer, "authority")));
        }
    }
    Ok(exit::DONE)
}

fn new(person: &str, key: Option<PathBuf>, global: &Global, ui: &Ui) -> anyhow::Result<()> {
    let config = crate::config::Config::load(&global.dir, crate::config::Layer::default())?;
    let name = if person.contains('@') {
        person.to_owned()
    } else {
        format!("{person}@{}", config.party())
    };
    let path = key.unwrap_or_else(|| keys::person_seed_path(&global.dir, &name));
    keys::create(&path, &SystemEntropy)?;
    let made = keys::read(&path, &name)
        .map_err(anyhow::Error::from)
        .and_then(|signer| {
            let vkey = signer.verifier().to_string();
            add(vkey, global, ui)
        });
    if made.is_err() {
        // nobody knows this key: it must not look as if somebody did
        let _gone = std::fs::remove_file(&path);
    } else {
        ui.say(format!("the secret is in `{}`", path.display()));
    }
    made
}

fn add(vkey: String, global: &Global, ui: &Ui) -> anyhow::Result<()> {
    let parsed = comity_ledger::note::VerifierKey::parse(&vkey)?;
    let answer = call::one(global, ui, Command::Evidence(Evidence::KeyAdd { vkey }))?;
    if ui.is_json() {
        return ui.json(&answer);
    }
    ui.line(format!(
        "{}  {}",
        text(&answer, "principal"),
        text(&answer, "key")
    ))?;
    ui.say(format!(
        "fingerprint, to compare: {}",
        Hex(&parsed.fingerprint())
    ));
    Ok(())
}
