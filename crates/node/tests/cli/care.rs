//! Looking after a node: configuration, doctor, fsck, backup, restore.

use super::{FIRST, Node, bundle, indicator};

#[test]
fn each_setting_says_where_it_comes_from() {
    let node = Node::new();
    let rows = node.json(&["config"]);
    let origin = |key: &str| {
        rows.iter().find(|row| row["key"] == key).unwrap()["origin"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (origin("party").as_str(), origin("log_level").as_str()),
        ("file", "default")
    );
    assert_eq!(node.ok(&["config", "name"]), "CERT-UA\n");
    let ran = super::program(&node.dir())
        .env("COMITY_NAME", "Other")
        .args(["config", "name"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "Other\n");
}

#[test]
fn the_doctor_finds_open_keys() {
    use std::os::unix::fs::PermissionsExt as _;
    let node = Node::new();
    assert_eq!(node.run(&["doctor"]).code, 0);
    let key = node.dir().join("keys/log.seed");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = node.run(&["doctor"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("chmod 0600 'TMP/node/keys/log.seed'"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_backup_restores_to_the_same_log() {
    let node = Node::new();
    let objects: Vec<String> = (1..50)
        .map(|number| indicator(number, FIRST, "x"))
        .collect();
    node.ok(&[
        "import",
        &node.file("in.json", bundle(&objects)),
        "-c",
        "shared",
    ]);
    let copy = node.path("copy");
    let made = &node.json(&["backup", &copy, "--with-keys"])[0];
    assert_eq!(node.run(&["backup", &copy]).code, 2);
    let there = node.path("restored");
    node.ok(&["restore", &copy, "--dir", &there]);
    let ran = node.run(&["restore", &copy, "--dir", &there]);
    assert!(
        ran.code == 2 && ran.stderr.contains("nothing is ever overwritten"),
        "{ran:?}"
    );
    node.ok(&["fsck", "--depth", "deep", "--dir", &there]);
    let head = &node.json(&["log", "head", "--dir", &there])[0];
    assert_eq!(head["size"], made["log_size"]);
    assert_eq!(
        node.json(&["search", "indicator--", "--dir", &there, "--limit", "100"])
            .len(),
        49
    );
}

#[test]
fn a_backup_without_keys_says_so() {
    let node = Node::new();
    let copy = node.path("copy");
    assert!(
        node.run(&["backup", &copy])
            .stderr
            .contains("the keys are not in it")
    );
    let there = node.path("restored");
    let ran = node.run(&["restore", &copy, "--dir", &there]);
    assert!(
        ran.code == 0 && ran.stderr.contains("put the log's key at"),
        "{ran:?}"
    );
    assert!(node.run(&["log", "head", "--dir", &there]).code == 2);
}

#[test]
fn a_changed_byte_is_seen_by_fsck_and_not_restored() {
    let node = Node::new();
    let objects: Vec<String> = (1..50)
        .map(|number| indicator(number, FIRST, "untouched"))
        .collect();
    let file = node.file("in.json", bundle(&objects));
    node.ok(&["import", &file, "-c", "shared"]);
    node.ok(&["fsck"]);
    let (copy, there) = (node.path("copy"), node.path("restored"));
    node.ok(&["backup", &copy]);
    node.ok(&["restore", &copy, "--dir", &there]);
    for folder in [&copy, &there] {
        let path = std::path::Path::new(folder).join("register.db");
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes
            .windows(19)
            .position(|window| window == b"\"name\": \"untouched\"".get(..19).unwrap())
            .unwrap();
        bytes[at + 9] = b'U';
        std::fs::write(&path, bytes).unwrap();
    }
    let ran = node.run(&["fsck", "--depth", "deep", "--dir", &there]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = node.run(&["restore", &copy, "--dir", &node.path("other")]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("not sound"), "{ran:?}");
}

#[test]
fn an_init_that_was_cut_is_finished_by_the_next() {
    let node = Node::bare();
    let init = ["init", "--party", "ua", "--insecure-http"];
    node.ok(&init);
    let key = std::fs::read(node.dir().join("keys/log.seed")).unwrap();
    // cut after the key; after the register; and with a configuration that could not be used
    for gone in [
        &[
            "comity.toml",
            "register.db",
            "register.db-wal",
            "register.db-shm",
            "head.seen",
        ][..],
        &["comity.toml"],
    ] {
        for name in gone {
            // SQLite removes its own two when it is the last to go
            let _gone = std::fs::remove_file(node.dir().join(name));
        }
        let bad = [
            "init",
            "--party",
            "ua",
            "--insecure-http",
            "--listen",
            "0.0.0.0:1",
        ];
        assert_eq!(node.run(&bad).code, 2);
        node.ok(&init);
        assert_eq!(
            std::fs::read(node.dir().join("keys/log.seed")).unwrap(),
            key
        );
        node.ok(&["log", "head"]);
    }
    // a register that holds something is nobody's to take
    node.ok(&["user", "add", "olena", "--role", "officer"]);
    std::fs::remove_file(node.dir().join("comity.toml")).unwrap();
    let ran = node.run(&init);
    assert!(
        ran.code == 2 && ran.stderr.contains("exists already"),
        "{ran:?}"
    );
}

#[test]
fn a_backup_whose_parts_do_not_belong_together_is_not_restored() {
    let node = Node::new();
    let (early, late) = (node.path("early"), node.path("late"));
    node.ok(&["backup", &early]);
    node.ok(&["user", "add", "ivan", "--role", "officer"]);
    node.ok(&["backup", &late, "--with-keys"]);
    let register = |folder: &str| std::path::Path::new(folder).join("register.db");
    std::fs::copy(register(&early), register(&late)).unwrap();
    let there = node.path("there");
    let ran = node.run(&["restore", &late, "--dir", &there]);
    assert!(
        ran.code == 2 && ran.stderr.contains("`backup.json` says"),
        "{ran:?}"
    );
    assert!(!register(&there).exists());
    // with the note changed to fit, the signature still decides
    let note = std::path::Path::new(&early).join("backup.json");
    std::fs::copy(note, std::path::Path::new(&late).join("backup.json")).unwrap();
    let other = "comity.ua/log/1+b4a7cc93+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    let ran = node.run(&["restore", &late, "--dir", &there, "--key", other]);
    assert!(ran.code == 2, "{ran:?}");
    let ran = node.run(&["restore", &early, "--dir", &there]);
    assert!(
        ran.code == 0 && ran.stderr.contains("who signed its head was not checked"),
        "{ran:?}"
    );
    let signed = node.path("signed");
    let key = node.json(&["log", "head"])[0]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let ran = node.run(&["restore", &early, "--dir", &signed, "--key", &key]);
    assert!(
        ran.code == 0 && ran.stderr.contains(&format!("its head is signed by {key}")),
        "{ran:?}"
    );
}
