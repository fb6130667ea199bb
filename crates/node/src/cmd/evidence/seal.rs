//! `comity evidence seal`: files become an exhibit.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use comity_evidence::custody::Kind;
use comity_evidence::{ExhibitId, Hex};
use comity_store::vault::{Began, LeftOut, Sealed, Sealing, Survey};
use serde_json::json;

use super::person::{About, Person, Said};
use crate::cmd::call::{self, text};
use crate::cmd::ui::{Ui, counted, thousands};
use crate::cmd::{Global, exit};
use crate::control::{Command, Evidence, EvidenceSeal, evidence_time};
use crate::entropy::SystemEntropy;

/// Arguments of `comity evidence seal`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Files are read once; what is hashed is what is written. No link is followed. If it is interrupted, the same\n\
                  command with `--resume` goes on: files that are done and have not changed are not read again.\n\
                  Example: comity --by olena evidence seal /mnt/image --title \"Laptop\" --basis \"warrant 12/2026\" --place Kyiv"
)]
pub(crate) struct Args {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What it is
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// What people will call it; the next free number by default
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    #[command(flatten)]
    said: Said,
    /// Whom it was seized from or acquired: begins the custody before the seal
    #[arg(long, value_name = "KIND", value_parser = ["sealed", "acquired", "seized"], default_value = "sealed")]
    kind: String,
    /// Not to be destroyed before this day
    #[arg(long, value_name = "DAY")]
    retain_until: Option<String>,
    /// What it may be used for
    #[arg(long, value_name = "TEXT")]
    use_limits: Option<String>,
    /// Collection for its records
    #[arg(long, value_name = "ALIAS")]
    collection: Option<String>,
    /// Leave symbolic links and special files out instead of refusing; the event will name them
    #[arg(long)]
    leave_out_links: bool,
    /// Go on with an interrupted seal of the same paths
    #[arg(long, conflicts_with_all = ["restart", "dry_run"])]
    resume: bool,
    /// Forget an interrupted seal of the same paths
    #[arg(long, conflicts_with = "dry_run")]
    restart: bool,
    /// Only look at what there is
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let vault = super::vault(&global.dir);
    let survey = vault.survey(&args.paths)?;
    if args.dry_run {
        foretell(&survey, &args, ui)?;
        return Ok(exit::found(
            survey.left_out.count > 0 && !args.leave_out_links,
        ));
    }
    let retention_until = args
        .retain_until
        .as_deref()
        .map(evidence_time)
        .transpose()?;
    let kind: Kind = args.kind.parse()?;
    // before hours of reading: who acts, and that their key is known
    let prepared = super::prepare(global, ui, None)?;
    Person::of(global, &args.said, &prepared)?;
    let id = ExhibitId::from_uuid(
        &crate::entropy::uuid_v4(&SystemEntropy)?
            .hyphenated()
            .to_string(),
    )?;
    let how = match (args.resume, args.restart) {
        (true, _) => Began::Resume,
        (_, true) => Began::Restart,
        _ => Began::New,
    };
    let mut session = vault.begin(&args.paths, &id, how)?;
    let sealing = Sealing::default();
    let sealed = super::watched(ui, "sealing", survey.bytes, &sealing.bytes, || {
        vault.seal(&mut session, args.leave_out_links, &sealing)
    })?;
    // asked again: the time of the event is when the seal was closed
    let prepared = super::prepare(global, ui, None)?;
    let person = Person::of(global, &args.said, &prepared)?;
    let about = About {
        exhibit: session.exhibit().clone(),
        items: sealed.items,
        size: sealed.size,
        items_sha256: sealed.items_sha256,
        previous: None,
    };
    let mut fields = person.fields(kind, about, &args.said, &parameters(&args))?;
    fields.anomaly = anomaly(fields.anomaly, &sealed.left_out);
    let (event, signature) = person.sign(fields)?;
    let command = Evidence::Seal(Box::new(EvidenceSeal {
        event,
        signature,
        number: args
            .number
            .clone()
            .unwrap_or_else(|| text(&prepared, "number")),
        title: args.title.clone(),
        collection: args.collection.clone(),
        retention_until,
        use_limits: args.use_limits.clone(),
    }));
    let answer = call::one(global, ui, Command::Evidence(command)).map_err(|error| {
        error.context("the contents are in the vault, but the register did not take the exhibit: the same command with `--resume` tries that again")
    })?;
    session.finish()?;
    report(&answer, &sealed, &sealing, ui)?;
    Ok(exit::DONE)
}

fn foretell(survey: &Survey, args: &Args, ui: &Ui) -> anyhow::Result<()> {
    if ui.is_json() {
        return ui.json(&json!({
            "files": survey.files, "bytes": survey.bytes, "allocated": survey.allocated,
            "left_out": survey.left_out.count,
            "left_out_first": survey.left_out.first.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect::<Vec<_>>(),
        }));
    }
    ui.line(format!(
        "would seal {}, {} octets ({} on disk)",
        counted(survey.files, "file"),
        thousands(survey.bytes),
        thousands(survey.allocated)
    ))?;
    for (name, kind) in &survey.left_out.first {
        let word = if args.leave_out_links {
            "left out"
        } else {
            "refused"
        };
        ui.line(format!("{word}: `{name}` is {kind}"))?;
    }
    Ok(())
}

fn parameters(args: &Args) -> String {
    let paths: Vec<String> = args
        .paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    format!("evidence seal {}", paths.join(" "))
}

/// What was left out is part of what the event says.
fn anomaly(said: Option<String>, left_out: &LeftOut) -> Option<String> {
    if left_out.count == 0 {
        return said;
    }
    let first: Vec<String> = left_out
        .first
        .iter()
        .map(|(name, kind)| format!("{name} ({kind})"))
        .collect();
    let mut text = format!("{} left out: {}", left_out.count, first.join(", "));
    if left_out.count > left_out.first.len() as u64 {
        text.push_str(" and more");
    }
    if let Some(said) = said {
        text = format!("{said}; {text}");
    }
    while text.len() > comity_evidence::TEXT_BYTES_MAX {
        text.pop();
    }
    Some(text)
}

fn report(
    answer: &serde_json::Value,
    sealed: &Sealed,
    sealing: &Sealing,
    ui: &Ui,
) -> anyhow::Result<()> {
    if ui.is_json() {
        return ui.json(answer);
    }
    ui.line(format!(
        "{}  {}  {}, {} octets",
        text(answer, "number"),
        text(answer, "title"),
        counted(sealed.items, "item"),
        thousands(sealed.size)
    ))?;
    ui.line(format!("  id       {}", text(answer, "id")))?;
    ui.line(format!(
        "  sha-256  {} (of the list of items)",
        Hex(&sealed.items_sha256)
    ))?;
    if sealed.resumed > 0 {
        let read = sealing
            .files
            .load(Ordering::Relaxed)
            .saturating_sub(sealed.resumed);
        ui.say(format!(
            "{} were done before, {} read now",
            counted(sealed.resumed, "item"),
            thousands(read)
        ));
    }
    if sealed.left_out.count > 0 {
        ui.warn(format!(
            "{} left out: links and special files",
            sealed.left_out.count
        ));
    }
    Ok(())
}
