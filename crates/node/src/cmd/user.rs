//! `comity user`: people and programs that may sign in.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

use super::ui::Ui;
use super::{Global, call, exit, secret};
use crate::control::{Command, NewUser, User};

/// Arguments of `comity user`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a user
    Add(Box<Add>),
    /// Show all users
    List,
    /// Keep a user from signing in
    Disable {
        /// `olena` or `olena@ua`
        name: String,
    },
    /// Let a user sign in again
    Enable {
        /// `olena` or `olena@ua`
        name: String,
    },
    /// Remove a user with its tokens and certificates
    Remove {
        /// `olena` or `olena@ua`
        name: String,
    },
    /// Set a new password, read from standard input or typed unseen
    Password {
        /// `olena` or `olena@ua`
        name: String,
        /// Read it from standard input (as it does anyway)
        #[arg(long)]
        password_stdin: bool,
    },
    /// Accept a client certificate of a user
    Certificate {
        /// `olena` or `olena@ua`
        name: String,
        #[command(flatten)]
        certificate: CertificateOptions,
        /// A remark for people
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// `olena` for one of the node's own party, `node@eu` for another
    name: String,
    /// administrator, officer, analyst, entity, peer, observer or auditor
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// The party, when the name does not say it
    #[arg(long, value_name = "PARTY")]
    party: Option<String>,
    /// The party whose constituent this is (role entity)
    #[arg(long, value_name = "PARTY")]
    entity_of: Option<String>,
    /// The name people read
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// Does not belong to the community that TLP:GREEN speaks of
    #[arg(long)]
    outside_community: bool,
    /// Takes part in this exercise: sees and makes its records and nothing else. A peer's node goes on with real ones
    #[arg(long, value_name = "NAME")]
    exercise: Option<String>,
    /// Read a password from standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    certificate: CertificateOptions,
}

#[derive(Debug, Default, clap::Args)]
struct CertificateOptions {
    /// SHA-256 fingerprint of a client certificate
    #[arg(long, value_name = "HEX", conflicts_with = "certificate")]
    certificate_fingerprint: Option<String>,
    /// A client certificate, PEM
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl CertificateOptions {
    fn fingerprint(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.certificate else {
            return Ok(self.certificate_fingerprint.clone());
        };
        let der = CertificateDer::from_pem_file(path)
            .with_context(|| format!("cannot read a certificate from `{}`", path.display()))?;
        Ok(Some(fingerprint(&der)))
    }
}

/// SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` gives it, without colons.
pub(crate) fn fingerprint(der: &CertificateDer<'_>) -> String {
    Sha256::digest(der)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let act = match args.act {
        Act::List => {
            let (rows, _) = call::rows(global, ui, Command::User(User::List))?;
            return print(ui, &rows);
        }
        Act::Add(add) => User::Add(Box::new(NewUser {
            fingerprint: add.certificate.fingerprint()?,
            password: if add.password_stdin {
                Some(secret::read("password")?)
            } else {
                None
            },
            name: add.name,
            role: add.role,
            party: add.party,
            entity_of: add.entity_of,
            display: add.display,
            community: !add.outside_community,
            exercise: add.exercise,
        })),
        Act::Disable { name } => User::Disable(name),
        Act::Enable { name } => User::Enable(name),
        Act::Remove { name } => {
            let answer = call::one(global, ui, Command::User(User::Remove(name)))?;
            ui.say(format_args!("removed `{}`", call::text(&answer, "removed")));
            return Ok(exit::DONE);
        }
        Act::Password {
            name,
            password_stdin: _,
        } => User::Password {
            name,
            password: secret::read("password")?,
        },
        Act::Certificate {
            name,
            certificate,
            note,
        } => {
            let fingerprint = certificate
                .fingerprint()?
                .context("no certificate given\n  help: `--certificate FILE` or `--certificate-fingerprint HEX`")?;
            User::Certificate {
                name,
                fingerprint,
                note,
            }
        }
    };
    let user = call::one(global, ui, Command::User(act))?;
    print(ui, std::slice::from_ref(&user))
}

fn print(ui: &Ui, rows: &[serde_json::Value]) -> anyhow::Result<u8> {
    call::print(
        ui,
        rows,
        &[
            ("name", "NAME"),
            ("role", "ROLE"),
            ("entity_of", "CLIENT OF"),
            ("password", "PASSWORD"),
            ("tokens", "TOKENS"),
            ("community", "COMMUNITY"),
            ("disabled", "DISABLED"),
            ("display", "DISPLAY"),
        ],
    )?;
    if rows.is_empty() {
        ui.say("no users yet: `comity user add NAME --role officer --password-stdin`");
    }
    Ok(exit::DONE)
}
