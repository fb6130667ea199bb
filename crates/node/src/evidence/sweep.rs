//! Removes objects of destroyed exhibits: after the register has said so, never before.

use comity_evidence::{Hash, Hex};
use comity_store::{Evidence, EvidenceChange, Op};

use crate::app::App;
use crate::control::ControlError;

/// Removes what is doomed, now or left over from a crash; gives how many objects went. While something is being sealed
/// nothing is removed: a seal may just have put the same contents there.
///
/// # Errors
/// When the vault is busy or the disk fails; what is doomed stays doomed and is tried again.
pub fn remove_doomed(app: &App) -> Result<usize, ControlError> {
    let Some((doomed, op)) = remove(app)? else {
        return Ok(0);
    };
    app.sequencer.submit_blocking(vec![op])?;
    Ok(doomed)
}

/// [`remove_doomed`] for the runtime.
///
/// # Errors
/// As there.
pub async fn remove_doomed_async(app: &std::sync::Arc<App>) -> Result<usize, ControlError> {
    let worker = std::sync::Arc::clone(app);
    let removed = tokio::task::spawn_blocking(move || remove(&worker)).await;
    let Some((doomed, op)) = removed.map_err(ControlError::internal)?? else {
        return Ok(0);
    };
    app.sequencer.submit(vec![op]).await?;
    Ok(doomed)
}

fn remove(app: &App) -> Result<Option<(usize, Op)>, ControlError> {
    if app.store.doomed_objects()?.is_empty() {
        return Ok(None);
    }
    let vault = super::commit::vault(app);
    let _lock = vault.lock_for_removal()?;
    // under the lock: nothing is taken in meanwhile that would bring one of them back
    let doomed: Vec<Hash> = app.store.doomed_objects()?;
    for object in &doomed {
        vault.remove_object(object)?;
    }
    // CRASH POINT: some or all are gone and still marked; the next sweep removes them again, which is no error
    let count = doomed.len();
    let op = Op::Evidence(Box::new(Evidence {
        records: Vec::new(),
        change: EvidenceChange::Removed(doomed),
    }));
    Ok(Some((count, op)))
}

/// Removes objects that neither an exhibit nor a seal under way has; gives their number and octets. Only on an operator's
/// word: after an old register was restored, what looks left over may be evidence.
///
/// # Errors
/// While something is being sealed; when the disk fails.
pub fn remove_left_over(app: &App, actor: &str) -> Result<(usize, u64), ControlError> {
    let vault = super::commit::vault(app);
    let _lock = vault.lock_for_removal()?;
    let pending = vault.pending_objects();
    let mut all: Vec<(Hash, u64)> = Vec::new();
    vault.each_object(&mut |sha256, size| all.push((sha256, size)), &mut |_| {})?;
    let mut left = Vec::new();
    for (sha256, size) in all {
        if !pending.contains(&sha256) && !app.store.is_vault_object(&sha256)? {
            left.push((sha256, size));
        }
    }
    let octets = left.iter().map(|(_, size)| size).sum();
    let names: Vec<String> = left
        .iter()
        .map(|(sha256, _)| Hex(sha256).to_string())
        .collect();
    // said before it is done: what is gone must be in the log
    let note = serde_json::json!({ "evidence_tidy": { "objects": names, "octets": octets } });
    if !left.is_empty() {
        app.administer_blocking(actor, comity_store::Admin::Note(note))?;
    }
    for (sha256, _) in &left {
        vault.remove_object(sha256)?;
    }
    Ok((left.len(), octets))
}
