//! The STIX records of an exhibit and of a custody event. Types of our own by STIX 2.1 section 7.3 (`new-sdo`); the schemas are
//! in docs/extensions/.

use comity_evidence::Hex;
use comity_evidence::custody::Line;
use comity_evidence::json::{Object, Value};
use comity_store::ExhibitRow;

use crate::clock::micros_to_text;

/// Extension definition of `comity-exhibit`.
pub const EXHIBIT_EXTENSION: &str = "extension-definition--7c9d9a5e-3f0e-4a52-9a52-1d8f6f1f3c01";
/// Extension definition of `comity-custody`.
pub const CUSTODY_EXTENSION: &str = "extension-definition--7c9d9a5e-3f0e-4a52-9a52-1d8f6f1f3c02";

/// The record of an exhibit, as of `modified_micros`.
#[must_use]
pub fn exhibit(row: &ExhibitRow, created_micros: i64, modified_micros: i64) -> Vec<u8> {
    let mut object = common(
        "comity-exhibit",
        &row.id,
        EXHIBIT_EXTENSION,
        created_micros,
        modified_micros,
    );
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("exhibit_number", row.number.as_str().into());
    put("title", row.title.as_str().into());
    put("items", row.items.into());
    put("size", row.size.into());
    put("items_sha256", Hex(&row.items_sha256).to_string().into());
    if let Some(until) = row.retention_until {
        put("retention_until", milliseconds(until).into());
    }
    if let Some(hold) = &row.hold {
        put("legal_hold", hold.as_str().into());
    }
    if let Some(limits) = &row.use_limits {
        put("use_limits", limits.as_str().into());
    }
    Value::Object(object).to_string().into_bytes()
}

/// Identifier of the record that carries an event: the event's own UUID.
#[must_use]
pub fn custody_id(event_id: &str) -> String {
    format!("comity-custody--{event_id}")
}

/// The record of a custody event with the signatures it has at `modified_micros`.
#[must_use]
pub fn custody(line: &Line, created_micros: i64, modified_micros: i64) -> Vec<u8> {
    let event = line.event_unverified();
    let id = custody_id(&event.fields().id);
    let mut object = common(
        "comity-custody",
        &id,
        CUSTODY_EXTENSION,
        created_micros,
        modified_micros,
    );
    object.insert(
        "exhibit_ref".to_owned(),
        event.fields().exhibit.as_str().into(),
    );
    object.insert("event".to_owned(), event.to_value());
    let mut signatures = line.signatures();
    let counter = signatures.split_off(signatures.len().min(2));
    object.insert(
        "signatures".to_owned(),
        signatures.into_iter().map(Value::from).collect(),
    );
    if !counter.is_empty() {
        let counter = counter.into_iter().map(Value::from).collect();
        object.insert("counter_signatures".to_owned(), counter);
    }
    Value::Object(object).to_string().into_bytes()
}

fn common(
    kind: &str,
    id: &str,
    extension: &str,
    created_micros: i64,
    modified_micros: i64,
) -> Object {
    let extension_type = Object::from([("extension_type".to_owned(), "new-sdo".into())]);
    Object::from([
        ("type".to_owned(), kind.into()),
        ("spec_version".to_owned(), "2.1".into()),
        ("id".to_owned(), id.into()),
        ("created".to_owned(), milliseconds(created_micros).into()),
        ("modified".to_owned(), milliseconds(modified_micros).into()),
        (
            "extensions".to_owned(),
            Object::from([(extension.to_owned(), extension_type.into())]).into(),
        ),
    ])
}

/// A time with the three fraction digits STIX wants of `created` and `modified` (section 3.2).
fn milliseconds(micros: i64) -> String {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => micros_to_text(micros),
    }
}
