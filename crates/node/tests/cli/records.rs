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

/// A marking that says PAP:RED, as OpenCTI's connectors do.
const PAP_RED: &str = r#"{"type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--0ed889c2-9bbc-4dea-a07f-bf68844359d7",
 "created": "2026-01-01T00:00:00.000Z", "name": "PAP:RED", "definition_type": "statement", "definition": {"statement": "PAP:RED"}}"#;

fn marked(object: &str, marking: &str) -> String {
    object.replacen(
        '{',
        &format!("{{\"object_marking_refs\": [\"{marking}\"], "),
        1,
    )
}

#[test]
fn labels_go_out_with_a_file_and_come_in_with_it() {
    let node = Node::new();
    let amber = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
    let files = [
        ("one", indicator(1, FIRST, "strict by hand"), "amber+strict"),
        (
            "two",
            marked(&indicator(2, FIRST, "says amber"), amber),
            "clear",
        ),
        ("three", indicator(3, FIRST, "clear by hand"), "clear"),
    ];
    for (name, object, tlp) in files {
        let file = node.file(name, object);
        node.ok(&[
            "import", &file, "-c", "shared", "--tlp", tlp, "--pap", "amber",
        ]);
    }
    let out = node.path("out.json");
    let ran = node.run(&["export", "-c", "shared", "-o", &out]);
    assert!(
        ran.code == 0 && ran.stderr.contains("1 that say their label only beside"),
        "{ran:?}"
    );
    let bundle: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let ids: Vec<&str> = bundle["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["id"].as_str().unwrap())
        .collect();
    // the marking that an object refers to, and the extension that defines it
    assert_eq!(
        ids[3..],
        [
            amber,
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
        ]
    );
    assert_eq!(bundle["x_comity_handling"].as_array().unwrap().len(), 3);
    let checked = node.run(&["validate", &out]);
    assert!(
        checked.code == 0 && !checked.stdout.contains("stix.bundle"),
        "{checked:?}"
    );

    let other = Node::new();
    let label = |number: u32| {
        let id = format!("indicator--00000000-0000-4000-8000-{number:012}");
        let shown = other.json(&["show", &id]);
        let label = &shown[0]["label"];
        (
            label["tlp"].as_str().unwrap().to_owned(),
            label["pap"].as_str().unwrap().to_owned(),
            label["audience"].clone(),
        )
    };
    // from standard input, where what stands behind the objects is needed before the first
    let text = std::fs::read(&out).unwrap();
    let ran = other.run_with(&["import", "-", "-c", "shared", "--pap", "clear"], &text);
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = [label(1), label(2), label(3)].map(|(tlp, pap, _)| (tlp, pap));
    assert_eq!(
        said,
        [
            ("TLP:AMBER+STRICT", "PAP:AMBER"),
            ("TLP:AMBER", "PAP:AMBER"),
            ("TLP:CLEAR", "PAP:AMBER")
        ]
        .map(|(tlp, pap)| (tlp.to_owned(), pap.to_owned()))
    );
    let plain = other.ok(&["export", "-c", "shared", "--marked-only"]);
    assert!(
        !plain.contains("strict by hand") && plain.contains("says amber"),
        "{plain}"
    );

    // what the command says only makes it stricter
    let third = Node::new();
    third.ok(&["import", &out, "-c", "shared", "--tlp", "amber"]);
    let shown = third.json(&["show", "indicator--00000000-0000-4000-8000-000000000003"]);
    assert_eq!(shown[0]["label"]["tlp"], "TLP:AMBER");

    // a file with a label that is none is not taken at all
    let broken = std::fs::read_to_string(&out)
        .unwrap()
        .replace("AMBER+STRICT", "PURPLE");
    let ran = Node::new().run_with(&["import", "-", "-c", "shared"], broken.as_bytes());
    assert!(
        ran.code == 2
            && ran.stdout.contains("nothing of it was taken")
            && ran.stdout.contains("0 objects"),
        "{ran:?}"
    );
    // nor a record that is meant for somebody else
    let theirs = std::fs::read_to_string(&out).unwrap().replace(
        "\\\"originator\\\":\\\"ua\\\",\\\"parties\\\":[\\\"eu\\\"]",
        "\\\"originator\\\":\\\"ee\\\",\\\"parties\\\":[\\\"pl\\\"]",
    );
    let rows = Node::new().json(&["import", &node.file("theirs.json", theirs), "-c", "shared"]);
    assert_eq!(result_of(&rows, "0001"), "refused", "{rows:?}");
    assert_eq!(result_of(&rows, "0003"), "new", "TLP:CLEAR is for all");
}

#[test]
fn the_stricter_of_two_papers_holds() {
    let node = Node::new();
    let marking = "marking-definition--0ed889c2-9bbc-4dea-a07f-bf68844359d7";
    let objects = [
        PAP_RED.to_owned(),
        marked(&indicator(1, FIRST, "one"), marking),
    ];
    let file = node.file("pap.json", bundle(&objects));
    node.ok(&["import", &file, "-c", "shared", "--pap", "green"]);
    let shown = node.json(&["show", "indicator--00000000-0000-4000-8000-000000000001"]);
    assert_eq!(shown[0]["label"]["pap"], "PAP:RED");
    // and where the marking came before
    let later = node.file("later.json", marked(&indicator(2, FIRST, "two"), marking));
    node.ok(&["import", &later, "-c", "shared", "--pap", "clear"]);
    let shown = node.json(&["show", "indicator--00000000-0000-4000-8000-000000000002"]);
    assert_eq!(shown[0]["label"]["pap"], "PAP:RED");
}

#[test]
fn a_bare_person_is_a_person_of_the_own_party() {
    let node = Node::new();
    let file = node.file("one.json", indicator(1, FIRST, "one"));
    node.ok(&[
        "import", &file, "-c", "shared", "--tlp", "red", "--person", "olena",
    ]);
    let shown = node.json(&[
        "show",
        "indicator--00000000-0000-4000-8000-000000000001",
        "--as",
        "olena",
    ]);
    assert_eq!(
        shown[0]["label"]["audience"],
        serde_json::json!(["olena@ua"])
            .to_string()
            .as_str()
            .trim_matches(['[', ']', '"'])
    );
    let ran = node.run(&["import", &file, "-c", "shared", "--person", "Olena!"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn versions_and_translations_are_held_to_what_is_here() {
    let node = Node::new();
    let first = node.file("first.json", indicator(1, FIRST, "one"));
    node.ok(&["import", &first, "-c", "shared"]);
    let other_birth = indicator(1, LATER, "two").replace(
        "\"created\": \"2026-01-01T00:00:00.000Z\"",
        "\"created\": \"2025-01-01T00:00:00.000Z\"",
    );
    let other_maker = marked(&indicator(1, LATER, "two"), "x").replace(
        "\"object_marking_refs\": [\"x\"]",
        "\"created_by_ref\": \"identity--00000000-0000-4000-8000-000000000001\"",
    );
    let spelled = indicator(1, FIRST, "one").replacen('{', "{\"revoked\": false, ", 1);
    let translation = |number: u32, name: &str| {
        format!(
            r#"{{"type": "language-content", "spec_version": "2.1", "id": "language-content--00000000-0000-4000-8000-{number:012}",
 "created": "{FIRST}", "modified": "{FIRST}", "object_ref": "indicator--00000000-0000-4000-8000-000000000001",
 "object_modified": "{FIRST}", "contents": {{"uk": {{"name": {name}}}}}}}"#
        )
    };
    for (object, result) in [
        (other_birth, "refused"),
        (other_maker, "refused"),
        (spelled, "known"),
        (translation(11, "\"один\""), "new"),
        (translation(12, "[\"один\"]"), "refused"),
    ] {
        let file = node.file("next.json", &object);
        for more in [&["--dry-run"][..], &[]] {
            let rows = node.json(&[&["import", &file, "-c", "shared"], more].concat());
            assert_eq!(rows[0]["result"], result, "{object} {more:?} {rows:?}");
        }
    }
}

#[test]
fn a_dry_run_tells_what_the_run_then_does() {
    let node = Node::new();
    let revoked = indicator(5, LATER, "five").replacen('{', "{\"revoked\": true, ", 1);
    let here = [
        indicator(1, FIRST, "one"),
        indicator(2, FIRST, "two"),
        revoked,
    ];
    node.ok(&[
        "import",
        &node.file("here.json", bundle(&here)),
        "-c",
        "shared",
    ]);
    let objects = [
        indicator(1, FIRST, "one"),
        indicator(2, LATER, "two again"),
        indicator(2, LATER, "two once more"),
        indicator(3, FIRST, "three"),
        indicator(3, FIRST, "three"),
        indicator(3, LATER, "three again"),
        indicator(4, "no time", "four"),
        indicator(5, "2026-03-01T00:00:00.000Z", "after the end"),
        indicator(2, FIRST, "changed"),
    ];
    let file = node.file("in.json", bundle(&objects));
    let import = |more: &[&str]| {
        let rows =
            node.json(&[&["import", &file, "-c", "shared", "--tlp", "green"], more].concat());
        let rows = rows.into_iter().filter(|row| row.get("result").is_some());
        rows.map(|row| {
            (
                row["result"].clone(),
                row["label_differs"].clone(),
                row["text"].as_str().unwrap().to_owned(),
            )
        })
        .collect::<Vec<_>>()
    };
    let foretold = import(&["--dry-run"]);
    assert!(
        foretold
            .iter()
            .all(|(_, _, text)| !text.contains("accepted as log entry")),
        "{foretold:?}"
    );
    assert!(
        foretold
            .iter()
            .any(|(_, _, text)| text == "would be accepted"),
        "{foretold:?}"
    );
    let done = import(&[]);
    let shape = |rows: &[(Value, Value, String)]| {
        rows.iter()
            .map(|(result, differs, _)| (result.clone(), differs.as_bool().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    assert_eq!(shape(&foretold), shape(&done));
}

#[test]
fn places_are_those_of_the_input() {
    let node = Node::new();
    let bad = indicator(1, "no time", "one");
    for (text, pointer) in [
        (bad.clone(), "/modified"),
        (
            format!("[{}, {bad}]", indicator(2, FIRST, "two")),
            "/1/modified",
        ),
        (bundle(std::slice::from_ref(&bad)), "/objects/0/modified"),
    ] {
        let file = node.file("in.json", &text);
        let rows = node.json(&["import", &file, "-c", "shared", "--dry-run"]);
        let findings: Vec<&Value> = rows
            .iter()
            .filter_map(|row| row["findings"].as_array())
            .flatten()
            .collect();
        assert_eq!(findings[0]["pointer"], pointer, "{text}");
        let found = node.json(&["validate", &file]);
        assert_eq!(found[0]["pointer"], pointer, "{text}");
    }
}

#[test]
fn names_with_escapes_can_be_withdrawn() {
    let node = Node::new();
    let odd = indicator(1, FIRST, "one").replace("\"name\"", "\"n\\u0061me\"");
    node.ok(&[
        "import",
        &node.file("odd.json", odd),
        "-c",
        "shared",
        "--by",
        "olena",
    ]);
    let id = "indicator--00000000-0000-4000-8000-000000000001";
    let ran = node.run(&["withdraw", id]);
    assert!(ran.code == 2 && ran.stderr.contains("--by NAME"), "{ran:?}");
    node.ok(&["withdraw", id, "--by", "olena"]);
    assert_eq!(node.json(&["show", id])[0]["revoked"], true);
}

#[test]
fn an_export_that_fails_leaves_nothing_behind() {
    let node = Node::new();
    let out = node.path("out.json");
    assert_ne!(node.run(&["export", "-c", "nowhere", "-o", &out]).code, 0);
    let left: Vec<_> = std::fs::read_dir(node.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("out.json"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn foreign_text_does_not_reach_the_terminal_as_it_is() {
    let node = Node::new();
    let odd = indicator(1, FIRST, "\\u001b[31m\\u009b2J\\u202eevil");
    let bad = odd
        .replace("\"name\"", "\"n\\u001bame\"")
        .replace("0001\"", "0002\"");
    let file = node.file("odd.json", bundle(&[odd, bad]));
    for arguments in [
        &["import", &file, "-c", "shared", "--list"][..],
        &["validate", &file],
        &["validate", &file, "--format", "short"],
        &["show", "indicator--00000000-0000-4000-8000-000000000001"],
        &["search", "evil"],
    ] {
        let ran = node.run(arguments);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let odd = said
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(odd, None, "{arguments:?}: {said:?}");
    }
}
