//! What every file must keep to. Each rule says why; an exception needs a reason, and leaves when it is no longer needed.

use crate::files::{File, all, none, root};

/// Longest Rust file, lines (STYLE: over 400 is rare, over 1,000 is a smell).
const LINES_MAX: usize = 600;
/// Longer ones, and why splitting them would make them worse.
const LONGER: &[(&str, &str)] = &[(
    "crates/stix/src/vocabulary.rs",
    "tables of words in the order of STIX 2.1 section 10, to be compared with it side by side",
)];

#[test]
fn no_rust_file_is_too_long() {
    let files = all(&[".rs"]);
    let mut complaints = Vec::new();
    for File { path, text } in &files {
        let lines = text.lines().count();
        let excepted = LONGER.iter().any(|(name, _)| name == path);
        if lines > LINES_MAX && !excepted {
            complaints.push(format!(
                "{path}: {lines} lines, at most {LINES_MAX}: split it where a noun ends"
            ));
        }
        if lines <= LINES_MAX && excepted {
            complaints.push(format!(
                "{path}: short enough now, take it off the list of exceptions"
            ));
        }
    }
    for (name, _) in LONGER {
        if !files.iter().any(|file| file.path == *name) {
            complaints.push(format!(
                "{name}: is gone, take it off the list of exceptions"
            ));
        }
    }
    none(&complaints);
}

/// What is unfinished is an issue, not a remark. Written so that this file does not hold the words itself.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("X", "XX:"),
];

#[test]
fn nothing_unfinished_is_left_behind() {
    none(&lines_with(
        &all(&[".rs", ".md", ".toml", ".py", ".sql", ".cedar", ".sh"]),
        UNFINISHED,
    ));
}

/// Folders of the machines this was written on. They mean nothing elsewhere.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/fa", "rm/")];

#[test]
fn no_file_names_a_machines_folders() {
    none(&lines_with(&all(&[]), MACHINE_PATHS));
}

fn lines_with(files: &[File], words: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for File { path, text } in files {
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                complaints.push(format!("{path}:{}: `{word}`", number + 1));
            }
        }
    }
    complaints
}

#[test]
fn every_silenced_lint_has_a_reason() {
    let mut complaints = Vec::new();
    for File { path, text } in all(&[".rs"]) {
        for opening in OPENINGS {
            for (at, _) in text.match_indices(opening) {
                let rest = &text[at..];
                let attribute = &rest[..rest.find(")]").map_or(rest.len(), |end| end)];
                if !attribute.contains("reason = ") {
                    let line = text[..at].lines().count().max(1);
                    complaints.push(format!("{path}:{line}: says no reason"));
                }
            }
        }
    }
    none(&complaints);
}

const OPENINGS: &[&str] = &[
    concat!("#[", "expect("),
    concat!("#[", "allow("),
    concat!("#![", "expect("),
    concat!("#![", "allow("),
];

#[test]
fn every_dependency_says_what_it_is_for() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = text.split("[workspace.dependencies]\n").nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    let mut complaints = Vec::new();
    let mut explained = false;
    for line in section.lines() {
        if line.starts_with("# ---") || line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if line.starts_with("comity-") {
            // ours: its own page says what it is for
        } else if line.contains(" = ") {
            if !explained {
                complaints.push(format!("Cargo.toml: no reason above `{line}`"));
            }
            explained = false;
        }
    }
    none(&complaints);
}

#[test]
fn every_crate_has_its_page() {
    let complaints: Vec<String> = all(&["lib.rs"])
        .iter()
        .filter(|file| file.path.ends_with("/src/lib.rs") && !file.text.starts_with("//! "))
        .map(|file| {
            format!(
                "{}: begins without a page on what the crate is for",
                file.path
            )
        })
        .collect();
    none(&complaints);
}
