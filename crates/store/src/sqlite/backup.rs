//! Copies of the whole register, made while the node runs, and the way back.

use std::{fs, io::Read as _, path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{
    Store,
    log::head,
    migrate,
    open::{FILE, alone, clear, sync_directory, vacant},
};
use crate::{BackupError, Checks, Head, Level, ProgressReport, Report};

/// Pages per step; between steps the writer goes on.
const STEP_PAGES: i32 = 1024;

impl Store {
    /// Copies the register into the new file `to` while the node runs. The copy is one consistent state; it gets its name
    /// only when it is whole and on disk.
    ///
    /// # Errors
    /// [`BackupError`]; nothing is left behind.
    pub fn backup(
        &self,
        to: &Path,
        progress: &mut dyn FnMut(ProgressReport),
    ) -> Result<(), BackupError> {
        let _span = tracing::info_span!("tx", name = "register.backup").entered();
        vacant(to)?;
        let unfinished = to.with_extension("unfinished");
        let source = Connection::open_with_flags(
            &self.inner.path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        source.busy_timeout(Duration::from_secs(30))?;
        // the snapshot is held for the whole copy, so that writes meanwhile do not start it over
        source.execute_batch("BEGIN; SELECT size FROM register")?;
        let done = copy(&source, &unfinished, progress).and_then(|()| {
            fs::rename(&unfinished, to)?;
            if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_directory(parent)?;
            }
            Ok(())
        });
        if done.is_err() {
            let _ = clear(&unfinished);
        }
        done
    }
}

fn copy(
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<(), BackupError> {
    clear(to)?;
    let mut target = Connection::open(to)?;
    {
        let backup = Backup::new(source, &mut target)?;
        loop {
            let step = backup.step(STEP_PAGES)?;
            let state = backup.progress();
            let total = u64::try_from(state.pagecount).unwrap_or(0);
            let left = u64::try_from(state.remaining).unwrap_or(0);
            progress(ProgressReport {
                stage: "copying",
                done: total.saturating_sub(left),
                total,
            });
            if step == StepResult::Done {
                break;
            }
        }
    }
    // one file, without a write-ahead log beside it
    target.pragma_update(None, "journal_mode", "DELETE")?;
    target.close().map_err(|(_, error)| error)?;
    let mut file = fs::File::open(to)?;
    file.sync_all()?;
    // a mode that could not be changed is told by nothing but the file: its versions for writing and reading (SQLite's file format,
    // 1.3.3) are 1, or 2 with a log
    let mut head = [0; 20];
    file.read_exact(&mut head)?;
    if !head.ends_with(&[1, 1]) {
        return Err(BackupError::Unsound(
            "it could not be made one file: its journal mode stays".into(),
        ));
    }
    Ok(())
}

/// Puts the backup file `from` into `dir` as its register. Refuses to overwrite. A copy of an older version is migrated, checked
/// to the bottom (whatever level `checks` names) and shown to `approve` with the head it has, before it gets its name.
///
/// The vault is to be in `dir` before.
///
/// # Errors
/// [`BackupError::Unsound`] with the first problem if the copy is not sound, [`BackupError::Refused`] with the words of
/// `approve`; nothing is left behind.
pub fn restore<'a>(
    from: &Path,
    dir: &Path,
    checks: impl Into<Checks<'a>>,
    approve: &dyn Fn(&Head) -> Result<(), String>,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<(Report, Head), BackupError> {
    let checks = Checks {
        level: Level::Deep,
        ..checks.into()
    };
    let path = vacant(&dir.join(FILE))?;
    // what a node did in the backup's own folder may be in parts that are not copied
    alone(from)?;
    let staging = dir.join("restore.unfinished");
    // of a restore that was cut: nothing in it may mix with this one
    match fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&staging)?,
    }
    let done = stage(from, &staging.join(FILE)).and_then(|head| {
        approve(&head).map_err(BackupError::Refused)?;
        // what exhibits have is in the new directory already
        let report = super::fsck::fsck_with_vault(&staging, dir, checks, progress)?;
        if let Some(problem) = report.problems.first() {
            return Err(BackupError::Unsound(format!(
                "{} at {}: {}",
                problem.what, problem.where_, problem.detail
            )));
        }
        // crash point: until this rename there is no register here, and restore can be run again
        fs::rename(staging.join(FILE), &path)?;
        sync_directory(dir)?;
        Ok((report, head))
    });
    let _ = fs::remove_dir_all(&staging);
    done
}

/// Copies the file, brings it to this program's version and gives the head it has.
fn stage(from: &Path, to: &Path) -> Result<Head, BackupError> {
    fs::copy(from, to)?;
    let connection = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    migrate::forward(&connection, 0)?;
    let head = head(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    fs::File::open(to)?.sync_all()?;
    Ok(head)
}
