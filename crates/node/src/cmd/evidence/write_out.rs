//! `comity evidence open|copy|export --to DIR`: the event first, then the contents into one new folder.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use comity_evidence::custody::Kind;
use comity_store::vault::Names;

use super::person::{About, Person, Said};
use crate::cmd::call::{self, text};
use crate::cmd::ui::{Ui, counted, thousands};
use crate::cmd::{Global, exit};
use crate::control::{Command, Evidence};

/// Arguments of `comity evidence open`, `copy` and `export`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number or identifier
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// A folder that is made: files go there under numbers (`000001.bin`), with the list `items.jsonl`
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Number and original name, in one folder, with every unusual octet as `%XX`
    #[arg(long, requires = "to")]
    names: bool,
    /// To whom, when it goes to somebody
    #[arg(long, value_name = "TEXT")]
    counterparty: Option<String>,
    #[command(flatten)]
    said: Said,
}

/// Which of the three.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Opened,
    Copied,
    Exported,
}

impl What {
    fn kind(self) -> Kind {
        match self {
            Self::Opened => Kind::Opened,
            Self::Copied => Kind::Copied,
            Self::Exported => Kind::Exported,
        }
    }
}

pub(super) fn run(args: Args, what: What, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    anyhow::ensure!(
        what == What::Opened || args.to.is_some(),
        "`--to DIR` is not given\n  help: a folder that does not exist yet"
    );
    if let Some(to) = &args.to {
        anyhow::ensure!(
            !to.exists() && !to.is_symlink(),
            "`{}` is there already\n  help: name a folder that is not; it is made",
            to.display()
        );
    }
    let prepared = super::prepare(global, ui, Some(&args.exhibit))?;
    let person = Person::of(global, &args.said, &prepared)?;
    let about = About::of(&prepared)?;
    let (id, items_sha256, size) = (about.exhibit.to_string(), about.items_sha256, about.size);
    let to = args
        .to
        .as_ref()
        .map(|to| to.display().to_string())
        .unwrap_or_default();
    let parameters = format!("evidence {} {} {to}", what.kind().word(), args.exhibit);
    let mut fields = person.fields(what.kind(), about, &args.said, parameters.trim_end())?;
    fields.counterparty.clone_from(&args.counterparty);
    let (event, signature) = person.sign(fields)?;
    // CRASH POINT: the event is in the register before an octet leaves the vault; a copy nobody knows of cannot come about
    let command = Evidence::Act {
        exhibit: id,
        event,
        signature,
    };
    let answer = call::one(global, ui, Command::Evidence(command))?;
    let mut written = 0;
    if let Some(to) = &args.to {
        let vault = super::vault(&global.dir);
        let names = if args.names {
            Names::Escaped
        } else {
            Names::Numbers
        };
        let done = AtomicU64::new(0);
        let manifest = super::watched(ui, "writing", size, &done, || {
            vault.write_out(&items_sha256, to, names, &done)
        })?;
        written = manifest.items();
    }
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        let number = answer
            .get("exhibit")
            .map(|row| text(row, "number"))
            .unwrap_or_default();
        ui.line(format!("{number}  {}", what.kind().word()))?;
        if let Some(to) = &args.to {
            ui.line(format!(
                "  {}, {} octets, each as its hash says, in `{}`",
                counted(written, "item"),
                thousands(size),
                to.display()
            ))?;
        }
    }
    Ok(exit::DONE)
}
