//! An exhibit goes from one authority to another: over a line that breaks, to nobody else, with receipts on both sides.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::peering::Peer;

const SAID: [&str; 4] = ["--basis", "request 7/2026", "--place", "Brussels"];

/// A line to `url` that breaks off after so many octets towards the caller, the first `cuts` times.
fn bad_line(url: &str, octets: usize, cuts: usize) -> (String, Arc<AtomicUsize>) {
    let target = url
        .trim_start_matches("https://")
        .trim_end_matches('/')
        .to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = format!("https://{}", listener.local_addr().unwrap());
    let cut = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&cut);
    std::thread::spawn(move || {
        for caller in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&target) else {
                return;
            };
            let (mut up_from, mut up_to) =
                (caller.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ended = std::io::copy(&mut up_from, &mut up_to);
                let _ended = up_to.shutdown(std::net::Shutdown::Both);
            });
            let count = Arc::clone(&count);
            let (mut from, mut to) = (server, caller);
            std::thread::spawn(move || {
                let mut passed = 0;
                let mut buffer = [0; 16 << 10];
                while let Ok(read) = from.read(&mut buffer) {
                    if read == 0 || to.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                    passed += read;
                    if passed > octets && count.load(Ordering::SeqCst) < cuts {
                        count.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                }
                let _ended = to.shutdown(std::net::Shutdown::Both);
                let _ended = from.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (here, cut)
}

/// Two nodes that know each other, each with an officer who has a key; `eu` reaches `ua` over `url`.
fn two(url: impl Fn(&Peer) -> String) -> (Peer, Peer) {
    let (ua, eu) = (Peer::start("ua"), Peer::start("eu"));
    for (peer, person) in [(&ua, "olena"), (&eu, "jan")] {
        peer.node.ok(&["user", "add", person, "--role", "officer"]);
        peer.node
            .ok(&["--by", person, "evidence", "key", "new", person]);
    }
    eu.node
        .ok(&["peer", "add", &url(&ua), "--fingerprint", &ua.fingerprint]);
    ua.node
        .ok(&["peer", "add", &eu.url, "--fingerprint", &eu.fingerprint]);
    eu.node
        .ok(&["peer", "add", &url(&ua), "--fingerprint", &ua.fingerprint]);
    (ua, eu)
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 31) as u8)
        .collect()
}

/// Seals something in `ua`; gives the exhibit's identifier.
fn seal(ua: &Peer) -> String {
    std::fs::create_dir_all(ua.node.path("in/few")).unwrap();
    ua.node.file("in/large", noise(6_000_000));
    ua.node.file("in/empty", "");
    for number in 0..30 {
        ua.node.file(
            &format!("in/few/{number}"),
            format!("{number}").repeat(number * 50),
        );
    }
    let mut words = vec![
        "--by",
        "olena",
        "evidence",
        "seal",
        "in",
        "--title",
        "Disk",
        "--use-limits",
        "only case 7",
    ];
    words.extend(SAID);
    ua.node.json(&words).remove(0)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn act<'a>(by: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    [&["--by", by, "evidence"], words, &SAID].concat()
}

fn kinds(shown: &Value) -> Vec<String> {
    let custody = shown["custody"].as_array().unwrap().iter();
    custody
        .map(|event| {
            assert_eq!(event["verified"], true, "{event}");
            event["kind"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn an_exhibit_crosses_a_line_that_breaks() {
    let cut = Arc::new(std::sync::Mutex::new(None));
    let keep = Arc::clone(&cut);
    let (ua, eu) = two(move |ua| {
        let mut kept = keep.lock().unwrap();
        let (url, _) = kept.get_or_insert_with(|| bad_line(&ua.url, 700_000, 10));
        url.clone()
    });
    let id = seal(&ua);
    let not_yet = eu.node.run(&act("jan", &["receive", &id, "--from", "ua"]));
    assert_eq!(
        not_yet.code, 3,
        "not handed over, so it is not there: {not_yet:?}"
    );
    ua.node.ok(&act("olena", &["send", &id, "--to", "eu"]));
    assert_eq!(
        ua.node.run(&act("olena", &["open", &id])).code,
        2,
        "it is on its way"
    );
    let received = eu
        .node
        .json(&act("jan", &["receive", &id, "--from", "ua"]))
        .remove(0);
    assert_eq!(
        (&received["holder"], &received["answered"]),
        (&"eu".into(), &true.into()),
        "{received}"
    );
    let cuts = cut
        .lock()
        .unwrap()
        .as_ref()
        .unwrap()
        .1
        .load(Ordering::SeqCst);
    assert!(cuts >= 8, "the line broke {cuts} times only");

    for (peer, name) in [(&ua, "ua"), (&eu, "eu")] {
        let shown = peer.node.json(&["evidence", "show", &id]).remove(0);
        assert_eq!(
            kinds(&shown),
            ["sealed", "transferred", "received"],
            "{name}"
        );
        assert_eq!(shown["holder"], "eu", "{name}");
        assert_eq!(shown["use_limits"], "only case 7", "{name}");
        peer.node.ok(&["fsck", "--depth", "deep", "-q"]);
    }
    let giver = ua.node.json(&["evidence", "show", &id]).remove(0);
    let handed = &giver["custody"][1];
    assert_eq!(handed["countersigned_by"], "comity.eu/custody/1");
    assert_eq!(handed["signatures"].as_array().unwrap().len(), 4);
    assert_eq!(handed["rehashed"], handed["items_sha256"]);
    assert_eq!(giver["custody"][2]["rehashed"], handed["items_sha256"]);
    // the contents are the contents
    let out = eu.node.path("out");
    eu.node
        .ok(&act("jan", &["copy", &id, "--to", &out, "--names"]));
    assert_eq!(
        std::fs::read(format!("{out}/000032-in%2Flarge")).unwrap(),
        noise(6_000_000)
    );
    // the same again only tells the giver again; the giver holds it no more
    assert_eq!(
        ua.node.run(&act("olena", &["copy", &id, "--to", "x"])).code,
        2
    );
    // and back
    eu.node.ok(&act("jan", &["send", &id, "--to", "ua"]));
    ua.node.ok(&act("olena", &["receive", &id, "--from", "eu"]));
    for peer in [&ua, &eu] {
        let shown = peer.node.json(&["evidence", "show", &id]).remove(0);
        assert_eq!(shown["holder"], "ua");
        peer.node.ok(&["fsck", "--depth", "deep", "-q"]);
    }
}

#[test]
fn a_refusal_reaches_the_giver_with_its_reason() {
    let (ua, eu) = two(|ua| ua.url.clone());
    let id = seal(&ua);
    ua.node.ok(&act("olena", &["send", &id, "--to", "eu"]));
    let refused = eu
        .node
        .json(&act(
            "jan",
            &["refuse", &id, "--from", "ua", "--reason", "not our case"],
        ))
        .remove(0);
    assert_eq!(refused["answered"], true, "{refused}");
    let shown = ua.node.json(&["evidence", "show", &id]).remove(0);
    assert_eq!(kinds(&shown), ["sealed", "transferred", "refused"]);
    assert_eq!(
        (&shown["holder"], &shown["custody"][2]["reason"]),
        (&"ua".into(), &"not our case".into())
    );
    ua.node.ok(&act("olena", &["open", &id]));
    assert_eq!(
        eu.node
            .run(&act("jan", &["receive", &id, "--from", "ua"]))
            .code,
        3
    );
    for peer in [&ua, &eu] {
        peer.node.ok(&["fsck", "-q"]);
    }
}

#[test]
fn what_is_for_named_persons_is_not_handed_to_a_node() {
    let (ua, _eu) = two(|ua| ua.url.clone());
    std::fs::create_dir_all(ua.node.path("red")).unwrap();
    ua.node.file("red/a", "a");
    let mut words = vec![
        "--by",
        "olena",
        "evidence",
        "seal",
        "red",
        "--title",
        "Red",
        "--handling",
        "TLP:RED",
    ];
    words.extend(SAID);
    let id = ua.node.json(&words).remove(0)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let refused = ua.node.run(&act("olena", &["send", &id, "--to", "eu"]));
    assert_eq!(refused.code, 4, "{refused:?}");
    let shown = ua.node.json(&["evidence", "show", &id]).remove(0);
    assert_eq!(kinds(&shown), ["sealed"]);
}
