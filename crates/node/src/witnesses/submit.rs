//! Collecting cosignatures: the newest head goes to every witness, at most once a second while the log grows, and every ten
//! minutes while it does not, so that a cosignature's age says that the log lives. All witnesses are asked at once, each has a
//! second; what came back is kept. Nothing waits for this: not the sequencer, not an answer, not a notice that is urgent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::note::{NoteSignature, SignedNote};
use comity_ledger::tree::consistency_proof;
use comity_ledger::verify::{self, VerifyError};
use comity_ledger::witness::{AddCheckpoint, Answer};
use comity_store::{Op, Progress, WitnessedHead};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::watch;

use super::client::Submitted;
use super::{Site, Witnesses, own};
use crate::app::App;
use crate::peers::backoff::Backoff;

/// While the log grows, heads go out at most so often.
pub const PERIOD: Duration = Duration::from_secs(1);
/// While it does not, this often is looked whether something is missing.
pub const HEARTBEAT: Duration = Duration::from_secs(10);
/// A head that did not change is cosigned anew when its cosignature is this old.
pub const REFRESH: Duration = Duration::from_secs(600);

/// What is known of each witness, for people.
#[derive(Default)]
pub struct Witnessing {
    health: Mutex<HashMap<String, SiteHealth>>,
}

/// How it goes with one witness.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SiteHealth {
    /// Entries of the head it cosigned last.
    pub size: Option<u64>,
    /// When that was, microseconds.
    pub cosigned: Option<i64>,
    /// What went wrong last, if nothing worked since.
    pub last_error: Option<String>,
}

impl Witnessing {
    /// How it goes with the witness at a URL.
    #[must_use]
    pub fn health(&self, url: &str) -> SiteHealth {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.get(url).cloned().unwrap_or_default()
    }

    fn set(&self, url: &str, change: impl FnOnce(&mut SiteHealth)) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        change(health.entry(url.to_owned()).or_default());
    }
}

/// What this process remembers of each witness, by URL.
#[derive(Default)]
pub struct Submitter {
    sites: HashMap<String, State>,
}

#[derive(Default)]
struct State {
    /// The size it cosigned last, as far as we know: where the next proof begins.
    known: u64,
    /// What it cosigned for us last: size, time.
    cosigned: Option<(u64, i64)>,
    lines: Vec<NoteSignature>,
    backoff: Backoff,
    not_before: Duration,
}

/// The head that goes out.
struct Head {
    size: u64,
    root: Hash,
    checkpoint: Checkpoint,
    note: SignedNote,
}

/// What became of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Witnesses that were asked.
    pub asked: usize,
    /// Witnesses that cosigned.
    pub cosigned: usize,
    /// The quorum is reached for the newest head.
    pub quorum: bool,
}

/// Runs until `stop` says so, or its sender is gone.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut submitter = Submitter::default();
    let mut grown = app.sequencer.size();
    let mut changed = app.witnesses_changes();
    loop {
        grown.mark_unchanged();
        submitter.round(&app).await;
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
        tokio::select! {
            _ = stop.changed() => return,
            alive = grown.changed() => if alive.is_err() { return },
            alive = changed.changed() => if alive.is_err() { return },
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
}

impl Submitter {
    /// One round: asks the witnesses that are due, all at once, and keeps what came back.
    pub async fn round(&mut self, app: &Arc<App>) -> Round {
        let mut round = Round::default();
        let Some(witnesses) = app.witnesses() else {
            return round;
        };
        let head = match head(app) {
            Ok(Some(head)) => head,
            Ok(None) => return round,
            Err(error) => {
                tracing::error!(error, "the head cannot be submitted to witnesses");
                return round;
            }
        };
        let now = app.clock.monotonic();
        let due: Vec<&Site> = witnesses
            .sites
            .iter()
            .filter(|site| self.is_due(app, site, head.size, now))
            .collect();
        if due.is_empty() {
            return round;
        }
        round.asked = due.len();
        let asked = due.iter().map(|site| {
            let known = self.sites.get(&site.url).map_or(0, |state| state.known);
            ask(app, site, &head, known)
        });
        let answers = join_all(asked).await;
        for (site, answer) in due.into_iter().zip(answers) {
            round.cosigned += usize::from(self.take(app, site, &head, answer).await);
        }
        if round.cosigned > 0 {
            round.quorum = self.keep(app, &witnesses, &head).await;
        }
        round
    }

    fn is_due(&self, app: &App, site: &Site, size: u64, now: Duration) -> bool {
        let Some(state) = self.sites.get(&site.url) else {
            return true;
        };
        let fresh = state.cosigned.is_some_and(|(cosigned, at)| {
            let age = app.clock.now_micros().saturating_sub(at);
            cosigned == size && age < i64::try_from(REFRESH.as_micros()).unwrap_or(i64::MAX)
        });
        !fresh && now >= state.not_before
    }

    /// Notes what a witness answered; true if it cosigned.
    async fn take(
        &mut self,
        app: &Arc<App>,
        site: &Site,
        head: &Head,
        answer: Result<Cosigned, Failed>,
    ) -> bool {
        let outcome = if answer.is_ok() { "cosigned" } else { "failed" };
        app.metrics
            .witness_requests_total
            .with_label_values(&[site.name.as_str(), outcome])
            .inc();
        let now = app.clock.monotonic();
        let state = self.sites.entry(site.url.clone()).or_default();
        let failed = match answer {
            Ok(cosigned) => {
                state.known = head.size;
                state.cosigned = Some((head.size, cosigned.time));
                state.lines = cosigned.lines;
                state.backoff.reset();
                state.not_before = now;
                app.witnessing.set(&site.url, |health| {
                    *health = SiteHealth {
                        size: Some(head.size),
                        cosigned: Some(cosigned.time),
                        last_error: None,
                    };
                });
                return true;
            }
            Err(failed) => failed,
        };
        state.not_before = now + state.backoff.next(&*app.entropy);
        if let Some(known) = failed.known {
            state.known = known;
        }
        tracing::warn!(witness = %site.name, error = %failed.text, "a witness did not cosign; it is asked again");
        app.witnessing
            .set(&site.url, |health| health.last_error = Some(failed.text));
        // it has cosigned what we do not have, or what our proof does not continue: look at it
        if failed.suspect
            && let Ok(Some(note)) = site.client.newest(&app.own_log.origin).await
            && let Some(above) = own::compare(app, &format!("witness `{}`", site.name), &note)
            && app.sequencer.halted().is_none()
        {
            own::stop_signing(app, &above).await;
        }
        false
    }

    /// Puts the cosignatures of this head together and keeps it; true if the quorum is reached.
    async fn keep(&self, app: &App, witnesses: &Witnesses, head: &Head) -> bool {
        let mut note = head.note.clone();
        let mut newest = 0;
        for site in &witnesses.sites {
            let Some(state) = self.sites.get(&site.url) else {
                continue;
            };
            let Some((size, time)) = state.cosigned else {
                continue;
            };
            if size == head.size {
                newest = newest.max(time);
                for line in &state.lines {
                    if let Err(error) = note.add(line.clone()) {
                        tracing::warn!(%error, "a cosignature does not fit any more");
                    }
                }
            }
        }
        let note = note.to_string();
        let quorum = match verify::checkpoint_under(&witnesses.policy, note.as_bytes()) {
            Ok(_) => true,
            Err(VerifyError::Quorum { .. }) => false,
            Err(error) => {
                tracing::error!(%error, "the cosigned head does not hold; it is not kept");
                return false;
            }
        };
        let kept = WitnessedHead {
            quorum,
            size: head.size,
            root: head.root,
            note,
            cosigned: newest,
        };
        let op = Op::Progress(Progress::Witnessed(kept));
        if let Err(error) = app.sequencer.submit(vec![op]).await {
            tracing::warn!(%error, "a cosigned head could not be kept; it is collected again");
            return false;
        }
        if quorum {
            app.metrics
                .log_witnessed_entries
                .set(i64::try_from(head.size).unwrap_or(i64::MAX));
        }
        quorum
    }
}

/// The newest head, with the log's second signature if it has a second key; `None` for a log without entries.
fn head(app: &App) -> Result<Option<Head>, String> {
    let kept = app.store.head().map_err(|error| error.to_string())?;
    if kept.size == 0 {
        return Ok(None);
    }
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut note = SignedNote::parse(kept.note.as_bytes()).map_err(|error| text(&error))?;
    let checkpoint = Checkpoint::parse(note.text_unverified()).map_err(|error| text(&error))?;
    if let Some(cosigner) = &app.log_cosigner {
        let seconds = u64::try_from(app.clock.now_micros() / 1_000_000).unwrap_or(0);
        let line = cosigner
            .sign_own(&checkpoint, seconds)
            .map_err(|error| text(&error))?;
        note.add(line).map_err(|error| text(&error))?;
    }
    Ok(Some(Head {
        size: kept.size,
        root: kept.root,
        checkpoint,
        note,
    }))
}

/// A verified answer.
struct Cosigned {
    lines: Vec<NoteSignature>,
    /// Newest cosignature, microseconds.
    time: i64,
}

/// Why a witness did not cosign.
struct Failed {
    text: String,
    /// The size it says it has.
    known: Option<u64>,
    /// It may know a head of ours that we do not.
    suspect: bool,
}

impl Failed {
    fn new(text: impl std::fmt::Display) -> Self {
        Self {
            text: text.to_string(),
            known: None,
            suspect: false,
        }
    }
}

/// Asks one witness, a second time if it names another size to start from.
async fn ask(app: &App, site: &Site, head: &Head, known: u64) -> Result<Cosigned, Failed> {
    let mut old = known.min(head.size);
    for attempt in 0..2 {
        let proof = consistency_proof(&app.store, old, head.size).map_err(Failed::new)?;
        let request = AddCheckpoint::new(old, proof, head.note.clone()).map_err(Failed::new)?;
        match site.client.submit(&request).await.map_err(Failed::new)? {
            Submitted::Cosigned(body) => return accept(site, head, &body),
            Submitted::Conflict(size) if size <= head.size && attempt == 0 => old = size,
            Submitted::Conflict(size) => {
                return Err(Failed {
                    text: format!("it has cosigned {size} entries, here are {}", head.size),
                    known: Some(size),
                    suspect: size > head.size,
                });
            }
            Submitted::Refused { status, text } => {
                return Err(Failed {
                    text: format!("it answered {status}: {text}"),
                    known: None,
                    // 422: the proof from its head to ours does not hold
                    suspect: status == 422,
                });
            }
        }
    }
    Err(Failed::new("it names another size each time"))
}

/// "The client MUST ignore any cosignatures from unknown keys", and takes no wrong one by a known key.
fn accept(site: &Site, head: &Head, body: &[u8]) -> Result<Cosigned, Failed> {
    let answer = Answer::parse(body).map_err(Failed::new)?;
    let cosignatures = answer
        .cosignatures(&head.checkpoint, &site.keys)
        .map_err(Failed::new)?;
    let newest = cosignatures
        .iter()
        .filter_map(|it| it.verified.time_seconds())
        .max()
        .unwrap_or(0);
    Ok(Cosigned {
        lines: cosignatures.into_iter().map(|it| it.line).collect(),
        time: i64::try_from(newest)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000),
    })
}
