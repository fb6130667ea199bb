//! Errors, by who must act: the operator (open), the sequencer (append), nobody (read: answer 500 and go on).

use std::{io, path::PathBuf};

/// An error of the sign callback, of any kind.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A database could not be made or opened. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing there.
    #[error("no register in `{}`", .0.display())]
    Missing(PathBuf),
    /// Something there.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// Another process holds the writer.
    #[error("another process has `{}` open for writing", .0.display())]
    Locked(PathBuf),
    /// Written by a newer program.
    #[error(
        "the register has schema version {found}, this program knows up to {known}; use a newer program"
    )]
    Newer {
        /// In the file.
        found: i64,
        /// Here.
        known: i64,
    },
    /// A migration in the file is not the one this program has.
    #[error("migration {version} in the register is not the one this program knows")]
    MigrationChanged {
        /// Which.
        version: i64,
    },
    /// Not a register, or damaged.
    #[error("not a usable register: {0}")]
    Damaged(String),
    /// Of the file system.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Of SQLite.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// A batch was not kept. What is the caller's fault is an [`crate::Outcome::Rejected`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Whether the batch was kept is not known, or the database cannot be trusted: stop, open again, look.
    #[error("the register must be opened again: {0}")]
    Fatal(String),
    /// Nothing of the batch was kept; it may be tried again.
    #[error("the batch was not kept: {0}")]
    Batch(String),
    /// The checkpoint could not be signed; nothing was kept.
    #[error("the checkpoint was not signed: {0}")]
    Sign(BoxError),
}

impl AppendError {
    /// The writer must not be used again.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Fatal(_))
    }
}

/// A question could not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Of SQLite.
    #[error("reading the register failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row is not as the writer makes them.
    #[error("the register holds a bad row: {0}")]
    Damaged(String),
    /// The search text cannot be understood.
    #[error("the search `{0}` cannot be understood")]
    BadSearch(String),
    /// The search would look at too much.
    #[error("the search looks at too many records: give more words, or more of the identifier")]
    TooBroad,
    /// A tile or entry beyond the tree.
    #[error("the log has no {0}")]
    OutOfRange(String),
}

/// A copy could not be made or taken back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The target exists.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// The copy is not a sound register.
    #[error("the copy is not sound: {0}")]
    Unsound(String),
    /// Could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Of the file system.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Of SQLite.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
}
