//! Removes objects of destroyed exhibits: after the register has said so, never before.

use comity_evidence::Hash;
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
