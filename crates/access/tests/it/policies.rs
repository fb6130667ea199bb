//! The policy files themselves: schema, names, cases beside them, and what a broken edit comes to.

use std::path::Path;

use comity_access::{Access, PolicyError, Sources, cases};

use crate::support::party;

#[test]
fn built_in_policies_fit_their_schema_strictly() {
    let access = Access::new(party("ua")).unwrap();
    for rule in access.rules() {
        let group = rule.code.split('.').next().unwrap();
        assert!(
            ["release", "limit", "onward", "role"].contains(&group),
            "{}",
            rule.code
        );
        assert_eq!(
            rule.forbids,
            ["limit", "onward"].contains(&group),
            "{}",
            rule.id
        );
        assert!(
            !rule.text.ends_with('.')
                && rule
                    .text
                    .starts_with(|c: char| !c.is_uppercase() || rule.text.starts_with("TLP")),
            "{}",
            rule.text
        );
    }
}

#[test]
fn every_policy_file_is_compiled_in() {
    let mut there: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|end| end == "cedar")
        })
        .collect();
    there.sort();
    let mut built_in: Vec<&str> = Sources::built_in()
        .policies
        .iter()
        .map(|(name, _)| *name)
        .collect();
    built_in.sort_unstable();
    assert_eq!(there, built_in);
}

#[test]
fn cases_beside_the_policies_pass() {
    let mut passed = 0;
    for entry in std::fs::read_dir(folder().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let report = cases::run(
            &Sources::built_in(),
            &std::fs::read_to_string(&path).unwrap(),
        )
        .unwrap_or_else(|message| panic!("{}: {message}", path.display()));
        assert!(
            report.failures.is_empty(),
            "{}: {:#?}",
            path.display(),
            report.failures
        );
        passed += report.passed;
    }
    assert!(passed >= 40, "only {passed} cases ran");
}

#[test]
fn a_case_that_fails_says_so() {
    let report = cases::run(
        &Sources::built_in(),
        r#"
        holder = "ua"
        [readers.eu]
        person = "node@eu"
        role = "peer"
        reads = ["feed"]
        [[case]]
        name = "wrong on purpose"
        reader = "eu"
        action = "read"
        collection = "feed"
        label = { tlp = "AMBER", originator = "ua" }
        expect = "yes"
        "#,
    )
    .unwrap();
    assert_eq!(report.failures.len(), 1);
    assert!(
        report.failures[0]
            .starts_with("wrong on purpose: got no, because TLP:AMBER without an audience")
    );
}

fn edited(from: &str, to: &str) -> Result<Access, PolicyError> {
    let mut sources = Sources::built_in();
    let text = sources.policies[0].1.replace(from, to);
    assert_ne!(text, sources.policies[0].1, "the edit did nothing");
    let text: &'static str = Box::leak(text.into_boxed_str());
    sources.policies[0].1 = text;
    Access::with(party("ua"), &sources)
}

#[test]
fn a_misspelt_colour_or_role_is_an_error() {
    for (from, to) in [
        (r#"Tlp::"CLEAR""#, r#"Tlp::"CLAER""#),
        (r#"Role::"observer""#, r#"Role::"obsrever""#),
        ("principal.party", "principal.partei"),
        (r#"Action::"released""#, r#"Action::"realesed""#),
        ("resource has author && ", ""),
    ] {
        assert!(
            matches!(edited(from, to), Err(PolicyError::Invalid(_))),
            "{to}: {:?}",
            edited(from, to).err()
        );
    }
}

#[test]
fn a_policy_without_name_or_with_a_taken_one_is_an_error() {
    for (from, to) in [
        ("@id(\"release-clear\")\n", ""),
        ("@text(\"this person wrote it\")\n", ""),
        ("@id(\"release-clear\")", "@id(\"release-named\")"),
        ("permit (principal is Reader", "permit (principal is"),
    ] {
        assert!(
            matches!(edited(from, to), Err(PolicyError::Parse { .. })),
            "{to}"
        );
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}
