//! The witnesses of our own log: the policy, and how it goes with each.

use comity_ledger::note::VerifierKey;
use comity_store::Admin;
use serde_json::{Value, json};

use super::{ControlError, ErrorKind, Output};
use crate::app::App;
use crate::clock::micros_to_text;
use crate::peers::pin::parse_fingerprint;
use crate::witnesses::{WitnessesError, policy};

/// The policy in force, and what it has brought.
pub(super) fn policy(app: &App) -> Result<Value, ControlError> {
    let text = policy::text(&app.config.dir)?;
    let newest = app.store.witnessed_head(true)?;
    Ok(json!({
        "policy": text.map(|text| String::from_utf8_lossy(&text).into_owned()),
        "log_size": app.store.head()?.size,
        "witnessed_size": newest.as_ref().map(|head| head.size),
        "cosigned": newest.map(|head| micros_to_text(head.cosigned)),
    }))
}

/// Takes another policy; that it was changed, and to what, is an entry.
pub(super) fn set(app: &App, actor: &str, text: &[u8]) -> Result<Value, ControlError> {
    let witnesses = app.set_witnesses(text)?;
    let note = json!({ "witness_policy": String::from_utf8_lossy(text) });
    app.administer_blocking(actor, Admin::Note(note))?;
    Ok(json!({
        "witnesses": witnesses.policy.witnesses().len(),
        "places": witnesses.sites.len(),
        "quorum": witnesses.policy.quorum().map(ToString::to_string),
    }))
}

/// One more witness in the policy that this command writes.
pub(super) fn add(
    app: &App,
    actor: &str,
    name: &str,
    keys: &[String],
    url: &str,
    fingerprint: Option<&str>,
) -> Result<Value, ControlError> {
    let parsed: Result<Vec<VerifierKey>, _> =
        keys.iter().map(|key| VerifierKey::parse(key)).collect();
    let keys = parsed.map_err(|error| ControlError::usage(error.to_string()))?;
    let pin = fingerprint
        .map(|text| {
            parse_fingerprint(text).ok_or_else(|| {
                ControlError::usage(format!(
                    "`{text}` is not a fingerprint: 64 hexadecimal digits are expected"
                ))
            })
        })
        .transpose()?;
    let text = policy::with_witness(&app.config.dir, name, &keys, url, pin.as_ref())?;
    set(app, actor, &text)
}

/// A row for each place.
pub(super) fn list(app: &App, output: &mut dyn Output) -> Result<Value, ControlError> {
    let Some(witnesses) = app.witnesses() else {
        return Ok(json!({ "witnesses": 0 }));
    };
    for site in &witnesses.sites {
        let health = app.witnessing.health(&site.url);
        output.row(json!({
            "name": site.name,
            "url": site.url,
            "fingerprint": site.fingerprint.as_ref().map(crate::http::context::hex),
            "keys": site.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "size": health.size,
            "cosigned": health.cosigned.map(micros_to_text),
            "problem": health.last_error,
        }))?;
    }
    Ok(json!({ "witnesses": witnesses.sites.len() }))
}

impl From<WitnessesError> for ControlError {
    fn from(error: WitnessesError) -> Self {
        let kind = match error {
            WitnessesError::File { .. } | WitnessesError::Client(_) => ErrorKind::Internal,
            WitnessesError::Taken(_) => ErrorKind::Taken,
            _ => ErrorKind::Usage,
        };
        Self::new(kind, error.to_string())
    }
}
