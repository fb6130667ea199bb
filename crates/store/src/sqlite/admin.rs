//! Administrative changes: each is also a log entry, secrets never in it.

use comity_ledger::entry::{Event, LINK_NONE};
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    put::hex,
    tx::{Failure, Tx},
};
use crate::{
    Admin, Administer, Certificate, Collection, CollectionKey, EntryKind, Fault, Hash, Outcome,
    Peer, Principal, Token,
};

type Done = Result<Option<CollectionKey>, Fault>;

impl Tx<'_> {
    pub(super) fn administer(
        &mut self,
        administer: &Administer,
    ) -> Result<Result<Outcome, Fault>, Failure> {
        let done = match &administer.change {
            Admin::PutPrincipal(principal) => self.put_principal(principal)?,
            Admin::DropPrincipal(id) => self.drop_row("principal", "id", id)?,
            Admin::PutToken(token) => self.put_token(token)?,
            Admin::DropToken(name) => self.drop_row("token", "name", name)?,
            Admin::PutCertificate(certificate) => self.put_certificate(certificate)?,
            Admin::DropCertificate(fingerprint) => self.drop_certificate(fingerprint)?,
            Admin::PutCollection(collection) => self.put_collection(collection)?,
            Admin::DropCollection(key) => self.drop_collection(*key)?,
            Admin::PutPeer(peer) => self.put_peer(peer)?,
            Admin::DropPeer(key) => self.drop_row("peer", "key", key)?,
            Admin::Setting { name, value } => self.set(name, value.as_deref())?,
            Admin::ForgetHeads {
                party,
                origin,
                reason,
            } => {
                self.forget_heads(party, origin)?;
                self.acknowledge_heads(origin, &administer.by, reason)?;
                Ok(None)
            }
            Admin::PutPersonKey { principal, vkey } => self.put_person_key(principal, vkey)?,
            Admin::RetirePersonKey(vkey) => self.retire_person_key(vkey)?,
            Admin::RaiseAlarm(alarm) if self.is_raised(alarm)? => Err(Fault::Taken {
                what: "alarm",
                key: format!("{} {}", alarm.kind.word(), alarm.origin),
            }),
            Admin::AcknowledgeAlarm { id, remark } => self
                .acknowledge_alarm(*id, &administer.by, remark)?
                .map(|()| None),
            Admin::RaiseAlarm(_) | Admin::Note(_) => Ok(None),
        };
        let collection = match done {
            Ok(collection) => collection,
            Err(fault) => return Ok(Err(fault)),
        };
        self.admin_changed = true;
        let content = json!({
            "what": "administration", "by": administer.by,
            "change": public(&administer.change, collection, &administer.salt),
        });
        let kind = match &administer.change {
            Admin::RaiseAlarm(_) => EntryKind::Alarm,
            _ => EntryKind::Administration,
        };
        let logged = self.log_detail(
            kind,
            None,
            Event::Administration,
            &content,
            &administer.salt,
            LINK_NONE,
        )?;
        if let Admin::RaiseAlarm(alarm) = &administer.change {
            self.raise_alarm(alarm, Some(logged.index))?;
        }
        Ok(Ok(Outcome::Administered {
            entry_index: logged.index,
            collection,
        }))
    }

    fn put_principal(&self, principal: &Principal) -> Result<Done, Failure> {
        self.connection
            .prepare_cached(include_str!("sql/put_principal.sql"))?
            .execute(params![
                principal.id,
                principal.display,
                principal.role,
                principal.party,
                principal.entity_of,
                principal.community,
                principal.exercise,
                principal.password_hash,
                principal.disabled,
                principal.created
            ])?;
        Ok(Ok(None))
    }

    fn put_token(&self, token: &Token) -> Result<Done, Failure> {
        if let Some(fault) = self.no_principal(&token.principal)? {
            return Ok(Err(fault));
        }
        let taken = self
            .connection
            .prepare_cached("SELECT 1 FROM token WHERE name = ?1 AND sha256 <> ?2")?
            .exists(params![token.name, token.sha256])?;
        if taken {
            return Ok(Err(Fault::Taken {
                what: "token",
                key: token.name.clone(),
            }));
        }
        // a token keeps its name: the log tells tokens apart by it
        let other: Option<String> = self
            .connection
            .prepare_cached("SELECT name FROM token WHERE sha256 = ?1 AND name <> ?2")?
            .query_row(params![token.sha256, token.name], |row| row.get(0))
            .optional()?;
        if let Some(key) = other {
            return Ok(Err(Fault::Taken { what: "token", key }));
        }
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO token (sha256, name, principal, scopes, created, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                token.sha256,
                token.name,
                token.principal,
                json_text(&token.scopes)?,
                token.created,
                token.expires
            ])?;
        Ok(Ok(None))
    }

    fn put_certificate(&self, certificate: &Certificate) -> Result<Done, Failure> {
        if let Some(fault) = self.no_principal(&certificate.principal)? {
            return Ok(Err(fault));
        }
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO certificate (fingerprint, principal, note, created) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                certificate.fingerprint,
                certificate.principal,
                certificate.note,
                certificate.created
            ])?;
        Ok(Ok(None))
    }

    fn drop_certificate(&self, fingerprint: &Hash) -> Result<Done, Failure> {
        let gone = self
            .connection
            .prepare_cached("DELETE FROM certificate WHERE fingerprint = ?1")?
            .execute([fingerprint])?;
        Ok(if gone == 0 {
            Err(Fault::Unknown {
                what: "certificate",
                key: hex(fingerprint),
            })
        } else {
            Ok(None)
        })
    }

    fn put_person_key(&self, principal: &str, vkey: &str) -> Result<Done, Failure> {
        if let Some(fault) = self.no_principal(principal)? {
            return Ok(Err(fault));
        }
        let added = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO person_key (vkey, principal, added) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![vkey, principal, self.now])?;
        Ok(if added == 0 {
            Err(Fault::Taken {
                what: "key",
                key: vkey.to_owned(),
            })
        } else {
            Ok(None)
        })
    }

    fn retire_person_key(&self, vkey: &str) -> Result<Done, Failure> {
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE person_key SET retired = ?2 WHERE vkey = ?1 AND retired IS NULL",
            )?
            .execute(params![vkey, self.now])?;
        Ok(if changed == 0 {
            Err(Fault::Unknown {
                what: "key in use",
                key: vkey.to_owned(),
            })
        } else {
            Ok(None)
        })
    }

    fn put_collection(&mut self, collection: &Collection) -> Result<Done, Failure> {
        // TAXII 5.2.1: an alias is unique in its API root; nor may it look like another collection's id
        let taken = self
            .connection
            .prepare_cached("SELECT 1 FROM collection WHERE uuid <> ?1 AND (alias = ?2 OR uuid = ?2 OR alias = ?1)")?
            .exists(params![collection.uuid, collection.alias])?;
        if taken {
            let key = collection.alias.clone().unwrap_or_default();
            return Ok(Err(Fault::Taken { what: "alias", key }));
        }
        self.connection
            .prepare_cached(include_str!("sql/put_collection.sql"))?
            .execute(params![
                collection.uuid,
                collection.alias,
                collection.title,
                collection.description,
                json_text(&collection.media_types)?,
                json_text(&collection.grants)?,
                collection.created
            ])?;
        let key = self
            .connection
            .prepare_cached("SELECT key FROM collection WHERE uuid = ?1")?
            .query_row([&collection.uuid], |row| row.get(0))?;
        self.interned.collections.insert(key);
        Ok(Ok(Some(CollectionKey(key))))
    }

    fn drop_collection(&mut self, key: CollectionKey) -> Result<Done, Failure> {
        let used = self
            .connection
            .prepare_cached("SELECT 1 FROM member WHERE collection = ?1")?
            .exists([key.0])?;
        if used {
            let why = "it still has members".to_owned();
            return Ok(Err(Fault::Invalid {
                what: "collection",
                why,
            }));
        }
        let gone = self
            .connection
            .prepare_cached("DELETE FROM collection WHERE key = ?1")?
            .execute([key.0])?;
        self.interned.collections.remove(&key.0);
        Ok(if gone == 0 {
            Err(Fault::UnknownCollection(key))
        } else {
            Ok(Some(key))
        })
    }

    fn put_peer(&self, peer: &Peer) -> Result<Done, Failure> {
        self.connection
            .prepare_cached(include_str!("sql/put_peer.sql"))?
            .execute(params![
                peer.key,
                peer.party,
                peer.display,
                word(&peer.kind)?,
                peer.url,
                peer.fingerprint,
                peer.log_key,
                peer.settings.to_string(),
                word(&peer.state)?,
                peer.created,
                peer.receipt_key
            ])?;
        Ok(Ok(None))
    }

    fn set(&self, name: &str, value: Option<&str>) -> Result<Done, Failure> {
        match value {
            Some(value) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
                .execute([name, value])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM setting WHERE name = ?1")?
                .execute([name])?,
        };
        Ok(Ok(None))
    }

    fn drop_row(
        &self,
        table: &'static str,
        column: &'static str,
        key: &str,
    ) -> Result<Done, Failure> {
        let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
        let gone = self.connection.prepare_cached(&sql)?.execute([key])?;
        Ok(if gone == 0 {
            Err(Fault::Unknown {
                what: table,
                key: key.to_owned(),
            })
        } else {
            Ok(None)
        })
    }

    fn no_principal(&self, id: &str) -> Result<Option<Fault>, Failure> {
        let known: Option<i64> = self
            .connection
            .prepare_cached("SELECT 1 FROM principal WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(known.is_none().then(|| Fault::Unknown {
            what: "principal",
            key: id.to_owned(),
        }))
    }
}

/// What may be in the log: everything that decides who may do what, so that `fsck` can compare the tables with it. Of a
/// password hash or a token's digest only a check value: it tells whether they were changed, and nothing about them.
pub(super) fn public(change: &Admin, key: Option<CollectionKey>, salt: &[u8; 32]) -> Value {
    match change {
        Admin::PutPrincipal(principal) => json!({
            "put_principal": {
                "id": principal.id, "display": principal.display, "role": principal.role, "party": principal.party,
                "entity_of": principal.entity_of, "community": principal.community, "exercise": principal.exercise,
                "password": principal.password_hash.is_some(), "disabled": principal.disabled,
                "password_check": principal.password_hash.as_ref().map(|hash| check_value(salt, hash.as_bytes())),
            }
        }),
        Admin::DropPrincipal(id) => json!({ "drop_principal": id }),
        Admin::PutToken(token) => json!({
            "put_token": {
                "name": token.name, "principal": token.principal, "scopes": token.scopes, "created": token.created,
                "expires": token.expires, "token_check": check_value(salt, &token.sha256),
            }
        }),
        Admin::DropToken(name) => json!({ "drop_token": name }),
        Admin::PutCertificate(certificate) => json!({
            "put_certificate": {
                "fingerprint": hex(&certificate.fingerprint), "principal": certificate.principal,
                "note": certificate.note,
            }
        }),
        Admin::DropCertificate(fingerprint) => json!({ "drop_certificate": hex(fingerprint) }),
        Admin::PutCollection(collection) => json!({
            "put_collection": {
                "key": key, "uuid": collection.uuid, "alias": collection.alias, "title": collection.title,
                "description": collection.description, "media_types": collection.media_types,
                "grants": collection.grants,
            }
        }),
        Admin::DropCollection(key) => json!({ "drop_collection": key }),
        Admin::PutPeer(peer) => json!({
            "put_peer": {
                "key": peer.key, "party": peer.party, "display": peer.display, "kind": peer.kind, "url": peer.url,
                "fingerprint": peer.fingerprint, "log_key": peer.log_key, "receipt_key": peer.receipt_key,
                "settings": peer.settings,
                "state": peer.state,
            }
        }),
        Admin::DropPeer(key) => json!({ "drop_peer": key }),
        Admin::PutPersonKey { principal, vkey } => json!({
            "put_person_key": { "principal": principal, "vkey": vkey }
        }),
        Admin::RetirePersonKey(vkey) => json!({ "retire_person_key": vkey }),
        Admin::Setting { name, value } => json!({ "setting": { "name": name, "value": value } }),
        Admin::ForgetHeads {
            party,
            origin,
            reason,
        } => json!({ "forget_heads": { "party": party, "origin": origin, "reason": reason } }),
        Admin::RaiseAlarm(alarm) => json!({ "alarm": {
            "kind": alarm.kind, "peer": alarm.peer, "origin": alarm.origin, "source": alarm.source,
            "detail": alarm.detail, "kept": alarm.kept, "shown": alarm.shown,
        } }),
        Admin::AcknowledgeAlarm { id, remark } => {
            json!({ "acknowledge_alarm": { "id": id, "remark": remark } })
        }
        Admin::Note(note) => json!({ "note": note }),
    }
}

/// Salted with the entry's salt, which is not shown with it: neither can be compared with that of another entry, nor guessed.
fn check_value(salt: &[u8; 32], kept: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update(b"comity-check/v1\0")
        .chain_update(salt)
        .chain_update(kept)
        .finalize();
    hex(&digest)
}

fn json_text<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Damaged(error.to_string()))
}

/// The kebab-case name of a variant without fields.
fn word<T: Serialize>(value: &T) -> Result<String, Failure> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        _ => Err(Failure::Damaged("not a word".into())),
    }
}
