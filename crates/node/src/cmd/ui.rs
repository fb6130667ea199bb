//! What the commands say: results on stdout, words on stderr, colours and bars only where a person looks.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{Color, Format, Global};

/// How to talk to whoever ran the command.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    /// What the results should look like.
    pub(crate) format: Format,
    quiet: bool,
    color_out: bool,
    color_err: bool,
    terminal: bool,
}

/// What a piece of text means to the eye.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ink {
    /// Something is wrong.
    Red,
    /// Something to look at.
    Yellow,
    /// All is well.
    Green,
    /// Where, or structure.
    Blue,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
}

impl Ui {
    pub(crate) fn new(global: &Global) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let decide = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        Self {
            format: global.format,
            quiet: global.quiet,
            color_out: decide(io::stdout().is_terminal()),
            color_err: decide(io::stderr().is_terminal()),
            terminal: io::stderr().is_terminal() && !global.quiet,
        }
    }

    /// Results are for a machine.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// A line of results.
    pub(crate) fn line(&self, text: impl Display) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{text}")
    }

    /// A result for a machine: one JSON value on one line.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        io::stdout().lock().write_all(&line)?;
        Ok(())
    }

    /// A remark for the person, unless they asked for quiet.
    pub(crate) fn say(&self, text: impl Display) {
        if !self.quiet {
            // stderr may be closed; a remark is not worth failing for
            let text = visible_lines(&text.to_string());
            let _gone = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// A line on stderr that scripts wait for, even when quiet.
    pub(crate) fn always(&self, text: impl Display) {
        let _gone = writeln!(io::stderr().lock(), "{text}");
    }

    /// Something the person should look at.
    pub(crate) fn warn(&self, text: impl Display) {
        let _gone = writeln!(
            io::stderr().lock(),
            "{}: {}",
            self.ink_err(Ink::Yellow, "warning"),
            visible_lines(&text.to_string())
        );
    }

    /// The command failed.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let mut text = String::new();
        for (depth, cause) in error.chain().enumerate() {
            let cause = cause.to_string();
            // thiserror's wrappers often repeat their source
            if depth > 0 && text.contains(&cause) {
                continue;
            }
            if depth > 0 {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
        if self.is_json() {
            let line = serde_json::json!({ "error": text });
            let _gone = writeln!(io::stderr().lock(), "{line}");
        } else {
            let _gone = writeln!(
                io::stderr().lock(),
                "{}: {}",
                self.ink_err(Ink::Red, "error"),
                visible_lines(&text)
            );
        }
    }

    /// `text` with colour, where results may have it.
    pub(crate) fn ink(&self, ink: Ink, text: impl Display) -> String {
        paint(self.color_out, ink, text)
    }

    fn ink_err(&self, ink: Ink, text: impl Display) -> String {
        paint(self.color_err, ink, text)
    }

    /// A table with aligned columns; in JSON nothing, the caller prints values.
    pub(crate) fn table(&self, heads: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        let mut widths: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{}",
            self.ink(Ink::Bold, aligned(heads.iter().copied(), &widths))
        )?;
        for row in rows {
            writeln!(out, "{}", aligned(row.iter().map(String::as_str), &widths))?;
        }
        Ok(())
    }

    /// A bar for work of `total` units; without a total a counter. Invisible unless a person looks.
    pub(crate) fn progress(&self, total: Option<u64>, unit: Unit) -> Progress {
        let bar = ProgressBar::with_draw_target(
            total,
            if self.terminal {
                ProgressDrawTarget::stderr_with_hz(8)
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        let template = match (total, unit) {
            (Some(_), Unit::Bytes) => {
                "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left"
            }
            (None, Unit::Bytes) => "{msg} {spinner} {bytes} {bytes_per_sec}",
            (Some(_), Unit::Count) => {
                "{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta} left"
            }
            (None, Unit::Count) => "{msg} {spinner} {human_pos} {per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        if self.terminal {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Progress { bar, owner: true }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Octets.
    Bytes,
    /// Objects, rows, entries.
    Count,
}

/// A bar that clears itself away.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    owner: bool,
}

impl Progress {
    /// What is being done.
    pub(crate) fn message(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    /// Where it stands.
    pub(crate) fn set(&self, done: u64, total: u64) {
        if total > 0 {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    /// The same bar, for another thread.
    pub(crate) fn handle(&self) -> Self {
        Self {
            bar: self.bar.clone(),
            owner: false,
        }
    }

    /// Runs `print` with the bar out of the way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.owner {
            self.bar.finish_and_clear();
        }
    }
}

fn paint(colored: bool, ink: Ink, text: impl Display) -> String {
    if !colored {
        return text.to_string();
    }
    let code = match ink {
        Ink::Red => "1;31",
        Ink::Yellow => "1;33",
        Ink::Green => "32",
        Ink::Blue => "1;34",
        Ink::Bold => "1",
        Ink::Dim => "2",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

fn aligned<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.zip(widths) {
        if !line.is_empty() {
            line.push_str("  ");
        }
        line.push_str(cell);
        line.extend(std::iter::repeat_n(
            ' ',
            width.saturating_sub(cell.chars().count()),
        ));
    }
    line.truncate(line.trim_end().len());
    line
}

/// Text from elsewhere without what would move the cursor, speak to the terminal or turn the direction of writing.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| {
            if is_hidden(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// Control characters, C1 too, and the invisible ones that reorder text (Unicode 15.1, annex 9).
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// The same for our own text with something from elsewhere in it: its lines stay lines.
pub(crate) fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 object`, `2 objects`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// The reader of our output went away, as `head` does: no error of ours.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            (thousands(0), thousands(999), thousands(1_234_567)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!(
            (counted(1, "object"), counted(24_771, "object")),
            ("1 object".into(), "24,771 objects".into())
        );
    }

    #[test]
    fn what_speaks_to_the_terminal_is_not_shown() {
        let foreign = "a\u{1b}[31mb\r\n\u{9b}0m\u{202e}c і";
        assert_eq!(visible(foreign), "a�[31mb���0m�c і");
        assert_eq!(visible_lines("a\u{7}\nb"), "a�\nb");
    }

    #[test]
    fn columns_line_up_and_do_not_trail() {
        assert_eq!(aligned(["a", "bc", ""].into_iter(), &[3, 2, 4]), "a    bc");
    }
}
