//! The same commands beside a running node, and its soft stop.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::{FIRST, Node, bundle, indicator, program};

/// A `comity serve` that is stopped at the end of the test, whatever happens.
pub(super) struct Serving {
    child: Child,
    lines: BufReader<ChildStderr>,
    address: String,
}

impl Serving {
    pub(super) fn start(node: &Node) -> Self {
        let mut child = program(&node.dir())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "the node ended before it listened"
            );
            if let Some(url) = line.trim().strip_prefix("listening on http://") {
                break url.to_owned();
            }
        };
        Self {
            child,
            lines,
            address,
        }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn end(mut self) -> (i32, String) {
        self.signal("-TERM");
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[test]
fn commands_ask_the_node_that_runs() {
    let node = Node::new();
    let serving = Serving::start(&node);
    assert_eq!(
        std::fs::read_to_string(node.dir().join("address")).unwrap(),
        format!("http://{}\n", serving.address)
    );
    node.ok(&["user", "add", "ivan", "--role", "officer"]);
    assert_eq!(node.json(&["user", "list"]).len(), 3);
    let objects: Vec<String> = (1..3_000)
        .map(|number| indicator(number, FIRST, "x"))
        .collect();
    let rows = node.json(&[
        "import",
        &node.file("in.json", bundle(&objects)),
        "-c",
        "shared",
    ]);
    assert_eq!(
        rows.iter().filter(|row| row["result"] == "new").count(),
        2_999
    );
    let out = node.ok(&["export", "-c", "shared"]);
    assert_eq!(out.matches("\"type\": \"indicator\"").count(), 2_999);
    assert_eq!(node.run(&["collection", "add", "shared"]).code, 2);
    assert_eq!(
        node.run(&["show", "indicator--00000000-0000-4000-8000-000000009999"])
            .code,
        3
    );
    let copy = node.path("copy");
    node.ok(&["backup", &copy]);
    node.ok(&["fsck"]);
    assert_eq!(node.run(&["serve"]).code, 2, "two nodes on one directory");
    let (code, said) = serving.end();
    assert!(code == 0 && said.contains("stopped"), "{code}: {said}");
    assert!(!node.dir().join("address").exists());
    node.ok(&["fsck", "--depth", "deep"]);
    assert_eq!(node.json(&["user", "list"]).len(), 3);
}

#[test]
fn it_answers_over_http_and_stops_softly() {
    let node = Node::new();
    let serving = Serving::start(&node);
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (code, said) = serving.end();
    assert!(
        code == 0 && said.contains("SIGTERM: stopping"),
        "{code}: {said}"
    );
}

#[test]
fn the_second_signal_stops_at_once() {
    let node = Node::new();
    let mut serving = Serving::start(&node);
    // a request that never ends keeps the soft stop waiting
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    stream
        .write_all(b"POST /ua/collections/shared/objects/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n")
        .unwrap();
    serving.signal("-INT");
    let mut line = String::new();
    while !line.contains("stopping") {
        line.clear();
        assert!(serving.lines.read_line(&mut line).unwrap() > 0);
    }
    serving.signal("-INT");
    let code = serving.child.wait().unwrap().code();
    // the kernel may have accepted our request only after the stop began: then there was nothing to wait for
    assert!(code == Some(1) || code == Some(0), "{code:?}");
    node.ok(&["fsck"]);
}

#[test]
fn a_killed_node_leaves_nothing_in_the_way() {
    let node = Node::new();
    let mut serving = Serving::start(&node);
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
    node.ok(&["user", "list"]);
    let again = Serving::start(&node);
    node.ok(&["user", "list"]);
    assert_eq!(again.end().0, 0);
}

#[test]
fn many_commands_at_once_wait_for_each_other() {
    let node = Node::new();
    let commands: Vec<_> = (0..4)
        .map(|number| {
            let name = format!("user{number}");
            program(&node.dir())
                .args(["user", "add", &name, "--role", "analyst"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut command in commands {
        assert!(command.wait().unwrap().success());
    }
    assert_eq!(node.json(&["user", "list"]).len(), 6);
}

#[test]
fn settings_are_those_of_the_node_that_runs() {
    let node = Node::new();
    let origin = |arguments: &[&str], key: &str| {
        let rows = node.json(arguments);
        let row = rows.iter().find(|row| row["key"] == key).unwrap();
        (
            row["value"].as_str().unwrap().to_owned(),
            row["origin"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        origin(&["config"], "log_level"),
        ("info".to_owned(), "default".to_owned())
    );
    assert_eq!(
        origin(&["config", "--log-level", "warn"], "log_level"),
        ("warn".to_owned(), "flag".to_owned())
    );
    let serving = Serving::start(&node);
    assert_eq!(
        origin(&["config"], "listen"),
        ("127.0.0.1:0".to_owned(), "flag".to_owned())
    );
    assert_eq!(serving.end().0, 0);
}

#[test]
fn a_log_in_json_is_json_in_every_line() {
    let node = Node::new();
    let mut child = program(&node.dir())
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    loop {
        let line = lines.next().unwrap().unwrap();
        let listens = line.contains("listening on");
        said.push(line);
        if listens {
            break;
        }
    }
    let status = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    said.extend(lines.map(Result::unwrap));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(said.len() >= 3, "{said:?}");
    for line in &said {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(line["level"].is_string() && line["fields"]["message"].is_string());
    }
    // a node that does not run says so in the same way
    std::fs::write(node.dir().join("register.db"), "no register").unwrap();
    let ran = node.run(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    for line in ran.stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("{line}"));
    }
}
