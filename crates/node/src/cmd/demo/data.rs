//! The synthetic data of the demo: nobody's real infrastructure. Addresses are those reserved for documentation (RFC 5737,
//! RFC 2606), the hash is of no file, the group does not exist.

use serde_json::{Value, json};

/// What UA publishes in the demo, as bundles.
pub(super) struct Story {
    /// Indicators, malware, relations and a report about them, for one partner.
    pub(super) campaign: Value,
    /// A note for one person.
    pub(super) note: Value,
    /// A report for the whole community.
    pub(super) advisory: Value,
    /// Many small indicators, to be under way when a node is killed.
    pub(super) bulk: Value,
    /// The indicator that is withdrawn later.
    pub(super) wrong: String,
    /// The note's identifier.
    pub(super) note_id: String,
    /// The advisory's identifier.
    pub(super) advisory_id: String,
    /// The campaign report's identifier.
    pub(super) report_id: String,
}

/// When everything in it was made.
pub(super) const CREATED: &str = "2021-06-03T09:00:00.000Z";

/// A fixed identifier that has the form of UUID version 4 (STIX 2.1 section 2.9), so that every demo tells the same story.
fn id(object_type: &str, number: u32) -> String {
    format!("{object_type}--5afe0000-2021-4603-8c0d-{number:012x}")
}

fn common(object_type: &str, number: u32, properties: Value) -> Value {
    let mut object = json!({
        "type": object_type, "spec_version": "2.1", "id": id(object_type, number), "created": CREATED, "modified": CREATED,
    });
    if object_type != "identity" {
        merge(&mut object, json!({ "created_by_ref": id("identity", 1) }));
    }
    merge(&mut object, properties);
    object
}

fn merge(object: &mut Value, properties: Value) {
    if let (Some(object), Value::Object(properties)) = (object.as_object_mut(), properties) {
        object.extend(properties);
    }
}

fn indicator(number: u32, name: &str, pattern: &str) -> Value {
    common(
        "indicator",
        number,
        json!({
            "name": name, "pattern": pattern, "pattern_type": "stix", "pattern_version": "2.1", "valid_from": CREATED,
            "indicator_types": ["malicious-activity"],
        }),
    )
}

fn bundle(number: u32, objects: &[Value]) -> Value {
    json!({ "type": "bundle", "id": id("bundle", number), "objects": objects })
}

/// Everything the demo publishes.
pub(super) fn story() -> Story {
    let malware = common(
        "malware",
        20,
        json!({ "name": "NightFerry (exercise)", "is_family": true, "malware_types": ["wiper"],
                "description": "A wiper invented for this exercise; it does not exist." }),
    );
    let indicators = [
        (
            "Command server of NightFerry",
            "[ipv4-addr:value = '192.0.2.17']",
        ),
        (
            "Second command server of NightFerry",
            "[ipv4-addr:value = '198.51.100.44']",
        ),
        (
            "Staging server of NightFerry",
            "[ipv4-addr:value ISSUBSET '203.0.113.0/28']",
        ),
        (
            "Update domain of NightFerry",
            "[domain-name:value = 'update.nightferry.example']",
        ),
        (
            "Phishing page",
            "[url:value = 'https://portal.energy.example/login']",
        ),
        (
            "Installer of NightFerry",
            "[file:hashes.'SHA-256' = '5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe5afe']",
        ),
    ];
    let mut objects = vec![
        common(
            "identity",
            1,
            json!({ "name": "CERT-UA (exercise)", "identity_class": "organization", "sectors": ["government"] }),
        ),
        malware,
    ];
    let mut named = vec![id("malware", 20)];
    for (number, (name, pattern)) in (100..).zip(indicators) {
        named.push(id("indicator", number));
        objects.push(indicator(number, name, pattern));
        objects.push(common(
            "relationship",
            number + 100,
            json!({ "relationship_type": "indicates", "source_ref": id("indicator", number), "target_ref": id("malware", 20) }),
        ));
    }
    objects.push(common(
        "report",
        30,
        json!({ "name": "NightFerry against energy suppliers (exercise)", "report_types": ["campaign"], "published": CREATED,
                "description": "Six indicators seen at two suppliers; watch for them, and tell us of sightings.",
                "object_refs": named }),
    ));
    let note = common(
        "note",
        40,
        json!({ "abstract": "For the officer only", "object_refs": [id("indicator", 100)],
                "content": "The command server is watched by a court order until Friday. Do not block it, do not pass this on." }),
    );
    let advisory = common(
        "report",
        31,
        json!({ "name": "Advisory: patch remote management of substations (exercise)", "report_types": ["vulnerability"],
                "published": CREATED, "object_refs": [id("malware", 20)],
                "description": "Close remote management to the internet and change its passwords." }),
    );
    let bulk: Vec<Value> = (0..BULK)
        .map(|number| {
            indicator(
                1_000 + number,
                &format!("Scanner {number}"),
                &format!("[domain-name:value = 'scan-{number}.example.net']"),
            )
        })
        .collect();
    Story {
        campaign: bundle(1, &objects),
        note: bundle(2, &[note]),
        advisory: bundle(3, &[advisory]),
        bulk: bundle(4, &bulk),
        wrong: id("indicator", 104),
        note_id: id("note", 40),
        advisory_id: id("report", 31),
        report_id: id("report", 30),
    }
}

/// Records under way when the receiving node is killed.
pub(super) const BULK: u32 = 3_000;

#[cfg(test)]
mod tests {
    use comity_stix::validate::{Options, check};

    #[test]
    fn every_object_is_valid_stix() {
        let story = super::story();
        for bundle in [&story.campaign, &story.note, &story.advisory, &story.bulk] {
            for object in bundle["objects"].as_array().unwrap() {
                let checked = check(object.to_string().as_bytes(), &Options::default());
                assert!(
                    checked.findings.is_empty(),
                    "{object}: {:?}",
                    checked.findings
                );
            }
        }
    }
}
