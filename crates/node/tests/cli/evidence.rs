//! Exhibits from the command line: sealed, shown, opened, kept, destroyed; killed at any moment and gone on with.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::running::Serving;
use super::{Node, program};

const SAID: [&str; 4] = ["--basis", "warrant 12/2026", "--place", "Kyiv"];

/// A node whose officer has a key, and a folder to seal.
fn with_key() -> Node {
    let node = Node::new();
    node.ok(&["--by", "olena", "evidence", "key", "new", "olena"]);
    std::fs::create_dir_all(node.path("in/b")).unwrap();
    node.file("in/a.txt", "hello");
    node.file("in/b/new\nline", "x");
    node.file("in/image", noise(3_000_000));
    node
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 29) as u8)
        .collect()
}

fn act<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["--by", "olena", "evidence"], words, &SAID].concat()
}

fn seal(node: &Node) -> Value {
    let arguments = act(&["seal", "in", "--title", "Laptop"]);
    node.json(&arguments).remove(0)
}

fn sound(node: &Node) {
    node.ok(&["fsck", "--depth", "deep", "-q"]);
}

#[test]
fn an_exhibit_from_seal_to_destruction() {
    let node = with_key();
    let dry = node
        .json(&act(&["seal", "in", "--title", "Laptop", "--dry-run"]))
        .remove(0);
    assert_eq!(
        (&dry["files"], &dry["bytes"]),
        (&3.into(), &3_000_006.into())
    );
    assert_eq!(node.json(&["evidence", "list"]), Vec::<Value>::new());
    let sealed = seal(&node);
    assert!(
        sealed["number"].as_str().unwrap().ends_with("-0001"),
        "{sealed}"
    );
    let number = sealed["number"].as_str().unwrap();
    let shown = node.json(&["evidence", "show", number]).remove(0);
    assert_eq!(shown["items_list"][1]["name"], "in/b/new%0Aline");
    assert_eq!(
        (&shown["state"], &shown["holder"]),
        (&"sealed".into(), &"ua".into())
    );
    assert_eq!(shown["custody"][0]["verified"], true);
    assert_eq!(
        shown["custody"][0]["signatures"].as_array().unwrap().len(),
        2
    );
    // its records are records like others, and nothing about them would worry anybody
    let bundle = node.path("bundle.json");
    std::fs::write(&bundle, node.ok(&["export", "-c", "evidence"])).unwrap();
    node.ok(&["validate", "--strict", &bundle]);
    node.ok(&["show", sealed["id"].as_str().unwrap()]);

    assert_eq!(
        node.json(&["--by", "olena", "evidence", "check", number])[0]["whole"],
        true
    );
    let out = node.path("out");
    node.ok(&act(&["open", number, "--to", &out, "--names"]));
    assert_eq!(
        std::fs::read(format!("{out}/000003-in%2Fimage")).unwrap(),
        noise(3_000_000)
    );
    assert_eq!(
        node.run(&act(&["copy", number, "--to", &out])).code,
        2,
        "never into what is there"
    );
    assert_eq!(node.run(&act(&["open", number])).code, 2, "it is open");
    node.ok(&act(&[
        "event",
        number,
        "--kind",
        "analysed",
        "--reason",
        "malware found",
    ]));
    node.ok(&act(&["event", number, "--kind", "sealed"]));
    assert_eq!(
        node.run(&act(&["event", number, "--kind", "returned"]))
            .code,
        2,
        "to whom?"
    );
    sound(&node);

    node.ok(&[
        "--by",
        "olena",
        "evidence",
        "hold",
        "set",
        number,
        "--reason",
        "court order 5",
    ]);
    let refused = node.run(&act(&["destroy", number, "--reason", "end"]));
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("court order 5"));
    node.ok(&["--by", "olena", "evidence", "hold", "lift", number]);
    node.ok(&[
        "--by",
        "olena",
        "evidence",
        "retain",
        number,
        "--until",
        "2999-01-01",
    ]);
    assert_eq!(
        node.run(&act(&["destroy", number, "--reason", "end"])).code,
        4
    );
    node.ok(&[
        "--by", "olena", "evidence", "retain", number, "--until", "never",
    ]);
    let gone = node
        .json(&act(&["destroy", number, "--reason", "end"]))
        .remove(0);
    assert_eq!(
        (&gone["objects_doomed"], &gone["objects_removed"]),
        (&4.into(), &4.into())
    );
    let shown = node.json(&["evidence", "show", number]).remove(0);
    assert_eq!(shown["state"], "destroyed");
    let last = shown["custody"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["kind"], &last["reason"]),
        (&"destroyed".into(), &"end".into())
    );
    assert_eq!(
        node.run(&act(&["event", number, "--kind", "analysed"]))
            .code,
        2
    );
    sound(&node);
}

#[test]
fn who_has_no_key_or_another_one_changes_nothing() {
    let node = with_key();
    node.ok(&["user", "add", "petro", "--role", "officer"]);
    let arguments = [
        "evidence", "seal", "in", "--title", "t", "--basis", "b", "--place", "p",
    ];
    for (by, said) in [
        ("petro", "no key to sign with"),
        ("nobody", "no user"),
        ("node@eu", "no key to sign with"),
    ] {
        let refused = node.run(&[&["--by", by], &arguments[..]].concat());
        assert!(
            refused.code != 0 && refused.stderr.contains(said),
            "{by}: {refused:?}"
        );
    }
    // a key made elsewhere, not known here; then known; then retired
    let other = Node::new();
    let key = node.path("petro.seed");
    other.ok(&["user", "add", "petro", "--role", "officer"]);
    other.ok(&[
        "--by", "petro", "evidence", "key", "new", "petro", "--key", &key,
    ]);
    let vkey = other.json(&["evidence", "key", "list"])[0]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let with_key = [&["--by", "petro"], &arguments[..], &["--key", &key]].concat();
    assert!(node.run(&with_key).stderr.contains("does not know the key"));
    node.ok(&["evidence", "key", "add", &vkey]);
    node.ok(&with_key);
    node.ok(&["evidence", "key", "retire", &vkey]);
    assert!(
        node.run(&[&with_key[..], &["--restart"]].concat())
            .stderr
            .contains("does not know the key")
    );
    assert_eq!(node.json(&["evidence", "list"]).len(), 1);
    sound(&node);
}

#[test]
fn beside_a_running_node_it_is_the_same() {
    let node = with_key();
    let running = Serving::start(&node);
    let sealed = seal(&node);
    assert_eq!(node.json(&["evidence", "list"])[0]["id"], sealed["id"]);
    let number = sealed["number"].as_str().unwrap();
    node.ok(&act(&["destroy", number, "--reason", "end"]));
    drop(running);
    sound(&node);
}

#[test]
fn links_are_refused_or_named_in_the_event() {
    let node = with_key();
    std::os::unix::fs::symlink("/etc/passwd", node.path("in/link")).unwrap();
    let refused = node.run(&act(&["seal", "in", "--title", "t"]));
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("in/link") && refused.stderr.contains("--leave-out-links"),
        "{refused:?}"
    );
    let sealed = node
        .json(&act(&[
            "seal",
            "in",
            "--title",
            "t",
            "--leave-out-links",
            "--restart",
        ]))
        .remove(0);
    assert_eq!(sealed["items"], 3);
    let shown = node
        .json(&["evidence", "show", sealed["id"].as_str().unwrap()])
        .remove(0);
    assert_eq!(
        shown["custody"][0]["anomaly"],
        "1 left out: in/link (a symbolic link)"
    );
}

#[test]
fn a_flipped_bit_is_found_by_check_and_fsck() {
    use std::os::unix::fs::PermissionsExt as _;
    let node = with_key();
    let sealed = seal(&node);
    let shown = node
        .json(&["evidence", "show", sealed["id"].as_str().unwrap()])
        .remove(0);
    let hash = shown["items_list"][2]["sha256"].as_str().unwrap();
    let path = node.dir().join("vault/objects").join(&hash[..2]).join(hash);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1_234_567] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let number = sealed["number"].as_str().unwrap();
    let check = node.run(&["--by", "olena", "evidence", "check", number]);
    assert_eq!(check.code, 1);
    assert!(check.stdout.contains("item 3 `in/image`"), "{check:?}");
    assert_eq!(node.run(&["fsck"]).code, 0, "the size is right");
    let deep = node.run(&["fsck", "--depth", "deep"]);
    assert!(deep.code == 1 && deep.stdout.contains(hash), "{deep:?}");
    let out = node.path("out");
    let refused = node.run(&act(&["export", number, "--to", &out]));
    assert!(
        refused.code == 2 && refused.stderr.contains("damaged"),
        "{refused:?}"
    );
}

/// Killed at times spread over a whole seal; each time it goes on, and the register and vault agree. More rounds by
/// `COMITY_KILL_ROUNDS`.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
fn killed_at_any_moment_it_goes_on() {
    let rounds: u32 = std::env::var("COMITY_KILL_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let node = with_key();
    std::fs::create_dir(node.path("in/many")).unwrap();
    for number in 0..400 {
        node.file(
            &format!("in/many/{number}"),
            format!("file {number} ").repeat(number),
        );
    }
    node.file("in/large", noise(66 << 20));
    let mut exhibits = 0;
    for round in 0..rounds {
        node.file("in/round", format!("{round}"));
        let mut how = "--restart";
        for attempt in 0..40_u64 {
            let mut child = program(&node.dir())
                .args(act(&["seal", "in", "--title", "Laptop", how]))
                .current_dir(node.folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let (done, signal) = std::sync::mpsc::channel::<()>();
            // the wait is the point of this test: the kill comes at another place each time
            let wait = Duration::from_millis(20 + attempt * attempt * 9 + u64::from(round) * 7);
            let _timeout = signal.recv_timeout(wait);
            drop(done);
            let ended = child.try_wait().unwrap();
            child.kill().unwrap();
            let status = child.wait().unwrap();
            if ended.is_some() && status.success() {
                break;
            }
            let staged = node.dir().join("vault/staging");
            how = if std::fs::read_dir(staged).is_ok_and(|mut entries| entries.next().is_some()) {
                "--resume"
            } else {
                "--restart"
            };
            if round % 4 == 0 {
                node.ok(&["fsck", "-q"]);
            }
        }
        let now = node.json(&["evidence", "list"]).len();
        assert!(now > exhibits, "round {round} sealed nothing");
        exhibits = now;
    }
    // a kill after the commit and before clearing away is known again: never twice the same exhibit
    let ids: std::collections::HashSet<String> = node
        .json(&["evidence", "list"])
        .iter()
        .map(|row| row["id"].to_string())
        .collect();
    assert_eq!(ids.len(), exhibits);
    sound(&node);
}

/// The contents go with the register and come back with it; what is damaged or left out is said, at both ends.
#[test]
fn a_backup_has_the_vault_and_a_restore_brings_it_back() {
    let node = with_key();
    let exhibit = seal(&node);
    let id = exhibit["id"].as_str().unwrap();
    let copy = node.path("copy");
    let made = &node.json(&["backup", &copy, "--with-keys"])[0];
    let objects = made["vault_objects"].as_u64().unwrap();
    assert!(objects > 1, "{made}");
    let restored = node.path("restored");
    node.ok(&["restore", &copy, "--dir", &restored]);
    node.ok(&["fsck", "--depth", "deep", "-q", "--dir", &restored]);
    let show = |dir: &str| node.json(&["evidence", "show", id, "--dir", dir]).remove(0);
    let here = node.dir().display().to_string();
    assert_eq!(show(&restored)["custody"], show(&here)["custody"]);
    // without the vault it is not put back, unless the contents are there already
    let bare = node.path("bare");
    let made = &node.json(&["backup", &bare, "--with-keys", "--without-vault"])[0];
    assert!(made["vault_objects"].is_null(), "{made}");
    let again = node.path("again");
    let ran = node.run(&["restore", &bare, "--dir", &again]);
    assert!(ran.code != 0 && ran.stderr.contains("`objects`"), "{ran:?}");
    let vault = format!("{again}/vault");
    std::fs::create_dir_all(&vault).unwrap();
    std::fs::rename(format!("{copy}/vault/objects"), format!("{vault}/objects")).unwrap();
    node.ok(&["restore", &bare, "--dir", &again]);
    // a file that is gone: the backup is made, says so, and is not put back without a word
    let hash = exhibit["items_sha256"].as_str().unwrap();
    std::fs::remove_file(node.dir().join("vault/objects").join(&hash[..2]).join(hash)).unwrap();
    let poor = node.path("poor");
    let ran = node.run(&["backup", &poor, "--with-keys"]);
    assert!(ran.code == 1 && ran.stderr.contains("left out"), "{ran:?}");
    let ran = node.run(&["restore", &poor, "--dir", &node.path("third")]);
    assert!(
        ran.code != 0 && ran.stderr.contains("vault.missing"),
        "{ran:?}"
    );
}
