//! `comity validate`.

use super::{FIRST, Node, bundle, indicator};

fn broken() -> String {
    indicator(2, FIRST, "two").replace(
        "\"type\": \"indicator\"",
        "\"type\": \"indicator\",\n \"confidence\": 101",
    )
}

#[test]
fn a_finding_shows_its_place() {
    let node = Node::bare();
    let file = node.file("bad.json", bundle(&[indicator(1, FIRST, "one"), broken()]));
    let ran = node.run(&["validate", &file]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(format!("{}{}", ran.stdout, ran.stderr));
}

#[test]
fn a_bundle_on_one_line_is_cut_around_the_spot() {
    let node = Node::bare();
    let objects: Vec<String> = (1..200)
        .map(|number| indicator(number, FIRST, "x").replace('\n', ""))
        .collect();
    let text = bundle(&[objects, vec![broken().replace('\n', "")]].concat()).replace('\n', "");
    let ran = node.run(&["validate", &node.file("line.json", text)]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() < 200),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("\"confidence\": 101"), "{}", ran.stdout);
}

#[test]
fn exit_codes() {
    let node = Node::bare();
    let good = node.file("good.json", bundle(&[indicator(1, FIRST, "one")]));
    let bad = node.file("bad.json", broken());
    assert_eq!(node.run(&["validate", &good]).code, 0);
    assert_eq!(node.run(&["validate", &good, &bad]).code, 1);
    assert_eq!(node.run(&["validate", &good, "/no/such/file"]).code, 2);
    let warned = node.file(
        "warned.json",
        indicator(1, FIRST, "one").replace("\"malicious-activity\"", "\"mischief\""),
    );
    assert_eq!(node.run(&["validate", &warned]).code, 0);
    assert_eq!(node.run(&["validate", "--strict", &warned]).code, 1);
}

#[test]
fn standard_input_folders_and_packed_files() {
    let node = Node::bare();
    assert_eq!(
        node.run_with(&["validate", "-"], indicator(1, FIRST, "one").as_bytes())
            .code,
        0
    );
    assert_eq!(
        node.run_with(&["validate", "-"], broken().as_bytes()).code,
        1
    );
    std::fs::create_dir(node.path("folder")).unwrap();
    node.file("folder/one.json", indicator(1, FIRST, "one"));
    let packed = std::fs::File::create(node.path("folder/two.json.gz")).unwrap();
    let mut packer = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, broken().as_bytes()).unwrap();
    packer.finish().unwrap();
    let ran = node.run(&["validate", &node.path("folder")]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("2 objects in 2 inputs: 1 invalid"),
        "{}",
        ran.stderr
    );
}

#[test]
fn machines_get_one_value_a_finding() {
    let node = Node::bare();
    let file = node.file("bad.json", broken());
    let findings = node.json(&["validate", &file]);
    assert!(
        findings.iter().any(|finding| finding["severity"] == "error"
            && finding["pointer"]
                .as_str()
                .unwrap()
                .ends_with("/confidence")),
        "{findings:?}"
    );
    let short = node.run(&["validate", &file, "--format", "short"]);
    assert!(
        short.stdout.starts_with("TMP/bad.json:2:"),
        "{}",
        short.stdout
    );
}

#[test]
fn hostile_bytes_are_findings_and_no_crash() {
    let node = Node::bare();
    for (name, text) in [
        ("empty", Vec::new()),
        ("cut", b"{\"type\": \"bundle\", \"objects\": [{".to_vec()),
        (
            "deep",
            [b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
        ),
        (
            "utf8",
            b"{\"type\": \"indicator\", \"name\": \"\xff\xfe\"}".to_vec(),
        ),
        (
            "twice",
            b"{\"type\": \"indicator\", \"type\": \"malware\"}".to_vec(),
        ),
        ("number", b"7".to_vec()),
    ] {
        let ran = node.run_with(&["validate", "-"], &text);
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(!ran.stderr.contains("panicked"), "{name}: {ran:?}");
    }
}

#[test]
fn a_packed_file_that_is_cut_cannot_be_read() {
    let node = Node::new();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let objects: Vec<String> = (1..50)
        .map(|number| indicator(number, FIRST, "x"))
        .collect();
    std::io::Write::write_all(&mut packer, bundle(&objects).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let cut = node.file("cut.json.gz", &packed[..packed.len() / 2]);
    assert_eq!(node.run(&["validate", &cut]).code, 2);
    assert_eq!(node.run(&["import", &cut, "-c", "shared"]).code, 2);
}

#[test]
fn what_objects_say_together_is_checked() {
    let node = Node::bare();
    let translation = |modified: &str, name: &str| {
        format!(
            r#"{{"type": "language-content", "spec_version": "2.1", "id": "language-content--00000000-0000-4000-8000-000000000011",
 "created": "{FIRST}", "modified": "{FIRST}", "object_ref": "indicator--00000000-0000-4000-8000-000000000001",
 "object_modified": "{modified}", "contents": {{"uk": {{"name": {name}}}}}}}"#
        )
    };
    let one = indicator(1, FIRST, "one");
    for (objects, code, exit) in [
        (vec![one.clone(), one.clone()], "stix.bundle.duplicate", 0),
        (
            vec![one.clone(), indicator(1, FIRST, "other")],
            "stix.version.conflict",
            1,
        ),
        (
            vec![one.clone(), translation(FIRST, "[\"x\"]")],
            "stix.translation.form",
            1,
        ),
        (
            vec![translation(FIRST, "[\"x\"]"), one.clone()],
            "stix.translation.form",
            1,
        ),
        (
            vec![translation(super::LATER, "\"x\""), one.clone()],
            "stix.translation.version",
            0,
        ),
    ] {
        let file = node.file("in.json", bundle(&objects));
        let ran = node.run(&["validate", &file, "--format", "json"]);
        let found: Vec<serde_json::Value> = ran
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(
            found.iter().any(|finding| finding["code"] == code),
            "{code}: {found:?}"
        );
        assert_eq!(ran.code, exit, "{code}");
    }
    let bare = node.file("in.json", one.replace("\"name\": \"one\", ", ""));
    let named = node.file("named.json", one);
    let codes = |file: &str, more: &[&str]| {
        let found = node.json(&[&["validate", file], more].concat());
        found
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(codes(&named, &[]).is_empty());
    assert_eq!(codes(&named, &["--advice"]), ["stix.language.missing"]);
    assert!(codes(&bare, &["--advice"]).is_empty());
    let lost = node.file("lost.json", r#"{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": {}}"#);
    assert_eq!(node.run(&["validate", &lost]).code, 1);
}
