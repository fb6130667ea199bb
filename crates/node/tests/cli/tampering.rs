//! A directory in which somebody else has been: the node does not go on with it.

use super::{FIRST, Node, bundle, indicator};

/// A key that is not this node's.
const OTHER_SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

#[test]
fn a_register_written_on_with_another_key_is_refused_until_an_operator_takes_it_over() {
    let node = Node::new();
    let seed = node.dir().join("keys/log.seed");
    let own = std::fs::read(&seed).unwrap();
    let file = node.file("in.json", bundle(&[indicator(1, FIRST, "x")]));
    // the head is another key's now, as after a forger's append
    std::fs::write(&seed, OTHER_SEED).unwrap();
    let ran = node.run(&["user", "list"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let root = ran
        .stderr
        .split("rekey --root ")
        .nth(1)
        .unwrap()
        .get(..64)
        .unwrap()
        .to_owned();
    for refused in [
        node.run(&["import", &file, "-c", "shared"]),
        node.run(&["serve"]),
        node.run(&["log", "rekey", "--root", &"00".repeat(32)]),
        node.run(&["log", "rekey", "--root", "x"]),
    ] {
        assert_eq!(refused.code, 2, "{refused:?}");
    }
    let ran = node.run(&["fsck"]);
    assert!(
        ran.code == 1 && ran.stdout.contains("register.note"),
        "{ran:?}"
    );
    node.ok(&["log", "rekey", "--root", &root]);
    node.ok(&["import", &file, "-c", "shared"]);
    node.ok(&["fsck", "--depth", "deep"]);
    let said = node.json(&["log", "show", "--limit", "3"]);
    assert!(
        said.iter()
            .any(|entry| entry["about"]["change"]["note"]["log_key"]["root"] == root.as_str()),
        "{said:?}"
    );
    // and the key of before is the other one now
    std::fs::write(&seed, own).unwrap();
    assert_eq!(node.run(&["user", "list"]).code, 2);
}

#[test]
fn a_changed_party_is_told_before_anything_is_written() {
    let node = Node::new();
    let file = node.dir().join("comity.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("party = \"ua\"", "party = \"eu\"")).unwrap();
    for ran in [node.run(&["user", "list"]), node.run(&["serve"])] {
        assert!(
            ran.code == 2 && ran.stderr.contains("comity.ua/log/1") && ran.stderr.contains("`eu`"),
            "{ran:?}"
        );
    }
    std::fs::write(&file, text).unwrap();
    node.ok(&["user", "list"]);
    node.ok(&["fsck"]);
}

#[test]
fn an_older_copy_put_back_is_noticed() {
    let node = Node::new();
    let register = node.dir().join("register.db");
    node.ok(&["log", "head"]);
    let older = std::fs::read(&register).unwrap();
    // nothing of it is beside the file when no node runs
    let beside = std::fs::metadata(node.dir().join("register.db-wal"));
    assert!(beside.is_err() || beside.is_ok_and(|wal| wal.len() == 0));
    node.ok(&["user", "add", "ivan", "--role", "officer"]);
    let newer = std::fs::read(&register).unwrap();
    std::fs::write(&register, older).unwrap();
    let ran = node.run(&["user", "list"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("not a continuation"),
        "{ran:?}"
    );
    // another database of the same party and key, however long
    let other = Node::new();
    std::fs::copy(
        other.dir().join("keys/log.seed"),
        node.dir().join("keys/log.seed"),
    )
    .unwrap();
    other.ok(&["user", "add", "ivan", "--role", "officer"]);
    std::fs::copy(other.dir().join("register.db"), &register).unwrap();
    let ran = node.run(&["user", "list"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("another database"),
        "{ran:?}"
    );
    std::fs::write(&register, newer).unwrap();
    // an operator who knows what they do
    std::fs::remove_file(node.dir().join("head.seen")).unwrap();
    assert_eq!(node.run(&["user", "list"]).code, 2, "the other's key");
}
