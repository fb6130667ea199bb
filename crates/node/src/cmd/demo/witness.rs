//! Estonia, which observes, witnesses: it cosigns the logs of both sides without seeing what is in them.

use serde_json::Value;

use super::node::{Node, wait};
use super::stage::Stage;
use super::story::{Cast, PATIENCE, log_size, text_of};

/// Name of the witness's keys, and what it is called in the policies of both sides.
const NAME: &str = "witness.example/ee";
const PLACE: &str = "ee";

/// Estonia makes a witness, both sides ask it, and each believes it about the other.
pub(super) fn witness(cast: &mut Cast, stage: &mut Stage) -> anyhow::Result<()> {
    stage.step(
        "Estonia witnesses: a log that told two sides two stories would need its signature on both",
    );
    let made = stage.answer(
        &cast.witness,
        &["witness", "init", "--name", NAME, "--listen", "127.0.0.1:0"],
    )?;
    let keys = texts(&made, "keys");
    let mut add = vec!["witness".to_owned(), "log".to_owned(), "add".to_owned()];
    for node in [&cast.ua, &cast.eu] {
        add.push(text_of(node.ok(&["log", "head"])?.last(), "key").to_owned());
    }
    stage.run(
        &cast.witness,
        &add.iter().map(String::as_str).collect::<Vec<_>>(),
    )?;
    cast.witness.start()?;
    let Cast {
        ua,
        eu,
        ee,
        witness,
    } = &*cast;
    for node in [ua, eu] {
        let mut words = vec!["log", "witness", "add", PLACE];
        words.extend(keys.first().map(String::as_str));
        words.push(&witness.url);
        for key in keys.iter().skip(1) {
            words.extend(["--also", key]);
        }
        words.extend(["--fingerprint", &witness.fingerprint]);
        stage.run(node, &words)?;
    }
    for (node, other) in [(ua, eu), (eu, ua)] {
        believe(node, other, &keys, stage)?;
    }
    for node in [ua, eu] {
        cosigned(node, witness, stage)?;
    }
    let mut seen = Value::Null;
    stage.shown(eu.party, &["peer", "head", "ua"]);
    let through = wait(PATIENCE, || {
        seen = eu.ok(&["peer", "head", "ua"])?.last().clone();
        Ok(seen.get("witnessed") == seen.get("size") && !texts(&seen, "sources").is_empty())
    })?;
    let mut sources = texts(&seen, "sources");
    // with witnesses' signatures and without
    sources.dedup();
    let by_witness = sources.iter().any(|source| source.contains(PLACE));
    stage.tell(&format!("shown by: {}", sources.join(", ")));
    stage.check(
        "the EU sees the head of CERT-UA's log through Estonia's witness, and it is the one CERT-UA shows",
        through
            && by_witness
            && sources.len() > 1
            && seen.get("consistent").and_then(Value::as_bool) == Some(true),
    );
    quiet(&[ua, eu, ee], witness, stage)
}

/// One side takes the other's witness, after comparing its keys with those that Estonia gave out.
fn believe(node: &Node, other: &Node, keys: &[String], stage: &mut Stage) -> anyhow::Result<()> {
    let suggested = stage.answer(node, &["peer", "witnesses", other.party])?;
    let policy = text_of(&suggested, "policy");
    let named: Vec<&str> = policy
        .lines()
        .filter_map(|line| line.strip_prefix("witness ")?.split(' ').nth(1))
        .collect();
    let same = !named.is_empty()
        && named
            .iter()
            .all(|key| keys.iter().any(|known| known == key));
    stage.check(
        &format!(
            "the card of {} names the very keys that Estonia gave out",
            other.name
        ),
        same,
    );
    let file = node.text(&format!("witnesses-of-{}.policy", other.party), policy)?;
    stage.run(node, &["peer", "witnesses", other.party, "--policy", &file])
}

/// The newest head of a node's log comes back cosigned, and the witness has the same one.
fn cosigned(node: &Node, witness: &Node, stage: &mut Stage) -> anyhow::Result<()> {
    let mut size = 0;
    let cosigned = wait(PATIENCE, || {
        size = log_size(node)?;
        let answer = node.ok(&["log", "witnesses"])?;
        Ok(answer.last().get("witnessed_size").and_then(Value::as_u64) == Some(size))
    })?;
    let head = node.ok(&["log", "head"])?.last().clone();
    let origin = text_of(&head, "origin").to_owned();
    let there = stage.answer(witness, &["witness", "show", &origin])?;
    // origin, size and root are the first three lines of both
    let lines = |text: &str| text.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    let here = head
        .pointer("/witnessed/checkpoint")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let same = lines(here) == lines(text_of(&there, "checkpoint"));
    stage.check(
        &format!(
            "{}: all {size} entries of its log stand under a head that Estonia's witness cosigned",
            node.name
        ),
        cosigned && same && !here.is_empty(),
    );
    Ok(())
}

/// After all that happened: both logs are cosigned to their ends, and nobody has found anything wrong.
pub(super) fn still(cast: &Cast, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast {
        ua,
        eu,
        ee,
        witness,
    } = cast;
    for node in [ua, eu] {
        cosigned(node, witness, stage)?;
    }
    quiet(&[ua, eu, ee], witness, stage)
}

/// Nobody has found anything wrong.
fn quiet(nodes: &[&Node], witness: &Node, stage: &mut Stage) -> anyhow::Result<()> {
    let mut open = 0;
    for node in nodes {
        let answer = node.run(&["alarms", "list"])?;
        open += answer.rows.len();
        if answer.code != Some(0) {
            open = open.max(1);
        }
    }
    let evidence = witness.run(&["witness", "evidence"])?;
    stage.check(
        "no alarm is open at any node, and the witness was shown no second history",
        open == 0 && evidence.code == Some(0) && evidence.rows.is_empty(),
    );
    Ok(())
}

/// A list of texts of an answer.
fn texts(value: &Value, key: &str) -> Vec<String> {
    let list = value.get(key).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
