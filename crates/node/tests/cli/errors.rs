//! Errors say what, where and what to do; the exit code says what kind.

use super::Node;

fn shown(node: &Node, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for arguments in commands {
        let ran = node.run(arguments);
        assert_eq!(ran.stdout, "", "data on an error: {arguments:?}");
        text.push_str(&format!(
            "$ comity {}\n{}[exit {}]\n\n",
            arguments.join(" ").replace(&node.path(""), "TMP/"),
            ran.stderr,
            ran.code
        ));
    }
    text
}

#[test]
fn errors_without_a_node() {
    let node = Node::bare();
    insta::assert_snapshot!(shown(
        &node,
        &[
            &["user", "list"],
            &["init", "--party", "UA"],
            &["validate", "nothing-here.json"],
            &["validate"],
            &["serve", "--listen", "nowhere"],
            &["restore", "nothing-here"],
            &["explode"],
        ]
    ));
}

#[test]
fn errors_of_a_node() {
    let node = Node::new();
    let file = node.file("one.json", super::indicator(1, super::FIRST, "one"));
    insta::assert_snapshot!(shown(
        &node,
        &[
            &["init", "--party", "ua"],
            &["user", "add", "olena", "--role", "analyst"],
            &["user", "add", "Olena!", "--role", "analyst"],
            &["user", "add", "ivan", "--role", "king"],
            &["user", "add", "soc@energo", "--role", "entity"],
            &["user", "disable", "nobody"],
            &[
                "user",
                "add",
                "ivan",
                "--role",
                "analyst",
                "--certificate-fingerprint",
                "abc"
            ],
            &["token", "new", "nobody"],
            &["token", "revoke", "nothing"],
            &["collection", "add", "shared"],
            &["collection", "add", "a/b"],
            &["collection", "change", "shared", "--read", "group:x"],
            &["import", &file, "-c", "nowhere"],
            &["import", &file, "-c", "shared", "--tlp", "mauve"],
            &["import", &file, "-c", "shared", "--audience", "EU"],
            &["export", "-c", "shared", "--since", "yesterday"],
            &["show", "indicator--00000000-0000-4000-8000-000000000009"],
            &[
                "access",
                "explain",
                "olena",
                "indicator--00000000-0000-4000-8000-000000000009"
            ],
            &["config", "colour"],
            &["peer", "show", "eu"],
        ]
    ));
}

#[test]
fn an_error_for_machines_is_json() {
    let ran = Node::bare().run(&["user", "list", "--format", "json"]);
    let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert!(
        error["error"].as_str().unwrap().contains("comity.toml") && ran.code == 2,
        "{ran:?}"
    );
}

#[test]
fn a_wrong_password_is_not_taken() {
    let node = Node::new();
    let ran = node.run_with(&["user", "password", "olena"], b"short\n");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(
        node.run_with(&["user", "password", "olena"], b"correct horse battery\n")
            .code,
        0
    );
}
