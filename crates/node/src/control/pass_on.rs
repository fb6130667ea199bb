//! Handing one record to one peer by order of a person, outside the routes. Release decides as always; a refusal is an entry
//! of the log, with its reason (DESIGN invariant 10).

use std::sync::Arc;

use comity_access::{Action, LabelSet, Resource};
use comity_ledger::entry::Event;
use comity_store::{Op, Peer as Row, Record, Refuse};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::{ControlError, ErrorKind, person, show};
use crate::app::App;
use crate::peers::push::{self, PushError};
use crate::peers::run;

pub(super) fn execute(
    app: &Arc<App>,
    actor: &str,
    peer: &Arc<Row>,
    id: &str,
    runtime: &Handle,
) -> Result<Value, ControlError> {
    let scope = app.release.everything()?;
    let Some(record) = show::find(app, id, None, &scope)? else {
        return Err(ControlError::not_found("record", id));
    };
    let label = app.release.label(record.label_set)?;
    if let Err(reason) = verdict(app, actor, peer, &label)? {
        return Err(kept(app, actor, peer, &record, &reason)?);
    }
    let unreachable = |error: String| {
        ControlError::new(ErrorKind::Unreachable, error)
            .help("try again when it answers; `comity peer list` shows its address")
    };
    let handed = runtime
        .block_on(run::hand_over_now(app, peer, record.seq))
        .map_err(unreachable)?;
    match handed {
        Ok(()) => {}
        Err(PushError::Kept(reason)) => return Err(kept(app, actor, peer, &record, &reason)?),
        Err(error @ PushError::NoRoute(_)) => return Err(ControlError::usage(error.to_string())),
        Err(error) => return Err(unreachable(error.to_string())),
    }
    let delivery = app
        .store
        .deliveries(record.seq)?
        .into_iter()
        .find(|delivery| delivery.peer == peer.key);
    Ok(json!({
        "record": id,
        "peer": peer.key,
        "state": delivery.as_ref().map(|delivery| delivery.state),
        "reason": delivery.and_then(|delivery| delivery.reason),
    }))
}

/// Logs that a rule keeps the record here, and says so.
fn kept(
    app: &App,
    actor: &str,
    peer: &Row,
    record: &Record,
    reason: &str,
) -> Result<ControlError, ControlError> {
    log_refusal(app, actor, peer, record, reason)?;
    let text = format!("`{}` does not go to `{}`: {reason}", record.id, peer.key);
    let error = ControlError::forbidden(text);
    if reason.starts_with("origin:") {
        return Ok(error);
    }
    let label = app.release.label(record.label_set)?;
    Ok(error.help(format!(
        "its label is {} of `{}`, and only the originator can widen it",
        label.tlp(),
        label.originator()
    )))
}

/// Two questions: may this person pass it on at all, and may the peer have it.
fn verdict(
    app: &App,
    actor: &str,
    peer: &Arc<Row>,
    label: &LabelSet,
) -> Result<Result<(), String>, ControlError> {
    let by = person::known(app, actor)?;
    let decision = app
        .release
        .access()
        .decide(&by, Action::PassOn, Resource::record(label));
    if !decision.permitted {
        return Ok(Err(decision.text()));
    }
    let target = run::target(app, peer).map_err(ControlError::internal)?;
    Ok(push::released(app, &target.reader, label))
}

fn log_refusal(
    app: &App,
    actor: &str,
    peer: &Row,
    record: &Record,
    reason: &str,
) -> Result<(), ControlError> {
    let what = json!({ "pass_on": { "id": record.id, "version": record.version, "to": peer.key } })
        .to_string();
    let refuse = Refuse {
        event: Event::RelayRejection,
        consigned: None,
        content_sha256: Sha256::digest(what.as_bytes()).into(),
        what,
        who: actor.to_owned(),
        reason: reason.to_owned(),
        told: None,
        seed: app.salt()?,
    };
    app.sequencer.submit_blocking(vec![Op::Refuse(refuse)])?;
    Ok(())
}
