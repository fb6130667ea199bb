//! What the tests share.

use comity_stix::bundle::Reader;
use comity_stix::json::Limits;
use comity_stix::validate::{Checked, Options, check};
use serde_json::Value;

/// One object of every type, with every property the standard gives it. The identifiers of observables were computed by
/// another implementation.
pub(crate) const EVERY_TYPE: &str = include_str!("data/every-type.json");

/// The first object of `object_type` in [`EVERY_TYPE`].
pub(crate) fn sample(object_type: &str) -> Value {
    let bundle: Value = serde_json::from_str(EVERY_TYPE).unwrap();
    let objects = bundle["objects"].as_array().unwrap().clone();
    objects
        .into_iter()
        .find(|object| object["type"] == object_type)
        .unwrap()
}

/// That sample with members changed: `null` takes one away.
pub(crate) fn with(object_type: &str, changes: Value) -> Value {
    let mut object = sample(object_type);
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

pub(crate) fn checked(object: &Value) -> Checked {
    check(object.to_string().as_bytes(), &Options::default())
}

/// Codes of everything found in `object`, in order.
pub(crate) fn found(object: &Value) -> Vec<&'static str> {
    checked(object)
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect()
}

/// Asserts that `object` is refused, and for that reason.
#[track_caller]
pub(crate) fn refused(object: &Value, code: &str) {
    let checked = checked(object);
    assert!(checked.object.is_none(), "accepted: {object}");
    assert!(
        checked
            .findings
            .iter()
            .any(|finding| finding.code == code && finding.is_error()),
        "{:?}",
        checked.findings
    );
}

/// Asserts that `object` is taken with a warning of that code.
#[track_caller]
pub(crate) fn warned(object: &Value, code: &str) {
    let checked = checked(object);
    assert!(checked.object.is_some(), "refused: {:?}", checked.findings);
    assert!(
        checked
            .findings
            .iter()
            .any(|finding| finding.code == code && !finding.is_error()),
        "{:?}",
        checked.findings
    );
}

/// Asserts that nothing at all is found.
#[track_caller]
pub(crate) fn clean(object: &Value) {
    let checked = checked(object);
    assert!(
        checked.object.is_some() && checked.findings.is_empty(),
        "{:?}",
        checked.findings
    );
}

/// The objects of a bundle as they stand in it.
pub(crate) fn objects(text: &[u8]) -> Vec<Vec<u8>> {
    Reader::new(text, Limits::default())
        .map(|raw| raw.unwrap().bytes)
        .collect()
}

/// A data file of the exercise, when the data is there: `COMITY_DATA`, else `../shared/data` beside the workspace.
pub(crate) fn data(name: &str) -> Option<Vec<u8>> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("COMITY_DATA").map_or(beside, Into::into);
    let file = root.join(name);
    if let Ok(text) = std::fs::read(&file) {
        return Some(text);
    }
    let mut zipped = file.into_os_string();
    zipped.push(".gz");
    let output = std::process::Command::new("gzip")
        .arg("-dc")
        .arg(zipped)
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}
