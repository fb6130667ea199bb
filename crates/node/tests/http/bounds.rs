//! What one delivery may bring.

use crate::support::{COLLECTION, TestNode, indicator};

/// Twenty thousand labels in one envelope made every page slow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_envelope_brings_so_many_labels_and_no_more() {
    let node = TestNode::start().await;
    let objects: Vec<String> = (0..=comity_node::limits::LABEL_SETS_NEW_MAX)
        .map(|number| {
            let mut object: serde_json::Value =
                serde_json::from_str(&indicator(u32::try_from(number).unwrap(), false)).unwrap();
            let marking = format!("marking-definition--22222222-2222-4222-8222-{number:012}");
            object["name"] = "n".into();
            object["granular_markings"] =
                serde_json::json!([{ "marking_ref": marking, "selectors": ["name"] }]);
            object.to_string()
        })
        .collect();
    let body = format!(r#"{{"objects":[{}]}}"#, objects.join(","));
    let path = format!("/ua/collections/{COLLECTION}/objects/");
    let answer = node.send(Some("olena@ua"), "POST", &path, &body).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    assert_eq!(
        answer.json["failure_count"], 1,
        "{}",
        answer.json["failures"]
    );
    let why = answer.json["failures"][0]["message"].as_str().unwrap();
    assert!(why.contains("labels"), "{why}");
}
