//! `comity restore`: a backup into a new data directory, checked from bottom to top before it is one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use comity_ledger::note::VerifierKey;
use comity_store::vault::Vault;
use comity_store::{BackupError, Head, Level};

use super::backup::{NOTE, Note, REGISTER, copy, copy_keys, copy_policy, copy_vault};
use super::init::make_private;
use super::ui::{Ui, Unit};
use super::{Global, exit, fsck};
use crate::config::{Config, FILE_NAME, Layer};
use crate::http::context::hex;
use crate::{app, keys};

/// Arguments of `comity restore`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Peers and witnesses remember a log's later heads. If the node went on after this backup, what came since is lost\n\
                  here, and the node does not start while they know more than it does. See docs/OPERATOR.md."
)]
pub(crate) struct Args {
    /// A folder that `comity backup` made
    #[arg(value_name = "SRC")]
    from: PathBuf,
    /// The key the log must be signed with (vkey); by default the one in the backup or in the new directory
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let (from, dir) = (&args.from, &global.dir);
    let note = std::fs::read(from.join(NOTE)).with_context(|| {
        format!(
            "`{}` is not a whole backup: it has no `{NOTE}`",
            from.display()
        )
    })?;
    let note: Note =
        serde_json::from_slice(&note).with_context(|| format!("`{NOTE}` cannot be read"))?;
    for name in [REGISTER, FILE_NAME] {
        let path = dir.join(name);
        anyhow::ensure!(
            !path.exists(),
            "`{}` is there already\n  help: restore into a new directory (`--dir`); nothing is ever overwritten",
            path.display()
        );
    }
    let key = match &args.key {
        Some(key) => Some(
            VerifierKey::parse(key).with_context(|| format!("`{key}` is not a verifier key"))?,
        ),
        None => key_at_hand(from, dir)?,
    };
    make_private(dir)?;
    // CRASH POINT: objects without a register are nobody's; the same restore goes on with them
    let lost = take_vault(from, dir, ui)?;
    let checks = fsck::checks(Level::Deep, key.as_ref());
    let bar = ui.progress(None, Unit::Count);
    let approve = |head: &Head| note.describes(head);
    let (report, head) =
        comity_store::restore(&from.join(REGISTER), dir, checks, &approve, &mut |at| {
            bar.message(at.stage);
            bar.set(at.done, at.total);
        })
        .map_err(|error| with_help(error, note.vault_objects))?;
    drop(bar);
    if note.with_keys {
        copy_keys(from, dir)?;
    }
    copy(&from.join(FILE_NAME), &dir.join(FILE_NAME))?;
    copy_policy(from, dir)?;
    fsck::print(ui, &report)?;
    // what the register itself says, not the note beside it
    ui.say(format_args!(
        "restored `{}`, {} log entries, root {}, into `{}`",
        head.origin,
        head.size,
        hex(head.root),
        dir.display()
    ));
    ui.say(format_args!("the backup says it is of {}", note.made));
    match &key {
        Some(key) => ui.say(format_args!("its head is signed by {key}")),
        None => ui.warn(
            "who signed its head was not checked: the log's key is not here; `comity fsck` does it when it is, or `--key VKEY` here",
        ),
    }
    if !keys::log_seed_path(dir).exists() {
        ui.warn(format_args!(
            "the keys are not in this backup: put the log's key at `{}` and the one for receipts at `{}` (mode 0600) before `comity serve`",
            keys::log_seed_path(dir).display(),
            keys::receipt_seed_path(dir).display()
        ));
    }
    ui.warn("what the node took in after this backup is not here; tell peers and witnesses before you serve");
    Ok(exit::found(!report.is_clean() || lost > 0))
}

/// The vault of the backup, each object linked or copied, into the new directory. All are hashed again with the register.
fn take_vault(from: &Path, dir: &Path, ui: &Ui) -> anyhow::Result<u64> {
    let vault = Vault::new(from);
    let mut objects = Vec::new();
    vault.each_object(
        &mut |sha256, size| objects.push((sha256, size)),
        &mut |_| {},
    )?;
    copy_vault(&vault, &Vault::new(dir), &objects, ui)
}

/// A backup without the vault can be put back once its contents are where they belong.
fn with_help(error: BackupError, vault_objects: Option<u64>) -> anyhow::Error {
    let missing = matches!(&error, BackupError::Unsound(what) if what.contains("vault.missing"));
    let error = anyhow::Error::from(error);
    if missing && vault_objects.is_none() {
        return error.context(
            "contents of exhibits are not in this backup\n  help: copy the vault's `objects` into `vault` of the new directory first",
        );
    }
    error
}

/// The public half of the log's key, when the seed is in the new directory already or in the backup.
fn key_at_hand(from: &Path, dir: &Path) -> anyhow::Result<Option<VerifierKey>> {
    for place in [dir, from] {
        if keys::log_seed_path(place).exists() {
            let text = std::fs::read_to_string(from.join(FILE_NAME))
                .with_context(|| format!("`{}` has no `{FILE_NAME}`", from.display()))?;
            let config = Config::of_text(place, &text, Layer::default())?;
            return Ok(Some(app::log_signer(&config)?.verifier().clone()));
        }
    }
    Ok(None)
}
