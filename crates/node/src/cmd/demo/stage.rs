//! What the demo says: steps, the very commands it runs, and what each step proved.

use serde_json::Value;

use super::node::Node;
use crate::cmd::ui::Ui;

/// Prints the story and keeps what was proved.
pub(super) struct Stage<'a> {
    ui: &'a Ui,
    steps: u32,
    checks: Vec<(String, bool)>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self {
            ui,
            steps: 0,
            checks: Vec::new(),
        }
    }

    /// A new step.
    pub(super) fn step(&mut self, title: &str) {
        self.steps += 1;
        self.line(&format!("\n{}. {title}", self.steps));
    }

    /// A line of commentary.
    pub(super) fn tell(&self, text: &str) {
        self.line(&format!("   {text}"));
    }

    /// Shows a command as a person would type it.
    pub(super) fn shown(&self, party: &str, arguments: &[&str]) {
        let words: Vec<String> = arguments
            .iter()
            .map(|word| {
                if word.contains([' ', '*']) {
                    format!("'{word}'")
                } else {
                    shorten(word)
                }
            })
            .collect();
        self.line(&format!("   {party}$ comity {}", words.join(" ")));
    }

    /// Runs a command that must succeed, and shows it.
    pub(super) fn run(&self, node: &Node, arguments: &[&str]) -> anyhow::Result<()> {
        self.answer(node, arguments).map(|_| ())
    }

    /// The same, with its answer.
    pub(super) fn answer(&self, node: &Node, arguments: &[&str]) -> anyhow::Result<Value> {
        self.shown(node.party, arguments);
        Ok(node.ok(arguments)?.last().clone())
    }

    /// What the program itself said.
    pub(super) fn quote(&self, said: &Value) {
        let text = match said {
            Value::String(text) => text.clone(),
            Value::Array(lines) => lines
                .iter()
                .map(|line| {
                    line.as_str()
                        .map_or_else(|| line.to_string(), str::to_owned)
                })
                .collect::<Vec<_>>()
                .join("\n"),
            Value::Null => return,
            Value::Object(members) => match members
                .get("error")
                .or_else(|| members.get("text"))
                .and_then(Value::as_str)
            {
                Some(text) => text.to_owned(),
                None => said.to_string(),
            },
            other => other.to_string(),
        };
        for line in text.lines() {
            self.line(&format!("   | {line}"));
        }
    }

    /// One thing that was proved, or was not.
    pub(super) fn check(&mut self, what: &str, holds: bool) {
        self.line(&format!("   {} {what}", if holds { "✓" } else { "✗" }));
        self.checks.push((what.to_owned(), holds));
    }

    /// How many checks held, and how many there were.
    pub(super) fn result(&self) -> (usize, usize) {
        (
            self.checks.iter().filter(|(_, holds)| *holds).count(),
            self.checks.len(),
        )
    }

    /// The summary at the end.
    pub(super) fn summary(&self) {
        let (held, all) = self.result();
        self.line(&format!("\n{held} of {all} things proved"));
        for (what, _) in self.checks.iter().filter(|(_, holds)| !holds) {
            self.line(&format!("   ✗ {what}"));
        }
    }

    pub(super) fn line(&self, text: &str) {
        // a closed terminal ends the demo at the next command that fails
        let _gone = self.ui.line(text);
    }
}

/// Long paths, keys and hashes to what matters of them.
fn shorten(word: &str) -> String {
    match word.rsplit_once('/') {
        Some((_, file)) if word.starts_with('/') => file.to_owned(),
        _ if word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{}..", word.chars().take(8).collect::<String>())
        }
        // a verifier key: of ML-DSA-44 it has 1,800 characters
        _ if word.len() > WORD_CHARACTERS_MAX && word.contains('+') => {
            let start: String = word.chars().take(KEY_CHARACTERS_SHOWN).collect();
            format!("{start}..")
        }
        _ => word.to_owned(),
    }
}

/// A word that is not longer is shown whole.
const WORD_CHARACTERS_MAX: usize = 48;
/// Enough of a key for its name and the beginning of its identifier.
const KEY_CHARACTERS_SHOWN: usize = 32;
