//! `comity token`: bearer tokens, shown once.

use clap::Subcommand;

use super::ui::Ui;
use super::{Global, call, exit};
use crate::control::{Command, Token};

/// Arguments of `comity token`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Issue a token; it is printed once, on stdout
    New {
        /// For this user
        user: String,
        /// Name to revoke it by
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Good for so many days
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// Show tokens by name, without the tokens
    List {
        /// Only of this user
        user: Option<String>,
    },
    /// Take a token back
    Revoke {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    match args.act {
        Act::New { user, name, days } => {
            let answer = call::one(global, ui, Command::Token(Token::New { user, name, days }))?;
            if ui.is_json() {
                ui.json(&answer)?;
            } else {
                ui.line(call::text(&answer, "token"))?;
                let expires = call::text(&answer, "expires");
                let until = if expires.is_empty() {
                    "until it is revoked".to_owned()
                } else {
                    format!("until {expires}")
                };
                ui.say(format_args!(
                    "token `{}` of `{}`, good {until}; it is not shown again",
                    call::text(&answer, "name"),
                    call::text(&answer, "user")
                ));
            }
        }
        Act::List { user } => {
            let (rows, _) = call::rows(global, ui, Command::Token(Token::List { user }))?;
            call::print(
                ui,
                &rows,
                &[
                    ("name", "NAME"),
                    ("user", "USER"),
                    ("created", "CREATED"),
                    ("expires", "EXPIRES"),
                    ("expired", "EXPIRED"),
                ],
            )?;
        }
        Act::Revoke { name } => {
            call::one(global, ui, Command::Token(Token::Revoke(name.clone())))?;
            ui.say(format_args!("revoked `{name}`"));
        }
    }
    Ok(exit::DONE)
}
