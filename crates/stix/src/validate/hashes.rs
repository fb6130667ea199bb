//! Hashes (2.7, 10.7).

use super::value;
use super::walk::{Path, Walk, excerpt};
use crate::codes;
use crate::json::{Kind, Value};
use crate::vocabulary::HASH_ALGORITHM_OV;

/// Checks a dictionary of hashes.
pub(super) fn check(walk: &mut Walk<'_>, hashes: Value<'_>, path: &Path<'_>) {
    if hashes.kind() != Kind::Object {
        return value::wrong(walk, "a dictionary of hashes", hashes, path);
    }
    if hashes.is_empty() {
        walk.report(
            &codes::DICTIONARY_EMPTY,
            hashes,
            path,
            "the dictionary of hashes is empty".into(),
        );
    }
    if walk.options.advice && hashes.get("SHA-256").is_none() {
        walk.report(
            &codes::SHA256_MISSING,
            hashes,
            path,
            "there is no SHA-256 among the hashes".into(),
        );
    }
    for member in hashes.members() {
        let (name, below) = (member.name(), path.name(member.name()));
        if name.len() < 3 || !value::is_key(name) {
            walk.report(
                &codes::HASH_KEY,
                member.key,
                &below,
                format!("`{}` cannot name a hash", excerpt(name)),
            );
        } else if !HASH_ALGORITHM_OV.has(name) {
            // several tables say MUST for this open vocabulary, 2.7 and 2.14 say SHOULD and 2.7 shows `x_foo_hash`
            let message = format!(
                "the hash name should come from `hash-algorithm-ov`, which has no `{}`",
                excerpt(name)
            );
            walk.report(&codes::HASH_NAME, member.key, &below, message);
        }
        let Some(hash) = value::string(walk, member.value, &below) else {
            continue;
        };
        if !has_form(name, hash) {
            walk.report(
                &codes::HASH_VALUE,
                member.value,
                &below,
                format!("`{}` is no {name} hash", excerpt(hash)),
            );
        }
    }
}

/// 10.7: the form of a value of the algorithm `name`; anything goes for unknown ones.
fn has_form(name: &str, hash: &str) -> bool {
    let hex =
        |digits: usize| hash.len() == digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name {
        "MD5" => hex(32),
        "SHA-1" => hex(40),
        "SHA-256" | "SHA3-256" => hex(64),
        "SHA-512" | "SHA3-512" => hex(128),
        "SSDEEP" => is_ssdeep(hash),
        "TLSH" => hash.strip_prefix("T1").map_or_else(
            || hex(70),
            |hash| hash.len() == 70 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
        ),
        _ => true,
    }
}

/// `block size : hash : hash of double block size`, in the alphabet of base64.
fn is_ssdeep(hash: &str) -> bool {
    let mut parts = hash.splitn(3, ':');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let letters = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    };
    parts.next().is_some_and(digits)
        && parts.next().is_some_and(letters)
        && parts.next().is_some_and(letters)
}
