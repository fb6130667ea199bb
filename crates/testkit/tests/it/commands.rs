//! Commands named in the documentation must exist as named, with their flags. Read from the source of the command line, so
//! that this test needs no build of the node.

use std::collections::BTreeSet;
use std::fs;

use crate::files::{File, all, none, root};

#[test]
fn every_command_named_in_a_document_exists() {
    let folder = root().join("crates/node/src/cmd");
    let top = fs::read_to_string(folder.join("mod.rs")).unwrap();
    let commands = variants(&top);
    assert!(
        commands.contains("serve"),
        "no commands found in cmd/mod.rs"
    );
    let mut complaints = Vec::new();
    for File { path, text } in all(&[".md"]) {
        for (line, words) in invocations(&text) {
            let Some(command) = words.first() else {
                continue;
            };
            if !is_word(command) {
                continue;
            }
            if !commands.contains(*command) {
                complaints.push(format!(
                    "{path}:{line}: there is no command `comity {command}`"
                ));
                continue;
            }
            let source = source_of(&folder, command);
            let inner = variants(&source);
            if let Some(second) = words.get(1).filter(|word| is_word(word))
                && !inner.is_empty()
                && !inner.contains(*second)
            {
                complaints.push(format!(
                    "{path}:{line}: there is no command `comity {command} {second}`"
                ));
            }
            for flag in words.iter().filter_map(|word| word.strip_prefix("--")) {
                let flag = flag.split(['=', '|']).next().unwrap_or_default();
                if !flag.is_empty() && ![&source, &top].iter().any(|text| has_flag(text, flag)) {
                    complaints.push(format!(
                        "{path}:{line}: `comity {command}` has no flag `--{flag}`"
                    ));
                }
            }
        }
    }
    none(&complaints);
}

/// The source of one command: `cmd/X.rs`, and the files of `cmd/X/` if it is a folder.
fn source_of(folder: &std::path::Path, command: &str) -> String {
    let name = command.replace('-', "_");
    let mut source = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap_or_default();
    for entry in fs::read_dir(folder.join(name)).into_iter().flatten() {
        source += &fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
    }
    source
}

/// Variants of the enums that derive `Subcommand`, as clap names them.
fn variants(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in source.split("Subcommand)]").skip(1) {
        let body = part.split("\n}").next().unwrap_or_default();
        for line in body
            .lines()
            .skip(1)
            .filter(|line| line.starts_with("    ") && !line.starts_with("     "))
        {
            let name: String = line
                .trim()
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            if name.starts_with(|c: char| c.is_ascii_uppercase()) {
                found.insert(kebab(&name));
            }
        }
    }
    found
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn has_flag(source: &str, flag: &str) -> bool {
    ["help", "version"].contains(&flag)
        || source.contains(&format!(" {}:", flag.replace('-', "_")))
        || source.contains(&format!("\"{flag}\""))
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && !text.starts_with('-')
}

/// The words after `comity ` (or `cargo run ... -- `) in code spans and code blocks, with their lines.
fn invocations(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let pieces: Vec<&str> = if fenced || line.starts_with("    ") {
            vec![line]
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        for piece in pieces {
            // a remark at the end of the line is not part of the command
            let piece = piece.split(" #").next().unwrap_or_default();
            for part in piece.split(['|', ';', '&']) {
                let part = part.trim().trim_start_matches("$ ");
                let words = part.strip_prefix("comity ").or_else(|| {
                    part.strip_prefix("cargo run ")
                        .and_then(|rest| rest.split_once(" -- "))
                        .map(|(_, rest)| rest)
                });
                if let Some(words) = words {
                    found.push((number + 1, words.split_whitespace().collect()));
                }
            }
        }
    }
    found
}
