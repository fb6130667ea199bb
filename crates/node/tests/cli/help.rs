//! Help, completions and manual pages come from one definition.

use super::Node;

#[test]
fn help_of_every_command() {
    let node = Node::bare();
    let mut all = node.ok(&["--help"]);
    let names: Vec<String> = all
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect();
    assert!(names.len() >= 20, "{names:?}");
    for name in &names {
        all.push_str(&format!("\n==== comity {name} --help\n"));
        all.push_str(&node.ok(&[name, "--help"]));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn completions_for_every_shell() {
    let node = Node::bare();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            node.ok(&["completions", shell]).contains("collection"),
            "{shell}"
        );
    }
}

#[test]
fn manual_pages_for_every_command() {
    let node = Node::bare();
    assert!(node.ok(&["man"]).contains(".TH comity"));
    let out = node.path("man");
    node.ok(&["man", "--out", &out]);
    assert!(std::fs::read_dir(out).unwrap().count() > 20);
}

#[test]
fn version_goes_to_stdout() {
    assert_eq!(
        Node::bare().ok(&["--version"]),
        format!("comity {}\n", env!("CARGO_PKG_VERSION"))
    );
}
