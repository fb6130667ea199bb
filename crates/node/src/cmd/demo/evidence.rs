//! An exhibit is sealed in Ukraine and handed over to the EU: what was sealed is what arrives, and both sign for it.

use std::path::Path;

use comity_evidence::{Hex, sha256};
use serde_json::Value;

use super::stage::Stage;
use super::story::{Cast, text_of};

/// An exhibit that the EU now holds.
pub(super) struct HandedOver {
    /// What people call it.
    pub(super) number: String,
}

const AT_UA: [&str; 4] = ["--basis", "warrant 12/2026", "--place", "Kyiv"];
/// What the EU says of each of its acts.
pub(super) const AT_EU: [&str; 4] = ["--basis", "request 7/2026", "--place", "Brussels"];

/// What was seized: the first part of a disk's image, and a log.
const FOLDER: &str = "seized";
const IMAGE_BYTES: usize = 2 << 20;

/// Seals, hands over, and compares what both sides have.
pub(super) fn evidence(cast: &Cast, root: &Path, stage: &mut Stage) -> anyhow::Result<HandedOver> {
    let Cast { ua, eu, ee, .. } = cast;
    stage.step("Evidence: a disk image and a log, sealed in Ukraine and handed over to the EU");
    let files = seized();
    let folder = root.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    let mut bytes = 0;
    for (name, content) in &files {
        std::fs::write(folder.join(name), content)?;
        bytes += content.len();
    }
    stage.tell(&format!(
        "(made up for this demo: {} files, {bytes} octets)",
        files.len()
    ));
    for (node, person) in [(ua, "olena"), (ua, "taras"), (eu, "jean")] {
        stage.run(node, &["evidence", "key", "new", person, "--by", person])?;
    }
    let path = folder.to_string_lossy();
    let mut words = vec!["evidence", "seal", &path, "--title", "Laptop, serial 4711"];
    words.extend(AT_UA);
    words.extend(["--by", "olena"]);
    let sealed = stage.answer(ua, &words)?;
    let (id, number) = (text_of(&sealed, "id"), text_of(&sealed, "number"));
    let list_sha256 = text_of(&sealed, "items_sha256");
    stage.tell(&format!(
        "{number}: list of items under SHA-256 {list_sha256}"
    ));

    let mut words = vec!["evidence", "send", number, "--to", "eu"];
    words.extend(AT_UA);
    words.extend(["--by", "taras"]);
    stage.run(ua, &words)?;
    let away = ua.run(&open(number))?;
    stage.check(
        "while it is on its way CERT-UA can do nothing with it",
        !away.success
            && ua
                .ok(&["evidence", "show", number])?
                .last()
                .get("handed_to")
                == Some(&"eu".into()),
    );
    let mut words = vec!["evidence", "receive", id, "--from", "ua"];
    words.extend(AT_EU);
    words.extend(["--by", "jean"]);
    let received = stage.answer(eu, &words)?;
    stage.check(
        "the EU holds it, and CERT-UA has taken the EU's answer",
        text_of(&received, "holder") == "eu"
            && received.get("answered").and_then(Value::as_bool) == Some(true),
    );

    stage.shown(eu.party, &["evidence", "check", number, "--by", "jean"]);
    let checked = eu.run(&["evidence", "check", number, "--by", "jean"])?;
    let shown = eu.ok(&["evidence", "show", number, "--items"])?;
    let items = shown.last().get("items_list").and_then(Value::as_array);
    let there: Vec<&str> = items
        .into_iter()
        .flatten()
        .map(|item| text_of(item, "sha256"))
        .collect();
    let same = files
        .iter()
        .filter(|(_, content)| there.contains(&Hex(&sha256(content)).to_string().as_str()))
        .count();
    stage.check(
        &format!(
            "hashed again at the EU: {same} of {} files have the SHA-256 of what was seized",
            files.len()
        ),
        checked.success
            && same == files.len()
            && there.len() == files.len()
            && text_of(shown.last(), "items_sha256") == list_sha256,
    );
    let giver = ua.ok(&["evidence", "show", number])?;
    let custody = [
        (ua, Custody::of(giver.last())),
        (eu, Custody::of(shown.last())),
    ];
    stage.tell(&format!("custody: {}", custody[0].1.told));
    for (node, custody) in &custody {
        stage.check(
            &format!(
                "{}: {} of {} events of the custody are signed by a person and by their authority",
                node.name, custody.signed, custody.events
            ),
            custody.kinds == ["sealed", "transferred", "received"]
                && custody.signed == custody.events,
        );
    }
    stage.check(
        "and CERT-UA has the hand-over counter-signed by Jean and by his authority: its receipt",
        custody[0].1.counter_signed,
    );
    stage.check(
        "CERT-UA holds it no more and cannot open it",
        text_of(giver.last(), "holder") == "eu" && !ua.run(&open(number))?.success,
    );
    stage.check(
        "Estonia knows of no exhibit",
        !ee.run(&["evidence", "show", id])?.success
            && ee.ok(&["evidence", "list"])?.rows.is_empty(),
    );
    Ok(HandedOver {
        number: number.to_owned(),
    })
}

fn open(number: &str) -> Vec<&str> {
    let mut words = vec!["evidence", "open", number];
    words.extend(AT_UA);
    words.extend(["--by", "taras"]);
    words
}

/// What a node's register says of who had an exhibit.
struct Custody<'a> {
    kinds: Vec<&'a str>,
    events: usize,
    signed: usize,
    counter_signed: bool,
    told: String,
}

impl<'a> Custody<'a> {
    fn of(shown: &'a Value) -> Self {
        let custody = shown.get("custody").and_then(Value::as_array);
        let custody = custody.map_or(&[][..], Vec::as_slice);
        let signatures = |event: &Value| {
            let list = event.get("signatures").and_then(Value::as_array);
            list.map_or(0, Vec::len)
        };
        let good = |event: &&Value| {
            event.get("verified").and_then(Value::as_bool) == Some(true) && signatures(event) >= 2
        };
        let told = custody.iter().map(|event| {
            let actor = event.pointer("/actor/name").and_then(Value::as_str);
            format!("{} by {}", text_of(event, "kind"), actor.unwrap_or("?"))
        });
        Self {
            kinds: custody.iter().map(|event| text_of(event, "kind")).collect(),
            events: custody.len(),
            signed: custody.iter().filter(good).count(),
            // person and authority of the giver, person and authority of the receiver
            counter_signed: custody.iter().any(|event| {
                text_of(event, "kind") == "transferred"
                    && text_of(event, "countersigned_by").starts_with("comity.eu/custody/")
                    && signatures(event) == 4
            }),
            told: told.collect::<Vec<_>>().join(", "),
        }
    }
}

/// Octets nobody could mistake for somebody's, the same in every demo.
fn seized() -> [(&'static str, Vec<u8>); 2] {
    // a linear congruential generator is enough to have nothing compress or repeat
    let mut state: u64 = 0x5afe_2021;
    let image = (0..IMAGE_BYTES).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes().first().copied().unwrap_or_default()
    });
    let log = (0..2_000).map(|line| {
        format!(
            "2021-06-03T{:02}:{:02}:00Z relay-{} sshd: accepted key for root from 192.0.2.17\n",
            line / 60 % 24,
            line % 60,
            line % 7
        )
    });
    [
        ("auth.log", log.collect::<String>().into_bytes()),
        ("disk.001", image.collect()),
    ]
}
