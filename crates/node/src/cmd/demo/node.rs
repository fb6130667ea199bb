//! One node of the demo, or the witness: a process of this very program on a directory of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// A node, or a witness, and how to speak to it.
pub(super) struct Node {
    pub(super) party: &'static str,
    pub(super) name: &'static str,
    pub(super) dir: PathBuf,
    pub(super) url: String,
    pub(super) fingerprint: String,
    program: PathBuf,
    /// The command that runs it.
    serve: &'static [&'static str],
    child: Option<Child>,
}

/// What a command answered.
pub(super) struct Answer {
    pub(super) success: bool,
    /// The exit code; none after a signal.
    pub(super) code: Option<i32>,
    pub(super) rows: Vec<Value>,
    pub(super) errors: String,
}

impl Answer {
    /// The last row: the final answer.
    pub(super) fn last(&self) -> &Value {
        self.rows.last().unwrap_or(&Value::Null)
    }
}

impl Node {
    /// Makes a node below `root` and starts it.
    pub(super) fn make(
        root: &Path,
        party: &'static str,
        name: &'static str,
    ) -> anyhow::Result<Self> {
        let mut node = Self::nowhere(root, party, name, &["serve"])?;
        node.ok(&[
            "init",
            "--party",
            party,
            "--name",
            name,
            "--listen",
            "127.0.0.1:0",
        ])?;
        node.start()?;
        Ok(node)
    }

    /// A witness below `root`, which is not made yet.
    pub(super) fn witness(
        root: &Path,
        party: &'static str,
        name: &'static str,
    ) -> anyhow::Result<Self> {
        Self::nowhere(root, party, name, &["witness", "serve"])
    }

    fn nowhere(
        root: &Path,
        party: &'static str,
        name: &'static str,
        serve: &'static [&'static str],
    ) -> anyhow::Result<Self> {
        Ok(Self {
            party,
            name,
            dir: root.join(party),
            url: String::new(),
            fingerprint: String::new(),
            program: std::env::current_exe().context("where this program is")?,
            serve,
            child: None,
        })
    }

    /// Starts the node, at the same address if it ran before, and waits until it listens.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let listen = self
            .url
            .rsplit_once('/')
            .map_or("127.0.0.1:0", |(_, address)| address)
            .to_owned();
        let mut child = Command::new(&self.program)
            .args(self.serve)
            .args(["--listen", &listen, "--log-level", "warn", "--dir"])
            .arg(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the node of {}", self.party))?;
        let stderr = child.stderr.take().context("no stderr")?;
        self.child = Some(child);
        let mut lines = BufReader::new(stderr).lines();
        let mut told = Vec::new();
        loop {
            let Some(line) = lines.next().transpose()? else {
                bail!(
                    "the node of {} did not start:\n{}",
                    self.party,
                    told.join("\n")
                );
            };
            if let Some(url) = line
                .split_once("listening on ")
                .map(|(_, url)| url.trim().to_owned())
            {
                self.url = url;
            } else if let Some(print) = line
                .split_once("certificate sha-256 ")
                .map(|(_, print)| print.trim().to_owned())
            {
                self.fingerprint = print;
                break;
            }
            told.push(line);
        }
        // what it says from now on is kept for whoever looks, and must not fill the pipe
        let log = self.dir.join("demo.log");
        std::thread::spawn(move || {
            let text: Vec<String> = lines.map_while(Result::ok).collect();
            let _best_effort = std::fs::write(log, text.join("\n"));
        });
        Ok(())
    }

    /// Kills the node as a power cut would.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _gone = child.wait();
        }
    }

    /// Leaves the node running when the demo ends.
    pub(super) fn release(&mut self) -> Option<u32> {
        self.child.take().map(|child| child.id())
    }

    /// Runs `comity <arguments>` on this node's directory.
    pub(super) fn run(&self, arguments: &[&str]) -> anyhow::Result<Answer> {
        let output = Command::new(&self.program)
            .args(arguments)
            .args(["--format", "json", "--quiet", "--dir"])
            .arg(&self.dir)
            .stdin(Stdio::null())
            .output()
            .context("cannot run a command of this program")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rows = serde_json::Deserializer::from_str(&text)
            .into_iter::<Value>()
            .collect::<Result<Vec<_>, _>>();
        Ok(Answer {
            success: output.status.success(),
            code: output.status.code(),
            rows: rows.unwrap_or_default(),
            errors: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// The same, for a command that must succeed.
    pub(super) fn ok(&self, arguments: &[&str]) -> anyhow::Result<Answer> {
        let answer = self.run(arguments)?;
        if !answer.success {
            bail!(
                "`comity {}` failed at {}: {}",
                arguments.join(" "),
                self.party,
                answer.errors
            );
        }
        Ok(answer)
    }

    /// Writes a bundle into this node's directory and gives its path.
    pub(super) fn file(&self, name: &str, content: &Value) -> anyhow::Result<String> {
        self.text(name, &content.to_string())
    }

    /// Writes a text into this node's directory and gives its path.
    pub(super) fn text(&self, name: &str, content: &str) -> anyhow::Result<String> {
        let path = self.dir.join(name);
        std::fs::write(&path, content)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks until `done` says yes; no after about `limit`.
pub(super) fn wait(
    limit: Duration,
    mut done: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<bool> {
    const STEP: Duration = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    while waited < limit {
        if done()? {
            return Ok(true);
        }
        // nobody unparks us: the other side is another process that can only be asked
        std::thread::park_timeout(STEP);
        waited += STEP;
    }
    done()
}
