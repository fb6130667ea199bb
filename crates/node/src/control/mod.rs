//! Administration: one [`Command`] per act, carried out by [`execute`] wherever the node runs. The command line does it in
//! its own process when no node holds the data directory, else over the control socket ([`server`], [`client`]); the API
//! calls it too. So there is one implementation of each act, and each act that changes something is a log entry.
//!
//! Everything here is synchronous: callers in the runtime use a blocking thread. An act that needs the runtime (talking to
//! a peer) finds it by `tokio::runtime::Handle::current()`.

mod access;
mod alarm;
mod backup;
pub mod client;
mod collection;
mod error;
mod evidence;
mod export;
mod import;
mod log;
mod officer;
mod pass_on;
mod peer;
pub(crate) mod person;
mod search;
mod sent;
pub mod server;
mod show;
mod token;
mod transfer;
mod user;
mod wire;
mod withdraw;
mod witness;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;

pub use access::Access;
pub use alarm::Alarms;
pub use backup::BackupMade;
pub use collection::{Change as CollectionChange, Collection};
pub use error::{ControlError, ErrorKind};
pub use evidence::{Evidence, Keep as EvidenceKeep, Seal as EvidenceSeal, time as evidence_time};
pub use export::Export;
pub use import::Import;
pub use log::Log;
pub use officer::{Refuse, Withdrawal};
pub use peer::Peer;
pub use search::Search;
pub use sent::Sent;
pub use show::Show;
pub use token::Token;
pub use transfer::{Answered, Transfer};
pub use user::{NewUser, Secret, User};
pub use wire::Item;
pub use withdraw::Withdraw;

/// One act.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// People and programs.
    User(User),
    /// Bearer tokens.
    Token(Token),
    /// Collections.
    Collection(Collection),
    /// Take records in; the objects come as input.
    Import(Import),
    /// Give records out.
    Export(Export),
    /// Find records.
    Search(Search),
    /// One record and all that is known about it.
    Show(Show),
    /// Why someone may see something.
    Access(Access),
    /// A record of ours no longer holds.
    Withdraw(Withdraw),
    /// Where records went.
    Sent(Sent),
    /// An officer refuses another party's record.
    Refuse(Refuse),
    /// What other parties ask to remove.
    Withdrawal(Withdrawal),
    /// The transparency log.
    Log(Log),
    /// What somebody must look at.
    Alarms(Alarms),
    /// Other nodes.
    Peer(Peer),
    /// Exhibits and their custody.
    Evidence(Evidence),
    /// Note in the log that a copy of the register was made.
    BackupMade(BackupMade),
    /// What the node is and how it does.
    Status,
    /// The settings it runs with, and where each comes from.
    Settings,
}

impl Command {
    /// Whether it may write an entry, and so sign: before that, a command without a running node asks others what they know
    /// of this log. What is not surely reading counts as writing.
    #[must_use]
    pub fn may_sign(&self) -> bool {
        !matches!(
            self,
            Self::Search(_)
                | Self::Show(Show { opens: false, .. })
                | Self::Sent(_)
                | Self::Access(_)
                | Self::Status
                | Self::Log(Log::Head | Log::Entries { .. } | Log::Prove { .. } | Log::Witnesses)
                | Self::Log(Log::Policy { text: None })
                | Self::Alarms(Alarms::List { .. } | Alarms::Show(_))
                | Self::Peer(Peer::List | Peer::Show(_) | Peer::Card)
        )
    }
}

/// What an act gives back while it runs.
pub trait Output {
    /// One row of results.
    ///
    /// # Errors
    /// When the caller went away: the act stops.
    fn row(&mut self, row: Value) -> Result<(), ControlError>;
    /// A piece of text of the result (an export), in order.
    ///
    /// # Errors
    /// When the caller went away: the act stops.
    fn text(&mut self, text: String) -> Result<(), ControlError>;
    /// Where long work stands; `total` is 0 when not known.
    fn progress(&mut self, stage: &str, done: u64, total: u64);
}

/// Ignores progress and keeps the rest.
#[derive(Debug, Default)]
pub struct Kept {
    /// The rows, in order.
    pub rows: Vec<Value>,
    /// The texts, joined.
    pub text: String,
}

impl Output for Kept {
    fn row(&mut self, row: Value) -> Result<(), ControlError> {
        self.rows.push(row);
        Ok(())
    }
    fn text(&mut self, text: String) -> Result<(), ControlError> {
        self.text.push_str(&text);
        Ok(())
    }
    fn progress(&mut self, _stage: &str, _done: u64, _total: u64) {}
}

/// Objects that come with a command; most bring none.
pub type Input<'a> = &'a mut dyn Iterator<Item = Item>;

fn settings(app: &App, output: &mut dyn Output) -> Result<Value, ControlError> {
    for (key, value, origin) in app.config.rows() {
        output.row(serde_json::json!({ "key": key, "value": value, "origin": origin }))?;
    }
    Ok(Value::Null)
}

/// Carries out one act for `actor` (`person@party`, or a bare name of the own party) and gives its final answer.
///
/// Blocks; call it from a thread outside the runtime's workers.
///
/// # Errors
/// [`ControlError`] with its kind; nothing was changed then, except what rows already reported.
pub fn execute(
    app: &Arc<App>,
    actor: &str,
    command: Command,
    input: Input<'_>,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let actor = person::actor(app, actor)?;
    match command {
        Command::User(command) => user::execute(app, &actor, command, output),
        Command::Token(command) => token::execute(app, &actor, command, output),
        Command::Collection(command) => collection::execute(app, &actor, command, output),
        Command::Import(command) => import::execute(app, &actor, command, input, output),
        Command::Export(command) => export::execute(app, &actor, &command, output),
        Command::Search(command) => search::execute(app, &actor, command, output),
        Command::Show(command) => show::execute(app, &actor, &command),
        Command::Access(command) => access::execute(app, &actor, command, output),
        Command::Withdraw(command) => withdraw::execute(app, &actor, &command),
        Command::Sent(command) => sent::execute(app, &actor, &command, output),
        Command::Refuse(command) => officer::refuse(app, &actor, &command),
        Command::Withdrawal(command) => officer::withdrawal(app, &actor, &command, output),
        Command::Log(command) => log::execute(app, &actor, command, output),
        Command::Alarms(command) => alarm::execute(app, &actor, command, output),
        Command::Peer(command) => peer::execute(app, &actor, command, output),
        Command::Evidence(command) => evidence::execute(app, &actor, command, output),
        Command::BackupMade(command) => backup::execute(app, &actor, &command),
        Command::Status => log::status(app),
        Command::Settings => settings(app, output),
    }
}
