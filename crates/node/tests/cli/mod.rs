//! The binary as people and scripts use it.

mod attack;
mod care;
mod errors;
mod evidence;
mod help;
mod package;
mod peering;
mod records;
mod running;
mod tampering;
mod transfer;
mod validate;
mod witness;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A data directory and the program to use on it.
struct Node {
    folder: tempfile::TempDir,
}

/// What a command left behind.
#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Node {
    /// An empty folder.
    fn bare() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A node of party `ua` with an officer, an analyst, a peer of `eu` and a collection for `eu`.
    fn new() -> Self {
        let node = Self::bare();
        node.ok(&[
            "init",
            "--party",
            "ua",
            "--name",
            "CERT-UA",
            "--insecure-http",
            "--listen",
            "127.0.0.1:0",
        ]);
        node.ok(&["user", "add", "olena", "--role", "analyst"]);
        node.ok(&["user", "add", "node@eu", "--role", "peer"]);
        node.ok(&[
            "collection",
            "add",
            "shared",
            "--title",
            "Shared",
            "--read",
            "everyone",
            "--write",
            "role:analyst",
            "--audience",
            "eu",
        ]);
        node
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("node")
    }

    /// A file beside the data directory.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child = program(&self.dir())
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // the program need not read it
            let _gone = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: self.plain(&output.stdout),
            stderr: self.plain(&output.stderr),
        }
    }

    /// Runs a command that must succeed and gives its stdout.
    fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.stdout
    }

    /// Runs a command with `--format json` and gives the values it printed.
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let ran = self.run(&[arguments, &["--format", "json"]].concat());
        assert!(ran.code <= 1, "{arguments:?}: {ran:?}");
        ran.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Output without the name of the temporary folder.
    fn plain(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(&self.folder.path().display().to_string(), "TMP")
    }
}

fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comity"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("COMITY_DIR", dir);
    command
}

/// A valid indicator; `number` makes its identifier, `name` its content.
fn indicator(number: u32, modified: &str, name: &str) -> String {
    format!(
        r#"{{"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-{number:012}",
 "created": "2026-01-01T00:00:00.000Z", "modified": "{modified}", "name": "{name}", "indicator_types": ["malicious-activity"],
 "pattern": "[ipv4-addr:value = '198.51.100.{}']", "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}}"#,
        number % 256
    )
}

fn bundle(objects: &[String]) -> String {
    format!(
        r#"{{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": [{}]}}"#,
        objects.join(",\n")
    )
}

const FIRST: &str = "2026-01-01T00:00:00.000Z";
const LATER: &str = "2026-02-01T00:00:00.000Z";

/// The folder with the large data sets, if it is here.
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("COMITY_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    folder.is_dir().then_some(folder)
}
