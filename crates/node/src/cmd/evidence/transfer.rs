//! `comity evidence send`, `receive` and `refuse`: an exhibit goes from one authority to another.

use comity_evidence::Hash;
use comity_evidence::custody::Kind;
use serde_json::Value;

use super::person::{About, Person, Said};
use crate::cmd::call::{self, number, text};
use crate::cmd::ui::{Ui, counted, thousands};
use crate::cmd::{Global, exit};
use crate::control::{Answered, Command, Evidence, Transfer};

/// Arguments of `comity evidence send`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All contents are hashed before. The peer takes the exhibit over by `comity evidence receive ID --from PARTY`; until it\n\
                  answers nothing else can be done with it. `comity evidence event EXHIBIT --kind refused` takes it back."
)]
pub(crate) struct SendArgs {
    /// Number or identifier
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// Name of the peer
    #[arg(long, value_name = "PEER")]
    to: String,
    #[command(flatten)]
    said: Said,
}

/// Arguments of `comity evidence receive`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Contents come encrypted to this node, several items at a time, and are hashed as they are written. If it breaks off, the\n\
                  same command goes on."
)]
pub(crate) struct ReceiveArgs {
    /// Identifier, as the giver's node shows it
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// Name of the peer
    #[arg(long, value_name = "PEER")]
    from: String,
    #[command(flatten)]
    said: Said,
}

/// Arguments of `comity evidence refuse`.
#[derive(Debug, clap::Args)]
pub(crate) struct RefuseArgs {
    /// Identifier, as the giver's node shows it
    #[arg(value_name = "EXHIBIT")]
    exhibit: String,
    /// Name of the peer
    #[arg(long, value_name = "PEER")]
    from: String,
    /// Why; the giver gets it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    said: Said,
}

fn transfer(global: &Global, ui: &Ui, act: Transfer) -> anyhow::Result<Value> {
    call::one(
        global,
        ui,
        Command::Evidence(Evidence::Transfer(Box::new(act))),
    )
}

pub(super) fn send(args: SendArgs, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let may = Transfer::MaySend {
        exhibit: args.exhibit.clone(),
        to: args.to.clone(),
    };
    let may = transfer(global, ui, may)?;
    // before hours of hashing: who acts
    Person::of(
        global,
        &args.said,
        &super::prepare(global, ui, Some(&args.exhibit))?,
    )?;
    let about = About::of(&super::prepare(global, ui, Some(&args.exhibit))?)?;
    super::event::rehash(global, ui, &about)?;
    let prepared = super::prepare(global, ui, Some(&args.exhibit))?;
    let person = Person::of(global, &args.said, &prepared)?;
    let about = About::of(&prepared)?;
    let (exhibit, hash) = (about.exhibit.to_string(), about.items_sha256);
    let parameters = format!("evidence send {} --to {}", args.exhibit, args.to);
    let mut fields = person.fields(Kind::Transferred, about, &args.said, &parameters)?;
    fields.counterparty = Some(text(&may, "party"));
    fields.rehashed = Some(hash);
    let (event, signature) = person.sign(fields)?;
    let act = Transfer::Send {
        exhibit: exhibit.clone(),
        to: args.to,
        event,
        signature,
    };
    let answer = transfer(global, ui, act)?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        ui.line(format!(
            "{}  handed over to `{}`, not answered yet",
            text(&answer, "number"),
            text(&may, "party")
        ))?;
        ui.say(format!(
            "there: comity evidence receive {exhibit} --from {}",
            text(&answer, "holder")
        ));
    }
    Ok(exit::DONE)
}

pub(super) fn receive(args: ReceiveArgs, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let own = super::prepare(global, ui, None)?;
    let person = Person::of(global, &args.said, &own)?;
    if let Some(transferred) = received_before(&args.exhibit, &text(&own, "party"), global, ui) {
        let again = Transfer::AnswerAgain {
            exhibit: args.exhibit,
            from: args.from,
            counter_signature: person.countersign(&transferred),
        };
        return told(&transfer(global, ui, again)?, ui);
    }
    let fetch = Transfer::Fetch {
        exhibit: args.exhibit.clone(),
        from: args.from.clone(),
        contents: true,
    };
    let fetched = transfer(global, ui, fetch)?;
    let person = person.at(number(&fetched, "now"));
    let about = About::of(&fetched)?;
    let (hash, transferred) = (about.items_sha256, super::hash_of(&fetched, "last")?);
    let parameters = format!("evidence receive {} --from {}", args.exhibit, args.from);
    let mut fields = person.fields(Kind::Received, about, &args.said, &parameters)?;
    fields.counterparty = Some(text(&fetched, "giver"));
    // hashed as they were written: every item is an object of the vault under its own hash
    fields.rehashed = Some(hash);
    let (event, signature) = person.sign(fields)?;
    let answered = Answered {
        exhibit: args.exhibit,
        from: args.from,
        event,
        signature,
        counter_signature: Some(person.countersign(&transferred)),
    };
    told(&transfer(global, ui, Transfer::Answer(answered))?, ui)
}

/// The hand-over of an exhibit that is here already: only the answer may have been lost.
fn received_before(exhibit: &str, party: &str, global: &Global, ui: &Ui) -> Option<Hash> {
    let show = Evidence::Show {
        exhibit: exhibit.to_owned(),
    };
    let here = call::one(global, ui, Command::Evidence(show)).ok()?;
    let last = call::list(&here, "custody").last()?;
    let actor = last.get("actor").cloned().unwrap_or_default();
    let ours = text(last, "kind") == "received" && text(&actor, "authority") == party;
    ours.then(|| super::hash_of(last, "previous").ok())
        .flatten()
}

fn told(answer: &Value, ui: &Ui) -> anyhow::Result<u8> {
    if ui.is_json() {
        ui.json(answer)?;
    } else {
        ui.line(format!(
            "{}  {}: {}, {} octets, now held by `{}`",
            text(answer, "number"),
            text(answer, "title"),
            counted(number(answer, "items"), "item"),
            thousands(number(answer, "size")),
            text(answer, "holder")
        ))?;
    }
    Ok(warn_unanswered(answer, ui))
}

fn warn_unanswered(answer: &Value, ui: &Ui) -> u8 {
    let answered = answer.get("answered") == Some(&Value::Bool(true));
    if !answered {
        ui.warn(format!(
            "the giver was not told: {}\n  help: the same command tells it again",
            text(answer, "note")
        ));
    }
    exit::found(!answered)
}

pub(super) fn refuse(args: RefuseArgs, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let own = super::prepare(global, ui, None)?;
    let person = Person::of(global, &args.said, &own)?;
    let fetch = Transfer::Fetch {
        exhibit: args.exhibit.clone(),
        from: args.from.clone(),
        contents: false,
    };
    let fetched = transfer(global, ui, fetch)?;
    let person = person.at(number(&fetched, "now"));
    let about = About::of(&fetched)?;
    let parameters = format!("evidence refuse {} --from {}", args.exhibit, args.from);
    let mut fields = person.fields(Kind::Refused, about, &args.said, &parameters)?;
    fields.counterparty = Some(text(&fetched, "giver"));
    fields.reason = Some(args.reason);
    let (event, signature) = person.sign(fields)?;
    let answered = Answered {
        exhibit: args.exhibit,
        from: args.from,
        event,
        signature,
        counter_signature: None,
    };
    let answer = transfer(global, ui, Transfer::Answer(answered))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else {
        ui.line(format!("{}  refused", text(&answer, "number")))?;
    }
    Ok(warn_unanswered(&answer, ui))
}
