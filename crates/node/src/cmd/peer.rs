//! `comity peer`: other nodes and TAXII servers.

use anyhow::Context as _;
use clap::Subcommand;

use super::call::{self, text};
use super::ui::Ui;
use super::{Global, exit, secret};
use crate::control::{Command, Peer};
use crate::peers::admin::AddPeer;
use crate::peers::settings::OnWithdrawal;

/// Arguments of `comity peer`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show another node's card; with its fingerprint, compared by voice, make it a peer
    Add(Box<Add>),
    /// Take up a peer whose fingerprint was compared by voice
    Confirm {
        /// Its name here
        name: String,
        /// SHA-256 fingerprint of its certificate, as the other side read it to you
        #[arg(long, value_name = "HEX")]
        fingerprint: String,
    },
    /// Change what was agreed with a peer
    Set {
        /// Its name here
        name: String,
        #[command(flatten)]
        agreed: Agreed,
    },
    /// Show all peers
    List,
    /// Show one peer and the state of what is on its way
    Show {
        /// Its name here
        name: String,
    },
    /// Forget a peer and what is queued for it
    Remove {
        /// Its name here
        name: String,
    },
    /// Fetch what is new, from one peer or all
    Pull {
        /// Its name here
        name: Option<String>,
    },
    /// Send what is queued, to one peer or all; or one record to one peer, outside its routes
    Push {
        /// Its name here
        name: Option<String>,
        /// STIX identifier of one record
        #[arg(long, value_name = "ID", requires = "name")]
        record: Option<String>,
    },
    /// Fetch the newest signed head of a peer's log, and check that the log only grew
    Head {
        /// Its name here
        name: String,
    },
    /// A peer's log began anew, as the other side said by voice: its heads are no measure any more, and the alarms about
    /// them are acknowledged
    ForgetHeads {
        /// Its name here
        name: String,
        /// What was said; it is logged
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Fetch the receipts a peer has for us, where it cannot reach us
    Receipts {
        /// Its name here
        name: String,
    },
    /// The witnesses of a peer's log: show which are believed, or what its card suggests; with --policy, take these
    Witnesses {
        /// Its name here
        name: String,
        /// The policy to take (C2SP tlog-policy); the log's own line is implied
        #[arg(long, value_name = "FILE")]
        policy: Option<std::path::PathBuf>,
    },
    /// Print this node's card, for others
    Card,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Where it is, e.g. `https://node.example.eu/`
    url: String,
    /// SHA-256 fingerprint of its certificate, as the other side reads it to you
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// Its name here; its party by default
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The party behind it; a Comity node says it itself
    #[arg(long, value_name = "PARTY")]
    party: Option<String>,
    /// Our user name there (HTTP Basic); Comity nodes know each other by certificate
    #[arg(long, value_name = "USER", requires = "password_stdin")]
    user: Option<String>,
    /// Read our password there from standard input
    #[arg(long, requires = "user")]
    password_stdin: bool,
    /// Read a bearer token from standard input
    #[arg(long, conflicts_with = "user")]
    token_stdin: bool,
    /// Fetch this collection of theirs into this one of ours; `*` is all that we may read
    #[arg(long, value_delimiter = ',', value_name = "REMOTE[=LOCAL],..", value_parser = route)]
    collection: Vec<String>,
    /// Send this collection of ours into this one of theirs
    #[arg(long, value_delimiter = ',', value_name = "LOCAL[=REMOTE],..", value_parser = route)]
    push: Vec<String>,
    /// Seconds between polls
    #[arg(long, value_name = "SECONDS")]
    poll_seconds: Option<u64>,
    /// Role of its account here: `peer`, or `observer` for a state that only witnesses
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Belongs to the community that TLP:GREEN speaks of; a Comity node does by default
    #[arg(long, value_name = "BOOL")]
    community: Option<bool>,
    /// Label for what it sends without any
    #[arg(long, value_name = "TLP")]
    tlp: Option<String>,
    /// Path of the API root, where the server has several
    #[arg(long, value_name = "PATH")]
    api_root: Option<String>,
    #[command(flatten)]
    agreed: Agreed,
}

/// What was agreed with a Comity node.
#[derive(Debug, clap::Args)]
struct Agreed {
    /// Within which time it gives a receipt, e.g. `24h`, `90m`, `7d`; a day by default. After that the log says that none came
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    receipt_within: Option<u64>,
    /// What happens here when it withdraws a record: the earlier versions go at once, or an officer decides
    #[arg(long, value_enum, value_name = "WHAT")]
    on_withdrawal: Option<WithdrawalWord>,
}

/// How withdrawals are met.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum WithdrawalWord {
    /// The earlier versions are removed at once; the default
    Remove,
    /// An officer decides with `comity withdrawal`
    Ask,
}

impl From<WithdrawalWord> for OnWithdrawal {
    fn from(word: WithdrawalWord) -> Self {
        match word {
            WithdrawalWord::Remove => Self::Remove,
            WithdrawalWord::Ask => Self::Ask,
        }
    }
}

/// A number with a unit: `90s`, `30m`, `24h`, `7d`.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "expected a number and a unit: `90s`, `30m`, `24h` or `7d`".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).unwrap_or_default();
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(factor)
        .filter(|seconds| (1..=366 * 86_400).contains(seconds))
        .ok_or_else(|| "expected a time from a second to a year".to_owned())
}

fn route(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some(("", _) | (_, "")) => Err("expected `NAME` or `NAME=NAME`".to_owned()),
        _ if text.is_empty() => Err("expected the name of a collection".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

impl Add {
    fn asked(self) -> anyhow::Result<AddPeer> {
        let secret = match (self.password_stdin, self.token_stdin) {
            (true, _) => Some(secret::read("password")?),
            (_, true) => Some(secret::read("token")?),
            _ => None,
        };
        Ok(AddPeer {
            url: self.url,
            key: self.name,
            party: self.party,
            fingerprint: self.fingerprint,
            user: self.user,
            secret,
            pull: self.collection,
            push: self.push,
            poll_seconds: self.poll_seconds,
            community: self.community,
            role: self.role,
            tlp_in: self.tlp,
            api_root: self.api_root,
            receipt_within_seconds: self.agreed.receipt_within,
            on_withdrawal: self.agreed.on_withdrawal.map(Into::into),
        })
    }
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let act = match args.act {
        Act::List => return list(global, ui),
        Act::Add(add) => Peer::Add(Box::new(add.asked()?)),
        Act::Confirm { name, fingerprint } => Peer::Confirm { name, fingerprint },
        Act::Set { name, agreed } => Peer::Agree {
            name,
            receipt_within_seconds: agreed.receipt_within,
            on_withdrawal: agreed.on_withdrawal.map(Into::into),
        },
        Act::Show { name } => Peer::Show(name),
        Act::Remove { name } => Peer::Remove(name),
        Act::Pull { name } => Peer::Pull(name),
        Act::Push {
            name: Some(peer),
            record: Some(record),
        } => Peer::PassOn { peer, record },
        Act::Push { name, .. } => Peer::Push(name),
        Act::Head { name } => Peer::Head(name),
        Act::ForgetHeads { name, reason } => Peer::ForgetHeads { name, reason },
        Act::Receipts { name } => Peer::Receipts(name),
        Act::Witnesses { name, policy } => return witnesses(global, ui, name, policy.as_deref()),
        Act::Card => Peer::Card,
    };
    let (rows, answer) = call::rows(global, ui, Command::Peer(act))?;
    let failed = call::number(&answer, "failed") > 0
        || answer.get("consistent") == Some(&serde_json::Value::Bool(false));
    let counts = answer.get("peers").is_some();
    for value in rows.iter().chain((!counts).then_some(&answer)) {
        if ui.is_json() {
            ui.json(value)?;
        } else {
            ui.line(lines(value))?;
        }
    }
    if text(&answer, "state") == "pending" {
        ui.say("compare the fingerprint with the other side by voice, then `comity peer confirm NAME --fingerprint HEX`");
    }
    if counts && rows.is_empty() {
        ui.say("no peers yet: `comity peer add URL`");
    }
    Ok(exit::found(failed))
}

fn witnesses(
    global: &Global,
    ui: &Ui,
    name: String,
    policy: Option<&std::path::Path>,
) -> anyhow::Result<u8> {
    let policy = policy
        .map(|path| {
            std::fs::read_to_string(path)
                .with_context(|| format!("cannot read `{}`", path.display()))
        })
        .transpose()?;
    let answer = call::one(global, ui, Command::Peer(Peer::Witnesses { name, policy }))?;
    if ui.is_json() {
        ui.json(&answer)?;
    } else if answer.get("taken").is_none() {
        ui.line(lines(&answer))?;
    } else if text(&answer, "policy").is_empty() {
        ui.say("the peer's card names no witnesses");
    } else {
        ui.line(call::whole(&answer, "policy").trim_end())?;
        if text(&answer, "taken") == "no" {
            ui.say("its card suggests these; believe whom you know: write a policy and set it with --policy");
        }
    }
    Ok(exit::DONE)
}

fn list(global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let (rows, _) = call::rows(global, ui, Command::Peer(Peer::List))?;
    call::print(
        ui,
        &rows,
        &[
            ("name", "NAME"),
            ("party", "PARTY"),
            ("kind", "KIND"),
            ("state", "STATE"),
            ("url", "URL"),
        ],
    )?;
    if rows.is_empty() {
        ui.say("no peers yet: `comity peer add URL`");
    }
    Ok(exit::DONE)
}

/// The members of an answer, one a line.
fn lines(value: &serde_json::Value) -> String {
    let Some(members) = value.as_object() else {
        return call::plain(value);
    };
    let named = members.keys().filter(|key| !text(value, key).is_empty());
    named
        .map(|key| format!("{:<16} {}", key.replace('_', " "), text(value, key)))
        .collect::<Vec<_>>()
        .join("\n")
}
