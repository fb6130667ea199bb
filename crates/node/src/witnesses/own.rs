//! What others know of our own log. A register put back from an old copy is shorter than what witnesses and peers have seen
//! signed; going on from there would write history twice. So the node asks before it signs anything, keeps asking those that
//! were silent, and signs nothing more once one of them shows such a head.

use std::sync::Arc;
use std::time::Duration;

use comity_ledger::tree;
use comity_ledger::verify::{self, VerifiedCheckpoint};
use comity_store::{AlarmKind, Op, PeerKind, PeerState, Progress, RaiseAlarm};
use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::app::App;
use crate::peers::{run, taxii};

/// All of them together have this long when a node starts.
pub const ASK_TIME_MAX: Duration = Duration::from_millis(1_500);
/// Those that were silent are asked again so often.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// A head of ours that the register does not have.
#[derive(Clone, Debug)]
pub struct Above {
    /// Who showed it.
    pub source: String,
    /// In words, with both heads and what to do.
    pub text: String,
    /// Its note.
    pub note: String,
}

/// What came back from asking.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Who answered.
    pub answered: Vec<String>,
    /// Who did not, and why.
    pub silent: Vec<(String, String)>,
    /// The first head that contradicts the register.
    pub above: Option<Above>,
}

/// Asks every witness and every active peer that is not in `done` for the newest head of ours it knows.
pub async fn ask(app: &Arc<App>, done: &[String]) -> Asked {
    let mut asked = Asked::default();
    let sources = join_all(sources(app, done).into_iter().map(|source| async {
        let (name, answer) = source.await;
        (name, answer)
    }));
    for (name, answer) in sources.await {
        match answer {
            Ok(note) => {
                if let Some(note) = note
                    && asked.above.is_none()
                {
                    asked.above = compare(app, &name, &note);
                }
                asked.answered.push(name);
            }
            Err(error) => asked.silent.push((name, error)),
        }
    }
    asked
}

type Source =
    std::pin::Pin<Box<dyn Future<Output = (String, Result<Option<Vec<u8>>, String>)> + Send>>;

fn sources(app: &Arc<App>, done: &[String]) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let origin = app.own_log.origin.clone();
    if let Some(witnesses) = app.witnesses() {
        for site in &witnesses.sites {
            let (name, client, origin) = (
                format!("witness `{}`", site.name),
                site.client.clone(),
                origin.clone(),
            );
            if !done.contains(&name) {
                sources.push(Box::pin(async move {
                    let newest = tokio::time::timeout(ASK_TIME_MAX, client.newest(&origin)).await;
                    (
                        name,
                        flatten(newest.map(|it| it.map_err(|error| error.to_string()))),
                    )
                }));
            }
        }
    }
    for peer in app.catalog().peers() {
        let name = format!("peer `{}`", peer.key);
        if peer.kind != PeerKind::Comity || peer.state != PeerState::Active || done.contains(&name)
        {
            continue;
        }
        let (app, peer) = (Arc::clone(app), Arc::clone(peer));
        sources.push(Box::pin(async move {
            let seen = async {
                let target = run::target(&app, &peer)?;
                let url =
                    taxii::join(&peer.url, "api/v1/log/seen").map_err(|error| error.to_string())?;
                match target.client.get(&url, "text/plain, */*", &[]).await {
                    Ok(answer) => Ok(Some(answer.body)),
                    // it keeps none, or is too old to say
                    Err(crate::peers::client::ClientError::Status { status: 404, .. }) => Ok(None),
                    Err(error) => Err(error.to_string()),
                }
            };
            let seen = tokio::time::timeout(ASK_TIME_MAX, seen).await;
            (name, flatten(seen))
        }));
    }
    sources
}

fn flatten<T>(answer: Result<Result<T, String>, tokio::time::error::Elapsed>) -> Result<T, String> {
    answer.unwrap_or_else(|_late| Err("no answer in time".to_owned()))
}

/// Whether a head somebody showed is one this register has. One that our key did not sign says nothing: anybody can write it.
#[must_use]
pub fn compare(app: &App, source: &str, note: &[u8]) -> Option<Above> {
    let shown = match verify::checkpoint(&app.own_log, note) {
        Ok(shown) => shown,
        Err(error) => {
            tracing::warn!(source, %error, "a head said to be ours is not");
            return None;
        }
    };
    match contradiction(app, &shown) {
        Ok(None) => None,
        Ok(Some(what)) => Some(Above {
            source: source.to_owned(),
            text: advice(app, source, &shown, &what),
            note: String::from_utf8_lossy(note).into_owned(),
        }),
        Err(error) => {
            tracing::error!(source, %error, "a head of ours could not be compared with the register");
            None
        }
    }
}

/// Read after the head was shown: the register only grows, so what it signed before is in it by now.
fn contradiction(app: &App, shown: &VerifiedCheckpoint) -> Result<Option<String>, String> {
    let ours = app.store.head().map_err(|error| error.to_string())?;
    let shown = shown.head();
    if shown.size() > ours.size {
        return Ok(Some(format!(
            "it has {} entries, the register here {}",
            shown.size(),
            ours.size
        )));
    }
    let root = tree::root(&app.store, shown.size()).map_err(|error| error.to_string())?;
    Ok((&root != shown.root()).then(|| {
        format!(
            "with {} entries it has another root than the register here had",
            shown.size()
        )
    }))
}

fn advice(app: &App, source: &str, shown: &VerifiedCheckpoint, what: &str) -> String {
    let ours = app.store.head().map(|head| (head.size, head.root));
    let (size, root) = ours.unwrap_or((0, [0; 32]));
    format!(
        "{source} shows a head of this log that is not in this register: {what}\n  shown: {} entries, root {}\n  here:  {size} \
         entries, root {}\n  help: this register is an old copy: nothing more is signed with it. `comity restore` a backup \
         that is newer; if there is none, the log ends here and a new one begins: docs/OPERATOR.md, \"A log that was lost\"",
        shown.head().size(),
        crate::http::context::hex(shown.head().root()),
        crate::http::context::hex(root),
    )
}

/// Before a node signs anything.
///
/// # Errors
/// The words for the operator.
pub async fn check_at_start(app: &Arc<App>) -> Result<Asked, String> {
    if let Some(halted) = app.sequencer.halted() {
        return Err(halted.to_string());
    }
    let asked = ask(app, &[]).await;
    for (source, error) in &asked.silent {
        tracing::warn!(
            source,
            error,
            "does not say which head of this log it knows; it is asked again"
        );
    }
    match &asked.above {
        None => Ok(asked),
        Some(above) => {
            stop_signing(app, above).await;
            Err(above.text.clone())
        }
    }
}

/// Signs nothing from now on, keeps the evidence, and says so.
pub async fn stop_signing(app: &Arc<App>, above: &Above) {
    app.sequencer.halt(&above.text);
    tracing::error!(source = %above.source, "{}", above.text);
    let kept = app.store.head().map(|head| head.note).unwrap_or_default();
    let alarm = RaiseAlarm {
        kind: AlarmKind::OwnRollback,
        peer: None,
        origin: app.own_log.origin.clone(),
        source: above.source.clone(),
        detail: above.text.clone(),
        evidence: Sha256::digest(format!("{kept}\0{}", above.note)).into(),
        kept: Some(kept),
        shown: Some(above.note.clone()),
        pauses: true,
    };
    let op = Op::Progress(Progress::OwnAlarm(Box::new(alarm)));
    if let Err(error) = app.sequencer.submit(vec![op]).await {
        tracing::error!(%error, "the alarm could not be kept");
    }
    if let Err(error) = app.reload() {
        tracing::error!(%error, "the catalog could not be read again");
    }
}

/// Keeps asking those that were silent at the start until each has answered once.
pub async fn keep_asking(app: Arc<App>, first: Asked, mut stop: watch::Receiver<bool>) {
    let mut done = first.answered;
    let mut silent = !first.silent.is_empty();
    let mut catalog = app.catalog_changes();
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            changed = catalog.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(ASK_AGAIN), if silent => {}
        }
        let asked = ask(&app, &done).await;
        done.extend(asked.answered);
        silent = !asked.silent.is_empty();
        if let Some(above) = asked.above {
            stop_signing(&app, &above).await;
            return;
        }
    }
}
