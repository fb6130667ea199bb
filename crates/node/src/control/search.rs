//! Finding records by words or by identifier, within what the asking person may read.

use comity_store::{SearchQuery, Seq};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::person::Eyes;
use super::{ControlError, Output, collection};
use crate::app::App;
use crate::search;

/// What to look for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Search {
    /// Words, or an identifier or its beginning.
    pub text: String,
    /// As whom; the local officer when not given.
    pub reader: Option<String>,
    /// Only in this collection.
    pub collection: Option<String>,
    /// Only these types.
    pub types: Vec<String>,
    /// Only records from this party.
    pub origin: Option<String>,
    /// Older versions too.
    pub all_versions: bool,
    /// Most hits.
    pub limit: usize,
    /// The `seq` of the last hit of the page before.
    pub after: Option<i64>,
}

/// Most hits of one page.
const LIMIT_MAX: usize = 10_000;

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: Search,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let eyes = Eyes::of(app, actor, command.reader.as_deref())?;
    let key = command
        .collection
        .as_deref()
        .map(|name| collection::find(app, name))
        .transpose()?
        .map(|row| row.key);
    let (text, identifier) = if is_identifier(&command.text) {
        (None, Some(command.text))
    } else {
        (Some(command.text), None)
    };
    let limit = command.limit.clamp(1, LIMIT_MAX);
    let query = SearchQuery {
        scope: eyes.scope(app, key)?,
        text,
        identifier,
        types: command.types,
        collection: key,
        origin: command.origin,
        last_only: !command.all_versions,
        limit,
        cursor: command.after.map(Seq),
    };
    let found = search::search(app, &eyes.reader, query)?;
    let (count, last) = (
        found.hits.len(),
        found.hits.last().map(|(hit, _)| hit.seq.0),
    );
    for (hit, bytes) in &found.hits {
        let summary = summary(bytes);
        let label = app.release.label(hit.label_set)?;
        output.row(json!({
            "seq": hit.seq.0,
            "id": hit.id,
            "type": hit.object_type,
            "version": hit.version,
            "label": label.tlp().to_string(),
            "from": hit.origin,
            "summary": summary,
        }))?;
    }
    Ok(json!({ "hits": count, "more": found.next.is_some(), "last": last }))
}

/// Words with `--` after a type name are an identifier; no word people search for looks so.
fn is_identifier(text: &str) -> bool {
    text.split_once("--").is_some_and(|(kind, rest)| {
        comity_stix::id::is_type_name(kind)
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    })
}

/// The property by which a person knows an object.
pub(super) fn summary(bytes: &[u8]) -> String {
    const SAYING: &[&str] = &[
        "name",
        "value",
        "pattern",
        "abstract",
        "opinion",
        "relationship_type",
        "path",
        "key",
        "subject",
        "content",
        "definition",
        "description",
    ];
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(bytes) else {
        return String::new();
    };
    let said = SAYING
        .iter()
        .find_map(|key| object.get(*key).and_then(Value::as_str))
        .unwrap_or_default();
    said.chars()
        .take(SUMMARY_CHARACTERS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

const SUMMARY_CHARACTERS: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_told_from_words() {
        assert!(is_identifier("indicator--8e2e2d2b") && is_identifier("malware--"));
        assert!(!is_identifier("ransomware -- a story") && !is_identifier("phishing"));
    }

    #[test]
    fn a_summary_is_the_name_or_what_comes_nearest() {
        assert_eq!(
            summary(br#"{"type":"malware","name":"Industroyer"}"#),
            "Industroyer"
        );
        assert_eq!(
            summary(br#"{"type":"ipv4-addr","value":"198.51.100.3"}"#),
            "198.51.100.3"
        );
        assert_eq!(summary(b"no json"), "");
    }
}
