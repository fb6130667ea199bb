//! What each side holds, read from its register and its log and not from the story, and how much of it is proved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::data::{CREATED, Story};
use super::node::Node;
use super::stage::Stage;
use super::story::{Cast, log_size, objects};
use super::witness;

/// Both sides show what they hold, and prove it.
pub(super) fn holdings(cast: &Cast, story: &Story, stage: &mut Stage) -> anyhow::Result<()> {
    stage.step("Each side shows what it holds, from whom, under which label, with the proof from its own log");
    let places: [(&Node, &str, &[&str]); 3] = [
        (&cast.ua, "taras", &["shared"]),
        (&cast.eu, "jean", &["from-ua"]),
        (&cast.ee, "mari", &["from-ua", "from-eu"]),
    ];
    for (node, reader, collections) in places {
        // all that this reader may have, from the register itself and not from the story
        let mut all = BTreeSet::new();
        for collection in collections {
            all.extend(versions(node, collection, Some(reader))?.into_keys());
        }
        // another party's TLP:RED is written to no file, so it is asked for by name
        if node.run(&["show", &story.note_id, "--as", reader])?.success {
            all.insert((story.note_id.clone(), CREATED.to_owned()));
        }
        let ids: BTreeSet<&String> = all.iter().map(|(id, _)| id).collect();
        let sample = sample(&ids, story);
        let mut held: BTreeMap<(String, String), (u32, u32)> = BTreeMap::new();
        for id in &sample {
            let answer = node.ok(&["show", id, "--as", reader])?;
            let record = answer.last();
            let text = |pointer: &str| {
                record
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or("?")
                    .to_owned()
            };
            let counts = held.entry((text("/from"), text("/label/tlp"))).or_default();
            counts.0 += 1;
            counts.1 +=
                u32::from(record.pointer("/proof/valid").and_then(Value::as_bool) == Some(true));
        }
        let (mut looked, mut proved) = (0, 0);
        for ((from, tlp), (count, valid)) in &held {
            stage.tell(&format!("{:<4} {reader:<6} {count:>3} records from {:<3} {tlp:<11} {valid:>3} proved to be in the log", node.party.to_uppercase(), from.to_uppercase()));
            looked += count;
            proved += valid;
        }
        stage.check(
            &format!(
                "{}: {} records in {} versions; {proved} of {looked} proofs sampled hold",
                node.name,
                ids.len(),
                all.len()
            ),
            looked > 0 && looked == proved,
        );
        let whole = node.ok(&["fsck"])?;
        stage.check(
            &format!("{}: and fsck finds every record in its log", node.name),
            whole
                .last()
                .get("problems")
                .and_then(Value::as_array)
                .is_some_and(Vec::is_empty),
        );
    }
    let watched = stage.answer(&cast.ee, &["peer", "head", "ua"])?;
    let consistent = watched.get("consistent").and_then(Value::as_bool) == Some(true)
        && watched
            .get("seen_before")
            .is_some_and(|seen| !seen.is_null());
    stage.check(
        "Estonia, which saw none of the AMBER, confirms that UA's log only grew",
        consistent,
    );
    witness::still(cast, stage)
}

/// Every (identifier, version) that a collection gives, and how often.
pub(super) fn versions(
    node: &Node,
    collection: &str,
    reader: Option<&str>,
) -> anyhow::Result<BTreeMap<(String, String), u64>> {
    let mut words = vec!["export", "--collection", collection, "--all-versions"];
    // a file for one person: their TLP:RED is in it too
    if let Some(reader) = reader {
        words.extend(["--person", reader]);
    }
    let answer = node.ok(&words)?;
    let lines = answer
        .rows
        .iter()
        .find_map(|row| row.get(crate::handling::SIDECAR_PROPERTY))
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut versions = BTreeMap::new();
    for line in &lines {
        let text = |name: &str| {
            line.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        *versions.entry((text("id"), text("version"))).or_default() += 1;
    }
    Ok(versions)
}

/// How many entries of a node's log are the acceptance of a record, by identifier.
pub(super) fn logged(node: &Node) -> anyhow::Result<BTreeMap<String, u64>> {
    let size = log_size(node)?.to_string();
    let log = node.ok(&["log", "show", "--from", "0", "--limit", &size])?;
    let mut entries = BTreeMap::new();
    for row in &log.rows {
        let record = row.get("kind").and_then(Value::as_str) == Some("record");
        let id = row.pointer("/about/id").and_then(Value::as_str);
        if let Some(id) = id.filter(|_| record) {
            *entries.entry(id.to_owned()).or_default() += 1;
        }
    }
    Ok(entries)
}

/// Every record of the story, and each hundredth of the rest.
fn sample<'a>(ids: &BTreeSet<&'a String>, story: &Story) -> Vec<&'a str> {
    let mut told: BTreeSet<String> = objects(&story.campaign).into_iter().collect();
    told.extend([story.note_id.clone(), story.advisory_id.clone()]);
    let (of_story, rest): (Vec<&String>, Vec<&String>) =
        ids.iter().copied().partition(|id| told.contains(*id));
    let rest = rest.into_iter().step_by(100);
    of_story
        .into_iter()
        .chain(rest)
        .map(String::as_str)
        .collect()
}
