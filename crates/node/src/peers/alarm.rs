//! Raising an alarm about a peer: what watching its log finds, and what a delivery brings. Each is an entry of our log with
//! the evidence, once, and nothing is taken from the peer until an officer has acknowledged it.

use comity_store::{Admin, AlarmKind, Fault, Peer, RaiseAlarm};
use sha2::{Digest as _, Sha256};

use super::judge::{Finding, Source};
use crate::app::{AdminError, App, origin};

/// Raises an alarm, unless one of that kind about that log, or for a forged head from that source, is open already.
///
/// # Errors
/// When the register cannot be written.
pub async fn raise(app: &App, peer: &Peer, finding: &Finding) -> Result<(), AdminError> {
    let (origin, source) = (origin(&peer.party), finding.source.name());
    let open = app.catalog().alarms().iter().any(|alarm| {
        alarm.raised.origin == origin
            && alarm.raised.kind == finding.kind
            && (finding.kind != AlarmKind::Forged || alarm.raised.source == source)
    });
    if open {
        return Ok(());
    }
    // a witness that shows nonsense says nothing about the peer: nobody can stop our exchange by lying about a third
    let pauses = finding.kind != AlarmKind::Forged || !matches!(finding.source, Source::Witness(_));
    let evidence = format!(
        "{}\0{source}\0{}\0{}",
        finding.kind.word(),
        finding.kept.as_deref().unwrap_or_default(),
        finding.shown.as_deref().unwrap_or_default()
    );
    let alarm = RaiseAlarm {
        kind: finding.kind,
        peer: Some(peer.key.clone()),
        origin,
        source,
        detail: finding.detail.clone(),
        kept: finding.kept.clone(),
        shown: finding.shown.clone(),
        pauses,
        evidence: Sha256::digest(evidence).into(),
    };
    tracing::error!(peer = %peer.key, kind = alarm.kind.word(), pauses, detail = %alarm.detail, "alarm; the evidence is kept: `comity alarms list`");
    let change = Admin::RaiseAlarm(Box::new(alarm));
    match app.administer(&app.full_name("watch"), change).await {
        // raised and acknowledged before: the officer knows
        Ok(_) | Err(AdminError::Fault(Fault::Taken { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}
