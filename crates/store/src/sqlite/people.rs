//! Reading people, collections, peers, settings.

use rusqlite::{OptionalExtension as _, Params, Row, types::Type};
use serde::de::DeserializeOwned;

use super::Store;
use crate::{Certificate, Collection, CollectionKey, Hash, Peer, Principal, ReadError, Token};

pub(super) const PRINCIPAL: &str = "SELECT id, display, role, party, entity_of, community, exercise, password_hash, disabled, created FROM principal";
pub(super) const TOKEN: &str =
    "SELECT sha256, name, principal, scopes, created, expires FROM token";
pub(super) const CERTIFICATE: &str =
    "SELECT fingerprint, principal, note, created FROM certificate";
pub(super) const COLLECTION: &str =
    "SELECT key, uuid, alias, title, description, media_types, grants, created FROM collection";
pub(super) const PEER: &str =
    "SELECT key, party, display, kind, url, fingerprint, log_key, settings, state, created,
  receipt_key FROM peer";

/// People, collections, peers.
impl Store {
    /// All principals by id.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn principals(&self) -> Result<Vec<Principal>, ReadError> {
        self.all(&format!("{PRINCIPAL} ORDER BY id"), [], principal)
    }

    /// One principal.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn principal(&self, id: &str) -> Result<Option<Principal>, ReadError> {
        self.one(&format!("{PRINCIPAL} WHERE id = ?1"), [id], principal)
    }

    /// Tokens of one principal, or all.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn tokens(&self, principal: Option<&str>) -> Result<Vec<Token>, ReadError> {
        self.all(
            &format!("{TOKEN} WHERE ?1 IS NULL OR principal = ?1 ORDER BY name"),
            [principal],
            token,
        )
    }

    /// The token with this digest. The caller checks its expiry.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn token(&self, sha256: &Hash) -> Result<Option<Token>, ReadError> {
        self.one(&format!("{TOKEN} WHERE sha256 = ?1"), [sha256], token)
    }

    /// Client certificates of one principal, or all.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn certificates(&self, principal: Option<&str>) -> Result<Vec<Certificate>, ReadError> {
        self.all(
            &format!("{CERTIFICATE} WHERE ?1 IS NULL OR principal = ?1 ORDER BY fingerprint"),
            [principal],
            certificate,
        )
    }

    /// The certificate with this fingerprint.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn certificate(&self, fingerprint: &Hash) -> Result<Option<Certificate>, ReadError> {
        self.one(
            &format!("{CERTIFICATE} WHERE fingerprint = ?1"),
            [fingerprint],
            certificate,
        )
    }

    /// All collections by uuid (the order TAXII interoperability 2.1.7 asks for).
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn collections(&self) -> Result<Vec<Collection>, ReadError> {
        self.all(&format!("{COLLECTION} ORDER BY uuid"), [], collection)
    }

    /// The collection with this uuid or alias.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn collection(&self, uuid_or_alias: &str) -> Result<Option<Collection>, ReadError> {
        self.one(
            &format!("{COLLECTION} WHERE uuid = ?1 OR alias = ?1"),
            [uuid_or_alias],
            collection,
        )
    }

    /// All peers by key.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn peers(&self) -> Result<Vec<Peer>, ReadError> {
        self.all(&format!("{PEER} ORDER BY key"), [], peer)
    }

    /// One peer.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn peer(&self, key: &str) -> Result<Option<Peer>, ReadError> {
        self.one(&format!("{PEER} WHERE key = ?1"), [key], peer)
    }

    /// A setting of the node.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn setting(&self, name: &str) -> Result<Option<String>, ReadError> {
        self.one("SELECT value FROM setting WHERE name = ?1", [name], |row| {
            row.get(0)
        })
    }

    /// A number that changes with every administrative change: caches of the above compare it.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn admin_generation(&self) -> Result<u64, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached("SELECT admin_generation FROM register WHERE one = 1")?
                .query_row([], |row| row.get(0))?)
        })
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: fn(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, ReadError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement
                .query_map(params, map)?
                .collect::<Result<_, _>>()?)
        })
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: fn(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, ReadError> {
        self.with(|connection| {
            Ok(connection
                .prepare_cached(sql)?
                .query_row(params, map)
                .optional()?)
        })
    }
}

pub(super) fn principal(row: &Row<'_>) -> Result<Principal, rusqlite::Error> {
    Ok(Principal {
        id: row.get(0)?,
        display: row.get(1)?,
        role: row.get(2)?,
        party: row.get(3)?,
        entity_of: row.get(4)?,
        community: row.get(5)?,
        exercise: row.get(6)?,
        password_hash: row.get(7)?,
        disabled: row.get(8)?,
        created: row.get(9)?,
    })
}

pub(super) fn token(row: &Row<'_>) -> Result<Token, rusqlite::Error> {
    Ok(Token {
        sha256: row.get(0)?,
        name: row.get(1)?,
        principal: row.get(2)?,
        scopes: json(row, 3)?,
        created: row.get(4)?,
        expires: row.get(5)?,
    })
}

pub(super) fn certificate(row: &Row<'_>) -> Result<Certificate, rusqlite::Error> {
    Ok(Certificate {
        fingerprint: row.get(0)?,
        principal: row.get(1)?,
        note: row.get(2)?,
        created: row.get(3)?,
    })
}

pub(super) fn collection(row: &Row<'_>) -> Result<Collection, rusqlite::Error> {
    Ok(Collection {
        key: CollectionKey(row.get(0)?),
        uuid: row.get(1)?,
        alias: row.get(2)?,
        title: row.get(3)?,
        description: row.get(4)?,
        media_types: json(row, 5)?,
        grants: json(row, 6)?,
        created: row.get(7)?,
    })
}

pub(super) fn peer(row: &Row<'_>) -> Result<Peer, rusqlite::Error> {
    Ok(Peer {
        key: row.get(0)?,
        party: row.get(1)?,
        display: row.get(2)?,
        kind: word(row, 3)?,
        url: row.get(4)?,
        fingerprint: row.get(5)?,
        log_key: row.get(6)?,
        receipt_key: row.get(10)?,
        settings: json(row, 7)?,
        state: word(row, 8)?,
        created: row.get(9)?,
    })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, rusqlite::Error> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })
}

/// A variant without fields, kept as its name.
fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, rusqlite::Error> {
    serde_json::from_value(serde_json::Value::String(row.get(column)?)).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })
}
