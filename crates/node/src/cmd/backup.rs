//! `comity backup`: a copy of the register and the vault in a new folder, made while the node runs.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use comity_evidence::Hash;
use comity_store::Head;
use comity_store::vault::{Vault, VaultError};
use serde::{Deserialize, Serialize};

use super::init::make_private;
use super::ui::{Ui, Unit, counted};
use super::{Global, call, exit};
use crate::clock::{Clock as _, SystemClock, micros_to_text};
use crate::config::FILE_NAME;
use crate::control::{BackupMade, Command};
use crate::files;
use crate::keys;

/// Arguments of `comity backup`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The keys are left out unless --with-keys: who has them can sign in the party's name. Keep them apart, but keep them:\n\
                  a restored register without the log's key cannot take new records.\n\
                  Contents of exhibits are hard links where DEST is on the vault's file system: a second name, no second copy.\n\
                  Keep a backup on another disk."
)]
pub(crate) struct Args {
    /// A folder that does not exist yet
    #[arg(value_name = "DEST")]
    to: PathBuf,
    /// Also copy the log's key and the TLS key
    #[arg(long)]
    with_keys: bool,
    /// Leave the contents of exhibits out, because they are copied by other means
    #[arg(long)]
    without_vault: bool,
}

/// The register's file in a backup folder and in a data directory.
pub(crate) const REGISTER: &str = "register.db";
/// The file that says what a backup folder holds.
pub(crate) const NOTE: &str = "backup.json";

/// What a backup folder holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    /// Origin line of the log.
    pub(crate) origin: String,
    /// Log size of the copy.
    pub(crate) log_size: u64,
    /// The signed head of the copy.
    pub(crate) checkpoint: String,
    /// When it was made.
    pub(crate) made: String,
    /// The program that made it.
    pub(crate) version: String,
    /// Whether the keys are with it.
    pub(crate) with_keys: bool,
    /// Objects of the vault in it; none in backups that were made without.
    #[serde(default)]
    pub(crate) vault_objects: Option<u64>,
}

impl Note {
    /// Whether a register with this head is the one the note was written for.
    pub(crate) fn describes(&self, head: &Head) -> Result<(), String> {
        let said = (&self.origin, self.log_size, &self.checkpoint);
        if said == (&head.origin, head.size, &head.note) {
            return Ok(());
        }
        Err(format!(
            "`{NOTE}` says `{}` with {} entries{}, `{REGISTER}` holds `{}` with {}: one of them was changed or is of another backup",
            self.origin,
            self.log_size,
            if self.log_size == head.size {
                " and another checkpoint"
            } else {
                ""
            },
            head.origin,
            head.size,
        ))
    }
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let (dir, to) = (&global.dir, &args.to);
    anyhow::ensure!(
        !to.exists(),
        "`{}` is there already\n  help: a backup goes into a new folder",
        to.display()
    );
    let store = comity_store::open_read_only(dir, &comity_store::Options::default())?;
    // what the copied register refers to must still be there when its turn comes
    let vault = Vault::new(dir);
    let with_vault = !args.without_vault && vault.dir().is_dir();
    let lock = with_vault.then(|| vault.lock_for_sealing()).transpose()?;
    make_private(to)?;
    let bar = ui.progress(None, Unit::Count);
    store.backup(&to.join(REGISTER), &mut |at| {
        bar.message(at.stage);
        bar.set(at.done, at.total);
    })?;
    drop(bar);
    copy(&dir.join(FILE_NAME), &to.join(FILE_NAME))?;
    copy_policy(dir, to)?;
    if args.with_keys {
        copy_keys(dir, to)?;
    }
    // what the copy itself says, not the node, which went on meanwhile
    let copied = comity_store::open_read_only(to, &comity_store::Options::default())?;
    let head = copied.head()?;
    let mut lost = 0;
    let mut objects = None;
    if with_vault {
        let all = copied.vault_objects()?;
        lost = copy_vault(&vault, &Vault::new(to), &all, ui)?;
        objects = Some(all.len() as u64 - lost);
    }
    drop((copied, lock));
    let note = Note {
        origin: head.origin,
        log_size: head.size,
        checkpoint: head.note,
        made: micros_to_text(SystemClock::new().now_micros()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        with_keys: args.with_keys,
        vault_objects: objects,
    };
    // CRASH POINT: a folder without this note is a half-made backup, and `restore` refuses it
    files::put_new(&to.join(NOTE), &serde_json::to_vec_pretty(&note)?)?;
    call::one(
        global,
        ui,
        Command::BackupMade(BackupMade {
            size: note.log_size,
            with_keys: args.with_keys,
        }),
    )?;
    if ui.is_json() {
        ui.json(&note)?;
    } else {
        ui.line(format!(
            "`{}` holds {}{}",
            to.display(),
            counted(note.log_size, "log entry").replace("entrys", "entries"),
            objects.map_or_else(String::new, |objects| format!(
                " and {} of the vault",
                counted(objects, "object")
            ))
        ))?;
        ui.say(if args.with_keys {
            "the keys are in it: keep it as safe as the node itself".to_owned()
        } else {
            format!(
                "the keys are not in it: keep a copy of `{}` elsewhere",
                keys::log_seed_path(dir).display()
            )
        });
    }
    Ok(exit::found(lost > 0))
}

/// Copies or links objects; what is missing or damaged is named and left out: a backup is needed most when a disk fails. Gives
/// how many those are.
pub(crate) fn copy_vault(
    from: &Vault,
    to: &Vault,
    objects: &[(Hash, u64)],
    ui: &Ui,
) -> anyhow::Result<u64> {
    let (mut done, mut lost) = (0_u64, 0);
    let total = objects
        .iter()
        .fold(0_u64, |sum, (_, size)| sum.saturating_add(*size));
    let bar = ui.progress(Some(total), Unit::Bytes);
    bar.message("vault");
    for (sha256, size) in objects {
        match to.take_from(from, sha256) {
            Ok(_) => {}
            Err(error @ (VaultError::Missing(_) | VaultError::Damaged { .. })) => {
                lost += 1;
                bar.suspend(|| ui.warn(format_args!("left out: {error}")));
            }
            Err(error) => return Err(error.into()),
        }
        done = done.saturating_add(*size);
        bar.set(done, total);
    }
    Ok(lost)
}

/// Copies the policy of witnesses, if there is one: a register that was put back asks them before it signs anything.
pub(crate) fn copy_policy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let path = from.join(crate::witnesses::policy::FILE_NAME);
    if path.exists() {
        copy(&path, &to.join(crate::witnesses::policy::FILE_NAME))?;
    }
    Ok(())
}

/// Copies the files in `keys`, those of persons too, and `tls`, for the owner's eyes only.
pub(crate) fn copy_keys(from: &Path, to: &Path) -> anyhow::Result<()> {
    for folder in ["keys", "keys/persons", "tls"] {
        let Ok(listed) = std::fs::read_dir(from.join(folder)) else {
            continue;
        };
        for entry in listed {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                continue;
            }
            let content = zeroize::Zeroizing::new(std::fs::read(entry.path())?);
            files::put_new(&to.join(folder).join(entry.file_name()), &content)?;
        }
    }
    Ok(())
}

/// Copies a small file, whole and onto the disk, and says which one failed.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let content =
        std::fs::read(from).with_context(|| format!("cannot read `{}`", from.display()))?;
    Ok(files::put_new(to, &content)?)
}
