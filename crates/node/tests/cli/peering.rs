//! Two nodes that take each other up: nothing is open before the fingerprints were compared.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::{Node, program};

/// A node over TLS that is stopped at the end of the test, whatever happens.
pub(super) struct Peer {
    pub(super) node: Node,
    child: Child,
    pub(super) url: String,
    pub(super) fingerprint: String,
}

impl Peer {
    pub(super) fn start(party: &str) -> Self {
        let node = Node::bare();
        node.ok(&["init", "--party", party, "--listen", "127.0.0.1:0"]);
        Self::serve(node)
    }

    /// A node with certificate files of its own, elsewhere than where generated ones lie.
    fn with_own_files(party: &str) -> Self {
        let (node, other) = (Node::bare(), Node::bare());
        node.ok(&["init", "--party", party, "--listen", "127.0.0.1:0"]);
        other.ok(&["init", "--party", "other", "--listen", "127.0.0.1:0"]);
        // the first start makes them
        drop(Self::serve(other).keep(&node));
        let toml = node.dir().join("comity.toml");
        let mut text = std::fs::read_to_string(&toml).unwrap();
        for (name, file) in [
            ("tls_certificate", "certificate.pem"),
            ("tls_key", "key.pem"),
        ] {
            text.push_str(&format!("\n{name} = {:?}\n", node.path(file)));
        }
        std::fs::write(&toml, text).unwrap();
        Self::serve(node)
    }

    /// Copies the certificate and key of this node beside the directory of another.
    fn keep(self, other: &Node) -> Self {
        for file in ["certificate.pem", "key.pem"] {
            std::fs::copy(self.node.dir().join("tls").join(file), other.path(file)).unwrap();
        }
        self
    }

    fn serve(node: Node) -> Self {
        let mut child = program(&node.dir())
            .arg("serve")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = lines.map(Result::unwrap);
        let url = said
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .unwrap();
        // the rest of what it says must not fill the pipe
        std::thread::spawn(move || said.for_each(drop));
        let card = node.json(&["peer", "card"]);
        let fingerprint = card[0]["certificate_sha256"].as_str().unwrap().to_owned();
        Self {
            node,
            child,
            url,
            fingerprint,
        }
    }

    /// Adds `other` with its fingerprint, and gives the note about what is still missing.
    fn add(&self, other: &Self) -> Option<String> {
        let words = [
            "peer",
            "add",
            &other.url,
            "--fingerprint",
            &other.fingerprint,
            "--push",
            "out=in",
        ];
        self.node.json(&words)[0]["note"]
            .as_str()
            .map(str::to_owned)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[test]
fn a_peer_whose_fingerprint_nobody_compared_gets_in_nowhere() {
    let (ua, eu) = (Peer::start("ua"), Peer::start("eu"));
    ua.node.ok(&["collection", "add", "out", "--title", "Out"]);
    eu.node.ok(&[
        "collection",
        "add",
        "in",
        "--title",
        "In",
        "--write",
        "party:ua",
    ]);
    assert_eq!(
        eu.node.json(&["peer", "add", &ua.url])[0]["state"],
        "pending"
    );
    let note = ua.add(&eu).unwrap();
    assert!(note.contains("401"), "{note}");
    let pushed = eu.node.run(&["peer", "push", "ua"]);
    assert!(pushed.stdout.contains("not active"), "{pushed:?}");
    assert_ne!(
        eu.node
            .run(&["peer", "confirm", "ua", "--fingerprint", &eu.fingerprint])
            .code,
        0
    );
    eu.node
        .ok(&["peer", "confirm", "ua", "--fingerprint", &ua.fingerprint]);
    assert_eq!(ua.add(&eu), None);
}

#[test]
fn no_password_goes_to_a_server_nobody_compared() {
    let (ua, eu) = (Peer::start("ua"), Peer::start("eu"));
    let words = ["peer", "add", &eu.url, "--user", "ua", "--password-stdin"];
    let ran = ua.node.run_with(&words, b"secret\n");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("fingerprint"), "{ran:?}");
}

/// Routes were asked for with the generated certificate, which the other side does not know.
#[test]
fn a_node_with_certificate_files_of_its_own_finds_its_routes() {
    let (ua, eu) = (Peer::with_own_files("ua"), Peer::start("eu"));
    ua.node.ok(&["collection", "add", "out", "--title", "Out"]);
    let words = [
        "collection",
        "add",
        "in",
        "--title",
        "In",
        "--write",
        "party:ua",
    ];
    eu.node.ok(&words);
    let words = ["peer", "add", &ua.url, "--fingerprint", &ua.fingerprint];
    eu.node.ok(&words);
    assert_eq!(ua.add(&eu), None);
}
