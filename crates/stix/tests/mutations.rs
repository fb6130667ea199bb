//! Every rule broken once, from the table `data/mutations.txt`.

use crate::support::{checked, sample};
use serde_json::Value;

#[test]
fn a_broken_rule_gives_its_code() {
    let mut failures = Vec::new();
    for line in include_str!("data/mutations.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (change, code) = line.rsplit_once(" => ").unwrap();
        let findings = checked(&mutated(change)).findings;
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        let right = if code == "ok" {
            // an observable's identifier no longer fits its changed values
            codes.iter().all(|code| *code == "stix.id.deterministic")
        } else {
            codes.contains(&code)
        };
        if !right {
            failures.push(format!("{line}\n    found {codes:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_finding_stands_where_the_mistake_is() {
    for line in include_str!("data/mutations.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains(" set "))
    {
        let (change, code) = line.rsplit_once(" => ").unwrap();
        let object = mutated(change);
        let text = object.to_string();
        for finding in checked(&object).findings {
            let value = object.pointer(&finding.pointer);
            assert!(
                value.is_some(),
                "{line}: {} points nowhere",
                finding.pointer
            );
            assert!(
                text.get(finding.offset..finding.offset + finding.len)
                    .is_some(),
                "{line}: {code}"
            );
            assert!(!finding.message.ends_with('.') && !finding.clause.is_empty());
        }
    }
}

/// `TYPE set POINTER JSON` or `TYPE del POINTER`.
fn mutated(change: &str) -> Value {
    let mut words = change.splitn(4, ' ');
    let (object_type, verb, pointer) = (
        words.next().unwrap(),
        words.next().unwrap(),
        words.next().unwrap(),
    );
    let mut object = sample(object_type);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap();
    match (verb, parent) {
        ("set", Value::Object(members)) => {
            members.insert(
                name.into(),
                serde_json::from_str(words.next().unwrap()).unwrap(),
            );
        }
        ("set", Value::Array(items)) => {
            items[name.parse::<usize>().unwrap()] =
                serde_json::from_str(words.next().unwrap()).unwrap()
        }
        ("del", Value::Object(members)) => assert!(members.remove(name).is_some(), "{change}"),
        _ => panic!("{change}"),
    }
    object
}
