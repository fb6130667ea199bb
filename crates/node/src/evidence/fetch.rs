//! Fetching the contents of a hand-over: several parts at a time, each item written in order, on the wire again after any break.
//!
//! An item is cut into parts of some chunks. Each worker takes the next part, fetches and decrypts it into memory, and hands it
//! over when all before it in the item are written; so one large file fills a line as well as many small ones, what is
//! written is hashed in the same pass, and memory stays at one part a worker. What is staged after a break begins the item.

mod line;
mod plan;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use comity_evidence::{Exhibit, Hash, LINE_BYTES_MAX};
use comity_store::vault::{Receiving, Vault, VaultError, Whole};
use tokio::runtime::Handle;

use crate::control::{ControlError, ErrorKind};
use crate::peers::client::{Client, ClientError};
use line::Line;
use plan::{Delivered, Part, Plan};

/// Parts fetched at once: enough to fill a line, few enough that memory stays flat.
const CONNECTIONS: usize = 4;
/// Items that get their names together.
const GROUP_ITEMS: usize = 512;
/// ... or so many octets.
const GROUP_BYTES: u64 = 1 << 30;
/// How often somebody who waits is told how far it is.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// How long a peer may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A chunk (64 KiB) must have come by then, or the line counts as broken: about 1 kB/s is the least a line must do, and a
    /// peer that sends an octet a minute does not hold us for ever.
    pub chunk: Duration,
    /// Breaks in a row without a single chunk before the command gives up; what came is kept.
    pub breaks_max: u32,
    /// Pause after the first of them; doubled for each further, up to 64 times.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            chunk: Duration::from_secs(60),
            breaks_max: 8,
            pause: Duration::from_millis(100),
        }
    }
}

/// Where contents come from.
pub struct From<'a> {
    /// The peer.
    pub client: &'a Client,
    /// Its base URL.
    pub url: &'a str,
    /// Our secret for what is encrypted to us.
    pub identity: &'a [u8; 32],
    /// The runtime.
    pub runtime: &'a Handle,
    /// How long it may take.
    pub patience: Patience,
}

/// What is fetched.
pub struct What<'a> {
    /// The exhibit.
    pub exhibit: &'a Exhibit,
    /// Hash of the event that hands it over.
    pub transferred: &'a Hash,
    /// Octets of its list of items, as the giver says.
    pub list_size: u64,
}

/// Fetches all contents of a hand-over into the vault. When this returns they are on disk, each as its hash says.
///
/// # Errors
/// When the peer cannot be reached for long, sends something else, or the disk fails. The same call goes on.
pub fn fetch(
    vault: &Vault,
    what: &What<'_>,
    from: &From<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Receiving, ControlError> {
    let exhibit = what.exhibit;
    room(vault, what, from.url)?;
    let receiving = vault.receive(what.transferred, &exhibit.id)?;
    let work = Work {
        line: Line::new(from, exhibit.id.as_str()),
        receiving: &receiving,
        bytes: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        waiting: Mutex::new(Waiting::default()),
    };
    let list = exhibit.items_sha256;
    if !receiving.has(&list, what.list_size) {
        let one = Plan::of_list(&work, list, what.list_size)?;
        work.all(&one, None, &mut |_| {})?;
        work.keep_rest()?;
    }
    work.bytes.store(0, Ordering::Relaxed);
    let (items, rest) = mpsc::sync_channel(CONNECTIONS);
    let plan = Plan::of_items(exhibit, rest);
    let read = move || {
        let read = vault.items(&list, &mut |item| {
            // nobody takes more when the work has failed
            let _stopped = items.send(item);
            Ok(())
        });
        read.map(|_| ())
    };
    let done = work.all(&plan, Some(Box::new(read)), &mut |at| {
        progress(at, exhibit.size);
    });
    // also after a failure: what is whole need not come again
    work.keep_rest()?;
    done?;
    plan.complete(exhibit)?;
    Ok(receiving)
}

/// Refuses sizes that cannot be true and what does not fit, before anything is written.
fn room(vault: &Vault, what: &What<'_>, url: &str) -> Result<(), ControlError> {
    let exhibit = what.exhibit;
    let list_max = exhibit.items.saturating_mul(LINE_BYTES_MAX as u64);
    if what.list_size > list_max {
        return Err(ControlError::forbidden(format!(
            "`{url}` says that the list of {} items has {} octets",
            exhibit.items, what.list_size
        )));
    }
    let (needed, free) = (
        exhibit.size.saturating_add(what.list_size),
        vault.free_bytes()?,
    );
    if needed > free {
        return Err(ControlError::usage(format!(
            "the exhibit has {needed} octets and the vault's disk has {free} free"
        )));
    }
    Ok(())
}

type Reading<'a> = Box<dyn FnOnce() -> Result<(), VaultError> + Send + 'a>;

struct Work<'a> {
    line: Line<'a>,
    receiving: &'a Receiving,
    bytes: AtomicU64,
    stop: AtomicBool,
    waiting: Mutex<Waiting>,
}

/// What is whole and waits for its name.
#[derive(Default)]
struct Waiting {
    items: Vec<Whole>,
    bytes: u64,
}

impl Work<'_> {
    /// Carries a plan out. `reading` feeds it, on a thread of its own.
    fn all(
        &self,
        plan: &Plan<'_>,
        reading: Option<Reading<'_>>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ControlError> {
        let (failures, failed) = mpsc::channel();
        let mut first = None;
        std::thread::scope(|scope| {
            let mut jobs: Vec<Box<dyn FnOnce() -> Result<(), ControlError> + Send + '_>> =
                Vec::new();
            if let Some(reading) = reading {
                jobs.push(Box::new(move || Ok(reading()?)));
            }
            for _ in 0..CONNECTIONS {
                jobs.push(Box::new(|| self.some(plan)));
            }
            for job in jobs {
                let failures = failures.clone();
                scope.spawn(move || {
                    if let Err(error) = job() {
                        self.stop.store(true, Ordering::SeqCst);
                        let _gone = failures.send(error);
                    }
                });
            }
            drop(failures);
            loop {
                match failed.recv_timeout(PROGRESS_EVERY) {
                    Ok(error) => {
                        first.get_or_insert(error);
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        progress(self.bytes.load(Ordering::Relaxed));
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        progress(self.bytes.load(Ordering::Relaxed));
        first.map_or(Ok(()), Err)
    }

    /// Part after part, until there is none or something failed.
    fn some(&self, plan: &Plan<'_>) -> Result<(), ControlError> {
        while let Some(part) = plan.next(self)? {
            let delivered = self.part(&part);
            if delivered.is_err() {
                self.stop.store(true, Ordering::SeqCst);
            }
            // whoever waits for this part looks again, at what came or at `stop`
            part.item.leave();
            if let Delivered::Whole(whole, size) = delivered? {
                self.keep(*whole, size)?;
            }
        }
        Ok(())
    }

    fn part(&self, part: &Part) -> Result<Delivered, ControlError> {
        let mut plain = Vec::new();
        if !self.line.part(part, &mut plain, &self.stop)? {
            return Ok(Delivered::Stopped);
        }
        let delivered = part.item.deliver(part.from, &plain, &self.stop);
        if matches!(delivered, Ok(Delivered::Part | Delivered::Whole(..))) {
            self.came(plain.len() as u64);
        }
        let item = &part.item;
        delivered.map_err(|error| self.line.blame(item.number, item.resumed, error))
    }

    /// So many octets more are here.
    fn came(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives whole items their names, many at once.
    fn keep(&self, whole: Whole, size: u64) -> Result<(), ControlError> {
        let mut waiting = locked(&self.waiting);
        waiting.items.push(whole);
        waiting.bytes += size;
        if waiting.items.len() >= GROUP_ITEMS || waiting.bytes >= GROUP_BYTES {
            let ready = std::mem::take(&mut *waiting);
            self.receiving.keep(ready.items)?;
        }
        Ok(())
    }

    fn keep_rest(&self) -> Result<(), ControlError> {
        let ready = std::mem::take(&mut *locked(&self.waiting));
        Ok(self.receiving.keep(ready.items)?)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::convert::From<ClientError> for ControlError {
    fn from(error: ClientError) -> Self {
        let kind = match &error {
            ClientError::Status { status: 404, .. } => ErrorKind::NotFound,
            ClientError::Status {
                status: 401 | 403 | 422,
                ..
            }
            | ClientError::Answer { .. } => ErrorKind::Forbidden,
            _ => ErrorKind::Unreachable,
        };
        Self::new(kind, error.to_string())
    }
}
