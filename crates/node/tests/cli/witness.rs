//! The witness as a process, and the node that asks it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::{KeyName, Signer};
use comity_ledger::tree::{Frontier, MemoryTiles, consistency_proof, leaf_hash};
use comity_ledger::witness::AddCheckpoint;

use super::{Node, program};

/// A process that is killed at the end of the test, whatever happens.
pub(super) struct Serving {
    child: Child,
    pub(super) url: String,
}

impl Serving {
    fn start(dir: &Path, words: &[&str]) -> Self {
        let mut child = program(dir)
            .args(words)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = lines.map(Result::unwrap);
        let url = said
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .expect("it listens");
        // the rest of what it says must not fill the pipe
        std::thread::spawn(move || said.for_each(drop));
        Self { child, url }
    }

    pub(super) fn witness(dir: &Path) -> Self {
        Self::start(
            dir,
            &[
                "witness",
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--insecure-http",
            ],
        )
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // SIGKILL: as a power cut, for the process
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

pub(super) fn make(node: &Node) -> Vec<String> {
    let words = ["witness", "init", "--name", "witness.example/w1"];
    let made = node.json(&words);
    let keys = made[0]["keys"].as_array().unwrap().clone();
    keys.iter()
        .map(|key| key.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_witness_is_made_once_and_apart_from_a_node() {
    let witness = Node::bare();
    let keys = make(&witness);
    assert!(keys[0].starts_with("witness.example/w1+") && keys[1].len() > 1_300);
    assert_eq!(
        witness.json(&["witness", "keys"])[0]["keys"][1],
        keys[1].as_str()
    );
    for name in ["witness-ed25519.seed", "witness-mldsa44.seed"] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = witness.dir().join("keys").join(name);
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let again = witness.run(&["witness", "init", "--name", "witness.example/w2"]);
    assert!(
        again.code == 2 && again.stderr.contains("already"),
        "{again:?}"
    );
    let node = Node::new();
    let shared = node.run(&["witness", "init", "--name", "witness.example/w1"]);
    assert!(shared.stderr.contains("a node"), "{shared:?}");
    let bad = witness.run(&["witness", "log", "add", "nonsense"]);
    assert!(bad.stderr.contains("not a verifier key"), "{bad:?}");
    let key = node.json(&["log", "head"])[0]["key"].clone();
    let key = key.as_str().unwrap();
    assert!(
        witness
            .ok(&["witness", "log", "add", key])
            .contains("added")
    );
    assert!(
        witness
            .ok(&["witness", "log", "add", key])
            .contains("known already")
    );
    assert!(
        witness
            .ok(&["witness", "log", "list"])
            .contains("nothing cosigned yet")
    );
    assert_eq!(witness.run(&["witness", "show", "comity.ua/log/1"]).code, 3);
    assert_eq!(witness.run(&["witness", "evidence"]).code, 0);
}

#[test]
fn a_second_process_on_the_same_witness_is_refused() {
    let witness = Node::bare();
    make(&witness);
    let _serving = Serving::witness(&witness.dir());
    let second = witness.run(&[
        "witness",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--insecure-http",
    ]);
    assert!(
        second.code == 2 && second.stderr.contains("another process"),
        "{second:?}"
    );
    let plain = witness.run(&[
        "witness",
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--insecure-http",
    ]);
    assert!(
        plain.code == 2 && plain.stderr.contains("loopback"),
        "{plain:?}"
    );
}

/// E 24 with a real kill: whatever was answered before SIGKILL is never taken back.
#[test]
fn e24_a_killed_witness_never_goes_back() {
    let witness = Node::bare();
    make(&witness);
    let name = KeyName::new("example.com/log").unwrap();
    let signer = Signer::from_seed(name, &[5; 32]).unwrap();
    let (mut frontier, mut tiles) = (Frontier::empty(), MemoryTiles::default());
    let key = signer.verifier().to_string();
    witness.ok(&["witness", "log", "add", &key]);
    let mut acknowledged = 0;
    for round in 0..4 {
        let mut serving = Serving::witness(&witness.dir());
        let latest = latest(&witness);
        assert!(
            latest >= acknowledged,
            "{latest} after {acknowledged} were answered"
        );
        let mut old = latest;
        for step in 0..6 {
            let grown = frontier
                .append(&[leaf_hash(format!("{round} {step}").as_bytes())])
                .unwrap();
            frontier = grown.frontier;
            tiles.write(grown.tiles);
            let size = frontier.size();
            let note = Checkpoint::new("example.com/log", size, frontier.root()).unwrap();
            let note = note.sign(&[&signer]).unwrap();
            let proof = consistency_proof(&tiles, old, size).unwrap();
            let body = AddCheckpoint::new(old, proof, note).unwrap().to_string();
            let url = serving.url.clone();
            if step == 5 {
                // sent, and killed before the answer was read
                let asking = std::thread::spawn(move || post(&url, &body));
                serving.child.kill().unwrap();
                if asking.join().unwrap() == Some(200) {
                    acknowledged = size;
                }
                break;
            }
            assert_eq!(post(&url, &body), Some(200));
            (old, acknowledged) = (size, size);
        }
    }
}

fn latest(witness: &Node) -> u64 {
    let ran = witness.run(&["witness", "show", "example.com/log", "--format", "json"]);
    if ran.code == 3 {
        return 0;
    }
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    value["size"].as_u64().unwrap()
}

/// The status of `POST /add-checkpoint`; `None` if the connection ended before it.
fn post(url: &str, body: &str) -> Option<u16> {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).ok()?;
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// E 4 as an operator meets it: the node runs, is witnessed, is lost, and put back from a backup that is too old.
#[test]
fn e4_serve_refuses_an_old_backup_and_says_what_to_do() {
    let (node, witness) = (Node::new(), Node::bare());
    let keys = make(&witness);
    let key = node.json(&["log", "head"])[0]["key"].clone();
    witness.ok(&["witness", "log", "add", key.as_str().unwrap()]);
    let serving = Serving::witness(&witness.dir());
    node.ok(&[
        "log",
        "witness",
        "add",
        "ee",
        &keys[0],
        &serving.url,
        "--also",
        &keys[1],
    ]);
    let backup = node.path("backup");
    node.ok(&["backup", &backup, "--with-keys"]);
    node.ok(&["user", "add", "petro", "--role", "analyst"]);
    {
        let _running = Serving::start(&node.dir(), &["serve"]);
        let size = node.json(&["log", "head"])[0]["size"].clone();
        until(|| node.json(&["log", "witnesses"])[0]["witnessed_size"] == size);
        assert!(node.ok(&["log", "witness", "list"]).contains("ee/1"));
    }
    let there = Node::bare();
    let restored = there.run(&["restore", &backup]);
    assert_eq!(restored.code, 0, "{restored:?}");
    let ran = there.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    for part in [
        "does not start",
        "shown:",
        "here:",
        "comity restore",
        "A log that was lost",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    // nor does a command write beside it; reading goes on
    let add = there.run(&["user", "add", "x", "--role", "analyst"]);
    assert_eq!(add.code, 4, "{add:?}");
    assert_eq!(there.json(&["alarms", "list"])[0]["kind"], "own-rollback");
    let doctor = there.run(&["doctor"]);
    assert!(
        doctor.code == 1 && doctor.stdout.contains("own-rollback"),
        "{doctor:?}"
    );
}

/// Asks again until it is so; gives up after half a minute.
fn until(mut so: impl FnMut() -> bool) {
    for _ in 0..300 {
        if so() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
    panic!("it did not come to be");
}
