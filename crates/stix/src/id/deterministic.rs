//! Deterministic identifiers of observables: UUIDv5 over the canonical JSON of the contributing properties (2.9, 3.4).

use super::{Identifier, IdentifierError, NAMESPACE};
use crate::canonical;
use crate::json::Value;
use crate::model;
use uuid::Uuid;

/// Hash algorithms in the order in which one is taken (6.1, 6.7, 6.18).
const HASH_ORDER: [&str; 4] = ["MD5", "SHA-1", "SHA-256", "SHA-512"];

/// The identifier that 2.9 computes for an observable; `None` when its type has no such rule or none of the
/// contributing properties is present, so that a random UUIDv4 has to be used.
///
/// # Errors
/// When the object's type name cannot stand in an identifier.
pub fn deterministic_id(object: Value<'_>) -> Result<Option<Identifier>, IdentifierError> {
    let Some(object_type) = object.get("type").and_then(|value| value.as_str()) else {
        return Ok(None);
    };
    let Some(model) = model::object_type(object_type) else {
        return Ok(None);
    };
    deterministic_id_of(object, object_type, model.contributing)
}

/// As [`deterministic_id`], with the contributing properties given.
///
/// # Errors
/// As [`deterministic_id`].
pub fn deterministic_id_of(
    object: Value<'_>,
    object_type: &str,
    contributing: &[&str],
) -> Result<Option<Identifier>, IdentifierError> {
    let mut parts: Vec<(&str, Vec<u8>)> = Vec::new();
    for name in contributing {
        let Some(value) = object.get(name) else {
            continue;
        };
        let text = if *name == "hashes" {
            one_hash(value)
        } else {
            Some(canonical::canonical(value))
        };
        if let Some(text) = text {
            parts.push((name, text));
        }
    }
    if parts.is_empty() {
        return Ok(None);
    }
    // property names are ASCII, whose order by bytes is that by UTF-16 units (RFC 8785 3.2.3)
    parts.sort_unstable_by_key(|(name, _)| *name);
    let mut name = vec![b'{'];
    for (index, (key, text)) in parts.iter().enumerate() {
        if index > 0 {
            name.push(b',');
        }
        name.push(b'"');
        name.extend_from_slice(key.as_bytes());
        name.extend_from_slice(b"\":");
        name.extend_from_slice(text);
    }
    name.push(b'}');
    Identifier::new(object_type, Uuid::new_v5(&NAMESPACE, &name)).map(Some)
}

/// The `hashes` dictionary with only the one hash that counts: the first known algorithm, else the first key in order.
fn one_hash(hashes: Value<'_>) -> Option<Vec<u8>> {
    let known = HASH_ORDER
        .iter()
        .find_map(|name| hashes.get(name).map(|value| (*name, value)));
    let (name, value) = known.or_else(|| {
        hashes
            .members()
            .map(|member| (member.name(), member.value))
            .min_by_key(|(name, _)| *name)
    })?;
    let mut text = vec![b'{'];
    canonical::string(name, &mut text);
    text.push(b':');
    canonical::write(value, &mut text);
    text.push(b'}');
    Some(text)
}
