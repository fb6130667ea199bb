//! What a caller may do with a collection as such (TAXII 2.1 section 5.2.1), remembered until the catalog changes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use comity_access::Reader;
use comity_store::{Collection, CollectionKey, Subject};

use crate::app::App;
use crate::catalog::Catalog;
use crate::http::auth::Caller;
use crate::http::error::{Error, Result};

/// Rights of one caller in one collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// TAXII `can_read`.
    pub can_read: bool,
    /// TAXII `can_write`.
    pub can_write: bool,
    /// May know that it exists. A collection that grants a caller nothing at all is not there for it.
    pub visible: bool,
}

impl Rights {
    const NONE: Self = Self {
        can_read: false,
        can_write: false,
        visible: false,
    };

    /// For reading its contents.
    ///
    /// # Errors
    /// 404 when the caller may not know of it, 403 when it may not read (5.3 to 5.6, 5.8).
    pub fn to_read(self) -> Result<()> {
        match self {
            Self { visible: false, .. } => Err(unknown()),
            Self {
                can_read: false, ..
            } => Err(Error::forbidden("this collection is not readable for you")),
            _ => Ok(()),
        }
    }

    /// For adding to it.
    ///
    /// # Errors
    /// 404 or 403 (5.5).
    pub fn to_write(self) -> Result<()> {
        match self {
            Self { visible: false, .. } => Err(unknown()),
            Self {
                can_write: false, ..
            } => Err(Error::forbidden("this collection is not writable for you")),
            _ => Ok(()),
        }
    }

    /// For deleting from it: both are needed (5.7).
    ///
    /// # Errors
    /// 404 for neither right, 403 for one of them.
    pub fn to_delete(self) -> Result<()> {
        match (self.can_read, self.can_write) {
            (true, true) => Ok(()),
            (false, false) => Err(unknown()),
            _ => Err(Error::forbidden(
                "deleting needs the right to read and to write this collection",
            )),
        }
    }
}

/// 404 for a collection that is not there, or not for this caller.
#[must_use]
pub fn unknown() -> Error {
    Error::not_found("there is no such collection")
}

/// Remembers decisions: each is a run of the policies.
#[derive(Default)]
pub struct RightsCache {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Whose decisions these are; another catalog makes all void.
    catalog: Arc<Catalog>,
    by_principal: HashMap<String, HashMap<CollectionKey, Rights>>,
}

/// Most accounts remembered.
const PRINCIPALS_MAX: usize = 4_096;

impl RightsCache {
    /// The rights of `caller` in `collection`.
    #[must_use]
    pub fn of(&self, app: &App, caller: &Caller, collection: &Collection) -> Rights {
        let catalog = app.catalog();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if Arc::ptr_eq(&known.catalog, &catalog)
                && let Some(rights) = known
                    .by_principal
                    .get(caller.name())
                    .and_then(|by_key| by_key.get(&collection.key))
            {
                return *rights;
            }
        }
        // by the account as this very catalog has it: the caller's may be older, and what it could do must not be kept
        let Some(reader) = catalog.reader(caller.name()) else {
            return Rights::NONE;
        };
        let Some(row) = catalog.collection_by_key(collection.key) else {
            return Rights::NONE;
        };
        let rights = decide(app, reader, row);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.catalog, &catalog) || known.by_principal.len() >= PRINCIPALS_MAX {
            *known = Known {
                catalog,
                by_principal: HashMap::new(),
            };
        }
        known
            .by_principal
            .entry(caller.name().to_owned())
            .or_default()
            .insert(collection.key, rights);
        rights
    }
}

fn decide(app: &App, reader: &Reader, collection: &Collection) -> Rights {
    let key = collection.key.0.to_string();
    let rights = app.release.access().collection(reader, &key);
    let named = collection.grants.iter().any(|grant| match &grant.subject {
        Subject::Principal(id) => id == reader.principal().as_str(),
        Subject::Role(role) => role == reader.role().word(),
        Subject::Party(party) => party == reader.party().as_str(),
        Subject::Everyone => true,
    });
    Rights {
        can_read: rights.can_read,
        can_write: rights.can_write,
        visible: rights.can_read || rights.can_write || named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_7_delete_by_permission() {
        let status = |can_read, can_write| {
            let rights = Rights {
                can_read,
                can_write,
                visible: true,
            };
            rights
                .to_delete()
                .err()
                .map(|error| error.status().as_u16())
        };
        assert_eq!(status(true, true), None);
        assert_eq!(status(false, false), Some(404));
        assert_eq!(status(true, false), Some(403));
        assert_eq!(status(false, true), Some(403));
    }

    #[test]
    fn a_collection_without_rights_is_not_there() {
        let hidden = Rights {
            can_read: false,
            can_write: false,
            visible: false,
        };
        assert_eq!(hidden.to_read().unwrap_err().status(), 404);
        assert_eq!(hidden.to_write().unwrap_err().status(), 404);
        let named = Rights {
            visible: true,
            ..hidden
        };
        assert_eq!(named.to_read().unwrap_err().status(), 403);
    }
}
