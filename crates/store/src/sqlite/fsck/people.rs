//! People, their credentials, collections with their grants, peers with their routes, settings: every change of them is an entry,
//! so the last ones say what the tables must hold.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Row;
use serde_json::Value;

use super::{
    super::{admin::public, exhibits, people},
    Check,
    content::Detail,
};
use crate::{Admin, CollectionKey, ReadError};

/// The tables as the log says they are.
#[derive(Default)]
pub(super) struct Replay {
    /// By (table, name).
    rows: BTreeMap<(&'static str, String), Logged>,
    /// Collections by number, also those that are gone.
    collections: HashMap<i64, String>,
}

/// What the last entry about a row says.
struct Logged {
    row: Value,
    salt: [u8; 32],
    entry: i64,
    /// For a person's key.
    retired: bool,
}

impl Replay {
    /// Takes one change over. An error says why it cannot be.
    pub(super) fn apply(&mut self, change: &Value, detail: &Detail) -> Result<(), String> {
        let Some((what, body)) = change.as_object().and_then(|members| members.iter().next())
        else {
            return Err("it says nothing of a change".to_owned());
        };
        match what.as_str() {
            "put_principal" => self.put("principal", "id", body, detail),
            "put_token" => self.put("token", "name", body, detail),
            "put_certificate" => self.put("certificate", "fingerprint", body, detail),
            "put_peer" => self.put("peer", "key", body, detail),
            "put_collection" => {
                self.number(body);
                self.put("collection", "uuid", body, detail)
            }
            "setting" if body.get("value").is_none_or(Value::is_null) => {
                self.drop("setting", body.get("name"))
            }
            "setting" => self.put("setting", "name", body, detail),
            "drop_principal" => {
                self.rows.retain(|(table, _), logged| {
                    !matches!(*table, "token" | "certificate")
                        || logged.row.get("principal") != Some(body)
                });
                self.drop("principal", Some(body))
            }
            "drop_token" => self.drop("token", Some(body)),
            "drop_certificate" => self.drop("certificate", Some(body)),
            "drop_peer" => self.drop("peer", Some(body)),
            "drop_collection" => {
                let uuid = body.as_i64().and_then(|key| self.collections.get(&key));
                let uuid = uuid.cloned().map(Value::String);
                self.drop("collection", uuid.as_ref())
            }
            "put_person_key" => self.put("person key", "vkey", body, detail),
            "retire_person_key" => {
                let key = ("person key", body.as_str().unwrap_or("").to_owned());
                match self.rows.get_mut(&key) {
                    Some(logged) => {
                        logged.retired = true;
                        Ok(())
                    }
                    None => Err("it retires a key that was not there".to_owned()),
                }
            }
            // what is kept of these is looked at with what was exchanged
            "note" | "sealed_from" | "forget_heads" | "alarm" | "acknowledge_alarm" => Ok(()),
            other => Err(format!("nothing is known of a change `{other}`")),
        }
    }

    /// Numbers were given in order of first appearance; later entries say them.
    fn number(&mut self, body: &Value) {
        let uuid = body.get("uuid").and_then(Value::as_str).unwrap_or("");
        let said = body.get("key").and_then(Value::as_i64);
        let known = self.collections.values().any(|known| known == uuid);
        if let Some(key) = said {
            self.collections.insert(key, uuid.to_owned());
        } else if !known {
            let next = self.collections.keys().max().map_or(1, |key| key + 1);
            self.collections.insert(next, uuid.to_owned());
        }
    }

    fn put(
        &mut self,
        table: &'static str,
        name: &str,
        body: &Value,
        detail: &Detail,
    ) -> Result<(), String> {
        let Some(key) = body.get(name).and_then(Value::as_str) else {
            return Err(format!("it names no {table}"));
        };
        let logged = Logged {
            row: body.clone(),
            salt: detail.salt,
            entry: detail.index,
            retired: false,
        };
        self.rows.insert((table, key.to_owned()), logged);
        Ok(())
    }

    fn drop(&mut self, table: &'static str, key: Option<&Value>) -> Result<(), String> {
        let key = key.and_then(Value::as_str);
        let gone = key.and_then(|key| self.rows.remove(&(table, key.to_owned())));
        // a setting may be taken away that was not there
        match gone {
            None if table != "setting" => Err(format!("it drops a {table} that was not there")),
            _ => Ok(()),
        }
    }
}

impl Check<'_> {
    /// The tables against the log.
    pub(super) fn people(&mut self) -> Result<u64, ReadError> {
        let mut replay = std::mem::take(&mut self.folded.people);
        let mut seen = 0;
        let mut table = |check: &mut Self,
                         name: &'static str,
                         sql: &str,
                         map: &dyn Fn(&Row<'_>) -> Result<Here, rusqlite::Error>|
         -> Result<(), ReadError> {
            let connection = check.connection;
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                seen += 1;
                let here = map(row)?;
                let logged = replay.rows.remove(&(name, here.key.clone()));
                check.compare(name, &here, logged);
            }
            Ok(())
        };
        table(self, "principal", people::PRINCIPAL, &|row| {
            let row = people::principal(row)?;
            Ok(Here::new(&row.id.clone(), Admin::PutPrincipal(row)))
        })?;
        table(self, "token", people::TOKEN, &|row| {
            let row = people::token(row)?;
            Ok(Here::new(&row.name.clone(), Admin::PutToken(row)))
        })?;
        table(self, "certificate", people::CERTIFICATE, &|row| {
            let row = people::certificate(row)?;
            let key = super::super::put::hex(&row.fingerprint);
            Ok(Here::new(&key, Admin::PutCertificate(row)))
        })?;
        table(self, "collection", people::COLLECTION, &|row| {
            let row = people::collection(row)?;
            Ok(Here {
                number: Some(row.key),
                ..Here::new(&row.uuid.clone(), Admin::PutCollection(row))
            })
        })?;
        table(self, "peer", people::PEER, &|row| {
            let row = people::peer(row)?;
            Ok(Here::new(&row.key.clone(), Admin::PutPeer(row)))
        })?;
        table(self, "setting", "SELECT name, value FROM setting", &|row| {
            let (name, value): (String, String) = (row.get(0)?, row.get(1)?);
            let value = Some(value);
            Ok(Here::new(&name.clone(), Admin::Setting { name, value }))
        })?;
        table(self, "person key", exhibits::PERSON_KEY, &|row| {
            let row = exhibits::person_key(row)?;
            Ok(Here {
                retired: row.retired.is_some(),
                ..Here::new(
                    &row.vkey.clone(),
                    Admin::PutPersonKey {
                        principal: row.principal,
                        vkey: row.vkey,
                    },
                )
            })
        })?;
        for ((table, key), logged) in replay.rows {
            let text = format!("it is not here, and entry {} made it", logged.entry);
            self.problem("admin.missing", format!("{table} {key}"), &text);
        }
        Ok(seen)
    }

    fn compare(&mut self, table: &str, here: &Here, logged: Option<Logged>) {
        let place = format!("{table} {}", here.key);
        let Some(logged) = logged else {
            return self.problem("admin.extra", place, "no entry of the log made it");
        };
        if here.retired != logged.retired {
            let text = "whether it is in use is not what the log says";
            self.problem("admin.changed", &place, text);
        }
        let change = public(&here.change, here.number, &logged.salt);
        let there = change
            .as_object()
            .and_then(|members| members.values().next());
        for (field, said) in logged.row.as_object().into_iter().flatten() {
            if there.and_then(|row| row.get(field)) != Some(said) {
                let text = format!("`{field}` is not what entry {} says", logged.entry);
                self.problem("admin.changed", &place, &text);
            }
        }
    }
}

/// A row as it is.
struct Here {
    key: String,
    number: Option<CollectionKey>,
    /// Of a person's key: it is no longer used.
    retired: bool,
    change: Admin,
}

impl Here {
    fn new(key: &str, change: Admin) -> Self {
        Self {
            key: key.to_owned(),
            number: None,
            retired: false,
            change,
        }
    }
}
