//! Real data: both ATT&CK bundles pass and come back as they were. Skipped where the data is not.

use crate::support::{data, objects};
use comity_stix::validate::{Checker, Options};

#[test]
fn enterprise_attack_passes() {
    passes("attack/enterprise-attack.json", 24_771);
}

#[test]
fn ics_attack_passes() {
    passes("attack/ics-attack.json", 1_826);
}

fn passes(name: &str, count: usize) {
    let Some(text) = data(name) else { return };
    let objects = objects(&text);
    assert_eq!(objects.len(), count);
    let mut checker = Checker::new(Options::default());
    for bytes in objects {
        let checked = checker.check(&bytes);
        let object = checked
            .object
            .unwrap_or_else(|| panic!("{:?}", checked.findings));
        assert_eq!(object.bytes(), bytes);
    }
}
