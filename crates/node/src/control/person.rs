//! Who acts and as whom one reads.

use std::sync::Arc;

use comity_access::{Account, PrincipalId, Reader, Role};
use comity_store::{CollectionKey, Scope};

use super::{ControlError, ErrorKind};
use crate::app::App;

/// The full, checked name of who acts.
pub(super) fn actor(app: &App, name: &str) -> Result<String, ControlError> {
    let full = app.full_name(name);
    PrincipalId::parse(&full).map_err(|error| ControlError::usage(error.to_string()))?;
    Ok(full)
}

/// Someone who reads, and what of the register lies open to them.
pub(super) struct Eyes {
    /// As whom.
    pub(super) reader: Arc<Reader>,
    /// Named by the caller; else the local officer.
    named: bool,
}

impl Eyes {
    /// The person called `name`, or the local officer: whoever may use the data directory answers for the party.
    pub(super) fn of(app: &App, actor: &str, name: Option<&str>) -> Result<Self, ControlError> {
        if let Some(name) = name {
            return Ok(Self {
                reader: known(app, name)?,
                named: true,
            });
        }
        Ok(Self {
            reader: local_officer(app, actor, None)?,
            named: false,
        })
    }

    /// What these eyes may see: in one collection, or in the whole register.
    pub(super) fn scope(
        &self,
        app: &App,
        collection: Option<CollectionKey>,
    ) -> Result<Scope, ControlError> {
        match collection {
            Some(key) if self.named => Ok(app.release.scope(&self.reader, key)?),
            _ => Ok(app.release.register_scope(&self.reader)?),
        }
    }
}

/// Who acts, as the policies see it: the account of that name, or the local officer, who may act in any exercise.
pub(crate) fn acting(
    app: &App,
    actor: &str,
    exercise: Option<&str>,
) -> Result<Arc<Reader>, ControlError> {
    if app.catalog().principal(actor).is_some() {
        return known(app, actor);
    }
    local_officer(app, actor, exercise)
}

fn local_officer(
    app: &App,
    actor: &str,
    exercise: Option<&str>,
) -> Result<Arc<Reader>, ControlError> {
    let usage = |error: &dyn std::fmt::Display| ControlError::usage(error.to_string());
    let principal = PrincipalId::parse(actor).map_err(|error| usage(&error))?;
    let mut account = Account::new(principal, Role::Officer, app.party.clone());
    account.community = true;
    account.exercise = exercise.map(str::to_owned);
    let reader = Reader::new(account)
        .map_err(|error| usage(&error).help("act under a name of this node's own party"))?;
    Ok(Arc::new(reader))
}

/// A principal as a reader.
pub(super) fn known(app: &App, name: &str) -> Result<Arc<Reader>, ControlError> {
    let full = app.full_name(name);
    let catalog = app.catalog();
    let Some(row) = catalog.principal(&full) else {
        return Err(ControlError::not_found("user", &full).help("`comity user list` shows them"));
    };
    if row.disabled {
        return Err(ControlError::new(
            ErrorKind::Forbidden,
            format!("`{full}` is disabled"),
        ));
    }
    app.reader(&full)
        .ok_or_else(|| ControlError::forbidden(format!("`{full}` has no usable role")))
}
