//! An exhibit goes from one authority to another: over a line that breaks, to nobody else, with receipts on both sides.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use comity_node::peers::client::ranges::Part;
use comity_node::peers::client::{Access, Client, ClientError};
use comity_node::peers::settings::SignIn;
use serde_json::{Value, json};

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
    ua.node.file("in/large", noise(9_000_000));
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
    assert_eq!(cuts, 10, "the line breaks ten times");

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
        noise(9_000_000)
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

/// What a client that is `who`'s node gets from `from`: its certificate, by the pinned line.
fn as_node(who: &Peer, from: &Peer) -> Client {
    let tls = who.node.dir().join("tls");
    let fingerprint = comity_node::peers::pin::parse_fingerprint(&from.fingerprint);
    Client::new(&Access {
        fingerprint,
        sign_in: &SignIn::Certificate,
        secret: "",
        certificate: Some((&tls.join("certificate.pem"), &tls.join("key.pem"))),
    })
    .unwrap()
}

fn status<T>(answer: Result<T, ClientError>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(ClientError::Status { status, .. }) => status,
        Err(other) => panic!("{other}"),
    }
}

/// A third party's node, a node that asks for what there is not, one that answers with what it may not: each is told, the exhibit
/// stays where it is, and the right one still gets it.
#[test]
fn nobody_else_gets_a_word_of_it_and_bad_answers_change_nothing() {
    let (ua, eu) = two(|ua| ua.url.clone());
    let de = Peer::start("de");
    ua.node
        .ok(&["peer", "add", &de.url, "--fingerprint", &de.fingerprint]);
    let id = seal(&ua);
    ua.node.ok(&act("olena", &["send", &id, "--to", "eu"]));
    let before = ua.node.json(&["evidence", "show", &id]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let get = |node: &Client, path: &str| {
        let url = format!("{}/api/v1/evidence/{path}", ua.url);
        status(runtime.block_on(node.get(&url, "application/json", &[])))
    };
    let range = |node: &Client, item: &str, start, end| {
        let url = format!("{}/api/v1/evidence/{id}/{item}", ua.url);
        let part = Part {
            start,
            end,
            total: 1,
        };
        runtime.block_on(node.range(&url, part)).map(drop)
    };
    let post = |node: &Client, body: Value| {
        let url = format!("{}/api/v1/evidence/{id}/answer", ua.url);
        status(runtime.block_on(node.post_json(&url, body.to_string().into_bytes(), None)))
    };
    let (right, third) = (as_node(&eu, &ua), as_node(&de, &ua));
    let unknown = "comity-exhibit--00000000-0000-4000-8000-000000000000";
    // to a third party it is the same as what there is not
    for path in [
        id.clone(),
        format!("{id}/0"),
        format!("{id}/1"),
        unknown.to_owned(),
    ] {
        assert_eq!(get(&third, &path), 404, "{path}");
    }
    assert_eq!(get(&right, &id), 200);
    for path in [
        unknown,
        "x",
        &format!("{id}/33"),
        &format!("{id}/18446744073709551615"),
    ] {
        assert_eq!(get(&right, path), 404, "{path}");
    }
    assert_eq!(get(&right, &format!("{id}/x")), 400);
    // octets beyond the end
    for start in [1 << 20, u64::MAX - 1] {
        assert_eq!(status(range(&right, "1", start, start + 1)), 416);
    }
    // the answer says what the file truly has
    let other_size = range(&right, "1", 0, 1).unwrap_err();
    assert!(
        matches!(other_size, ClientError::Answer { .. }),
        "{other_size}"
    );
    // answers of a third party, and such as are none
    let envelope = json!({ "objects": [] });
    let answer = |line: &str, signatures: Vec<&str>| json!({ "format": "comity-answer/v1", "line": line, "counter_signatures": signatures, "envelope": envelope });
    let transferred = offered(&runtime, &right, &ua, &id);
    assert!(post(&third, answer(&transferred, vec![])) >= 400);
    for bad in [
        json!({}),
        json!({ "format": "comity-answer/v2", "line": "", "counter_signatures": [], "envelope": envelope }),
        answer("", vec![]),
        // their own event as the answer to itself
        answer(&transferred, vec![]),
        answer(&transferred, vec!["\u{2014} x AAAA"]),
    ] {
        let status = post(&right, bad.clone());
        assert!((400..500).contains(&status), "{status}: {bad}");
    }
    assert_eq!(ua.node.json(&["evidence", "show", &id]), before);
    eu.node.ok(&act("jan", &["receive", &id, "--from", "ua"]));
    // what was answered is offered no more
    assert_eq!(get(&right, &id), 404);
    assert_eq!(get(&right, &format!("{id}/1")), 404);
    for peer in [&ua, &eu] {
        peer.node.ok(&["fsck", "--depth", "deep", "-q"]);
    }
}

/// The last custody line of an offer.
fn offered(runtime: &tokio::runtime::Runtime, node: &Client, ua: &Peer, id: &str) -> String {
    let url = format!("{}/api/v1/evidence/{id}", ua.url);
    let answer = runtime.block_on(node.get(&url, "application/json", &[]));
    let offer: Value = serde_json::from_slice(&answer.unwrap().body).unwrap();
    let custody = offer["custody"].as_array().unwrap();
    custody.last().unwrap().as_str().unwrap().to_owned()
}

/// Orders that cannot be, said over the commands: each is refused with its name, and nothing changes.
#[test]
fn what_cannot_follow_is_refused_on_both_sides() {
    let (ua, eu) = two(|ua| ua.url.clone());
    let id = seal(&ua);
    let refused = |peer: &Peer, by: &str, words: &[&str], said: &str| {
        let ran = peer.node.run(&act(by, words));
        assert_ne!(ran.code, 0, "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {ran:?}");
    };
    refused(&ua, "olena", &["send", &id, "--to", "nobody"], "no peer");
    refused(&eu, "jan", &["send", &id, "--to", "ua"], "no exhibit");
    refused(&eu, "jan", &["receive", &id, "--from", "ua"], "404");
    ua.node.ok(&act("olena", &["send", &id, "--to", "eu"]));
    refused(
        &ua,
        "olena",
        &["send", &id, "--to", "eu"],
        "not here to be handed over",
    );
    refused(
        &ua,
        "olena",
        &["copy", &id, "--to", "x"],
        "custody.while-away",
    );
    refused(
        &ua,
        "olena",
        &["event", &id, "--kind", "received"],
        "invalid value",
    );
    // the giver takes it back: what came to the other side meanwhile is no exhibit there
    let words = [
        "event",
        &id,
        "--kind",
        "refused",
        "--counterparty",
        "eu",
        "--reason",
        "sent in error",
    ];
    ua.node.ok(&act("olena", &words));
    refused(&eu, "jan", &["receive", &id, "--from", "ua"], "404");
    assert_eq!(eu.node.run(&["evidence", "show", &id]).code, 3);
    ua.node.ok(&act("olena", &["copy", &id, "--to", "x"]));
    for peer in [&ua, &eu] {
        peer.node.ok(&["fsck", "-q"]);
    }
}
