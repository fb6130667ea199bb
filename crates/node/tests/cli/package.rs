//! Packages from the command line: made by a node, checked by whoever has the keys.

use serde_json::Value;

use super::Node;
use super::witness::{Serving, make};

const SAID: [&str; 4] = ["--basis", "warrant 12/2026", "--place", "Kyiv"];

/// A node with a sealed exhibit; gives its number.
fn with_exhibit(title: &str) -> (Node, String) {
    let node = Node::new();
    node.ok(&["--by", "olena", "evidence", "key", "new", "olena"]);
    std::fs::create_dir_all(node.path("in")).unwrap();
    node.file("in/image", "an image");
    node.file("in/log", "a log");
    let sealed = act(&node, &["seal", "in", "--title", title]).remove(0);
    let number = text(&sealed, "number");
    (node, number)
}

fn act(node: &Node, words: &[&str]) -> Vec<Value> {
    node.json(&[&["--by", "olena", "evidence"], words, &SAID].concat())
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

/// Keys as they come to somebody else: from the card, with the witnesses of `policy`.
fn keys(node: &Node, policy: &str) -> [String; 4] {
    let card = node.json(&["peer", "card"]).remove(0);
    let (log, second) = (text(&card, "log_key"), text(&card, "log_mldsa_key"));
    let policy = node.file("policy.txt", format!("log {log}\nlog {second}\n{policy}"));
    let keys = node.file("keys.txt", text(&card, "custody_key"));
    ["--policy".to_owned(), policy, "--keys".to_owned(), keys]
}

fn verdict(node: &Node, out: &str, keys: &[String]) -> (i32, Value) {
    let mut words = vec!["verify", out, "--format", "json"];
    words.extend(keys.iter().map(String::as_str));
    let ran = node.run(&words);
    (ran.code, serde_json::from_str(&ran.stdout).unwrap())
}

#[test]
fn a_package_of_a_log_without_witnesses() {
    // a title is data: nothing of it is lost on the way into the package
    let (node, number) = with_exhibit("Ноутбук \u{202e}4711");
    let out = node.path("package");
    let made = act(&node, &["package", &number, "--out", &out, "--for", "eu"]).remove(0);
    assert_eq!(
        (&made["files"], &made["witnesses"]),
        (&2.into(), &"none".into())
    );
    let exhibits = std::fs::read_to_string(format!("{out}/seal/exhibits.jsonl")).unwrap();
    assert!(exhibits.contains("Ноутбук \u{202e}4711"), "{exhibits}");
    let given = keys(&node, "quorum none\n");
    let (code, report) = verdict(&node, &out, &given);
    assert_eq!(
        (code, &report["verdict"]),
        (0, &"verified".into()),
        "{report}"
    );
    let (code, report) = verdict(&node, &out, &[]);
    assert_eq!(code, 3, "{report}");
    // whose own policy may be compared: it has the log
    let own = std::fs::read_to_string(format!("{out}/seal/policy.txt")).unwrap();
    assert!(own.starts_with("log comity.ua/log/1+"), "{own}");
    // never over anything
    let again = [
        &[
            "--by", "olena", "evidence", "package", &number, "--out", &out,
        ],
        &SAID[..],
    ];
    assert_eq!(node.run(&again.concat()).code, 2);
}

#[test]
fn a_package_waits_for_the_quorum_of_witnesses() {
    let (node, number) = with_exhibit("Laptop");
    let witness = Node::bare();
    let cosigners = make(&witness);
    let key = text(&node.json(&["log", "head"])[0], "key");
    witness.ok(&["witness", "log", "add", &key]);
    let serving = Serving::witness(&witness.dir());
    let [first, second] = [&cosigners[0], &cosigners[1]];
    node.ok(&[
        "log",
        "witness",
        "add",
        "ee",
        first,
        &serving.url,
        "--also",
        second,
    ]);
    // no node runs, so that nobody else asks the witness
    let out = node.path("package.tar");
    let made = act(&node, &["package", &number, "--out", &out]).remove(0);
    assert_eq!(made["witnesses"], "quorum", "{made}");
    let policy = text(&node.json(&["log", "witnesses"])[0], "policy");
    let (code, report) = verdict(&node, &out, &keys(&node, &policy));
    assert_eq!(
        (code, &report["verdict"]),
        (0, &"verified".into()),
        "{report}"
    );
    let facts = report["facts"].as_array().unwrap();
    let cosigned = facts.iter().filter(|fact| fact["code"] == "witnesses.one");
    assert_eq!(cosigned.count(), 2, "{report}");
    let (code, report) = verdict(&node, &out, &[]);
    assert_eq!(code, 3, "its own policy names log and witnesses: {report}");

    drop(serving);
    let out = node.path("other");
    let words = [
        &[
            "--by", "olena", "evidence", "package", &number, "--out", &out,
        ],
        &SAID[..],
    ];
    let ran = node.run(&words.concat());
    assert!(
        ran.code == 5 && ran.stderr.contains("no quorum of witnesses"),
        "{ran:?}"
    );
    assert!(!std::path::Path::new(&out).exists());
}
