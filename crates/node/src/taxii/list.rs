//! What objects, manifest and versions have in common: who asks for which collection, from where, how much.

use std::sync::Arc;

use axum::response::Response;
use comity_access::{PartyId, Role};
use comity_store::{Collection, Filter, LabelSetId, PageQuery, ReadError, Scope};
use http::HeaderMap;

use super::next::{self, Binding};
use super::query::{self, Query};
use super::respond;
use crate::app::App;
use crate::handling::{SIDECAR_HEADER, is_silent};
use crate::http::auth::Caller;
use crate::http::context::Context;
use crate::http::error::{Error, Result};
use crate::limits::{PAGE_BYTES_MAX, PAGE_OBJECTS_DEFAULT};
use crate::peers::inbound::comity_peer;

/// A Comity node that asks for the labels beside the objects.
#[must_use]
pub fn beside(app: &App, headers: &HeaderMap, caller: &Caller) -> bool {
    headers.contains_key(SIDECAR_HEADER)
        && (caller.reader.role() == Role::Peer || comity_peer(app, &caller.reader).is_some())
}

/// A checked request for a page.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Which collection.
    pub collection: Arc<Collection>,
    /// Which object, for the endpoints of one.
    pub object: Option<String>,
    /// What the caller may see there; part of the query, never a filter after it.
    pub scope: Scope,
    /// The match fields.
    pub filter: Filter,
    /// Digest of the match fields as the client sent them.
    pub filter_digest: [u8; 32],
    /// Where the page begins: after this membership time, microseconds.
    pub start: Option<i64>,
    /// Rows at most.
    pub limit: usize,
    /// The caller learns labels: it is of this party, or a Comity node that asks for them beside the objects. Others get no
    /// record that keeps silent about a label of TLP:AMBER or stricter ([`crate::handling::is_silent`]).
    pub told: bool,
    /// The caller's party, which knows its own records.
    pub party: PartyId,
}

impl ListRequest {
    /// Checks permission, negotiation and parameters, in the order that tells a stranger least.
    ///
    /// # Errors
    /// 404, 403, 406, 400; see the sections of the endpoints.
    pub fn new(
        ctx: &Context,
        caller: &Caller,
        collection: &str,
        object: Option<String>,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> Result<Self> {
        let collection = Arc::clone(
            ctx.app
                .catalog()
                .collection(collection)
                .ok_or_else(super::rights::unknown)?,
        );
        ctx.rights.of(&ctx.app, caller, &collection).to_read()?;
        respond::negotiate(headers)?;
        let query = query::parse(query.unwrap_or_default())
            .map_err(|error| Error::malformed("query", error.to_string()))?;
        let filter_digest = query.filter_digest();
        let Query {
            mut filter,
            added_after,
            limit,
            next,
        } = query;
        let binding = Binding {
            collection: &collection.uuid,
            object: object.as_deref().unwrap_or_default(),
            filter: filter_digest,
        };
        let position = match next.as_deref().map(|next| next::decode(next, &binding)) {
            Some(None) => {
                return Err(Error::malformed(
                    "query.next",
                    "`next` was not given by this list; leave it out to start anew",
                ));
            }
            Some(position) => position,
            None => None,
        };
        if let Some(id) = &object {
            // 5.6, 5.8: only version and spec_version apply to one object
            filter.ids = vec![id.clone()];
            filter.types = Vec::new();
        }
        let limit_max = ctx.app.config.page_objects_max();
        let scope = ctx.app.release.scope(&caller.reader, collection.key)?;
        // labels go beside lists, not beside one object
        let told = *caller.reader.party() == ctx.app.party
            || (object.is_none() && beside(&ctx.app, headers, caller));
        Ok(Self {
            limit: limit.unwrap_or(PAGE_OBJECTS_DEFAULT).min(limit_max),
            // both bound the page from below: OpenCTI sends them together
            start: position.max(added_after),
            collection,
            object,
            scope,
            filter,
            filter_digest,
            told,
            party: caller.reader.party().clone(),
        })
    }

    /// Whether a record with this text must be kept from the caller, who would not learn its label.
    ///
    /// # Errors
    /// When the register cannot be read.
    pub fn keeps_back(
        &self,
        app: &App,
        label: LabelSetId,
        object: &[u8],
    ) -> Result<bool, ReadError> {
        if self.told {
            return Ok(false);
        }
        let label = app.release.label(label)?;
        Ok(*label.originator() != self.party && is_silent(object, &label))
    }

    /// The question to the register.
    #[must_use]
    pub fn page_query(&self) -> PageQuery {
        PageQuery {
            collection: self.collection.key,
            scope: self.scope.clone(),
            filter: self.filter.clone(),
            added_after: None,
            cursor: self.start,
            limit: self.limit,
            bytes_max: PAGE_BYTES_MAX,
        }
    }

    /// The `next` after the membership added at `last_added`.
    #[must_use]
    pub fn next_after(&self, last_added: i64) -> String {
        let object = self.object.as_deref().unwrap_or_default();
        next::encode(
            last_added,
            &Binding {
                collection: &self.collection.uuid,
                object,
                filter: self.filter_digest,
            },
        )
    }

    /// Puts the date headers on a page; an empty one names the position it was asked from (see the module).
    pub fn date_headers(&self, response: &mut Response, added: Option<(i64, i64)>) {
        let from = self.start.unwrap_or(0);
        let (first, last) = added.unwrap_or((from, from));
        respond::date_headers(response, first, last);
    }

    /// Whether it takes long enough to leave the thread that serves connections.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.limit > 128
    }
}
