//! `comity evidence event` and `destroy`: what is noted without moving contents, and what ends them.

use comity_evidence::custody::{Kind, Output};
use comity_evidence::{ExhibitId, parse_hex};

use super::person::{About, Person, Said};
use crate::cmd::call::{self, number, text};
use crate::cmd::ui::{Ui, counted};
use crate::cmd::{Global, exit};
use crate::control::{Command, Evidence};

/// Arguments of `comity evidence event`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number or identifier
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// What happened
    #[arg(long, value_name = "KIND", value_parser = ["acquired", "sealed", "opened", "copied", "analysed", "derived", "refused", "exported", "disclosed", "returned"])]
    kind: String,
    /// The other side, for disclosed, refused and returned
    #[arg(long, value_name = "TEXT")]
    counterparty: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// An exhibit that came from it
    #[arg(long, value_name = "EXHIBIT")]
    output: Vec<String>,
    #[command(flatten)]
    said: Said,
}

/// Arguments of `comity evidence destroy`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "This cannot be undone. The list of hashes, the reason and who did it stay; contents another exhibit has too stay there."
)]
pub(crate) struct DestroyArgs {
    /// Number or identifier
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    said: Said,
}

pub(super) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let kind: Kind = args.kind.parse()?;
    let mut outputs = Vec::with_capacity(args.output.len());
    for name in &args.output {
        let show = Evidence::Show {
            exhibit: name.clone(),
        };
        let output = call::one(global, ui, Command::Evidence(show))?;
        let hash = parse_hex(&text(&output, "items_sha256"));
        outputs.push(Output {
            exhibit: ExhibitId::parse(&text(&output, "id"))?,
            items_sha256: hash.ok_or_else(|| anyhow::anyhow!("`{name}` has no hash"))?,
        });
    }
    note(global, ui, &args.exhibit, kind, &args.said, |fields| {
        fields.counterparty = args.counterparty;
        fields.reason = args.reason;
        fields.outputs = outputs;
        if kind.needs_rehash() {
            fields.rehashed = Some(fields.items_sha256);
        }
    })
}

pub(super) fn destroy(args: DestroyArgs, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    note(
        global,
        ui,
        &args.exhibit,
        Kind::Destroyed,
        &args.said,
        |fields| {
            fields.reason = Some(args.reason);
        },
    )
}

fn note(
    global: &Global,
    ui: &Ui,
    exhibit: &str,
    kind: Kind,
    said: &Said,
    complete: impl FnOnce(&mut comity_evidence::custody::Fields),
) -> anyhow::Result<u8> {
    let prepared = super::prepare(global, ui, Some(exhibit))?;
    let person = Person::of(global, said, &prepared)?;
    let about = About::of(&prepared)?;
    let id = about.exhibit.to_string();
    if kind == Kind::Returned {
        // before it is handed over, as the chain demands of it: what is given back is what was sealed
        rehash(global, ui, &about)?;
    }
    let mut fields = person.fields(kind, about, said, &format!("evidence {kind} {exhibit}"))?;
    complete(&mut fields);
    let (event, signature) = person.sign(fields)?;
    let command = Evidence::Act {
        exhibit: id,
        event,
        signature,
    };
    let answer = call::one(global, ui, Command::Evidence(command))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        let row = answer.get("exhibit").cloned().unwrap_or_default();
        ui.line(format!(
            "{}  {kind}: now {}",
            text(&row, "number"),
            text(&row, "state")
        ))?;
        if kind == Kind::Destroyed {
            let (doomed, removed) = (
                number(&answer, "objects_doomed"),
                number(&answer, "objects_removed"),
            );
            ui.line(format!("  {} removed", counted(removed, "object")))?;
            if removed < doomed {
                ui.warn(format!(
                    "{} wait for the vault to be free; the node removes them",
                    counted(doomed - removed, "object")
                ));
            }
        }
    }
    Ok(exit::DONE)
}

pub(super) fn rehash(global: &Global, ui: &Ui, about: &About) -> anyhow::Result<()> {
    let vault = super::vault(&global.dir);
    let done = std::sync::atomic::AtomicU64::new(0);
    let rehashed = super::watched(ui, "hashing", about.size, &done, || {
        vault.rehash(&about.items_sha256, &done)
    })?;
    anyhow::ensure!(
        rehashed.items_sha256 == about.items_sha256,
        "{} damaged: {}\n  help: note it first, `comity evidence check`",
        counted(rehashed.damaged_count, "item"),
        rehashed.damaged.first().cloned().unwrap_or_default()
    );
    Ok(())
}
