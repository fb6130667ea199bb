//! The one writer. Submissions queue here; one thread takes what has gathered, commits it in one transaction
//! (records, log entries, tiles, head, signed checkpoint) and answers each submitter after the commit is on disk.
//!
//! Batching is by back-pressure, not by a timer: while one batch is being synced the next gathers.

use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use comity_store::{AppendError, Batch, BoxError, Erasure, Head, Op, Outcome, Writer};
use tokio::sync::{oneshot, watch};

use crate::clock::SharedClock;
use crate::head::Seen;
use crate::limits::{SEQUENCER_OPS_MAX, SEQUENCER_QUEUE_MAX};
use crate::metrics::Metrics;

/// Why a submission was not committed. Nothing of it is in the register.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// Too many wait already.
    #[error(
        "the node is busy: {SEQUENCER_QUEUE_MAX} submissions are waiting\n  help: try again in a few seconds"
    )]
    Busy,
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
    /// Nothing may be signed any more.
    #[error("the log signs nothing: {0}")]
    Halted(Arc<str>),
    /// The disk is full.
    #[error(
        "the disk is full: {0}\n  help: nothing acknowledged is lost; free some space and try again"
    )]
    Full(Arc<str>),
    /// The register takes no writes any more: the node stops.
    #[error(
        "the register failed, and the node stops: {0}\n  help: what was in doubt is found at the next start; `comity doctor`"
    )]
    Failed(Arc<str>),
    /// The transaction failed; the batch is not in the register.
    #[error("the register refused the batch: {0}")]
    Batch(Arc<str>),
}

struct Submission {
    ops: Vec<Op>,
    answer: oneshot::Sender<Result<Vec<Outcome>, SubmitError>>,
}

/// Signs the text of a checkpoint for a tree of `size` with `root`.
pub type SignCheckpoint = Box<dyn Fn(u64, &comity_ledger::Hash) -> Result<String, BoxError> + Send>;

/// The handle by which all parts submit writes. Cheap to clone.
#[derive(Clone)]
pub struct Sequencer {
    queue: SyncSender<Submission>,
    size: watch::Receiver<u64>,
    halt: Halt,
    failed: watch::Receiver<Option<Arc<str>>>,
}

/// Why nothing may be signed; shared by the handles and the thread.
type Halt = Arc<RwLock<Option<Arc<str>>>>;

impl Sequencer {
    /// Starts the writing thread; it ends when every handle is gone, after committing what was queued.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        writer: Writer,
        sign: SignCheckpoint,
        clock: SharedClock,
        metrics: Arc<Metrics>,
        head: Head,
        seen: Seen,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (queue, submissions) = sync_channel(SEQUENCER_QUEUE_MAX);
        let (grown, size) = watch::channel(head.size);
        let (fail, failed) = watch::channel(None);
        let halt = Halt::default();
        let work = Worker {
            writer,
            sign,
            clock,
            metrics,
            grown,
            head,
            seen,
            failed: fail,
            halt: Arc::clone(&halt),
            batches_since_tidy: 0,
        };
        let thread = std::thread::Builder::new()
            .name("sequencer".to_owned())
            .spawn(move || work.run(&submissions))?;
        let handle = Self {
            queue,
            size,
            halt,
            failed,
        };
        Ok((handle, thread))
    }

    /// Commits `ops` and gives the outcome of each, in order. When this returns `Ok`, they are on disk.
    ///
    /// # Errors
    /// See [`SubmitError`]; on error nothing of `ops` is in the register.
    pub async fn submit(&self, ops: Vec<Op>) -> Result<Vec<Outcome>, SubmitError> {
        let (answer, outcome) = oneshot::channel();
        self.queue
            .try_send(Submission { ops, answer })
            .map_err(|error| match error {
                TrySendError::Full(_) => SubmitError::Busy,
                TrySendError::Disconnected(_) => SubmitError::Stopping,
            })?;
        outcome.await.unwrap_or(Err(SubmitError::Stopping))
    }

    /// Like [`Self::submit`] for threads outside the runtime; waits for a place in the queue instead of failing.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit_blocking(&self, ops: Vec<Op>) -> Result<Vec<Outcome>, SubmitError> {
        let (answer, outcome) = oneshot::channel();
        self.queue
            .send(Submission { ops, answer })
            .map_err(|_| SubmitError::Stopping)?;
        outcome
            .blocking_recv()
            .unwrap_or(Err(SubmitError::Stopping))
    }

    /// Signs nothing from now on: what would write an entry is refused with this reason. Bookkeeping goes on. There is no
    /// way back but a restart on another register.
    pub fn halt(&self, why: &str) {
        let mut halt = self.halt.write().unwrap_or_else(PoisonError::into_inner);
        halt.get_or_insert_with(|| why.into());
    }

    /// Why nothing is signed, if it is so.
    #[must_use]
    pub fn halted(&self) -> Option<Arc<str>> {
        self.halt
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Follows the log's size: changes after each commit. Followers wake by it.
    #[must_use]
    pub fn size(&self) -> watch::Receiver<u64> {
        self.size.clone()
    }

    /// Why the register takes no writes any more, if it does not. Only another start helps: it finds what was in doubt.
    #[must_use]
    pub fn failed(&self) -> Option<Arc<str>> {
        self.failed.borrow().clone()
    }

    /// Returns when the register takes no writes any more; never while it does.
    pub async fn failure(&self) -> Arc<str> {
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            Err(_) => "the writing thread died".into(),
        }
    }
}

struct Worker {
    writer: Writer,
    sign: SignCheckpoint,
    clock: SharedClock,
    metrics: Arc<Metrics>,
    grown: watch::Sender<u64>,
    /// Of the last commit.
    head: Head,
    seen: Seen,
    /// Set by a fatal error: the register can no longer be trusted to take writes, so none is tried until a restart.
    failed: watch::Sender<Option<Arc<str>>>,
    halt: Halt,
    batches_since_tidy: u32,
}

impl Worker {
    fn run(mut self, submissions: &Receiver<Submission>) {
        // how long to wait for a submission before something else is done; `None` when there is nothing else
        let mut idle = Some(TIDY_AFTER_IDLE);
        loop {
            let first = match idle {
                None => submissions
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => submissions.recv_timeout(wait),
            };
            match first {
                Ok(first) => {
                    self.commit(gather(first, submissions));
                    idle = Some(TIDY_AFTER_IDLE);
                    self.batches_since_tidy += 1;
                    if self.batches_since_tidy >= TIDY_EVERY_BATCHES {
                        self.tidy();
                    }
                }
                Err(RecvTimeoutError::Timeout) => idle = self.tidy(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.finish();
    }

    /// Makes some more records searchable, then takes some more of what was erased off the disk. Says when to come back; `None`
    /// when all is done. Search lags behind the register by design: it can be rebuilt.
    fn tidy(&mut self) -> Option<Duration> {
        self.batches_since_tidy = 0;
        if self.failed.borrow().is_some() {
            return None;
        }
        match self.writer.search_index_step(INDEX_STEP_ENTRIES) {
            Ok(0) => self.erase(),
            Ok(_) => Some(TIDY_AFTER_IDLE),
            Err(error) => {
                tracing::warn!(%error, "the search index could not be extended; it is tried again after the next batch");
                None
            }
        }
    }

    fn erase(&mut self) -> Option<Duration> {
        let state = self.writer.erase_step().unwrap_or_else(|error| {
            tracing::warn!(%error, "what was erased could not be taken off the disk yet; it is tried again");
            Erasure::Waiting
        });
        self.metrics
            .erasure_pending
            .set(i64::from(state != Erasure::Done));
        match state {
            Erasure::Done => None,
            Erasure::More => Some(Duration::ZERO),
            Erasure::Waiting => Some(ERASE_AGAIN),
        }
    }

    /// The last of this thread: what was erased goes, and the file alone is the register.
    fn finish(mut self) {
        if self.failed.borrow().is_none() {
            let started = self.clock.monotonic();
            while self.erase() == Some(Duration::ZERO)
                && self.clock.monotonic().saturating_sub(started) < FINISH_TIME_MAX
            {}
            self.seen.note(&self.head, self.clock.monotonic(), true);
            if let Err(error) = self.writer.checkpoint() {
                tracing::warn!(%error, "the write-ahead log could not be folded into the register");
            }
        }
    }

    fn commit(&mut self, gathered: Vec<Submission>) {
        let mut ops = Vec::new();
        let mut answers = Vec::with_capacity(gathered.len());
        let halted = self
            .halt
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for submission in gathered {
            if let Some(why) = &halted
                && !submission
                    .ops
                    .iter()
                    .all(|op| matches!(op, Op::Progress(_)))
            {
                let _gone = submission
                    .answer
                    .send(Err(SubmitError::Halted(Arc::clone(why))));
                continue;
            }
            answers.push((submission.ops.len(), submission.answer));
            ops.extend(submission.ops);
        }
        let started = self.clock.monotonic();
        match self.append(ops) {
            Ok(outcomes) => {
                self.metrics.batch_committed(
                    outcomes.len(),
                    self.clock.monotonic().saturating_sub(started),
                );
                let mut outcomes = outcomes.into_iter();
                for (count, answer) in answers {
                    // a submitter that went away is no error: what it sent is committed all the same
                    let _gone = answer.send(Ok(outcomes.by_ref().take(count).collect()));
                }
                self.seen.note(&self.head, self.clock.monotonic(), false);
            }
            Err(error) => {
                self.metrics.batch_failed();
                tracing::error!(%error, "the register refused a batch");
                for (_, answer) in answers {
                    let _gone = answer.send(Err(error.clone()));
                }
            }
        }
    }

    fn append(&mut self, ops: Vec<Op>) -> Result<Vec<Outcome>, SubmitError> {
        if let Some(why) = &*self.failed.borrow() {
            return Err(SubmitError::Failed(Arc::clone(why)));
        }
        let batch = Batch {
            now_micros: self.clock.now_micros(),
            ops,
        };
        match self.writer.append(&batch, &*self.sign) {
            Ok(appended) => {
                self.metrics
                    .log_entries
                    .set(i64::try_from(appended.head.size).unwrap_or(i64::MAX));
                self.metrics.register_full.set(0);
                self.grown.send_replace(appended.head.size);
                self.head = appended.head;
                Ok(appended.outcomes)
            }
            Err(error) => {
                let text: Arc<str> = error.to_string().into();
                if error.is_fatal() {
                    self.metrics.register_failed.set(1);
                    self.failed.send_replace(Some(Arc::clone(&text)));
                    return Err(SubmitError::Failed(text));
                }
                let full = matches!(error, AppendError::Full(_));
                self.metrics.register_full.set(i64::from(full));
                Err(if full {
                    SubmitError::Full(text)
                } else {
                    SubmitError::Batch(text)
                })
            }
        }
    }
}

fn gather(first: Submission, submissions: &Receiver<Submission>) -> Vec<Submission> {
    let mut ops_count = first.ops.len();
    let mut gathered = vec![first];
    while ops_count < SEQUENCER_OPS_MAX {
        match submissions.try_recv() {
            Ok(next) => {
                ops_count += next.ops.len();
                gathered.push(next);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    gathered
}

/// The sequencer makes records searchable, and takes erased ones off the disk, when nobody has submitted for this long.
const TIDY_AFTER_IDLE: Duration = Duration::from_millis(20);
/// Under steady load it does so every this many batches.
const TIDY_EVERY_BATCHES: u32 = 32;
/// Log entries of one step: about 10 ms.
const INDEX_STEP_ENTRIES: usize = 512;
/// When readers hold up the cutting of the write-ahead log, it is tried again after this long.
const ERASE_AGAIN: Duration = Duration::from_secs(1);
/// What was erased is taken off the disk before the node ends, unless it takes longer: then the next start goes on.
const FINISH_TIME_MAX: Duration = Duration::from_secs(5);
