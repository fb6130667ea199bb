//! A finding as people read it: what is wrong, the place in the input with the spot underlined, what to do.
//!
//! Not `ariadne`: it wants the whole source and gives line and column within what it has, and here the source is a stream
//! of which one object is in memory, often all on one line of megabytes. The line shown is therefore cut around the spot.

use comity_stix::finding::{Finding, Severity};

use super::ui::{Ink, Ui, is_hidden, visible as safe};

/// Characters of a source line shown.
const WIDTH: usize = 100;
/// Of which so many before the spot, when the line is cut.
const BEFORE: usize = 30;

/// The text in which a finding lies, and where that text begins in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The text; empty when it is not at hand.
    pub(crate) text: &'a [u8],
    /// Octets of the file before it.
    pub(crate) offset: usize,
}

/// The finding with an excerpt, several lines, no newline at the end.
pub(crate) fn long(
    ui: &Ui,
    file: &str,
    finding: &Finding,
    severity: Severity,
    source: Source<'_>,
) -> String {
    let ink = if severity == Severity::Error {
        Ink::Red
    } else {
        Ink::Yellow
    };
    let head = ui.ink(ink, format!("{severity}[{}]", finding.code));
    let mut text = format!("{head}: {}\n", safe(&finding.message));
    let number = finding.line.to_string();
    let margin = " ".repeat(number.len());
    let at = if finding.pointer.is_empty() {
        String::new()
    } else {
        format!(" at {}", safe(&finding.pointer))
    };
    let arrow = ui.ink(Ink::Blue, "-->");
    text.push_str(&format!(
        "{margin}{arrow} {}:{}:{}{at}",
        safe(file),
        finding.line,
        finding.column
    ));
    if let Some(spot) = spot(finding, source) {
        let bar = ui.ink(Ink::Blue, "|");
        text.push_str(&format!(
            "\n{margin} {bar}\n{} {bar} {}",
            ui.ink(Ink::Blue, &number),
            spot.line
        ));
        let mark = ui.ink(ink, "^".repeat(spot.length));
        text.push_str(&format!(
            "\n{margin} {bar} {}{mark}",
            " ".repeat(spot.column)
        ));
    }
    let equals = ui.ink(Ink::Blue, "=");
    if let Some(help) = &finding.help {
        text.push_str(&format!("\n{margin} {equals} help: {}", safe(help)));
    }
    text.push_str(&format!("\n{margin} {equals} clause: {}", finding.clause));
    text
}

/// The finding on one line, as editors and `grep` want it.
pub(crate) fn short(file: &str, finding: &Finding, severity: Severity) -> String {
    let at = if finding.pointer.is_empty() {
        String::new()
    } else {
        format!(" at `{}`", safe(&finding.pointer))
    };
    let (line, column, file) = (finding.line, finding.column, safe(file));
    format!(
        "{file}:{line}:{column}: {severity}[{}]: {}{at} ({})",
        finding.code,
        safe(&finding.message),
        finding.clause
    )
}

struct Spot {
    line: String,
    column: usize,
    length: usize,
}

fn spot(finding: &Finding, source: Source<'_>) -> Option<Spot> {
    let start = finding.offset.checked_sub(source.offset)?;
    let before = source.text.get(..start)?;
    let after = source.text.get(start..).filter(|rest| !rest.is_empty())?;
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    // a cut through a character at either end shows as a replacement sign, no more
    let before = before.get(line_start..)?;
    let before = before.get(before.len().saturating_sub(4 * WIDTH)..)?;
    let line_end = after
        .iter()
        .position(|byte| *byte == b'\n' || *byte == b'\r')
        .unwrap_or(after.len());
    let after = after.get(..line_end.min(4 * WIDTH))?;
    let length = visible(after.get(..finding.len.min(after.len()))?)
        .chars()
        .count();
    let (before, after) = (visible(before), visible(after));
    let (cut_before, before) = tail(
        &before,
        if before.chars().count() + after.chars().count() > WIDTH {
            BEFORE
        } else {
            WIDTH
        },
    );
    let (after, cut_after) = head(&after, WIDTH.saturating_sub(before.chars().count()));
    let lead = if cut_before { "…" } else { "" };
    let column = before.chars().count() + usize::from(cut_before);
    let length = length.clamp(1, after.chars().count().max(1));
    Some(Spot {
        line: format!("{lead}{before}{after}{}", if cut_after { "…" } else { "" }),
        column,
        length,
    })
}

/// Text without what would move the cursor or speak to the terminal.
fn visible(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect()
}

fn tail(text: &str, count: usize) -> (bool, String) {
    let all = text.chars().count();
    (
        all > count,
        text.chars().skip(all.saturating_sub(count)).collect(),
    )
}

fn head(text: &str, count: usize) -> (String, bool) {
    (
        text.chars().take(count).collect(),
        text.chars().count() > count,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, needle: &str) -> Spot {
        let mut finding = Finding::new(&comity_stix::codes::JSON_SYNTAX, "wrong");
        finding.offset = 1_000 + text.find(needle).unwrap();
        finding.len = needle.len();
        spot(
            &finding,
            Source {
                text: text.as_bytes(),
                offset: 1_000,
            },
        )
        .unwrap()
    }

    #[test]
    fn a_short_line_is_shown_whole() {
        let spot = at("{\n  \"id\": \"bad\",\n}", "\"bad\"");
        assert_eq!(
            (spot.line.as_str(), spot.column, spot.length),
            ("  \"id\": \"bad\",", 8, 5)
        );
    }

    #[test]
    fn a_line_of_megabytes_is_cut_around_the_spot() {
        let text = format!("[{}\"bad\"{}]", "1,".repeat(50_000), ",2".repeat(50_000));
        let spot = at(&text, "\"bad\"");
        assert!(
            spot.line.chars().count() <= WIDTH + 2
                && spot.line.starts_with('…')
                && spot.line.ends_with('…')
        );
        let marked: String = spot
            .line
            .chars()
            .skip(spot.column)
            .take(spot.length)
            .collect();
        assert_eq!(marked, "\"bad\"");
    }

    #[test]
    fn a_key_cannot_speak_to_the_terminal() {
        let mut finding = Finding::new(&comity_stix::codes::CUSTOM_NAME, "`\u{1b}[2J` is no name");
        finding.pointer = "/\u{9b}2J".to_owned();
        let shown = short("a\u{1b}.json", &finding, Severity::Error);
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }

    #[test]
    fn escapes_to_the_terminal_do_not_pass() {
        assert!(!at("\"\u{1b}[31mbad\"", "bad").line.contains('\u{1b}'));
    }
}
