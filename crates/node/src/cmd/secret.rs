//! Passwords and tokens: from standard input or typed unseen, never from an argument, which every process can read.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::control::Secret;

/// Reads one line as a secret; on a terminal asks for `what` without showing what is typed.
pub(crate) fn read(what: &str) -> anyhow::Result<Secret> {
    let stdin = io::stdin();
    let hidden = if stdin.is_terminal() {
        let _gone = write!(io::stderr(), "{what}: ");
        let _gone = io::stderr().flush();
        Some(Hidden::new())
    } else {
        None
    };
    let mut line = String::new();
    let read = stdin
        .lock()
        .read_line(&mut line)
        .context("cannot read standard input")?;
    drop(hidden);
    anyhow::ensure!(read > 0, "standard input ended before the {what}");
    let text = line.trim_end_matches(['\n', '\r']).to_owned();
    zeroize::Zeroize::zeroize(&mut line);
    anyhow::ensure!(!text.is_empty(), "the {what} is empty");
    Ok(Secret::new(text))
}

/// The terminal does not echo while this lives. `stty` is everywhere a terminal is, and spares a dependency.
struct Hidden;

impl Hidden {
    fn new() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
        let _gone = writeln!(io::stderr());
    }
}

fn stty(setting: &str) {
    // without stty the secret is seen while typed, which is no reason to refuse it
    let _seen = Command::new("stty")
        .arg(setting)
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .status();
}
