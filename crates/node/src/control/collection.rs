//! Collections, who may use them, and for whom records in them are meant.

use comity_access::{PartyId, PrincipalId, Role};
use comity_store::{Admin, Collection as Row, CollectionKey, Grant, Subject};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ControlError, ErrorKind, Output};
use crate::app::App;
use crate::catalog::{audience_setting, audience_text, parse_audience};
use crate::clock::micros_to_text;

/// What to do with collections.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Collection {
    /// Make one.
    Add {
        /// Another name in paths.
        alias: String,
        /// UUID; made up when not given.
        id: Option<String>,
        /// The rest.
        change: Box<Change>,
    },
    /// All, as rows.
    List,
    /// Change one.
    Change {
        /// Alias or UUID.
        name: String,
        /// What changes; what is not given stays.
        change: Box<Change>,
    },
    /// Remove an empty one.
    Remove(String),
}

/// Properties of a collection; `None` stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Change {
    /// TAXII title.
    pub title: Option<String>,
    /// TAXII description.
    pub description: Option<String>,
    /// Who may read: a user, `role:ROLE`, `party:PARTY` or `everyone`.
    pub read: Option<Vec<String>>,
    /// Who may add.
    pub write: Option<Vec<String>>,
    /// Who may delete.
    pub delete: Option<Vec<String>>,
    /// Parties and persons for whom records are meant that come without an audience.
    pub audience: Option<Vec<String>>,
}

/// The media type of STIX 2.1 (TAXII 2.1 section 1.6.8.4).
const MEDIA_TYPE: &str = "application/stix+json;version=2.1";

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: Collection,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Collection::Add { alias, id, change } => add(app, actor, alias, id, *change),
        Collection::List => {
            let catalog = app.catalog();
            for row in catalog.collections() {
                output.row(shown(app, row.key)?)?;
            }
            Ok(json!({ "collections": catalog.collections().len() }))
        }
        Collection::Change { name, change } => {
            let row = find(app, &name)?;
            put(app, actor, row, *change)
        }
        Collection::Remove(name) => {
            let row = find(app, &name)?;
            app.administer_blocking(actor, Admin::DropCollection(row.key))
                .map_err(|error| {
                    ControlError::from(error).help(
                        "only an empty collection can be removed; take away its grants instead",
                    )
                })?;
            Ok(json!({ "removed": row.alias.unwrap_or(row.uuid) }))
        }
    }
}

/// A collection by alias or UUID.
pub(super) fn find(app: &App, name: &str) -> Result<Row, ControlError> {
    let found = app.catalog().collection(name).map(|row| Row::clone(row));
    found.ok_or_else(|| {
        ControlError::not_found("collection", name).help("`comity collection list` shows them")
    })
}

/// How people call a collection.
pub(super) fn name_of(app: &App, key: CollectionKey) -> String {
    let catalog = app.catalog();
    catalog.collection_by_key(key).map_or_else(
        || key.0.to_string(),
        |row| row.alias.clone().unwrap_or_else(|| row.uuid.clone()),
    )
}

fn add(
    app: &App,
    actor: &str,
    alias: String,
    id: Option<String>,
    change: Change,
) -> Result<Value, ControlError> {
    check_alias(&alias)?;
    let uuid = match id {
        Some(id) => {
            let uuid = uuid::Uuid::parse_str(&id)
                .map_err(|error| ControlError::usage(format!("`{id}` is not a UUID: {error}")))?;
            uuid.hyphenated().to_string()
        }
        None => crate::entropy::uuid_v4(&*app.entropy)
            .map_err(ControlError::internal)?
            .hyphenated()
            .to_string(),
    };
    for name in [alias.as_str(), uuid.as_str()] {
        if app.catalog().collection(name).is_some() {
            return Err(ControlError::new(
                ErrorKind::Taken,
                format!("there is a collection `{name}` already"),
            ));
        }
    }
    let row = Row {
        key: CollectionKey(0),
        uuid,
        title: alias.clone(),
        alias: Some(alias),
        description: None,
        media_types: vec![MEDIA_TYPE.to_owned()],
        grants: Vec::new(),
        created: app.clock.now_micros(),
    };
    put(app, actor, row, change)
}

/// An alias stands in paths beside UUIDs, so it must not look like one, nor need escaping.
fn check_alias(alias: &str) -> Result<(), ControlError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let shape =
        (1..=64).contains(&alias.len()) && alias.bytes().all(allowed) && !alias.starts_with('.');
    if shape && uuid::Uuid::parse_str(alias).is_err() {
        Ok(())
    } else {
        Err(ControlError::usage(format!("`{alias}` cannot be an alias"))
            .help("1 to 64 letters, digits and `-_.`, not a UUID"))
    }
}

fn put(app: &App, actor: &str, mut row: Row, change: Change) -> Result<Value, ControlError> {
    let audience = change.audience.as_deref().map(audience).transpose()?;
    row.title = change.title.unwrap_or(row.title);
    row.description = change.description.or(row.description);
    for (who, right) in [
        (change.read, Right::Read),
        (change.write, Right::Write),
        (change.delete, Right::Delete),
    ] {
        if let Some(who) = who {
            grant(app, &mut row.grants, &who, right)?;
        }
    }
    let uuid = row.uuid.clone();
    app.administer_blocking(actor, Admin::PutCollection(row))?;
    if let Some(value) = audience {
        let value = (!value.is_empty()).then_some(value);
        app.administer_blocking(
            actor,
            Admin::Setting {
                name: audience_setting(&uuid),
                value,
            },
        )?;
    }
    let key = find(app, &uuid)?.key;
    shown(app, key)
}

#[derive(Clone, Copy)]
enum Right {
    Read,
    Write,
    Delete,
}

impl Right {
    fn of(self, grant: &mut Grant) -> &mut bool {
        match self {
            Self::Read => &mut grant.read,
            Self::Write => &mut grant.write,
            Self::Delete => &mut grant.delete,
        }
    }
}

/// Gives `right` to exactly `who`.
fn grant(
    app: &App,
    grants: &mut Vec<Grant>,
    who: &[String],
    right: Right,
) -> Result<(), ControlError> {
    for grant in grants.iter_mut() {
        *right.of(grant) = false;
    }
    for word in who {
        let subject = subject(app, word)?;
        let place = match grants.iter().position(|grant| grant.subject == subject) {
            Some(place) => place,
            None => {
                grants.push(Grant {
                    subject,
                    read: false,
                    write: false,
                    delete: false,
                });
                grants.len().saturating_sub(1)
            }
        };
        if let Some(grant) = grants.get_mut(place) {
            *right.of(grant) = true;
        }
    }
    grants.retain(|grant| grant.read || grant.write || grant.delete);
    Ok(())
}

fn subject(app: &App, word: &str) -> Result<Subject, ControlError> {
    let usage = |error: &dyn std::fmt::Display| {
        ControlError::usage(error.to_string())
            .help("WHO is a user, `role:ROLE`, `party:PARTY` or `everyone`")
    };
    match word.split_once(':') {
        None if word == "everyone" => Ok(Subject::Everyone),
        Some(("role", role)) => {
            let role: Role = role.parse().map_err(|error| usage(&error))?;
            Ok(Subject::Role(role.word().to_owned()))
        }
        Some(("party", party)) => Ok(Subject::Party(
            PartyId::parse(party)
                .map_err(|error| usage(&error))?
                .as_str()
                .to_owned(),
        )),
        Some(_) => Err(usage(&format!("`{word}` names nobody"))),
        None => {
            let full = app.full_name(word);
            PrincipalId::parse(&full).map_err(|error| usage(&error))?;
            if app.catalog().principal(&full).is_none() {
                return Err(ControlError::not_found("user", &full)
                    .help("make the user first, or grant to a role or a party"));
            }
            Ok(Subject::Principal(full))
        }
    }
}

/// Checks each word of an audience and joins them.
pub(super) fn audience(words: &[String]) -> Result<String, ControlError> {
    for word in words {
        let good = if word.contains('@') {
            PrincipalId::parse(word).map(|_| ())
        } else {
            PartyId::parse(word).map(|_| ())
        };
        good.map_err(|error| ControlError::usage(error.to_string()))?;
    }
    Ok(audience_text(&parse_audience(&words.join(","))))
}

fn shown(app: &App, key: CollectionKey) -> Result<Value, ControlError> {
    let catalog = app.catalog();
    let Some(row) = catalog.collection_by_key(key) else {
        return Ok(Value::Null);
    };
    let who = |right: Right| -> Vec<String> {
        let given = row
            .grants
            .iter()
            .filter(|grant| *right.of(&mut Grant::clone(grant)));
        given.map(|grant| subject_text(&grant.subject)).collect()
    };
    Ok(json!({
        "alias": row.alias,
        "id": row.uuid,
        "title": row.title,
        "description": row.description,
        "read": who(Right::Read),
        "write": who(Right::Write),
        "delete": who(Right::Delete),
        "audience": audience_text(&catalog.audience(key)),
        "records": app.store.count(&app.release.everything()?, Some(key))?,
        "created": micros_to_text(row.created),
    }))
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Principal(name) => name.clone(),
        Subject::Role(role) => format!("role:{role}"),
        Subject::Party(party) => format!("party:{party}"),
        Subject::Everyone => "everyone".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases() {
        for good in ["indicators", "shared_2026", "a"] {
            assert!(check_alias(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a/b",
            ".hidden",
            "0b8b3d5a-1c53-4d2c-9d5d-9e3a5b8a4d10",
        ] {
            assert!(check_alias(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_audience_is_checked_word_by_word() {
        let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            audience(&words("eu,ee,olena@ua")).unwrap(),
            "ee,eu,olena@ua"
        );
        assert!(audience(&words("EU")).is_err());
    }
}
