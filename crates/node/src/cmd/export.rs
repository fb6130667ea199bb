//! `comity export`: a collection as a bundle, into a file that appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::call::{self, Piece, number, text};
use super::ui::{Ui, counted};
use super::{Global, exit};
use crate::control::{Command, Export};

/// Arguments of `comity export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "TLP:RED records are in it only with --person, and only those that name this person.\n\
                  An export for another party's reader is logged as a disclosure. Labels stand beside the\n\
                  objects, in `x_comity_handling`, where `comity import` reads them; other tools see only\n\
                  what an object itself says (--marked-only)."
)]
pub(crate) struct Args {
    /// Which collection, by alias or UUID
    #[arg(long, short, value_name = "ALIAS")]
    collection: String,
    /// Only what this user may read; by default what the party's own officer may
    #[arg(long = "as", value_name = "USER")]
    reader: Option<String>,
    /// The one person the file is for
    #[arg(long, value_name = "USER")]
    person: Option<String>,
    /// Only these types
    #[arg(long = "type", value_delimiter = ',', value_name = "TYPE,..")]
    types: Vec<String>,
    /// Only what came into the collection after this time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Every version of each object, not only the latest
    #[arg(long)]
    all_versions: bool,
    /// Leave out records of TLP:AMBER and stricter that do not say so themselves: for tools that read no label beside objects
    #[arg(long)]
    marked_only: bool,
    /// Into this file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let command = Command::Export(Export {
        collection: args.collection.clone(),
        reader: args.reader,
        person: args.person,
        types: args.types,
        since: args.since,
        all_versions: args.all_versions,
        marked_only: args.marked_only,
    });
    let mut target = Target::new(args.output.as_deref(), args.force)?;
    let answer = call::stream(global, ui, command, None, None, &mut |piece| {
        if let Piece::Text(text) = piece {
            target.write(&text)?;
        }
        Ok(())
    })?;
    target.finish()?;
    let mut line = format!(
        "{} of `{}` as `{}` may read",
        counted(number(&answer, "objects"), "object"),
        text(&answer, "collection"),
        text(&answer, "reader")
    );
    for (key, word) in [
        ("redacted", "with parts left out"),
        ("withheld", "withheld"),
        ("red_left_out", "TLP:RED left out (--person)"),
        ("silent_left_out", "that do not say their label left out"),
        (
            "silent",
            "that say their label only beside the object, where other tools do not look (--marked-only)",
        ),
    ] {
        if number(&answer, key) > 0 {
            line.push_str(&format!(", {} {word}", number(&answer, key)));
        }
    }
    ui.say(line);
    Ok(exit::DONE)
}

enum Target {
    Stdout(BufWriter<io::Stdout>),
    File(Staged),
}

/// A file under another name until it is whole; gone if it never is.
struct Staged {
    // INVARIANT: `Some` until it has its name
    file: Option<BufWriter<File>>,
    staged: PathBuf,
    path: PathBuf,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _gone = std::fs::remove_file(&self.staged);
        }
    }
}

impl Target {
    fn new(path: Option<&Path>, force: bool) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        };
        anyhow::ensure!(
            force || !path.exists(),
            "`{}` is there already\n  help: `--force` replaces it",
            path.display()
        );
        let mut name = path
            .file_name()
            .map(std::ffi::OsStr::to_os_string)
            .unwrap_or_default();
        name.push(".part");
        let staged = path.with_file_name(name);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // what is exported may be for few eyes
            options.mode(0o600);
        }
        let file = options
            .open(&staged)
            .with_context(|| format!("cannot write `{}`", staged.display()))?;
        Ok(Self::File(Staged {
            file: Some(BufWriter::new(file)),
            staged,
            path: path.to_owned(),
        }))
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Stdout(out) => out.write_all(text.as_bytes())?,
            Self::File(Staged { file, staged, .. }) => {
                if let Some(file) = file {
                    file.write_all(text.as_bytes())
                        .with_context(|| format!("cannot write `{}`", staged.display()))?;
                }
            }
        }
        Ok(())
    }

    /// CRASH POINT: until the rename the file has another name; an older one of this name is untouched.
    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(mut out) => out.flush()?,
            Self::File(mut staged) => {
                let cannot =
                    |what: &str, path: &Path| format!("cannot {what} `{}`", path.display());
                if let Some(file) = &mut staged.file {
                    file.flush()
                        .and_then(|()| file.get_ref().sync_all())
                        .with_context(|| cannot("write", &staged.staged))?;
                }
                std::fs::rename(&staged.staged, &staged.path)
                    .with_context(|| cannot("name", &staged.path))?;
                staged.file = None;
            }
        }
        Ok(())
    }
}
