//! What the documentation points at must be there.

use crate::files::{File, all, none, root};

#[test]
fn every_link_to_a_file_resolves() {
    let mut complaints = Vec::new();
    for File { path, text } in all(&[".md"]) {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for (line, target) in links(&text) {
            if ["http://", "https://", "mailto:", "#"]
                .iter()
                .any(|start| target.starts_with(start))
            {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = folder.join(file);
            if !file.exists() {
                complaints.push(format!("{path}:{line}: `{target}` leads nowhere"));
            } else if !anchor.is_empty()
                && !anchors(&std::fs::read_to_string(&file).unwrap_or_default())
                    .any(|one| one == anchor)
            {
                complaints.push(format!("{path}:{line}: `{target}`: no such heading"));
            }
        }
    }
    none(&complaints);
}

/// Code spans that look like a path of this repository. `*`, `<` and `{` make it a pattern, which is not looked for.
#[test]
fn every_path_named_in_a_document_exists() {
    let mut complaints = Vec::new();
    for File { path, text } in all(&[".md"]) {
        for (number, line) in text.lines().enumerate() {
            for span in line.split('`').skip(1).step_by(2) {
                let named = span.split([' ', ':']).next().unwrap_or_default();
                let is_path = TOP.iter().any(|top| named.starts_with(top))
                    && !named.contains(['*', '<', '{', '$']);
                if is_path && !root().join(named).exists() {
                    complaints.push(format!("{path}:{}: `{named}` does not exist", number + 1));
                }
            }
        }
    }
    none(&complaints);
}

const TOP: &[&str] = &[
    "crates/",
    "docs/",
    "scripts/",
    "policies/",
    "tests/",
    "fuzz/",
    "benches/",
    ".ci/",
];

#[test]
fn every_page_of_the_documentation_is_in_its_index() {
    let index = std::fs::read_to_string(root().join("docs/README.md")).unwrap();
    let complaints: Vec<String> = all(&[".md"])
        .iter()
        .filter_map(|file| file.path.strip_prefix("docs/"))
        .filter(|page| *page != "README.md" && !index.contains(&format!("({page})")))
        .map(|page| format!("docs/README.md does not name `{page}`"))
        .collect();
    none(&complaints);
}

/// Inline links `[text](target)` with their lines, outside fenced code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced || line.starts_with("    ") {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            if let Some(target) = line[at + 2..].split(')').next() {
                found.push((number + 1, target));
            }
        }
    }
    found
}

/// Headings as GitHub and most others name them: lower case, punctuation gone, blanks as `-`.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
            kept.collect::<String>().replace(' ', "-")
        })
}
