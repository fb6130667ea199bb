mod cases;
mod properties;

use comity_stix::granular::{GranularMarking, Redacted, redact};

const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";

/// Redacts what is marked RED.
fn without_red(object: &str) -> Redacted {
    let red = |marking: &GranularMarking| {
        marking
            .marking_ref
            .as_ref()
            .is_some_and(|id| id.as_str() == RED)
    };
    redact(object.as_bytes(), &red).unwrap()
}
