//! The command line: one file per command. A command does its own work when no node holds the data directory, else it asks
//! the node that does ([`crate::control`]); it never writes beside a running node.
//!
//! Data goes to stdout, words for people to stderr, and the exit code says how it ended ([`exit`]).

mod access;
mod backup;
mod call;
mod collection;
mod completions;
mod config;
mod demo;
mod doctor;
mod excerpt;
mod exit;
mod export;
mod fsck;
mod import;
mod init;
mod input;
mod labels;
mod log;
mod man;
mod peer;
mod restore;
mod search;
mod secret;
mod serve;
mod show;
mod together;
mod token;
mod ui;
mod user;
mod validate;
mod withdraw;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use ui::Ui;

/// Exchange incident information between states: STIX 2.1 records, labelled, logged and passed on over TAXII 2.1.
#[derive(Debug, Parser)]
#[command(
    name = "comity",
    version,
    about,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 something was found or refused, 2 the command could not be carried out,\n\
                  3 not found, 4 not permitted, 5 the node is busy or stopping. All of it: docs/CLI.md"
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Data directory of the node
    #[arg(
        long,
        global = true,
        env = "COMITY_DIR",
        default_value = "./comity-data",
        value_name = "DIR"
    )]
    pub(crate) dir: PathBuf,
    /// How to print results
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Only results and errors, no progress and no remarks
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Who acts, as the log will say
    #[arg(
        long,
        global = true,
        env = "COMITY_BY",
        default_value = "operator",
        value_name = "PERSON"
    )]
    pub(crate) by: String,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines: one JSON value a line
    Json,
    /// One line each: `file:line:column: severity[code]: message`
    Short,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new node: keys, register, configuration
    Init(init::Args),
    /// Run the node
    Serve(serve::Args),
    /// Show two parties and an observer exchanging records on this machine
    Demo(demo::Args),
    /// Check STIX 2.1 files; needs no node
    Validate(validate::Args),
    /// Take STIX bundles into a collection
    Import(import::Args),
    /// Write a collection out as a STIX bundle
    Export(export::Args),
    /// Find records by words or by identifier
    Search(search::Args),
    /// Show one record: its label, where it is, who has it, and its proof
    Show(show::Args),
    /// Say that a record of ours no longer holds
    Withdraw(withdraw::Args),
    /// Other nodes and TAXII servers
    Peer(peer::Args),
    /// People and programs that may sign in
    User(user::Args),
    /// Bearer tokens
    Token(token::Args),
    /// Collections and who may use them
    Collection(collection::Args),
    /// Why someone can or cannot see something
    Access(access::Args),
    /// The transparency log: head, entries, proofs
    Log(log::Args),
    /// Check the whole register and its log
    Fsck(fsck::Args),
    /// Copy the register while the node runs
    Backup(backup::Args),
    /// Put a backup back into a new directory
    Restore(restore::Args),
    /// Look for what is wrong with this installation
    Doctor(doctor::Args),
    /// Show each setting and where it comes from
    Config(config::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
}

/// The program: reads the arguments, runs the command, gives its exit code.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // help and version come this way too, and go to stdout
            let _gone = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::UNABLE));
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => {
            let _gone = error.print();
            return ExitCode::from(exit::UNABLE);
        }
    };
    let ui = Ui::new(&cli.global);
    match run(cli, &ui) {
        Ok(code) => ExitCode::from(code),
        Err(error) if ui::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            ui.error(&error);
            ExitCode::from(exit::code_of(&error))
        }
    }
}

/// The whole command line as clap knows it: what help, completions and manual pages are made from.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

fn run(cli: Cli, ui: &Ui) -> anyhow::Result<u8> {
    let global = &cli.global;
    match cli.command {
        Command::Init(args) => init::run(args, global, ui),
        Command::Serve(args) => serve::run(args, global, ui),
        Command::Demo(args) => demo::run(args, global, ui),
        Command::Validate(args) => validate::run(args, global, ui),
        Command::Import(args) => import::run(args, global, ui),
        Command::Export(args) => export::run(args, global, ui),
        Command::Search(args) => search::run(args, global, ui),
        Command::Show(args) => show::run(args, global, ui),
        Command::Withdraw(args) => withdraw::run(args, global, ui),
        Command::Peer(args) => peer::run(args, global, ui),
        Command::User(args) => user::run(args, global, ui),
        Command::Token(args) => token::run(args, global, ui),
        Command::Collection(args) => collection::run(args, global, ui),
        Command::Access(args) => access::run(args, global, ui),
        Command::Log(args) => log::run(args, global, ui),
        Command::Fsck(args) => fsck::run(args, global, ui),
        Command::Backup(args) => backup::run(args, global, ui),
        Command::Restore(args) => restore::run(args, global, ui),
        Command::Doctor(args) => doctor::run(args, global, ui),
        Command::Config(args) => config::run(args, global, ui),
        Command::Completions(args) => completions::run(args, ui),
        Command::Man(args) => man::run(args, ui),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::command().debug_assert();
    }
}
