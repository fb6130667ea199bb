//! Why someone can or cannot see something.

use comity_access::{
    Account, Action, Audience, Draft, LabelSet, PartyId, Place, PrincipalId, Reader, Resource, Role,
};
use comity_stix::marking::Tlp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ControlError, Output, collection, person, show};
use crate::app::App;
use crate::catalog::audience_text;

/// What to explain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// One person and one record.
    Explain {
        /// Who.
        reader: String,
        /// STIX identifier.
        record: String,
        /// Version; the latest when not given.
        version: Option<String>,
        /// Through this collection; anywhere when not given.
        collection: Option<String>,
        /// `read`, `export`, `delete`...
        action: String,
    },
    /// Every role against every label, as rows.
    Table {
        /// `read`, `export`, `delete`...
        action: String,
    },
}

pub(super) fn execute(
    app: &App,
    _actor: &str,
    command: Access,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    match command {
        Access::Explain {
            reader,
            record,
            version,
            collection,
            action,
        } => explain(
            app,
            &reader,
            &record,
            version.as_deref(),
            collection.as_deref(),
            &action,
        ),
        Access::Table { action } => table(app, &action, output),
    }
}

fn explain(
    app: &App,
    reader: &str,
    id: &str,
    version: Option<&str>,
    collection: Option<&str>,
    action: &str,
) -> Result<Value, ControlError> {
    let action = parse_action(action)?;
    let reader = person::known(app, reader)?;
    let everything = app.release.everything()?;
    let Some(record) = show::find(app, id, version, &everything)? else {
        return Err(ControlError::not_found("record", id));
    };
    let label = app.release.label(record.label_set)?;
    let key = collection
        .map(|name| collection::find(app, name))
        .transpose()?
        .map(|row| row.key.0.to_string());
    let place = key.as_deref().map_or(Place::Register, Place::Collection);
    let author = record
        .author
        .as_deref()
        .and_then(|author| PrincipalId::parse(author).ok());
    let resource = Resource::Record {
        label: &label,
        place,
        author: author.as_ref(),
    };
    let access = app.release.access();
    let decision = access.decide(&reader, action, resource);
    Ok(json!({
        "reader": reader.principal().as_str(),
        "role": reader.role().word(),
        "action": action.word(),
        "record": record.id,
        "version": record.version,
        "label": label.tlp().to_string(),
        "originator": label.originator().as_str(),
        "audience": audience_text(label.audience()),
        "permitted": decision.permitted,
        "reasons": decision.reasons.iter().map(|reason| json!({ "code": reason.code, "text": reason.text, "policy": reason.policy })).collect::<Value>(),
        "explanation": access.explain(&reader, action, resource),
        "left_out": access.redactions(&reader, action, resource),
    }))
}

fn parse_action(word: &str) -> Result<Action, ControlError> {
    let on_records: Vec<Action> = Action::ALL
        .into_iter()
        .filter(|action| action.kind() == comity_access::Kind::Record)
        .collect();
    on_records
        .iter()
        .copied()
        .find(|action| action.word() == word)
        .ok_or_else(|| {
            let words: Vec<&str> = on_records.iter().map(|action| action.word()).collect();
            ControlError::usage(format!("`{word}` is nothing one does to a record"))
                .help(format!("one of {}", words.join(", ")))
        })
}

/// Typical accounts against a record of our own party meant for one other party, at each label.
fn table(app: &App, action: &str, output: &mut dyn Output) -> Result<Value, ControlError> {
    let action = parse_action(action)?;
    let own = app.party.clone();
    let other = PartyId::parse(if own.as_str() == "eu" { "ua" } else { "eu" })
        .map_err(ControlError::internal)?;
    let stranger = PartyId::parse("xx").map_err(ControlError::internal)?;
    let client = PartyId::parse("client").map_err(ControlError::internal)?;
    let mut cases = Vec::new();
    for (whose, party) in [("own", &own), ("audience", &other), ("other", &stranger)] {
        for role in Role::ALL {
            let account_party = if role == Role::Entity { &client } else { party };
            let id = PrincipalId::parse(&format!("someone@{}", account_party.as_str()))
                .map_err(ControlError::internal)?;
            let mut account = Account::new(id, role, account_party.clone());
            account.entity_of = (role == Role::Entity).then(|| party.clone());
            account.community = true;
            account.grants.read.insert("0".to_owned());
            account.grants.write.insert("0".to_owned());
            let reader = Reader::new(account).map_err(ControlError::internal)?;
            cases.push((whose, role, reader));
        }
    }
    for (whose, role, reader) in &cases {
        let mut row = serde_json::Map::new();
        row.insert("party".into(), (*whose).into());
        row.insert("role".into(), role.word().into());
        for tlp in Tlp::ALL {
            let mut draft = Draft::new(own.clone());
            draft.tlp = Some(tlp);
            draft.audience = Audience {
                parties: [other.clone()].into(),
                ..Audience::default()
            };
            let label = LabelSet::new(draft).map_err(ControlError::internal)?;
            let decision =
                app.release
                    .access()
                    .decide(reader, action, Resource::record_in(&label, "0"));
            row.insert(tlp.to_string(), decision.permitted.into());
        }
        output.row(Value::Object(row))?;
    }
    Ok(json!({ "action": action.word(), "own": own.as_str(), "audience": other.as_str() }))
}
