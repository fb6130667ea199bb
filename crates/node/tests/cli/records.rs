//! Records in, found, shown, explained, out again.

use serde_json::Value;

use super::{FIRST, LATER, Node, bundle, indicator};

fn result_of(rows: &[Value], end: &str) -> String {
    let row = rows
        .iter()
        .find(|row| row["id"].as_str().is_some_and(|id| id.ends_with(end)));
    row.unwrap_or_else(|| panic!("no row for {end}: {rows:?}"))["result"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn every_object_gets_its_result() {
    let node = Node::new();
    let first = node.file(
        "first.json",
        bundle(&[
            indicator(1, FIRST, "one"),
            indicator(2, FIRST, "two"),
            indicator(3, FIRST, "three"),
        ]),
    );
    let rows = node.json(&["import", &first, "-c", "shared"]);
    assert_eq!(
        rows.iter().filter(|row| row["result"] == "new").count(),
        3,
        "{rows:?}"
    );
    let second = node.file(
        "second.json",
        bundle(&[
            indicator(1, FIRST, "one"),
            indicator(2, LATER, "two again"),
            indicator(3, FIRST, "changed"),
            indicator(4, "no time", "four"),
        ]),
    );
    let ran = node.run(&["import", &second, "-c", "shared", "--format", "json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let rows: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let results = ["001", "002", "003", "004"].map(|end| result_of(&rows, end));
    assert_eq!(results, ["known", "new version", "conflict", "refused"]);
    let summary = &rows.last().unwrap()["summary"];
    assert_eq!(summary["objects"], 4);
    assert_eq!(summary["audience"], "eu");
    let people = node.run(&["import", &second, "-c", "shared"]);
    insta::assert_snapshot!(format!("{}{}", people.stdout, people.stderr));
}

#[test]
fn a_dry_run_changes_nothing() {
    let node = Node::new();
    let file = node.file("one.json", bundle(&[indicator(1, FIRST, "one")]));
    let before = node.json(&["log", "head"])[0]["size"].clone();
    let rows = node.json(&["import", &file, "-c", "shared", "--dry-run"]);
    assert_eq!(result_of(&rows, "001"), "new");
    assert_eq!(node.json(&["log", "head"])[0]["size"], before);
    assert_eq!(node.json(&["collection", "list"])[0]["records"], 0);
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let node = Node::new();
    let cut = node.file(
        "a.json",
        format!(
            "{{\"type\": \"bundle\", \"objects\": [{}, {{",
            indicator(1, FIRST, "one")
        ),
    );
    let good = node.file("b.json", indicator(2, FIRST, "two"));
    let ran = node.run(&["import", &cut, &good, "-c", "shared"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("a.json") && ran.stdout.contains("2 objects into `shared`"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_goes_in_comes_out_byte_for_byte() {
    let node = Node::new();
    let odd = indicator(1, FIRST, "one")
        .replace("\"name\": \"one\"", "\"name\":   \"\\u0456з пробілами\"");
    node.ok(&[
        "import",
        &node.file(
            "in.json",
            bundle(&[odd.clone(), indicator(2, FIRST, "two")]),
        ),
        "-c",
        "shared",
    ]);
    let out = node.ok(&["export", "-c", "shared"]);
    assert!(out.contains(&odd), "{out}");
    let file = node.path("out.json");
    node.ok(&["export", "-c", "shared", "-o", &file]);
    assert_eq!(node.run(&["export", "-c", "shared", "-o", &file]).code, 2);
    let again = Node::new();
    assert_eq!(
        again
            .json(&["import", &file, "-c", "shared"])
            .iter()
            .filter(|row| row["result"] == "new")
            .count(),
        2
    );
    assert_eq!(
        node.ok(&["export", "-c", "shared", "--type", "malware"])
            .matches("\"objects\"")
            .count(),
        0
    );
}

#[test]
fn export_gives_each_reader_what_is_for_them() {
    let node = Node::new();
    let one = node.file("one.json", indicator(1, FIRST, "for all"));
    let two = node.file("two.json", indicator(2, FIRST, "for the party"));
    let three = node.file("three.json", indicator(3, FIRST, "for one person"));
    node.ok(&["import", &one, "-c", "shared", "--tlp", "green"]);
    node.ok(&[
        "import",
        &two,
        "-c",
        "shared",
        "--tlp",
        "amber+strict",
        "--audience",
        "ee",
    ]);
    node.ok(&[
        "import", &three, "-c", "shared", "--tlp", "red", "--person", "olena@ua",
    ]);
    let holds = |arguments: &[&str]| {
        let out = node.ok(&[&["export", "-c", "shared"], arguments].concat());
        ["for all", "for the party", "for one person"].map(|name| out.contains(name))
    };
    assert_eq!(holds(&[]), [true, true, false]);
    assert_eq!(holds(&["--person", "olena"]), [true, true, true]);
    let peer = holds(&["--as", "node@eu"]);
    assert!(!peer[1] && !peer[2], "{peer:?}");
}

#[test]
fn a_record_is_found_shown_and_proved() {
    let node = Node::new();
    node.ok(&[
        "import",
        &node.file(
            "in.json",
            bundle(&[
                indicator(1, FIRST, "sandworm relay"),
                indicator(1, LATER, "sandworm relay two"),
            ]),
        ),
        "-c",
        "shared",
    ]);
    let hits = node.json(&["search", "sandworm"]);
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!(node.run(&["search", "nothing-like-it"]).code, 3);
    let id = hits[0]["id"].as_str().unwrap();
    assert_eq!(node.json(&["search", &id[..20]]).len(), 1);
    assert_eq!(node.json(&["show", id, "--versions"]).len(), 2);
    let record = &node.json(&["show", id])[0];
    assert_eq!(record["label"]["tlp"], "TLP:AMBER");
    assert_eq!(record["label"]["assumed"], true);
    assert_eq!(record["label"]["audience"], "eu");
    assert_eq!(record["proof"]["valid"], true);
    assert!(
        node.ok(&["show", id])
            .contains("verified against the signed head")
    );
    let proof = node.file("proof.txt", node.ok(&["show", id, "--proof"]));
    let raw = node.file("record.json", node.ok(&["show", id, "--raw"]));
    let key = node.json(&["log", "head"])[0]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    // anybody can check it, without a node
    let anywhere = Node::bare();
    assert!(
        anywhere
            .ok(&["log", "verify", &proof, "--record", &raw, "--key", &key])
            .contains("valid")
    );
    let other = node.file("other.json", node.ok(&["show", id, "--raw", "--at", FIRST]));
    assert_eq!(
        anywhere
            .run(&["log", "verify", &proof, "--record", &other, "--key", &key])
            .code,
        1
    );
}

#[test]
fn access_says_why() {
    let node = Node::new();
    node.ok(&[
        "import",
        &node.file("in.json", indicator(1, FIRST, "one")),
        "-c",
        "shared",
        "--tlp",
        "red",
        "--person",
        "ivan@ua",
    ]);
    let id = "indicator--00000000-0000-4000-8000-000000000001";
    let ran = node.run(&["access", "explain", "olena", id]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.stdout.contains("may not read") && ran.stdout.contains("TLP:RED"),
        "{}",
        ran.stdout
    );
    assert_eq!(node.json(&["access", "table"]).len(), 21);
}

#[test]
fn every_act_is_in_the_log_without_its_secrets() {
    let node = Node::new();
    node.run_with(&["user", "password", "olena"], b"correct horse battery\n");
    let token = node.ok(&["token", "new", "olena", "--name", "laptop", "--by", "olena"]);
    let entries = node
        .run(&["log", "show", "--limit", "1000", "--format", "json"])
        .stdout;
    assert!(
        entries.contains("laptop") && entries.contains("olena@ua"),
        "{entries}"
    );
    assert!(
        !entries.contains(token.trim())
            && !entries.contains("argon2")
            && !entries.contains("correct horse"),
        "{entries}"
    );
    assert_eq!(node.json(&["token", "list"]).len(), 1);
    node.ok(&["token", "revoke", "laptop"]);
    assert_eq!(node.json(&["token", "list"]).len(), 0);
}
