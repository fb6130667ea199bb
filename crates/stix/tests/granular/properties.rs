//! Random objects, random markings, compared with an oracle that works on values instead of bytes.

use std::collections::{BTreeMap, BTreeSet};

use comity_stix::granular::Redacted;
use comity_stix::validate::{Options, check};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::{GREEN, RED, without_red};

const ROOT: [&str; 5] = ["type", "spec_version", "id", "created", "modified"];

/// A malware object, every text in it a secret of its own.
fn object() -> impl Strategy<Value = Value> {
    let lists = (
        0..4_usize,
        0..4_usize,
        0..3_usize,
        0..3_usize,
        any::<bool>(),
    );
    lists.prop_map(|(labels, aliases, references, phases, custom)| {
        let mut count = 0;
        let mut secret = || {
            count += 1;
            json!(format!("s3cret-{count:03}-\"\\\n\u{1F4A5}é"))
        };
        let mut object = json!({
            "type": "malware", "spec_version": "2.1", "id": "malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061",
            "created": "2016-05-12T08:17:27.000Z", "modified": "2016-05-12T08:17:27.000Z", "is_family": true,
            "name": secret(), "description": secret(), "confidence": 50,
        });
        let list = |n: usize, each: &mut dyn FnMut() -> Value| (0..n).map(|_| each()).collect::<Vec<_>>();
        let mut add = |name: &str, items: Vec<Value>| {
            if !items.is_empty() {
                object[name] = Value::Array(items);
            }
        };
        add("labels", list(labels, &mut secret));
        add("aliases", list(aliases, &mut secret));
        add("external_references", list(references, &mut || {
            json!({"source_name": secret(), "description": secret(), "external_id": secret()})
        }));
        add("kill_chain_phases", list(phases, &mut || json!({"kill_chain_name": "k", "phase_name": "p"})));
        if custom {
            object["x_custom"] = json!({"a": secret(), "b": {"c": [secret(), {"d": secret()}], "e": 5}, "f": [[secret()], [true]]});
        }
        object
    })
}

/// Every selector of an object but those to what may never go.
fn selectors(value: &Value, at: &str, into: &mut Vec<String>) {
    let mut child = |step: &str, value: &Value| {
        let path = if at.is_empty() {
            step.to_owned()
        } else {
            format!("{at}.{step}")
        };
        if !ROOT.contains(&path.as_str()) {
            into.push(path.clone());
        }
        selectors(value, &path, into);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| child(key, value)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(n, value)| child(&format!("[{n}]"), value)),
        _ => {}
    }
}

/// What is left of a value; `moved` learns where everything that is left went.
fn prune(
    value: &Value,
    old: &str,
    new: &str,
    cut: &BTreeSet<String>,
    moved: &mut BTreeMap<String, String>,
) -> Option<Value> {
    if cut.contains(old) {
        return None;
    }
    let join = |at: &str, step: &str| {
        if at.is_empty() {
            step.to_owned()
        } else {
            format!("{at}.{step}")
        }
    };
    let left = match value {
        Value::Object(members) => {
            let left: Map<String, Value> = members
                .iter()
                .filter_map(|(key, value)| {
                    Some((
                        key.clone(),
                        prune(value, &join(old, key), &join(new, key), cut, moved)?,
                    ))
                })
                .collect();
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Value::Array(items) => {
            let mut left = Vec::new();
            for (n, item) in items.iter().enumerate() {
                let to = join(new, &format!("[{}]", left.len()));
                left.extend(prune(item, &join(old, &format!("[{n}]")), &to, cut, moved));
            }
            (!left.is_empty()).then_some(Value::Array(left))
        }
        scalar => Some(scalar.clone()),
    }?;
    moved.insert(old.to_owned(), new.to_owned());
    Some(left)
}

/// Writes a value with the members in any order and any white space between.
fn write(value: &Value, noise: &mut dyn FnMut() -> u64, out: &mut String) {
    let blank = |noise: &mut dyn FnMut() -> u64, out: &mut String| {
        for _ in 0..noise() % 3 {
            out.push([' ', '\n', '\t', '\r'][(noise() % 4) as usize]);
        }
    };
    let close = match value {
        Value::Object(members) => {
            out.push('{');
            let mut members: Vec<_> = members.iter().map(|member| (noise(), member)).collect();
            members.sort_by_key(|(order, _)| *order);
            for (n, (_, (key, value))) in members.into_iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                blank(noise, out);
                out.push_str(&json!(key).to_string());
                blank(noise, out);
                out.push(':');
                blank(noise, out);
                write(value, noise, out);
                blank(noise, out);
            }
            '}'
        }
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                blank(noise, out);
                write(item, noise, out);
                blank(noise, out);
            }
            ']'
        }
        scalar => return out.push_str(&scalar.to_string()),
    };
    out.push(close);
}

/// Every text anywhere in a value.
fn secrets(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|value| secrets(value, into)),
        Value::Array(items) => items.iter().for_each(|value| secrets(value, into)),
        Value::String(text) if text.starts_with("s3cret") => {
            into.insert(text[..10].to_owned());
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_is_what_an_oracle_says(
        mut object in object(),
        markings in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<Index>(), 1..4)), 1..4),
        seed in any::<u64>(),
    ) {
        let mut all = Vec::new();
        selectors(&object, "", &mut all);
        let chosen: Vec<(bool, Vec<&String>)> =
            markings.iter().map(|(red, picks)| (*red, picks.iter().map(|pick| pick.get(&all)).collect())).collect();
        let entry = |red: bool, selectors: &[String]| json!({"marking_ref": if red { RED } else { GREEN }, "selectors": selectors});
        let entries: Vec<Value> =
            chosen.iter().map(|(red, selectors)| entry(*red, &selectors.iter().map(|s| (*s).clone()).collect::<Vec<_>>())).collect();

        let cut: BTreeSet<String> = chosen.iter().filter(|(red, _)| *red).flat_map(|(_, selectors)| selectors.iter().map(|s| (*s).clone())).collect();
        let mut moved = BTreeMap::new();
        let mut expected = prune(&object, "", "", &cut, &mut moved).unwrap();
        let kept: Vec<Value> = chosen
            .iter()
            .filter(|(red, _)| !red)
            .map(|(_, selectors)| selectors.iter().filter_map(|s| moved.get(*s).cloned()).collect::<Vec<_>>())
            .filter(|selectors| !selectors.is_empty())
            .map(|selectors| entry(false, &selectors))
            .collect();
        if !kept.is_empty() {
            expected["granular_markings"] = Value::Array(kept);
        }
        object["granular_markings"] = Value::Array(entries);

        let mut state = seed | 1;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 11
        };
        let mut text = String::new();
        write(&object, &mut noise, &mut text);

        let whole = check(text.as_bytes(), &Options::default());
        prop_assert!(whole.object.is_some(), "{:?}", whole.findings);
        let valid = check(expected.to_string().as_bytes(), &Options::default()).object.is_some();
        match without_red(&text) {
            Redacted::Object(bytes) => {
                let bytes = String::from_utf8(bytes).unwrap();
                prop_assert!(valid || cut.is_empty(), "should be withheld: {bytes}");
                prop_assert_eq!(&serde_json::from_str::<Value>(&bytes).unwrap(), &expected);
                let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
                secrets(&object, &mut before);
                secrets(&expected, &mut after);
                for secret in &before {
                    prop_assert_eq!(bytes.contains(secret.as_str()), after.contains(secret), "{}", secret);
                }
                if cut.is_empty() {
                    prop_assert_eq!(bytes, text);
                }
            }
            Redacted::Withhold(reason) => prop_assert!(!valid, "withheld a valid object: {reason}\n{expected}"),
        }
    }
}
