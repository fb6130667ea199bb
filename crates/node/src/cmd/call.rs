//! From a command's arguments to an act of [`crate::control`] and back to the terminal.

use serde_json::Value;

use super::Global;
use super::ui::{Progress, Ui, Unit, visible};
use crate::control::client::{self, Items};
use crate::control::{Command, ControlError, Output};

/// Carries out an act that answers with one value.
pub(crate) fn one(global: &Global, ui: &Ui, command: Command) -> anyhow::Result<Value> {
    Ok(rows(global, ui, command)?.1)
}

/// Carries out an act that answers with few rows and a final value.
pub(crate) fn rows(
    global: &Global,
    ui: &Ui,
    command: Command,
) -> anyhow::Result<(Vec<Value>, Value)> {
    let mut rows = Vec::new();
    let answer = stream(global, ui, command, None, None, &mut |piece| {
        if let Piece::Row(row) = piece {
            rows.push(row);
        }
        Ok(())
    })?;
    Ok((rows, answer))
}

/// What comes back while an act runs.
pub(crate) enum Piece {
    /// A row of results.
    Row(Value),
    /// A piece of text.
    Text(String),
}

/// Carries out an act and hands each piece of its result to `each`, with the progress bar out of the way.
/// An input that is read has its own `bar`; else the node's words move one.
pub(crate) fn stream(
    global: &Global,
    ui: &Ui,
    command: Command,
    input: Option<Items>,
    bar: Option<Progress>,
    each: &mut dyn FnMut(Piece) -> anyhow::Result<()>,
) -> anyhow::Result<Value> {
    let follows_node = bar.is_none();
    let mut output = ToTerminal {
        bar,
        follows_node,
        ui,
        each,
        failed: None,
    };
    let result = client::call(&global.dir, &global.by, command, input, &mut output);
    if let Some(error) = output.failed.take() {
        return Err(error);
    }
    Ok(result?)
}

struct ToTerminal<'a> {
    bar: Option<Progress>,
    follows_node: bool,
    ui: &'a Ui,
    each: &'a mut dyn FnMut(Piece) -> anyhow::Result<()>,
    /// What stopped us here; the act ends with a word of no meaning then.
    failed: Option<anyhow::Error>,
}

impl ToTerminal<'_> {
    fn hand(&mut self, piece: Piece) -> Result<(), ControlError> {
        let each = &mut self.each;
        let result = match &self.bar {
            Some(bar) => bar.suspend(|| each(piece)),
            None => each(piece),
        };
        result.map_err(|error| {
            let word = ControlError::internal(&error);
            self.failed = Some(error);
            word
        })
    }
}

impl Output for ToTerminal<'_> {
    fn row(&mut self, row: Value) -> Result<(), ControlError> {
        self.hand(Piece::Row(row))
    }

    fn text(&mut self, text: String) -> Result<(), ControlError> {
        self.hand(Piece::Text(text))
    }

    fn progress(&mut self, stage: &str, done: u64, total: u64) {
        if !self.follows_node {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            // contents that come from a peer are counted in octets, everything else in pieces
            let unit = if stage == "receiving" {
                Unit::Bytes
            } else {
                Unit::Count
            };
            self.ui.progress((total > 0).then_some(total), unit)
        });
        bar.message(stage);
        bar.set(done, total);
    }
}

/// A member of an answer as text fit for a terminal: strings, lists joined, nothing for null.
pub(crate) fn text(value: &Value, key: &str) -> String {
    plain(value.get(key).unwrap_or(&Value::Null))
}

/// A text as it is, for files and parsers: records, proofs, heads. Line feeds are part of them.
pub(crate) fn whole<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A value as text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => visible(text),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Object(members) => {
            let said = members.iter().filter(|(_, value)| !plain(value).is_empty());
            said.map(|(key, value)| format!("{} {}", key.replace('_', " "), plain(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => other.to_string(),
    }
}

/// A number of an answer.
pub(crate) fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// A list of an answer.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Prints rows: JSON values, or a table of these keys.
pub(crate) fn print(ui: &Ui, rows: &[Value], columns: &[(&str, &str)]) -> anyhow::Result<()> {
    if ui.is_json() {
        for row in rows {
            ui.json(row)?;
        }
        return Ok(());
    }
    let heads: Vec<&str> = columns.iter().map(|(_, head)| *head).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| columns.iter().map(|(key, _)| text(row, key)).collect())
        .collect();
    if !rows.is_empty() {
        ui.table(&heads, &cells)?;
    }
    Ok(())
}
