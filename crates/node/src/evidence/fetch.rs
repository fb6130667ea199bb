//! Fetching the contents of a hand-over: several items at a time, each in order, on the wire again after any break.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comity_evidence::{Hash, Item};
use comity_store::vault::{Incoming, Receiving, Whole};
use tokio::runtime::Handle;

use super::age::{CHUNK_SEALED, HEADER, Payload, chunks, sealed_size};
use super::commit;
use super::transfer::{Checked, Offer};
use crate::app::App;
use crate::control::ControlError;
use crate::peers::client::{Client, ClientError};
use crate::peers::taxii::join;

/// Items fetched at once: enough to fill a line with many small ones, few enough that memory stays flat.
const CONNECTIONS: usize = 4;
/// Breaks in a row without a single octet before the command gives up; what came is kept.
const TRIES_MAX: u32 = 8;
/// Items that get their names together.
const GROUP_ITEMS: usize = 512;
/// ... or so many octets.
const GROUP_BYTES: u64 = 1 << 30;

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
}

/// Fetches all contents of an offer into the vault. When this returns they are on disk, each as its hash says.
///
/// # Errors
/// When the peer cannot be reached for long, sends something else, or the disk fails. The same call goes on.
pub fn fetch(
    app: &Arc<App>,
    offer: &Offer,
    checked: &Checked,
    from: &From<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Receiving, ControlError> {
    let transferred = checked
        .transferred()
        .ok_or_else(|| ControlError::internal("an offer without events"))?;
    let vault = commit::vault(app);
    let free = vault.free_bytes()?;
    if checked.exhibit.size > free {
        return Err(ControlError::usage(format!(
            "the exhibit has {} octets and the vault's disk has {free} free",
            checked.exhibit.size
        )));
    }
    let receiving = vault.receive(transferred.hash(), &checked.exhibit.id)?;
    let work = Work {
        from,
        exhibit: checked.exhibit.id.as_str(),
        receiving: &receiving,
        bytes: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    };
    let list = checked.exhibit.items_sha256;
    if !receiving.has(&list, offer.list_size) {
        let whole = work.item(0, &list, offer.list_size)?;
        receiving.keep(vec![whole])?;
    }
    work.bytes.store(0, Ordering::Relaxed);
    let mut items = Vec::new();
    vault.items(&list, &mut |item| {
        items.push(item);
        Ok(())
    })?;
    work.all(items, checked.exhibit.size, progress)?;
    Ok(receiving)
}

struct Work<'a> {
    from: &'a From<'a>,
    exhibit: &'a str,
    receiving: &'a Receiving,
    bytes: AtomicU64,
    stop: AtomicBool,
}

/// What is whole and waits for its name.
#[derive(Default)]
struct Waiting {
    items: Vec<Whole>,
    bytes: u64,
}

impl Work<'_> {
    fn all(
        &self,
        items: Vec<Item>,
        total: u64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), ControlError> {
        let next = Mutex::new(items.into_iter());
        let waiting = Mutex::new(Waiting::default());
        let failed: Mutex<Option<ControlError>> = Mutex::new(None);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..CONNECTIONS)
                .map(|_| {
                    scope.spawn(|| {
                        if let Err(error) = self.some(&next, &waiting) {
                            self.stop.store(true, Ordering::Relaxed);
                            failed
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .get_or_insert(error);
                        }
                    })
                })
                .collect();
            while !workers
                .iter()
                .all(std::thread::ScopedJoinHandle::is_finished)
            {
                progress(self.bytes.load(Ordering::Relaxed), total);
                std::thread::park_timeout(Duration::from_millis(100));
            }
        });
        // also after a failure: what is whole need not come again
        let rest = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.receiving.keep(rest.items)?;
        progress(self.bytes.load(Ordering::Relaxed), total);
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn some(
        &self,
        next: &Mutex<std::vec::IntoIter<Item>>,
        waiting: &Mutex<Waiting>,
    ) -> Result<(), ControlError> {
        while !self.stop.load(Ordering::Relaxed) {
            let item = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(item) = item else { return Ok(()) };
            if self.receiving.has(&item.sha256, item.size) {
                self.bytes.fetch_add(item.size, Ordering::Relaxed);
                continue;
            }
            let whole = self.item(item.number, &item.sha256, item.size)?;
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.items.push(whole);
            waiting.bytes += item.size;
            if waiting.items.len() >= GROUP_ITEMS || waiting.bytes >= GROUP_BYTES {
                let ready = std::mem::take(&mut *waiting);
                self.receiving.keep(ready.items)?;
            }
        }
        Ok(())
    }

    fn item(&self, number: u64, sha256: &Hash, size: u64) -> Result<Whole, ControlError> {
        let url = join(
            self.from.url,
            &format!("api/v1/evidence/{}/{number}", self.exhibit),
        )
        .map_err(ControlError::from)?;
        let mut incoming = self.receiving.item(number, size)?;
        self.bytes.fetch_add(incoming.offset(), Ordering::Relaxed);
        let mut payload = None;
        let mut tries = 0;
        loop {
            let before = incoming.offset();
            match self.stream(&url, &mut incoming, &mut payload, size) {
                Ok(()) => return Ok(incoming.finish(sha256)?),
                Err(Broken::Fatal(error)) => return Err(error),
                Err(Broken::Line(error)) => {
                    if incoming.offset() > before {
                        tries = 0;
                    }
                    tries += 1;
                    if tries > TRIES_MAX || self.stop.load(Ordering::Relaxed) {
                        return Err(ControlError::from(error)
                            .help("what came is kept; the same command goes on"));
                    }
                    // doubling from 100 ms to 6 s
                    let pause = Duration::from_millis(100 << (tries - 1).min(6));
                    std::thread::park_timeout(pause);
                }
            }
        }
    }

    /// One connection's worth of an item.
    fn stream(
        &self,
        url: &str,
        incoming: &mut Incoming,
        payload: &mut Option<Payload>,
        size: u64,
    ) -> Result<(), Broken> {
        let runtime = self.from.runtime;
        // whole chunks are in; the one that broke off comes again
        let done = incoming.offset() / super::age::CHUNK as u64;
        if payload.is_some() && done >= chunks(size) {
            return Ok(());
        }
        let start = match payload {
            Some(_) => HEADER as u64 + done * CHUNK_SEALED as u64,
            None => 0,
        };
        let mut response =
            runtime.block_on(self.from.client.range(url, start, sealed_size(size)))?;
        let mut held: Vec<u8> = Vec::with_capacity(2 * CHUNK_SEALED);
        let mut number = if start == 0 { 0 } else { done };
        let mut skip_header = start == 0;
        loop {
            let piece = runtime.block_on(self.from.client.piece(url, &mut response))?;
            let ended = piece.is_none();
            held.extend_from_slice(piece.as_deref().unwrap_or_default());
            if skip_header {
                let Some((header, rest)) = held.split_first_chunk::<HEADER>() else {
                    if ended {
                        return Err(Broken::cut(url));
                    }
                    continue;
                };
                if payload.is_none() {
                    let opened = Payload::open(header, self.from.identity, size);
                    *payload = Some(opened.map_err(|error| Broken::foreign(url, &error))?);
                }
                held = rest.to_vec();
                skip_header = false;
                if done > 0 {
                    // an earlier run has the beginning: only the header was needed
                    return self.stream(url, incoming, payload, size);
                }
            }
            let Some(payload) = payload else {
                return Err(Broken::cut(url));
            };
            number = take(payload, &mut held, number, size, incoming, &self.bytes, url)?;
            if number == chunks(size) {
                return Ok(());
            }
            if ended {
                return Err(Broken::cut(url));
            }
            if self.stop.load(Ordering::Relaxed) {
                return Err(Broken::cut(url));
            }
        }
    }
}

/// Decrypts the whole chunks in `held`; gives the number of the next.
fn take(
    payload: &Payload,
    held: &mut Vec<u8>,
    mut number: u64,
    size: u64,
    incoming: &mut Incoming,
    bytes: &AtomicU64,
    url: &str,
) -> Result<u64, Broken> {
    let last = chunks(size) - 1;
    let last_len = (sealed_size(size) - HEADER as u64 - last * CHUNK_SEALED as u64) as usize;
    let mut used = 0;
    while number <= last {
        let len = if number == last {
            last_len
        } else {
            CHUNK_SEALED
        };
        let Some(chunk) = held.get_mut(used..used + len) else {
            break;
        };
        let plain = payload
            .open_chunk(number, chunk)
            .map_err(|error| Broken::foreign(url, &error))?;
        incoming
            .write(plain)
            .map_err(|error| Broken::Fatal(error.into()))?;
        bytes.fetch_add(plain.len() as u64, Ordering::Relaxed);
        used += len;
        number += 1;
    }
    held.drain(..used);
    Ok(number)
}

/// Why a connection's worth ended early.
enum Broken {
    /// The line: try again.
    Line(ClientError),
    /// Something that trying again does not mend.
    Fatal(ControlError),
}

impl Broken {
    fn cut(url: &str) -> Self {
        Self::Line(ClientError::Unreachable {
            url: url.to_owned(),
            text: "the connection ended early".to_owned(),
        })
    }

    fn foreign(url: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Fatal(ControlError::forbidden(format!("`{url}`: {error}")))
    }
}

impl std::convert::From<ClientError> for Broken {
    fn from(error: ClientError) -> Self {
        if error.is_passing() {
            Self::Line(error)
        } else {
            Self::Fatal(error.into())
        }
    }
}

impl std::convert::From<ClientError> for ControlError {
    fn from(error: ClientError) -> Self {
        let kind = match &error {
            ClientError::Status { status: 404, .. } => crate::control::ErrorKind::NotFound,
            ClientError::Status {
                status: 401 | 403, ..
            } => crate::control::ErrorKind::Forbidden,
            _ => crate::control::ErrorKind::Unreachable,
        };
        Self::new(kind, error.to_string())
    }
}
