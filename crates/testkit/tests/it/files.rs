//! The files of the repository, as text.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file and its path from the root, with `/`.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Every text file whose name ends in one of `endings` (all when empty), except what builds and tools leave behind.
pub(crate) fn all(endings: &[&str]) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink() || LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !endings.is_empty() && !endings.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            // files that are not UTF-8 are data of tests
            if let Ok(text) = fs::read_to_string(&path) {
                let path = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|one, two| one.path.cmp(&two.path));
    assert!(!found.is_empty(), "no files found below {}", root.display());
    found
}

const LEFT_OUT: &[&str] = &[
    ".git",
    "target",
    "corpus",
    "artifacts",
    "__pycache__",
    "comity-data",
    "proptest-regressions",
];

/// Fails with one line per complaint.
pub(crate) fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
