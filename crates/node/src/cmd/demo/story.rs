//! The story the demo plays, step by step, and what each step proves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::data::{BULK, Story};
use super::holdings::{logged, versions};
use super::node::{Node, wait};
use super::stage::Stage;

/// The three nodes, and Estonia's witness beside its node.
pub(super) struct Cast {
    pub(super) ua: Node,
    pub(super) eu: Node,
    pub(super) ee: Node,
    pub(super) witness: Node,
}

impl Cast {
    /// All processes, with the name by which they are shown.
    pub(super) fn all(&mut self) -> [&mut Node; 4] {
        [&mut self.ua, &mut self.eu, &mut self.ee, &mut self.witness]
    }
}

/// How long something may take that the other side does of itself.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// People and collections on each node.
pub(super) fn set_up(cast: &Cast, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast { ua, eu, ee, .. } = cast;
    stage.step("Three nodes, each with its own register, log key and certificate");
    for node in [ua, eu, ee] {
        stage.tell(&format!(
            "{:<4} {:<22} {}",
            node.party.to_uppercase(),
            node.name,
            node.url
        ));
    }
    stage.step("People and collections: who may do what is said before anything is exchanged");
    stage.run(
        ua,
        &[
            "user",
            "add",
            "olena",
            "--role",
            "analyst",
            "--display",
            "Olena, analyst at CERT-UA",
        ],
    )?;
    stage.run(ua, &["user", "add", "taras", "--role", "officer"])?;
    stage.run(
        eu,
        &[
            "user",
            "add",
            "jean",
            "--role",
            "officer",
            "--display",
            "Jean, officer on duty",
        ],
    )?;
    stage.run(eu, &["user", "add", "ada", "--role", "analyst"])?;
    stage.run(ee, &["user", "add", "mari", "--role", "analyst"])?;
    let staff = "role:analyst,role:officer";
    stage.run(
        ua,
        &[
            "collection",
            "add",
            "shared",
            "--title",
            "Shared with partners",
            "--read",
            &format!("{staff},party:eu,party:ee"),
            "--write",
            staff,
        ],
    )?;
    stage.run(
        eu,
        &[
            "collection",
            "add",
            "from-ua",
            "--title",
            "From Ukraine",
            "--read",
            staff,
            "--write",
            "party:ua",
        ],
    )?;
    stage.run(
        ee,
        &[
            "collection",
            "add",
            "from-ua",
            "--title",
            "From Ukraine",
            "--read",
            staff,
            "--write",
            "party:ua",
        ],
    )?;
    stage.run(
        ee,
        &[
            "collection",
            "add",
            "from-eu",
            "--title",
            "From the Union",
            "--read",
            staff,
            "--write",
            "party:eu",
        ],
    )
}

/// Each side takes the other up by the fingerprint of its certificate.
pub(super) fn meet(cast: &Cast, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast { ua, eu, ee, .. } = cast;
    stage
        .step("The nodes meet: fingerprints are compared by voice, no password crosses the border");
    stage.tell(&format!(
        "CERT-UA reads to the EU: {}",
        spoken(&ua.fingerprint)
    ));
    stage.tell(&format!(
        "the EU reads to CERT-UA: {}",
        spoken(&eu.fingerprint)
    ));
    // first the receiving side, so that it knows who comes
    for (from, to, role) in [
        (eu, ua, "peer"),
        (ee, ua, "peer"),
        (ee, eu, "peer"),
        (ua, eu, "peer"),
        (ua, ee, "observer"),
        (eu, ee, "observer"),
    ] {
        let mut words = vec![
            "peer",
            "add",
            &to.url,
            "--fingerprint",
            &to.fingerprint,
            "--role",
            role,
        ];
        match (from.party, to.party) {
            ("ua", _) => words.extend(["--push", "shared=from-ua"]),
            ("eu", "ee") => words.extend(["--push", "from-ua=from-eu"]),
            _ => {}
        }
        stage.run(from, &words)?;
    }
    Ok(())
}

fn spoken(fingerprint: &str) -> String {
    let start: String = fingerprint.chars().take(16).collect();
    format!("{start} ...")
}

/// An indicator set and a report under TLP:AMBER for one partner.
pub(super) fn amber(cast: &Cast, story: &Story, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast { ua, eu, ee, .. } = cast;
    stage.step("CERT-UA publishes six indicators and a report under TLP:AMBER, meant for the EU");
    let before = log_size(ua)?;
    let file = ua.file("campaign.json", &story.campaign)?;
    stage.run(
        ua,
        &[
            "import",
            &file,
            "--collection",
            "shared",
            "--tlp",
            "amber",
            "--audience",
            "eu",
            "--by",
            "olena",
        ],
    )?;
    let came = wait(PATIENCE, || {
        Ok(eu.run(&["show", &story.report_id])?.success)
    })?;
    stage.check("the EU holds CERT-UA's report", came);
    let shown = eu.ok(&["show", &story.report_id])?;
    stage.check(
        "it came with its label: TLP:AMBER, for the EU, originator UA",
        label_is(shown.last(), "TLP:AMBER", "ua"),
    );
    let answered = wait(PATIENCE, || {
        Ok(state_at(ua, &story.report_id, "eu")? == "accepted")
    })?;
    stage.check("CERT-UA sees that the EU accepted it", answered);
    let signed = wait(PATIENCE, || {
        let state = recipient(ua, &story.report_id, "eu")?;
        Ok(matches!(text_of(&state, "state"), "received" | "opened"))
    })?;
    stage.check(
        "and has the EU's signed receipt, proved from the EU's own log",
        signed,
    );
    let label = text_of(&recipient(ua, &story.report_id, "eu")?, "label").to_owned();
    stage.check(
        "which says under which label it is kept there",
        label.contains("\"tlp\":\"AMBER\""),
    );
    stage.check(
        "Estonia, which observes, holds nothing of it",
        !ee.run(&["show", &story.report_id])?.success,
    );
    let skipped = wait(PATIENCE, || {
        Ok(state_at(ua, &story.report_id, "ee")? == "skipped")
    })?;
    stage.check(
        "and CERT-UA's register says by which rule it was kept from Estonia",
        skipped,
    );
    let watched = stage.answer(ee, &["peer", "head", "ua"])?;
    let size = watched.get("size").and_then(Value::as_u64).unwrap_or(0);
    stage.check(
        "but Estonia sees that UA's log grew, under a signature it can check",
        size > before,
    );
    Ok(())
}

/// A note for one person.
pub(super) fn red(cast: &Cast, story: &Story, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast { ua, eu, .. } = cast;
    stage.step("A TLP:RED note, for the eyes of one officer");
    let file = ua.file("note.json", &story.note)?;
    stage.run(
        ua,
        &[
            "import",
            &file,
            "--collection",
            "shared",
            "--tlp",
            "red",
            "--person",
            "jean@eu",
            "--by",
            "taras",
        ],
    )?;
    let came = wait(PATIENCE, || {
        Ok(eu.run(&["show", &story.note_id, "--as", "jean"])?.success)
    })?;
    stage.check("Jean can read it at the EU's node", came);
    stage.check(
        "his colleague Ada cannot",
        !eu.run(&["show", &story.note_id, "--as", "ada"])?.success,
    );
    stage.check(
        "nor can CERT-UA's own analyst Olena",
        !ua.run(&["show", &story.note_id, "--as", "olena"])?.success,
    );
    let why = eu.run(&["access", "explain", "ada", &story.note_id])?;
    stage.quote(
        why.last()
            .get("reasons")
            .or_else(|| why.last().get("text"))
            .unwrap_or(why.last()),
    );
    Ok(())
}

/// A report for all.
pub(super) fn green(cast: &Cast, story: &Story, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast { ua, eu, ee, .. } = cast;
    stage.step("A TLP:GREEN advisory for the whole community");
    let file = ua.file("advisory.json", &story.advisory)?;
    stage.run(
        ua,
        &[
            "import",
            &file,
            "--collection",
            "shared",
            "--tlp",
            "green",
            "--by",
            "olena",
        ],
    )?;
    for node in [eu, ee] {
        let came = wait(PATIENCE, || {
            Ok(node.run(&["show", &story.advisory_id])?.success)
        })?;
        stage.check(&format!("{} holds it", node.name), came);
    }
    Ok(())
}

/// The EU tries to pass UA's AMBER on.
pub(super) fn onward(cast: &Cast, story: &Story, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast { eu, ee, .. } = cast;
    stage.step(
        "The EU tries to pass CERT-UA's AMBER report on to Estonia: the originator keeps control",
    );
    let answer = eu.run(&[
        "peer",
        "push",
        "ee",
        "--record",
        &story.report_id,
        "--by",
        "jean",
    ])?;
    stage.shown(
        "eu",
        &[
            "peer",
            "push",
            "ee",
            "--record",
            &story.report_id,
            "--by",
            "jean",
        ],
    );
    stage.quote(
        &serde_json::from_str(&answer.errors)
            .unwrap_or_else(|_| Value::String(answer.errors.clone())),
    );
    stage.check("it is refused", !answer.success);
    let entries = eu.ok(&["log", "show", "--limit", "40"])?;
    let logged = entries.rows.iter().any(|row| {
        row.get("kind").and_then(Value::as_str) == Some("refusal")
            && row.to_string().contains(&story.report_id)
    });
    stage.check("and the refusal is an entry of the EU's log", logged);
    stage.check(
        "Estonia still holds nothing of it",
        !ee.run(&["show", &story.report_id])?.success,
    );
    let passed = ee.ok(&["show", &story.advisory_id])?;
    stage.check(
        "the GREEN advisory it may have, and it still says that it is UA's",
        label_is(passed.last(), "TLP:GREEN", "ua"),
    );
    Ok(())
}

/// A wrong indicator is withdrawn.
pub(super) fn withdraw(cast: &Cast, story: &Story, stage: &mut Stage) -> anyhow::Result<()> {
    let Cast { ua, eu, .. } = cast;
    stage.step("One indicator was wrong: CERT-UA withdraws it");
    stage.run(
        ua,
        &[
            "withdraw",
            &story.wrong,
            "--reason",
            "a benign address",
            "--by",
            "olena",
        ],
    )?;
    let revoked = wait(PATIENCE, || {
        Ok(eu
            .run(&["show", &story.wrong])?
            .last()
            .get("revoked")
            .and_then(Value::as_bool)
            == Some(true))
    })?;
    stage.check("the EU's node shows it as revoked", revoked);
    let removed = wait(PATIENCE, || {
        Ok(text_of(&recipient(ua, &story.wrong, "eu")?, "state") == "removed")
    })?;
    stage.check(
        "and the EU signed that it removed the version before",
        removed,
    );
    Ok(())
}

/// The EU's node dies while records are coming in.
pub(super) fn power_cut(cast: &mut Cast, story: &Story, stage: &mut Stage) -> anyhow::Result<()> {
    stage.step(&format!(
        "{BULK} records cross the border, and the EU's node loses its power in the middle"
    ));
    let file = cast.ua.file("bulk.json", &story.bulk)?;
    stage.run(
        &cast.ua,
        &[
            "import",
            &file,
            "--collection",
            "shared",
            "--tlp",
            "amber",
            "--audience",
            "eu",
            "--by",
            "olena",
        ],
    )?;
    let under_way = wait(PATIENCE, || Ok(accepted(&cast.ua)? > 20))?;
    cast.eu.kill();
    stage.tell("(kill -9)");
    let held = stage.answer(&cast.eu, &["fsck"])?;
    stage.check(
        "fsck finds its register whole",
        held.get("problems")
            .is_none_or(|problems| problems.as_array().is_none_or(Vec::is_empty)),
    );
    cast.eu.start()?;
    let ua = &cast.ua;
    let arrived = wait(Duration::from_secs(40), || {
        Ok(accepted(ua)? >= u64::from(BULK))
    })?;
    stage.check("after the restart everything arrives", under_way && arrived);
    let bulk: BTreeSet<String> = objects(&story.bulk).into_iter().collect();
    let versions = versions(&cast.eu, "from-ua", None)?;
    // by identifier: in how many versions, and how often in all
    let mut held = BTreeMap::<&str, (u64, u64)>::new();
    for ((id, _), count) in versions.iter().filter(|((id, _), _)| bulk.contains(id)) {
        let seen = held.entry(id).or_default();
        *seen = (seen.0 + 1, seen.1 + count);
    }
    let single = held.values().filter(|seen| **seen == (1, 1)).count();
    stage.check(
        &format!("each is there once, in one version: {single} of {BULK} in the EU's register"),
        single == bulk.len(),
    );
    let entries = logged(&cast.eu)?;
    let once = bulk
        .iter()
        .filter(|id| entries.get(*id) == Some(&1))
        .count();
    stage.check(
        &format!("and has one entry in the EU's log: {once} of {BULK}"),
        once == bulk.len(),
    );
    Ok(())
}

pub(super) fn objects(bundle: &Value) -> Vec<String> {
    let objects = bundle.get("objects").and_then(Value::as_array);
    objects
        .into_iter()
        .flatten()
        .filter_map(|object| object.get("id").and_then(Value::as_str))
        .map(str::to_owned)
        .collect()
}

pub(super) fn log_size(node: &Node) -> anyhow::Result<u64> {
    Ok(node
        .ok(&["log", "head"])?
        .last()
        .get("size")
        .and_then(Value::as_u64)
        .unwrap_or(0))
}

fn label_is(record: &Value, tlp: &str, originator: &str) -> bool {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    text("/label/tlp") == Some(tlp) && text("/label/originator") == Some(originator)
}

fn state_at(node: &Node, id: &str, peer: &str) -> anyhow::Result<String> {
    let answer = node.ok(&["show", id])?;
    let deliveries = answer
        .last()
        .get("deliveries")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let of_peer = deliveries
        .iter()
        .find(|delivery| delivery.get("peer").and_then(Value::as_str) == Some(peer));
    Ok(of_peer
        .and_then(|delivery| delivery.get("state"))
        .and_then(Value::as_str)
        .unwrap_or("none")
        .to_owned())
}

/// Where a record stands with one recipient, as `comity sent` says.
fn recipient(node: &Node, id: &str, party: &str) -> anyhow::Result<Value> {
    let answer = node.run(&["sent", id])?;
    let of_party = |row: &&Value| text_of(row, "party") == party;
    Ok(answer
        .rows
        .iter()
        .find(of_party)
        .cloned()
        .unwrap_or_default())
}

pub(super) fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Records the EU has accepted so far, as CERT-UA sees it.
fn accepted(ua: &Node) -> anyhow::Result<u64> {
    let answer = ua.ok(&["peer", "show", "eu"])?;
    Ok(answer
        .last()
        .pointer("/deliveries/accepted")
        .and_then(Value::as_u64)
        .unwrap_or(0))
}

/// The bundles of a folder, published by CERT-UA under TLP:GREEN.
pub(super) fn real(cast: &Cast, dir: &std::path::Path, stage: &mut Stage) -> anyhow::Result<()> {
    stage.step(&format!("Real data: every bundle of `{}`", dir.display()));
    let path = dir.to_string_lossy().into_owned();
    let answer = stage.answer(
        &cast.ua,
        &[
            "import",
            &path,
            "--collection",
            "shared",
            "--tlp",
            "green",
            "--by",
            "olena",
        ],
    )?;
    stage.quote(answer.get("results").unwrap_or(&Value::Null));
    let settled = wait(Duration::from_secs(300), || {
        let shown = cast.ua.ok(&["peer", "show", "eu"])?;
        let count = |state: &str| {
            shown
                .last()
                .pointer(&format!("/deliveries/{state}"))
                .and_then(Value::as_u64)
                .unwrap_or(0)
        };
        let looked = shown.last().get("lag").and_then(Value::as_u64) == Some(0);
        Ok(looked && count("queued") == 0 && count("sent") == 0)
    })?;
    stage.check(
        "all of it was handed over to the EU, or a reason is kept for each record that was not",
        settled,
    );
    Ok(())
}
