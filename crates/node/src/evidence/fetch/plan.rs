//! Which parts of which items are still to be fetched, and how an item is put together from them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use comity_evidence::{Exhibit, Hash, Item};
use comity_store::vault::{Incoming, VaultError, Whole};

use super::{Work, locked};
use crate::control::ControlError;
use crate::evidence::age::{CHUNK, Payload, chunk_count};

/// Chunks of a part: 4 MiB.
const PART_CHUNKS: u64 = 64;

/// An item under way.
pub(super) struct Under {
    pub(super) number: u64,
    pub(super) size: u64,
    sha256: Hash,
    /// An earlier run has staged its beginning.
    pub(super) resumed: bool,
    /// Made from the header, once.
    pub(super) payload: OnceLock<Payload>,
    /// Taken when it is whole.
    incoming: Mutex<Option<Incoming>>,
    /// Something was written, or the work stops.
    moved: Condvar,
}

/// Some chunks of an item.
pub(super) struct Part {
    pub(super) item: Arc<Under>,
    pub(super) from: u64,
    pub(super) end: u64,
}

/// What became of a part.
pub(super) enum Delivered {
    /// It is written.
    Part,
    /// It was the last: the item is whole, of so many octets.
    Whole(Box<Whole>, u64),
    /// Something else failed meanwhile.
    Stopped,
}

impl Under {
    fn new(number: u64, sha256: Hash, size: u64, incoming: Incoming) -> Arc<Self> {
        Arc::new(Self {
            number,
            size,
            sha256,
            resumed: incoming.offset() > 0,
            payload: OnceLock::new(),
            incoming: Mutex::new(Some(incoming)),
            moved: Condvar::new(),
        })
    }

    /// Writes a part once all before it are written.
    pub(super) fn deliver(
        &self,
        from: u64,
        plain: &[u8],
        stop: &AtomicBool,
    ) -> Result<Delivered, VaultError> {
        let begin = from.saturating_mul(CHUNK as u64);
        let mut incoming = locked(&self.incoming);
        loop {
            // seen under the lock that `leave` takes, so nobody sleeps through it
            if stop.load(Ordering::SeqCst) {
                return Ok(Delivered::Stopped);
            }
            match incoming.as_ref() {
                Some(there) if there.offset() < begin => {
                    incoming = self
                        .moved
                        .wait(incoming)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                _ => break,
            }
        }
        let Some(there) = incoming.as_mut() else {
            return Ok(Delivered::Stopped);
        };
        there.write(plain)?;
        if there.offset() < self.size {
            return Ok(Delivered::Part);
        }
        match incoming.take() {
            Some(whole) => Ok(Delivered::Whole(
                Box::new(whole.finish(&self.sha256)?),
                self.size,
            )),
            None => Ok(Delivered::Stopped),
        }
    }

    /// Wakes those who wait for earlier parts.
    pub(super) fn leave(&self) {
        drop(locked(&self.incoming));
        self.moved.notify_all();
    }
}

/// What is still to be fetched, in order.
pub(super) struct Plan<'a> {
    state: Mutex<State<'a>>,
}

struct State<'a> {
    /// The item whose parts are given out, and the next chunk of it.
    current: Option<(Arc<Under>, u64)>,
    items: Option<Receiver<Item>>,
    announced: Option<&'a Exhibit>,
    /// Items and octets so far.
    seen: (u64, u64),
}

impl<'a> Plan<'a> {
    /// Of the list of items, which the hand-over names by its hash.
    pub(super) fn of_list(work: &Work<'_>, sha256: Hash, size: u64) -> Result<Self, ControlError> {
        let plan = Self::new(None, None);
        begin(work, &mut locked(&plan.state), 0, sha256, size)?;
        Ok(plan)
    }

    /// Of all items, as they are read from the list.
    pub(super) fn of_items(exhibit: &'a Exhibit, items: Receiver<Item>) -> Self {
        Self::new(Some(items), Some(exhibit))
    }

    fn new(items: Option<Receiver<Item>>, announced: Option<&'a Exhibit>) -> Self {
        Self {
            state: Mutex::new(State {
                current: None,
                items,
                announced,
                seen: (0, 0),
            }),
        }
    }

    /// The next part; `None` when there is none, or the work stops.
    pub(super) fn next(&self, work: &Work<'_>) -> Result<Option<Part>, ControlError> {
        let mut state = locked(&self.state);
        while !work.stop.load(Ordering::SeqCst) {
            if let Some((item, from)) = state.current.take() {
                let (from, all) = (from, chunk_count(item.size));
                if from < all {
                    let end = from.saturating_add(PART_CHUNKS).min(all);
                    state.current = Some((Arc::clone(&item), end));
                    return Ok(Some(Part { item, from, end }));
                }
            }
            let Some(item) = state.items.as_ref().and_then(|items| items.recv().ok()) else {
                // dropped, so that the thread that reads the list does not wait for us
                state.items = None;
                return Ok(None);
            };
            state.count(&item)?;
            if work.receiving.has(&item.sha256, item.size) {
                work.came(item.size);
            } else {
                begin(work, &mut state, item.number, item.sha256, item.size)?;
            }
        }
        state.items = None;
        Ok(None)
    }

    /// The list had what the exhibit was said to have.
    pub(super) fn complete(&self, exhibit: &Exhibit) -> Result<(), ControlError> {
        if locked(&self.state).seen == (exhibit.items, exhibit.size) {
            return Ok(());
        }
        Err(other_list())
    }
}

impl State<'_> {
    /// Before it is fetched: a list that names more than the exhibit is said to have must not fill the disk.
    fn count(&mut self, item: &Item) -> Result<(), ControlError> {
        self.seen.0 += 1;
        self.seen.1 = self.seen.1.saturating_add(item.size);
        match self.announced {
            Some(exhibit) if self.seen.0 > exhibit.items || self.seen.1 > exhibit.size => {
                Err(other_list())
            }
            _ => Ok(()),
        }
    }
}

fn other_list() -> ControlError {
    ControlError::forbidden(
        "the list of items has another number or size of items than was handed over",
    )
}

/// Begins an item, or goes on with what an earlier run has staged of it.
fn begin(
    work: &Work<'_>,
    state: &mut State<'_>,
    number: u64,
    sha256: Hash,
    size: u64,
) -> Result<(), ControlError> {
    let incoming = work.receiving.item(number, size)?;
    let there = incoming.offset();
    work.came(there);
    if there >= size {
        // nothing is missing, or there is nothing in it
        let whole = incoming
            .finish(&sha256)
            .map_err(|error| work.line.blame(number, there > 0, error))?;
        return work.keep(whole, size);
    }
    // whole pieces are staged, which are whole chunks
    let from = there / CHUNK as u64;
    state.current = Some((Under::new(number, sha256, size, incoming), from));
    Ok(())
}
