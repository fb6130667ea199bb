//! One process for one data directory.

use std::path::Path;

use super::AppError;

/// Holds the data directory for one process.
pub(super) struct DirectoryLock {
    _file: std::fs::File,
}

impl DirectoryLock {
    pub(super) fn take(dir: &Path) -> Result<Self, AppError> {
        let path = dir.join("node.lock");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| AppError::System {
                what: "cannot open the lock file `node.lock`",
                source,
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(AppError::Locked(dir.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => Err(AppError::System {
                what: "cannot lock the file `node.lock`",
                source,
            }),
        }
    }
}

/// Whether a process holds the data directory now.
#[must_use]
pub fn is_running(dir: &Path) -> bool {
    std::fs::File::open(dir.join("node.lock")).is_ok_and(|file| {
        matches!(
            file.try_lock_shared(),
            Err(std::fs::TryLockError::WouldBlock)
        )
    })
}
