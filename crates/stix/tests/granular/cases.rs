use comity_stix::granular::{Redacted, redact};

use super::{GREEN, RED, without_red};

/// A malware object with these members besides the required ones.
fn malware(members: &str, markings: &str) -> String {
    format!(
        r#"{{"type": "malware", "spec_version": "2.1",
  "id": "malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061",
  "created": "2016-05-12T08:17:27.000Z", "modified": "2016-05-12T08:17:27.000Z",
  "is_family": false, {members},
  "granular_markings": [{markings}]}}"#
    )
}

fn red(selectors: &str) -> String {
    format!(r#"{{"marking_ref": "{RED}", "selectors": [{selectors}]}}"#)
}

fn green(selectors: &str) -> String {
    format!(r#"{{"marking_ref": "{GREEN}", "selectors": [{selectors}]}}"#)
}

#[track_caller]
fn gives(object: &str, expected: &str) {
    let Redacted::Object(bytes) = without_red(object) else {
        panic!("withheld: {:?}", without_red(object))
    };
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[track_caller]
fn withholds(object: &str, why: &str) {
    match without_red(object) {
        Redacted::Withhold(reason) => assert!(reason.contains(why), "{reason}"),
        Redacted::Object(bytes) => panic!("{}", String::from_utf8(bytes).unwrap()),
    }
}

#[test]
fn only_the_selected_goes_and_every_other_byte_stays() {
    let object = malware(
        r#""description" : "s", "labels": [ "a" ,"b",  "c" ]"#,
        &red(r#""labels.[1]""#),
    );
    let expected = r#"{"type": "malware", "spec_version": "2.1",
  "id": "malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061",
  "created": "2016-05-12T08:17:27.000Z", "modified": "2016-05-12T08:17:27.000Z",
  "is_family": false, "description" : "s", "labels": [ "a",  "c" ]}"#;
    gives(&object, expected);
}

#[test]
fn the_first_and_the_last_go_cleanly() {
    let head = &malware("", "")[..malware("", "").find(", ,").unwrap()];
    let labels = |cut: &str| malware(r#""labels": ["a", "b", "c"]"#, &red(cut));
    gives(
        &labels(r#""labels.[0]""#),
        &format!(r#"{head}, "labels": ["b", "c"]}}"#),
    );
    gives(
        &labels(r#""labels.[2]""#),
        &format!(r#"{head}, "labels": ["a", "b"]}}"#),
    );
    gives(
        &labels(r#""labels.[0]", "labels.[2]""#),
        &format!(r#"{head}, "labels": ["b"]}}"#),
    );
    gives(
        &labels(r#""labels.[0]", "labels.[1]", "labels.[2]""#),
        &format!("{head}}}"),
    );
    gives(&labels(r#""labels""#), &format!("{head}}}"));
}

#[test]
fn s2_12_lists_and_dictionaries_left_empty_go_too() {
    let object = malware(
        r#""external_references": [{"source_name": "x", "external_id": "y"}], "labels": ["a"]"#,
        &red(
            r#""external_references.[0].source_name", "external_references.[0].external_id", "labels.[0]""#,
        ),
    );
    let head = &malware("", "")[..malware("", "").find(", ,").unwrap()];
    gives(&object, &format!("{head}}}"));
}

#[test]
fn markings_that_stay_follow_what_moved() {
    let object = malware(
        r#""labels": ["a", "b", "c"], "description": "s""#,
        &format!(
            "{}, {}",
            red(r#""labels.[0]", "description""#),
            green(r#""labels.[2]", "description", "labels", "labels.[0]""#)
        ),
    );
    let Redacted::Object(bytes) = without_red(&object) else {
        panic!()
    };
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        json["granular_markings"],
        serde_json::json!([{"marking_ref": GREEN, "selectors": ["labels.[1]", "labels"]}])
    );
}

#[test]
fn nothing_to_remove_gives_the_object_as_it_came() {
    let object = malware(r#""description": "s""#, &green(r#""description""#));
    gives(&object, &object);
    gives("{ \"type\":\"x\" }", "{ \"type\":\"x\" }");
    assert!(redact(b"{", &|_| true).is_err());
    assert!(redact(b"[]", &|_| true).is_err());
    assert!(redact(br#"{"a":1,"a":2}"#, &|_| true).is_err());
}

#[test]
fn what_no_object_can_do_without_withholds_it() {
    for name in [
        "id",
        "type",
        "spec_version",
        "created",
        "modified",
        "granular_markings",
        "granular_markings.[0].selectors",
    ] {
        withholds(
            &malware(r#""description": "s""#, &red(&format!("\"{name}\""))),
            "no object can do without",
        );
    }
    let marked = malware(
        &format!(r#""object_marking_refs": ["{GREEN}"]"#),
        &red(r#""object_marking_refs.[0]""#),
    );
    withholds(&marked, "no object can do without");
    withholds(
        &malware(r#""revoked": true"#, &red(r#""revoked""#)),
        "no object can do without",
    );
}

#[test]
fn what_is_left_must_be_valid() {
    withholds(
        &malware(r#""description": "s""#, &red(r#""is_family""#)),
        "not a valid object",
    );
    let phase = r#""kill_chain_phases": [{"kill_chain_name": "a", "phase_name": "b"}]"#;
    withholds(
        &malware(phase, &red(r#""kill_chain_phases.[0].phase_name""#)),
        "not a valid object",
    );
}

#[test]
fn in_doubt_nothing_leaves() {
    for wrong in [
        "description.[0]",
        "labels.[1]",
        "labels.name",
        "name",
        "",
        "a..b",
        "labels.[01]",
        "[0]",
    ] {
        let object = malware(
            r#""description": "s", "labels": ["a"]"#,
            &red(&format!("\"{wrong}\"")),
        );
        withholds(&object, "leads nowhere");
    }
    for broken in [
        r#""x""#,
        "{}",
        r#"{"selectors": ["description"]}"#,
        r#"{"marking_ref": "red", "selectors": ["description"]}"#,
    ] {
        withholds(&malware(r#""description": "s""#, broken), "cannot be read");
    }
    let object = malware(r#""description": "s""#, "").replace("[]", "{}");
    withholds(&object, "cannot be read");
}

#[test]
fn an_id_that_commits_to_the_cut_value_withholds() {
    let file = |id: &str| {
        format!(
            r#"{{"type": "file", "spec_version": "2.1", "id": "file--{id}", "name": "plan.docx",
            "hashes": {{"MD5": "79054025255fb1a26e4bc422aef54eb4"}}, "granular_markings": [{}]}}"#,
            red(r#""name""#)
        )
    };
    let computed = {
        let object = file("00000000-0000-4000-8000-000000000000");
        let document =
            comity_stix::json::Document::parse(object.as_bytes(), &Default::default()).unwrap();
        comity_stix::id::deterministic_id(document.root())
            .unwrap()
            .unwrap()
            .uuid()
            .to_string()
    };
    withholds(&file(&computed), "could be guessed");
    assert!(matches!(
        without_red(&file("5a27d487-c542-4f97-a131-a8866b477b46")),
        Redacted::Object(_)
    ));
}
