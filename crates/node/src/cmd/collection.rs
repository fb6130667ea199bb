//! `comity collection`: what is offered to whom.

use clap::Subcommand;

use super::ui::Ui;
use super::{Global, call, exit};
use crate::control::{Collection, CollectionChange, Command};

/// Arguments of `comity collection`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "WHO is a user, `role:ROLE`, `party:PARTY` or `everyone` (who signed in). What of a collection each of them gets,\n\
                  the labels of the records say."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a collection
    Add {
        /// Its name in paths and commands
        alias: String,
        /// UUID; a random one when not given
        #[arg(long, value_name = "UUID")]
        id: Option<String>,
        #[command(flatten)]
        change: Properties,
    },
    /// Show all collections
    List,
    /// Change a collection; what is not given stays
    Change {
        /// Alias or UUID
        name: String,
        #[command(flatten)]
        change: Properties,
    },
    /// Remove a collection that holds nothing
    Remove {
        /// Alias or UUID
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Properties {
    /// What people read
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who may read
    #[arg(long, value_delimiter = ',', value_name = "WHO,..")]
    read: Option<Vec<String>>,
    /// Who may add
    #[arg(long, value_delimiter = ',', value_name = "WHO,..")]
    write: Option<Vec<String>>,
    /// Who may delete
    #[arg(long, value_delimiter = ',', value_name = "WHO,..")]
    delete: Option<Vec<String>>,
    /// Parties and persons for whom records are meant that come without an audience
    #[arg(long, value_delimiter = ',', value_name = "PARTY,..")]
    audience: Option<Vec<String>>,
}

impl From<Properties> for Box<CollectionChange> {
    fn from(change: Properties) -> Self {
        let Properties {
            title,
            description,
            read,
            write,
            delete,
            audience,
        } = change;
        // `--read ''` takes the right away from everybody
        let words = |list: Option<Vec<String>>| {
            list.map(|list| list.into_iter().filter(|word| !word.is_empty()).collect())
        };
        Self::new(CollectionChange {
            title,
            description,
            read: words(read),
            write: words(write),
            delete: words(delete),
            audience: words(audience),
        })
    }
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let rows = match args.act {
        Act::Add { alias, id, change } => {
            let act = Collection::Add {
                alias,
                id,
                change: change.into(),
            };
            vec![call::one(global, ui, Command::Collection(act))?]
        }
        Act::Change { name, change } => {
            let act = Collection::Change {
                name,
                change: change.into(),
            };
            vec![call::one(global, ui, Command::Collection(act))?]
        }
        Act::List => call::rows(global, ui, Command::Collection(Collection::List))?.0,
        Act::Remove { name } => {
            call::one(
                global,
                ui,
                Command::Collection(Collection::Remove(name.clone())),
            )?;
            ui.say(format_args!("removed `{name}`"));
            return Ok(exit::DONE);
        }
    };
    call::print(
        ui,
        &rows,
        &[
            ("alias", "ALIAS"),
            ("id", "ID"),
            ("records", "RECORDS"),
            ("read", "READ"),
            ("write", "WRITE"),
            ("audience", "AUDIENCE"),
            ("title", "TITLE"),
        ],
    )?;
    if rows.is_empty() {
        ui.say("no collections yet: `comity collection add ALIAS --title TITLE`");
    }
    Ok(exit::DONE)
}
