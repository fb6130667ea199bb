//! Clause 3.8: reserved names.

use crate::support::{refused, with};
use serde_json::json;

#[test]
fn c3_8_reserved_names_do_not_appear() {
    for name in ["severity", "username", "phone_number", "action"] {
        refused(
            &with("campaign", json!({name: "x"})),
            "stix.property.reserved",
        );
        refused(&with("mutex", json!({name: "x"})), "stix.property.reserved");
    }
}
