//! `comity witness`: cosign the logs of others. A role of its own, in a directory of its own; it needs no node.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use comity_ledger::note::{KeyName, VerifierKey};
use comity_store::witness::{WitnessDb, WitnessLog};
use serde_json::json;

use super::init::make_private;
use super::ui::Ui;
use super::{Global, exit};
use crate::clock::{Clock as _, SystemClock, micros_to_text};
use crate::config::{self, LogFormat};
use crate::entropy::SystemEntropy;
use crate::lifecycle::{self, Ended};
use crate::witness::config::{FILE_NAME, WitnessConfig};
use crate::witness::{keys, serve};

/// Arguments of `comity witness`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A witness sees sizes and hashes of the logs it was given the keys of, never entries. docs/WITNESS.md: one in an hour.\n\
                  Example: comity witness init --dir w --name witness.example/w1; comity witness log add VKEY --dir w;\n\
                  comity witness serve --dir w --listen 0.0.0.0:6470"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a witness: two keys, an empty database, a configuration; prints its verifier keys
    Init {
        /// Name of its keys: a URL without scheme that identifies it for good, e.g. `witness.example/w1`
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Address and port to listen on
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:6470")]
        listen: SocketAddr,
        /// The URL others use, for the names in its certificate
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
        /// Serve plain HTTP; on a loopback address only
        #[arg(long)]
        insecure_http: bool,
    },
    /// The logs it cosigns
    Log {
        #[command(subcommand)]
        act: LogAct,
    },
    /// Run it
    Serve {
        /// Address and port to listen on; port 0 takes a free one
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
        /// Serve plain HTTP; on a loopback address only
        #[arg(long)]
        insecure_http: bool,
        /// `text` or `json`
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        log_format: LogFormat,
        /// What to log, e.g. `info`
        #[arg(long, value_name = "FILTER", default_value = "info")]
        log_level: String,
    },
    /// Print its verifier keys
    Keys,
    /// Show the newest head it cosigned of a log
    Show {
        /// The log's origin line
        origin: String,
    },
    /// Show checkpoints that a log had signed and that were refused: proof that it wrote two histories
    Evidence,
}

#[derive(Debug, Subcommand)]
enum LogAct {
    /// Add logs, or one more key of a log
    #[command(
        after_help = "Removing a log is not offered: added again it would begin at size 0, and could be shown another history then."
    )]
    Add {
        /// Verifier keys of logs, as they publish them
        #[arg(value_name = "VKEY", required = true)]
        keys: Vec<String>,
        /// The log's origin line, where it is not the key's name
        #[arg(long, value_name = "ORIGIN")]
        origin: Option<String>,
    },
    /// Show all
    List,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let dir = &global.dir;
    match args.act {
        Act::Init {
            name,
            listen,
            public_url,
            insecure_http,
        } => init(dir, &name, listen, public_url.as_deref(), insecure_http, ui),
        Act::Log {
            act: LogAct::Add { keys, origin },
        } => add(dir, &keys, origin.as_deref(), ui),
        Act::Log { act: LogAct::List } => list(dir, ui),
        Act::Serve {
            listen,
            insecure_http,
            log_format,
            log_level,
        } => {
            let config = WitnessConfig::load(dir, listen, insecure_http)?;
            lifecycle::log_lines(&log_level, log_format)?;
            let ended = serve::run(dir, &config, &|text| ui.always(text))?;
            Ok(exit::found(ended == Ended::Hard))
        }
        Act::Keys => {
            let config = WitnessConfig::load(dir, None, false)?;
            print_keys(dir, &config.name, ui)
        }
        Act::Show { origin } => show(dir, &origin, ui),
        Act::Evidence => evidence(dir, ui),
    }
}

fn init(
    dir: &Path,
    name: &str,
    listen: SocketAddr,
    public_url: Option<&str>,
    insecure_http: bool,
    ui: &Ui,
) -> anyhow::Result<u8> {
    KeyName::new(name)?;
    for (file, what) in [(FILE_NAME, "a witness"), (config::FILE_NAME, "a node")] {
        anyhow::ensure!(
            !dir.join(file).exists(),
            "there is {what} in `{}` already\n  help: choose another directory with `--dir`; a witness shares none with a node",
            dir.display()
        );
    }
    make_private(dir)?;
    keys::create(dir, &SystemEntropy)?;
    WitnessDb::create(dir)?;
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let public = public_url.map_or_else(
        || "# public_url = \"https://witness.example/\"\n".to_owned(),
        |url| format!("public_url = {}\n", quoted(url)),
    );
    let text = format!(
        "# Configuration of a witness.\n\nname = {}\nlisten = {}\n{public}{}insecure_http = true\n\n\
         # without these a certificate is made at first start, and others pin its fingerprint\n\
         # tls_certificate = \"/etc/witness/certificate.pem\"\n# tls_key = \"/etc/witness/key.pem\"\n\n\
         # of one source, on average; a log asks once a second at most\n# requests_per_second = 50\n",
        quoted(name),
        quoted(&listen.to_string()),
        if insecure_http { "" } else { "# " },
    );
    let path = dir.join(FILE_NAME);
    // CRASH POINT: without this file there is no witness here, and `init` names the key file that is in its way
    std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    ui.say(format_args!(
        "made a witness in `{}`; its verifier keys, for the policies of others:",
        dir.display()
    ));
    print_keys(dir, name, ui)?;
    ui.say(format_args!(
        "\nnext:\n  comity witness log add VKEY --dir {at}\n  comity witness serve --dir {at}",
        at = dir.display()
    ));
    Ok(exit::DONE)
}

fn print_keys(dir: &Path, name: &str, ui: &Ui) -> anyhow::Result<u8> {
    let cosigners = keys::read(dir, name)?;
    let keys: Vec<String> = cosigners
        .iter()
        .map(|cosigner| cosigner.verifier().to_string())
        .collect();
    if ui.is_json() {
        ui.json(&json!({ "name": name, "keys": keys }))?;
    } else {
        keys.iter().try_for_each(|key| ui.line(key))?;
    }
    Ok(exit::DONE)
}

fn add(dir: &Path, keys: &[String], origin: Option<&str>, ui: &Ui) -> anyhow::Result<u8> {
    // all are read before one is added
    let parsed: Vec<VerifierKey> = keys
        .iter()
        .map(|key| {
            VerifierKey::parse(key).with_context(|| format!("`{key}` is not a verifier key"))
        })
        .collect::<Result<_, _>>()?;
    let db = WitnessDb::open(dir)?;
    let now = SystemClock::new().now_micros();
    for key in parsed {
        let origin = origin.unwrap_or_else(|| key.name().as_str());
        let new = db.add_log(origin, &key.to_string(), now)?;
        if ui.is_json() {
            ui.json(&json!({ "log": origin, "key": key.to_string(), "new": new }))?;
        } else {
            let word = if new { "added" } else { "known already" };
            ui.line(format!("{origin}: {word}"))?;
        }
    }
    Ok(exit::DONE)
}

fn list(dir: &Path, ui: &Ui) -> anyhow::Result<u8> {
    let logs = WitnessDb::open(dir)?.logs()?;
    for log in &logs {
        print_log(log, ui)?;
    }
    if logs.is_empty() {
        ui.say("no logs yet: `comity witness log add VKEY`");
    }
    Ok(exit::DONE)
}

fn print_log(log: &WitnessLog, ui: &Ui) -> anyhow::Result<()> {
    let latest = log.latest.as_ref();
    let cosigned = latest.map(|it| seconds_to_text(it.cosigned));
    if ui.is_json() {
        return ui.json(&json!({
            "log": log.origin, "keys": log.keys, "added": micros_to_text(log.added),
            "size": latest.map(|it| it.size), "cosigned": cosigned,
        }));
    }
    let state = match (latest, cosigned) {
        (Some(latest), Some(at)) => format!("{} entries, cosigned at {at}", latest.size),
        _ => "nothing cosigned yet".to_owned(),
    };
    ui.line(format!("{}: {state}", log.origin))?;
    for key in &log.keys {
        ui.line(format!("  {key}"))?;
    }
    Ok(())
}

fn show(dir: &Path, origin: &str, ui: &Ui) -> anyhow::Result<u8> {
    let Some(log) = WitnessDb::open(dir)?.log(origin)? else {
        ui.warn(format_args!(
            "this witness does not know the log `{origin}`"
        ));
        return Ok(exit::MISSING);
    };
    let Some(latest) = &log.latest else {
        ui.warn(format_args!("nothing of `{origin}` was cosigned yet"));
        return Ok(exit::MISSING);
    };
    if ui.is_json() {
        ui.json(&json!({
            "log": origin, "size": latest.size, "cosigned": seconds_to_text(latest.cosigned), "checkpoint": latest.note,
        }))?;
    } else {
        ui.line(latest.note.trim_end())?;
    }
    Ok(exit::DONE)
}

fn evidence(dir: &Path, ui: &Ui) -> anyhow::Result<u8> {
    let kept = WitnessDb::open(dir)?.evidence()?;
    for one in &kept {
        if ui.is_json() {
            ui.json(&json!({
                "log": one.origin, "size": one.size, "reason": one.reason, "received": micros_to_text(one.received),
                "refused": one.note, "known": one.known,
            }))?;
        } else {
            ui.line(format!(
                "{} at {}: {}\n--- refused\n{}--- cosigned before\n{}",
                one.origin,
                micros_to_text(one.received),
                one.reason,
                one.note,
                one.known
            ))?;
        }
    }
    if kept.is_empty() {
        ui.say("nothing that a log had signed was refused");
    }
    Ok(exit::found(!kept.is_empty()))
}

fn seconds_to_text(seconds: u64) -> String {
    micros_to_text(
        i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000),
    )
}
