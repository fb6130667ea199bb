//! POST /{root}/collections/{id}/objects/ (TAXII 2.1 section 5.5): everything accepted is on disk before the 202.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use comity_access::Action;
use comity_stix::bundle::envelope;
use comity_stix::finding::Finding;
use comity_stix::json::Limits;
use comity_stix::validate::Options;
use comity_store::Collection;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use super::{api_root, respond, rights, status};
use crate::app::App;
use crate::handling::Source;
use crate::http::accept::readable_body;
use crate::http::auth::Caller;
use crate::http::body::drain;
use crate::http::context::Ctx;
use crate::http::error::{Error, Result};
use crate::intake::{self, Incoming};
use crate::limits::{ENVELOPE_NODES_MAX, ENVELOPE_OBJECTS_MAX};
use crate::peers::delivery::Beside;
use crate::peers::head::told;
use crate::peers::inbound::{self, Proved};
use crate::peers::push;

/// Takes the objects of an envelope and answers with the status of each.
///
/// # Errors
/// 401, 403, 404, 406, 415, 413, 400 (not JSON), 422 (JSON, but no envelope); 503 when the node is busy.
pub async fn post(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path((root, collection)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let collection = match admit(&ctx, &caller, &root, &collection, &headers) {
        Ok(collection) => collection,
        Err(error) => {
            drain(&headers, body).await;
            return Err(error);
        }
    };
    let requested = ctx.app.clock.now_micros();
    let whole = ctx
        .bodies
        .read(&headers, body, ctx.app.config.body_bytes_max())
        .await?;
    // the memory for this body stays reserved until the verdicts are there: its objects live as long
    let (bytes, _room) = whole.into_parts();
    let (objects, beside) = tokio::task::spawn_blocking(move || split(&bytes))
        .await
        .map_err(Error::internal)??;
    let pointers: Vec<String> = objects
        .iter()
        .map(|object| object.position.pointer.clone())
        .collect();
    let checked = intake::check_all(objects, Arc::new(Options::default())).await?;
    let source = Source {
        party: caller.reader.party().clone(),
        principal: caller.name().to_owned(),
        reader: Arc::clone(&caller.reader),
        action: Action::Write,
        claims: false,
    };
    let proved = prove(&ctx.app, &caller, &beside, &headers).await?;
    let handling = inbound::handling(
        &ctx.app,
        &caller.reader,
        collection.key,
        &beside,
        proved.as_ref(),
    )
    .map_err(|error| Error::unprocessable("envelope.handling", error.to_string()))?;
    let verdicts = intake::accept(&ctx.app, checked, &[collection.key], &source, handling).await?;
    let status = status::Resource::new(&ctx.app, requested, &verdicts, &pointers)?;
    let json = serde_json::to_string(&status).map_err(Error::internal)?;
    ctx.statuses
        .keep(&ctx.app, &caller, collection.key, status.id(), json.clone());
    Ok(respond::body(StatusCode::ACCEPTED, json))
}

fn admit(
    ctx: &Ctx,
    caller: &Caller,
    root: &str,
    collection: &str,
    headers: &HeaderMap,
) -> Result<Arc<Collection>> {
    api_root::check(ctx, root)?;
    let collection = Arc::clone(
        ctx.app
            .catalog()
            .collection(collection)
            .ok_or_else(rights::unknown)?,
    );
    ctx.rights.of(&ctx.app, caller, &collection).to_write()?;
    not_paused(ctx, caller)?;
    respond::negotiate(headers)?;
    let content_type = headers
        .get(CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or("?"));
    if !readable_body(content_type) {
        return Err(Error::unsupported_media_type(
            "the body must be `application/taxii+json;version=2.1`",
        ));
    }
    Ok(collection)
}

/// The head a Comity node shows beside its records, judged; held until they are committed.
async fn prove(
    app: &App,
    caller: &Caller,
    beside: &Beside,
    headers: &HeaderMap,
) -> Result<Option<Proved>> {
    let Some(peer) = inbound::comity_peer(app, &caller.reader) else {
        return Ok(None);
    };
    let proved = Proved::judge(app, peer, beside, told(headers)).await?;
    Ok(Some(proved))
}

/// While an alarm about a peer is open, its node's records are not taken. It keeps them and tries again.
fn not_paused(ctx: &Ctx, caller: &Caller) -> Result<()> {
    let catalog = ctx.app.catalog();
    let paused = catalog.peers().iter().find_map(|peer| {
        let alarm = catalog.pausing(&peer.key)?;
        (push::account_name(peer) == caller.name()).then_some(alarm)
    });
    match paused {
        None => Ok(()),
        Some(alarm) => Err(Error::unavailable(
            "peer.alarm",
            format!(
                "nothing is taken from this node: there is an alarm ({}) about it or its log `{}`, and an officer has to look at it",
                alarm.raised.kind.word(),
                alarm.raised.origin
            ),
        )),
    }
}

fn split(bytes: &[u8]) -> Result<(Vec<Incoming>, Beside)> {
    let limits = Limits {
        bytes_max: bytes.len().max(1),
        nodes_max: ENVELOPE_NODES_MAX,
        ..Limits::default()
    };
    let envelope =
        envelope(bytes, &limits, ENVELOPE_OBJECTS_MAX).map_err(|finding| refusal(&finding))?;
    if envelope.objects.is_empty() {
        // section 2: an empty list must not be sent; 3.7: an envelope to add has objects
        return Err(Error::unprocessable(
            "envelope.empty",
            "the envelope holds no objects",
        ));
    }
    // 3.7: a list of objects; anything else in it is no envelope
    if let Some(index) = envelope
        .objects
        .iter()
        .position(|raw| !raw.bytes.starts_with(b"{"))
    {
        let text = format!("`/objects/{index}` is not a JSON object");
        return Err(Error::unprocessable("envelope.object", text));
    }
    let custom = envelope.custom.iter();
    let beside = Beside::of(custom.map(|(name, text)| (name.as_str(), *text)));
    Ok((Incoming::all(&envelope), beside))
}

/// 5.5: 400 for what is not understood (not JSON), 422 for what is, and is no envelope.
fn refusal(finding: &Finding) -> Error {
    let text = finding.to_string();
    if finding.code.starts_with("json.") {
        Error::malformed("body.json", text)
    } else {
        Error::unprocessable("body.envelope", text)
    }
}
