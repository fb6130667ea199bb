//! Copies of the whole register, made while the node runs, and the way back.

use std::{fs, path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{
    Store,
    open::{FILE, sync_directory},
};
use crate::{BackupError, Checks, Level, ProgressReport, Report};

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
        if to.exists() {
            return Err(BackupError::Exists(to.to_owned()));
        }
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
            let _ = fs::remove_file(&unfinished);
        }
        done
    }
}

fn copy(
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<(), BackupError> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
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
    fs::File::open(to)?.sync_all()?;
    Ok(())
}

/// Puts the backup file `from` into `dir` as its register. Refuses to overwrite; the copy is checked to the bottom before
/// it gets its name.
///
/// # Errors
/// [`BackupError::Unsound`] with the first problem if the copy is not sound; nothing is left behind.
pub fn restore<'a>(
    from: &Path,
    dir: &Path,
    checks: impl Into<Checks<'a>>,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<Report, BackupError> {
    let checks = Checks {
        level: Level::Deep,
        ..checks.into()
    };
    let path = dir.join(FILE);
    if path.exists() {
        return Err(BackupError::Exists(path));
    }
    let staging = dir.join("restore.unfinished");
    fs::create_dir_all(&staging)?;
    let done = fs::copy(from, staging.join(FILE))
        .map_err(BackupError::from)
        .and_then(|_| {
            fs::File::open(staging.join(FILE))?.sync_all()?;
            let report = super::fsck(&staging, checks, progress)?;
            if let Some(problem) = report.problems.first() {
                return Err(BackupError::Unsound(format!(
                    "{} at {}: {}",
                    problem.what, problem.where_, problem.detail
                )));
            }
            // crash point: until this rename there is no register here, and restore can be run again
            fs::rename(staging.join(FILE), &path)?;
            sync_directory(dir)?;
            Ok(report)
        });
    let _ = fs::remove_dir_all(&staging);
    done
}
