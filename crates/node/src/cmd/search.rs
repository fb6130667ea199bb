//! `comity search`: words or an identifier.

use serde_json::Value;

use super::call;
use super::ui::Ui;
use super::{Global, exit};
use crate::control::{Command, Search};

/// Arguments of `comity search`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All words must occur; `word*` finds its beginnings, \"quoted words\" a phrase. Exit code 3 when nothing is found."
)]
pub(crate) struct Args {
    /// Words, or an identifier or its beginning
    #[arg(required = true, value_name = "WORDS|ID")]
    words: Vec<String>,
    /// As this user; by default as the party's own officer
    #[arg(long = "as", value_name = "USER")]
    reader: Option<String>,
    /// Only in this collection
    #[arg(long, short, value_name = "ALIAS")]
    collection: Option<String>,
    /// Only these types
    #[arg(long = "type", value_delimiter = ',', value_name = "TYPE,..")]
    types: Vec<String>,
    /// Only records that came from this party
    #[arg(long, value_name = "PARTY")]
    from: Option<String>,
    /// Older versions too
    #[arg(long)]
    all_versions: bool,
    /// Most hits
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
    /// Go on after this hit (`seq` of the last one)
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let command = Command::Search(Search {
        text: args.words.join(" "),
        reader: args.reader,
        collection: args.collection,
        types: args.types,
        origin: args.from,
        all_versions: args.all_versions,
        limit: args.limit,
        after: args.after,
    });
    let (rows, answer) = call::rows(global, ui, command)?;
    call::print(
        ui,
        &rows,
        &[
            ("type", "TYPE"),
            ("label", "LABEL"),
            ("from", "FROM"),
            ("version", "VERSION"),
            ("id", "ID"),
            ("summary", "SUMMARY"),
        ],
    )?;
    if rows.is_empty() {
        ui.say("nothing found that may be shown");
        return Ok(exit::MISSING);
    }
    if answer.get("more") == Some(&Value::Bool(true)) {
        ui.say(format_args!(
            "there may be more: --after {}",
            call::text(&answer, "last")
        ));
    }
    Ok(exit::DONE)
}
