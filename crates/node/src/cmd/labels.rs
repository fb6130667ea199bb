//! What a file says beside its objects about their handling, kept until each object comes by.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use comity_stix::timestamp::Timestamp;
use serde::Deserialize;

use crate::handling::{SidecarError, SidecarItem, read_line};
use crate::intake::STABLE_KEY;

/// Lines of `x_comity_handling` by record; about 250 octets each, for labels are few and kept once.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    lines: HashMap<(String, String), Line>,
    texts: HashSet<Arc<str>>,
}

#[derive(Debug)]
struct Line {
    version: Box<str>,
    label: Arc<str>,
    leaf: Box<str>,
    entry: u64,
    salt: Option<Box<str>>,
}

impl Labels {
    /// Keeps one line.
    ///
    /// # Errors
    /// When it is none that the node would take.
    pub(crate) fn add(&mut self, text: &[u8]) -> Result<(), SidecarError> {
        let (key, _) = read_line(text)?;
        let item: SidecarItem =
            serde_json::from_slice(text).map_err(|error| SidecarError::Json(error.to_string()))?;
        let known = self.texts.get(item.label.as_str()).cloned();
        let label = known.unwrap_or_else(|| {
            let label: Arc<str> = item.label.as_str().into();
            self.texts.insert(Arc::clone(&label));
            label
        });
        let line = Line {
            version: item.version.into(),
            label,
            leaf: item.leaf.into(),
            entry: item.entry,
            salt: item.salt.map(Into::into),
        };
        self.lines.insert(key, line);
        Ok(())
    }

    /// The line for an object, as it goes to the node. An object that cannot be read has none, and is refused for that.
    pub(crate) fn of(&self, object: &[u8]) -> Option<String> {
        if self.lines.is_empty() {
            return None;
        }
        let key: Key = serde_json::from_slice(object).ok()?;
        let version = key.modified.or(key.created);
        let version = match version {
            Some(text) => Timestamp::parse(&text).ok()?.key().to_owned(),
            None => STABLE_KEY.to_owned(),
        };
        let line = self.lines.get(&(key.id.clone(), version))?;
        let item = SidecarItem {
            id: key.id,
            version: line.version.to_string(),
            label: line.label.to_string(),
            leaf: line.leaf.to_string(),
            entry: line.entry,
            salt: line.salt.as_deref().map(str::to_owned),
        };
        serde_json::to_string(&item).ok()
    }
}

#[derive(Deserialize)]
struct Key {
    id: String,
    modified: Option<String>,
    created: Option<String>,
}
