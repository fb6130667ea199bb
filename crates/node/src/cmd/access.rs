//! `comity access`: why someone can or cannot see something.

use clap::Subcommand;
use comity_stix::marking::Tlp;
use serde_json::Value;

use super::call::{self, list, text};
use super::ui::{Ink, Ui};
use super::{Global, exit};
use crate::control::{Access, Command};

/// Arguments of `comity access`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Say whether a user may do something to a record, and by which rule; exit code 4 when not
    Explain {
        /// Who
        user: String,
        /// STIX identifier
        record: String,
        /// This version instead of the latest
        #[arg(long = "at", value_name = "TIME")]
        version: Option<String>,
        /// Through this collection
        #[arg(long, short, value_name = "ALIAS")]
        collection: Option<String>,
        /// What: read, search, export, pass-on, receive, delete, withdraw..
        #[arg(long, default_value = "read", value_name = "ACTION")]
        action: String,
    },
    /// Show every role against every label
    Table {
        /// What: read, search, export, pass-on, receive, delete, withdraw..
        #[arg(long, default_value = "read", value_name = "ACTION")]
        action: String,
    },
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    match args.act {
        Act::Explain {
            user,
            record,
            version,
            collection,
            action,
        } => {
            let command = Access::Explain {
                reader: user,
                record,
                version,
                collection,
                action,
            };
            let answer = call::one(global, ui, Command::Access(command))?;
            explain(ui, &answer)
        }
        Act::Table { action } => {
            let (rows, answer) = call::rows(global, ui, Command::Access(Access::Table { action }))?;
            table(ui, &rows, &answer)
        }
    }
}

fn explain(ui: &Ui, answer: &Value) -> anyhow::Result<u8> {
    let permitted = answer.get("permitted") == Some(&Value::Bool(true));
    if ui.is_json() {
        ui.json(answer)?;
    } else {
        let verdict = if permitted {
            ui.ink(Ink::Green, "may")
        } else {
            ui.ink(Ink::Red, "may not")
        };
        let (reader, role, action) = (
            text(answer, "reader"),
            text(answer, "role"),
            text(answer, "action"),
        );
        ui.line(format!(
            "{reader} ({role}) {verdict} {action} {}",
            text(answer, "record")
        ))?;
        let audience = text(answer, "audience");
        let audience = if audience.is_empty() {
            "nobody by name".to_owned()
        } else {
            audience
        };
        ui.line(format!(
            "  label {}, originator {}, audience {audience}",
            text(answer, "label"),
            text(answer, "originator")
        ))?;
        for line in list(answer, "explanation") {
            ui.line(format!("  - {}", call::plain(line)))?;
        }
        for reason in list(answer, "reasons") {
            ui.line(ui.ink(
                Ink::Dim,
                format!(
                    "  rule {} [{}]",
                    text(reason, "policy"),
                    text(reason, "code")
                ),
            ))?;
        }
        for marking in list(answer, "left_out") {
            ui.line(format!(
                "  parts marked {} are left out",
                call::plain(marking)
            ))?;
        }
    }
    Ok(if permitted {
        exit::DONE
    } else {
        exit::FORBIDDEN
    })
}

fn table(ui: &Ui, rows: &[Value], answer: &Value) -> anyhow::Result<u8> {
    let labels: Vec<String> = Tlp::ALL.iter().map(ToString::to_string).collect();
    let mut columns = vec![("party", "PARTY"), ("role", "ROLE")];
    columns.extend(labels.iter().map(|label| (label.as_str(), label.as_str())));
    ui.say(format_args!(
        "`{}` on a record of `{}` with the audience `{}`, in a collection that is granted; entities are clients of the party shown",
        text(answer, "action"),
        text(answer, "own"),
        text(answer, "audience")
    ));
    call::print(ui, rows, &columns)?;
    Ok(exit::DONE)
}
