//! The way in: a directory, a tar file or a stream, each read once, with memory that does not grow with the payload.
//!
//! All three give the same [`Collected`]: digests of everything, contents of the small files, the lists added up.

mod collect;
mod dir;
mod lines;
mod payload;
mod tar;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub(crate) use collect::{Collected, inner, listed};

use crate::report::Report;

/// Where a package is.
pub enum Source<'a> {
    /// A directory, or a tar file.
    Path(&'a Path),
    /// A tar archive coming in, for instance on standard input.
    Stream(&'a mut dyn Read),
}

/// Called with the number of payload octets hashed since the last call.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// A file or stream that cannot be read: nothing can be said about the package.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{what}`: {error}")]
pub struct ReadError {
    /// Which file.
    pub what: String,
    /// Why.
    pub error: io::Error,
}

impl ReadError {
    pub(crate) fn of(what: impl ToString) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        move |error| Self { what, error }
    }
}

pub(crate) fn read(
    source: Source<'_>,
    threads: usize,
    progress: Progress<'_>,
    report: &mut Report,
) -> Result<Collected, ReadError> {
    match source {
        Source::Path(path) => {
            let file = File::open(path).map_err(ReadError::of(path.display()))?;
            let kind = file.metadata().map_err(ReadError::of(path.display()))?;
            if kind.is_dir() {
                dir::read(&file, threads, progress, report)
            } else if kind.is_file() {
                tar::read_file(&file, kind.len(), threads, progress, report)
            } else {
                // a pipe or a device: no seeking there
                let mut file = file;
                tar::read_stream(&mut file, threads, progress, report)
            }
        }
        Source::Stream(stream) => tar::read_stream(stream, threads, progress, report),
    }
}

/// A foreign name for people: ASCII as it is, everything else as an escape, so that no look-alike and no right-to-left
/// override reaches a screen.
pub(crate) fn shown(name: &[u8]) -> String {
    const SHOWN_MAX: usize = 200;
    name.iter()
        .take(SHOWN_MAX)
        .flat_map(|byte| byte.escape_ascii())
        .map(char::from)
        .collect()
}
