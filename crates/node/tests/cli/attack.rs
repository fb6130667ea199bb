//! MITRE ATT&CK, when the data is here: explained in, equal out.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::{Node, data};

#[test]
fn ics_attack_comes_out_equal() {
    round_trip("attack/ics-attack.json");
}

#[test]
#[ignore = "half a minute in a debug build; scripts/test runs it"]
fn enterprise_attack_comes_out_equal() {
    round_trip("attack/enterprise-attack.json.gz");
}

fn round_trip(name: &str) {
    let Some(path) = data()
        .map(|folder| folder.join(name))
        .filter(|path| path.exists())
    else {
        return;
    };
    let node = Node::new();
    let before = objects(&path);
    let rows = node.json(&[
        "import",
        &path.display().to_string(),
        "-c",
        "shared",
        "--tlp",
        "clear",
    ]);
    assert_eq!(
        rows.iter().filter(|row| row["result"] == "new").count(),
        before.len()
    );
    let out = node.path("out.json");
    node.ok(&["export", "-c", "shared", "-o", &out]);
    let after = objects(Path::new(&out));
    assert_eq!(before.len(), after.len());
    for (id, object) in &before {
        assert_eq!(after.get(id), Some(object), "{id}");
    }
    let rows = node.json(&[
        "import",
        &path.display().to_string(),
        "-c",
        "shared",
        "--tlp",
        "clear",
    ]);
    assert_eq!(
        rows.iter().filter(|row| row["result"] == "known").count(),
        before.len()
    );
}

fn objects(path: &Path) -> BTreeMap<String, Value> {
    let mut text = Vec::new();
    let mut file = std::fs::File::open(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file)
            .read_to_end(&mut text)
            .unwrap();
    } else {
        file.read_to_end(&mut text).unwrap();
    }
    let mut bundle: Value = serde_json::from_slice(&text).unwrap();
    let Value::Array(objects) = bundle["objects"].take() else {
        panic!("no bundle")
    };
    objects
        .into_iter()
        .map(|object| (object["id"].as_str().unwrap().to_owned(), object))
        .collect()
}
