//! What can go wrong with files, by name.

use std::io;
use std::path::Path;

/// Something could not be taken into the vault or given out. What was staged stays for `--resume`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Of the file system.
    #[error("cannot {what} `{path}`: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Which file, printable.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Not enough space.
    #[error("the disk is full: `{path}` could not be written; what is staged stays")]
    Full {
        /// Which file, printable.
        path: String,
    },
    /// Less space than the files have octets, seen before anything was written.
    #[error("{needed} octets are to be sealed and the vault's disk has {free} free")]
    Space {
        /// Octets of all files.
        needed: u64,
        /// Octets left.
        free: u64,
    },
    /// A file is not the one it was when its reading began (evidence-log E.20).
    #[error(
        "`{path}` changed while it was being sealed ({what})\n  help: seal a copy, or a snapshot that nobody writes to"
    )]
    Changed {
        /// Which file, printable.
        path: String,
        /// What of it.
        what: &'static str,
    },
    /// A symbolic link, device, socket or pipe among the files.
    #[error(
        "`{path}` is {what}, which is not followed\n  help: name the files themselves, or `--leave-out-links` to leave such out; the event will say so"
    )]
    Special {
        /// Which, printable.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// There is no file to seal.
    #[error("there is no file in what was named")]
    Nothing,
    /// Names that two of the arguments would share.
    #[error("two of the arguments are called `{0}`; their items could not be told apart")]
    SameName(String),
    /// A name that cannot be kept, or more than fit.
    #[error("`{path}` cannot be an item: {source}")]
    Item {
        /// Which file, printable.
        path: String,
        /// Why.
        source: comity_evidence::Malformed,
    },
    /// Folders within folders.
    #[error("`{0}` lies in more than {max} folders within each other", max = super::source::DEPTH_MAX)]
    Deep(String),
    /// Others are at work.
    #[error("the vault is in use: {0}\n  help: try again when that is done")]
    Busy(&'static str),
    /// An earlier seal of the same files was interrupted.
    #[error(
        "a seal of the same files was interrupted: {items} files are staged\n  help: `--resume` goes on with it, `--restart` forgets it"
    )]
    Interrupted {
        /// Files staged and synced.
        items: u64,
    },
    /// Nothing to go on with.
    #[error("no interrupted seal of these files is there\n  help: leave `--resume` out")]
    NoSession,
    /// No such object.
    #[error("the vault has no object {0}")]
    Missing(String),
    /// An object is not what its name says.
    #[error("object {sha256} is damaged: {what}")]
    Damaged {
        /// Its name.
        sha256: String,
        /// What is wrong.
        what: String,
    },
}

impl VaultError {
    /// Makes an error of the file system's; a full disk is told apart.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = printable(path);
        move |source| {
            if source.kind() == io::ErrorKind::StorageFull
                || source.kind() == io::ErrorKind::QuotaExceeded
            {
                Self::Full { path }
            } else {
                Self::Io { what, path, source }
            }
        }
    }
}

/// A path that can be shown on a terminal: no control characters, no marks that turn the direction of writing.
pub(super) fn printable(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars()
        .flat_map(|c| {
            let plain = !c.is_control() && !matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let escaped = (!plain).then(|| c.escape_unicode());
            escaped.into_iter().flatten().chain(plain.then_some(c))
        })
        .collect()
}
