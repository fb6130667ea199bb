//! Objects made to cost time or memory.

use crate::support::{checked, with};
use serde_json::json;

#[test]
fn a_hundred_findings_are_enough() {
    let object = with("campaign", json!({"labels": vec![1; 200_000]}));
    let checked = checked(&object);
    assert!(checked.object.is_none());
    assert_eq!(checked.findings.len(), 100);
}

#[test]
fn an_error_behind_many_warnings_still_refuses() {
    let mut object = with("report", json!({"report_types": vec!["own"; 500]}));
    object["zz"] = json!(1);
    let checked = checked(&object);
    assert!(checked.object.is_none());
    assert_eq!(checked.findings.last().unwrap().code, "stix.custom.name");
}

#[test]
fn selectors_are_bounded() {
    let entry = |count| json!({"lang": "uk", "selectors": vec!["labels.[0]"; count]});
    crate::support::clean(&with(
        "campaign",
        json!({"granular_markings": [entry(1_000)]}),
    ));
    crate::support::refused(
        &with("campaign", json!({"granular_markings": [entry(1_001)]})),
        "stix.limit.selectors",
    );
    let entries = vec![entry(1); 1_001];
    crate::support::refused(
        &with("campaign", json!({"granular_markings": entries})),
        "stix.limit.selectors",
    );
}
