//! One part of an item over a line that breaks, from a peer that may send anything.

use std::sync::atomic::{AtomicBool, Ordering};

use comity_store::vault::VaultError;

use super::plan::Part;
use super::{From, Patience};
use crate::control::ControlError;
use crate::evidence::age::chunks::Chunks;
use crate::evidence::age::{AgeError, HEADER, Payload, sealed_size};
use crate::peers::client::{ClientError, ranges};
use crate::peers::taxii::join;

/// The line to the giver.
pub(super) struct Line<'a> {
    from: &'a From<'a>,
    exhibit: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn new(from: &'a From<'a>, exhibit: &'a str) -> Self {
        Self { from, exhibit }
    }

    /// Fetches a part and decrypts it into `plain`; `false` when something else failed meanwhile.
    pub(super) fn part(
        &self,
        part: &Part,
        plain: &mut Vec<u8>,
        stop: &AtomicBool,
    ) -> Result<bool, ControlError> {
        let Patience {
            breaks_max, pause, ..
        } = self.from.patience;
        let url = join(
            self.from.url,
            &format!("api/v1/evidence/{}/{}", self.exhibit, part.item.number),
        )?;
        let mut chunks = Chunks::new(part.item.size, part.from, part.end);
        let mut breaks = 0;
        while !stop.load(Ordering::SeqCst) {
            let before = chunks.next();
            let broken =
                match self
                    .from
                    .runtime
                    .block_on(self.stream(&url, part, &mut chunks, plain))
                {
                    Ok(()) => return Ok(true),
                    Err(Broken::Fatal(error)) => return Err(error),
                    Err(Broken::Line(error)) => error,
                };
            if chunks.next() > before {
                breaks = 0;
            }
            breaks += 1;
            if breaks > breaks_max {
                return Err(
                    ControlError::from(broken).help("what came is kept; the same command goes on")
                );
            }
            // an error of another worker need not wait for this; it ends soon enough
            std::thread::park_timeout(pause.saturating_mul(1 << (breaks - 1).min(6)));
        }
        Ok(false)
    }

    /// One connection's worth of a part.
    async fn stream(
        &self,
        url: &str,
        part: &Part,
        chunks: &mut Chunks,
        plain: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let size = part.item.size;
        let total = sealed_size(size).ok_or_else(|| {
            Broken::Fatal(ControlError::forbidden(format!(
                "`{url}` cannot have {size} octets"
            )))
        })?;
        let (start, end) = chunks.ask();
        // the header comes with the first chunk, or alone
        let at_start = chunks.next() == 0 && part.item.payload.get().is_none();
        let payload = if at_start {
            None
        } else {
            Some(self.payload(url, part, total).await?)
        };
        let asked = ranges::Part {
            start: if at_start { 0 } else { start },
            end,
            total,
        };
        let mut response = self.open(url, asked).await?;
        let mut head = Vec::new();
        let mut payload = payload;
        while !chunks.is_done() {
            let next = chunks.next();
            let some = async {
                while chunks.next() == next {
                    let piece = self.from.client.piece(url, &mut response).await?;
                    let piece = piece.ok_or_else(|| cut(url))?;
                    let mut piece = &*piece;
                    if payload.is_none() {
                        payload = self.header(url, part, &mut head, &mut piece)?;
                    }
                    if let Some(payload) = payload {
                        chunks
                            .push(payload, piece, plain)
                            .map_err(|error| foreign(url, &error))?;
                    }
                }
                Ok(())
            };
            self.in_time(url, some).await?;
        }
        // all is here and authentic: how the line ends is of no matter, only that nothing more comes
        let more = async { Ok(self.from.client.piece(url, &mut response).await?) };
        match self.in_time(url, more).await {
            Ok(Some(_)) => Err(foreign(url, &AgeError::Trailing)),
            _ => Ok(()),
        }
    }

    /// Collects the header from what comes; `piece` keeps what follows it.
    fn header<'p>(
        &self,
        url: &str,
        part: &'p Part,
        head: &mut Vec<u8>,
        piece: &mut &[u8],
    ) -> Result<Option<&'p Payload>, Broken> {
        let room = HEADER.saturating_sub(head.len()).min(piece.len());
        let (now, rest) = piece.split_at_checked(room).unwrap_or((piece, &[]));
        head.extend_from_slice(now);
        *piece = rest;
        if head.len() < HEADER {
            return Ok(None);
        }
        let opened = Payload::open(head, self.from.identity, part.item.size)
            .map_err(|error| foreign(url, &error))?;
        // another worker may have been faster; it read the same header, or its chunks will not open
        Ok(Some(part.item.payload.get_or_init(|| opened)))
    }

    /// What decrypts this item: known, or read from its header.
    async fn payload<'p>(
        &self,
        url: &str,
        part: &'p Part,
        total: u64,
    ) -> Result<&'p Payload, Broken> {
        if let Some(known) = part.item.payload.get() {
            return Ok(known);
        }
        let asked = ranges::Part {
            start: 0,
            end: HEADER as u64,
            total,
        };
        let mut response = self.open(url, asked).await?;
        let mut head = Vec::new();
        let whole = async {
            loop {
                let piece = self.from.client.piece(url, &mut response).await?;
                let piece = piece.ok_or_else(|| cut(url))?;
                if let Some(payload) = self.header(url, part, &mut head, &mut &*piece)? {
                    return Ok(payload);
                }
            }
        };
        self.in_time(url, whole).await
    }

    async fn open(&self, url: &str, part: ranges::Part) -> Result<reqwest::Response, Broken> {
        let opened = async { Ok(self.from.client.range(url, part).await?) };
        self.in_time(url, opened).await
    }

    async fn in_time<T>(
        &self,
        url: &str,
        work: impl Future<Output = Result<T, Broken>>,
    ) -> Result<T, Broken> {
        match tokio::time::timeout(self.from.patience.chunk, work).await {
            Ok(done) => done,
            Err(_) => Err(Broken::Line(ClientError::Unreachable {
                url: url.to_owned(),
                text: format!(
                    "nothing came within {} seconds",
                    self.from.patience.chunk.as_secs_f32()
                ),
            })),
        }
    }

    /// Contents that are not what was handed over are the peer's doing, unless an earlier run of ours staged some of them.
    pub(super) fn blame(&self, number: u64, resumed: bool, error: VaultError) -> ControlError {
        match error {
            VaultError::Damaged { sha256, what } if resumed => ControlError::internal(format!(
                "item {number} is not what was handed over ({sha256}): {what}"
            ))
            .help("what was staged of it is thrown away; the same command fetches it anew"),
            VaultError::Damaged { sha256, what } => ControlError::forbidden(format!(
                "`{}` sent something else as item {number}: {sha256} was handed over, {what}",
                self.from.url
            )),
            other => other.into(),
        }
    }
}

/// Why a connection's worth ended early.
enum Broken {
    /// The line: try again.
    Line(ClientError),
    /// Something that trying again does not mend.
    Fatal(ControlError),
}

fn cut(url: &str) -> Broken {
    Broken::Line(ClientError::Unreachable {
        url: url.to_owned(),
        text: "the connection ended early".to_owned(),
    })
}

fn foreign(url: &str, error: &AgeError) -> Broken {
    Broken::Fatal(ControlError::forbidden(format!("`{url}`: {error}")))
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
