//! Reading a request body within bounds: octets, time, memory of all bodies together, and what it decompresses to.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::encoding::{Coding, DecodeError};
use super::error::{Error, Result};
use crate::limits::BODY_TIME_MAX;

/// Memory of all request bodies being read at once, KiB: 256 MiB. Beyond it the answer is 503; what was acknowledged is safe.
const BODIES_KIB_MAX: usize = 256 << 10;
/// How much of a refused body is still read, so that the client sees the answer instead of a broken connection.
const DRAIN_OCTETS_MAX: usize = 64 << 20;
/// ... and for how long, in all and from one piece to the next.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
const DRAIN_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Shares the memory for request bodies.
#[derive(Clone)]
pub struct Bodies {
    room: Arc<Semaphore>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(BODIES_KIB_MAX)),
        }
    }
}

/// A whole body and the memory reserved for it.
pub struct Whole {
    /// Decompressed.
    pub bytes: Bytes,
    room: Room,
}

/// A share of the memory for bodies, given back when dropped.
pub struct Room(#[expect(dead_code, reason = "held, not used")] Vec<OwnedSemaphorePermit>);

impl Whole {
    /// Gives up the octets and keeps their share of the memory, for what was made of them.
    #[must_use]
    pub fn into_room(self) -> Room {
        self.room
    }
}

impl Bodies {
    /// Reads a body of at most `octets_max` octets, sent and decompressed.
    ///
    /// # Errors
    /// 413, 415, 408, 400 or 503; see [`Error`]. What is left of the body is then read and thrown away, within bounds.
    pub async fn read(
        &self,
        headers: &HeaderMap,
        mut body: Body,
        octets_max: usize,
    ) -> Result<Whole> {
        let outcome =
            tokio::time::timeout(BODY_TIME_MAX, self.collect(headers, &mut body, octets_max)).await;
        let (bytes, mut room) = match outcome {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                drain(headers, body).await;
                return Err(error);
            }
            Err(_late) => return Err(Error::timeout()),
        };
        let coding = Coding::of_body(headers.get(CONTENT_ENCODING)).ok_or_else(|| {
            Error::unsupported_media_type("of content codings `gzip` and `zstd` are read")
        })?;
        if coding == Coding::Identity {
            return Ok(Whole {
                bytes,
                room: Room(room),
            });
        }
        // what it becomes is not known before: the bound itself is reserved
        room.push(self.reserve(octets_max)?);
        let plain = tokio::task::spawn_blocking(move || coding.decompress(&bytes, octets_max))
            .await
            .map_err(Error::internal)?;
        match plain {
            Ok(plain) => Ok(Whole {
                bytes: plain.into(),
                room: Room(room),
            }),
            Err(DecodeError::TooLarge) => Err(Error::too_large(octets_max)),
            Err(error @ DecodeError::Broken(_)) => {
                Err(Error::malformed("body.encoding", error.to_string()))
            }
        }
    }

    async fn collect(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
        octets_max: usize,
    ) -> Result<(Bytes, Vec<OwnedSemaphorePermit>)> {
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|octets| octets > octets_max) {
            return Err(Error::too_large(octets_max));
        }
        let mut room = Vec::new();
        let mut reserved = 0;
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|error| Error::malformed("body.broken", error.to_string()))?;
            let Some(data) = frame.data_ref() else {
                continue;
            };
            let total = bytes.len() + data.len();
            if total > octets_max {
                return Err(Error::too_large(octets_max));
            }
            if total > reserved {
                // memory is taken as octets arrive, not as they are announced: an announcement costs an attacker nothing
                let more = total.saturating_sub(reserved).max(reserved).max(64 << 10);
                room.push(self.reserve(more)?);
                reserved += more;
                bytes.reserve(
                    reserved
                        .min(announced.unwrap_or(reserved))
                        .saturating_sub(bytes.len()),
                );
            }
            bytes.extend_from_slice(data);
        }
        Ok((bytes.into(), room))
    }

    fn reserve(&self, octets: usize) -> Result<OwnedSemaphorePermit> {
        let kib = u32::try_from(octets.div_ceil(1_024)).unwrap_or(u32::MAX);
        Arc::clone(&self.room)
            .try_acquire_many_owned(kib)
            .map_err(|_| {
                Error::unavailable("bodies.memory", "too many large requests are being read")
            })
    }
}

/// Reads what is left of a refused body and throws it away: HTTP/1.1 clients that still send would otherwise see a reset
/// instead of the answer. A client that waits to be told to go on is told the answer instead (RFC 9110 section 10.1.1).
pub async fn drain(headers: &HeaderMap, mut body: Body) {
    if headers.contains_key(EXPECT) {
        return;
    }
    let rest = async {
        let mut octets = 0;
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(DRAIN_PAUSE_MAX, body.frame()).await {
            octets += frame.data_ref().map_or(0, Bytes::len);
            if octets > DRAIN_OCTETS_MAX {
                break;
            }
        }
    };
    let _late = tokio::time::timeout(DRAIN_TIME_MAX, rest).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(coding: Option<&'static str>) -> HeaderMap {
        coding
            .map(|coding| (CONTENT_ENCODING, http::HeaderValue::from_static(coding)))
            .into_iter()
            .collect()
    }

    async fn read(
        coding: Option<&'static str>,
        bytes: Vec<u8>,
        max: usize,
    ) -> Result<Bytes, http::StatusCode> {
        let outcome = Bodies::default()
            .read(&headers(coding), Body::from(bytes), max)
            .await;
        outcome
            .map(|whole| whole.bytes)
            .map_err(|error| error.status())
    }

    #[tokio::test]
    async fn s4_2_1_the_limit_is_exact() {
        assert_eq!(read(None, vec![b'x'; 10], 10).await.unwrap().len(), 10);
        assert_eq!(read(None, vec![b'x'; 11], 10).await.unwrap_err(), 413);
    }

    #[tokio::test]
    async fn the_limit_holds_after_decompression() {
        let small = Coding::Gzip.compress(&[b' '; 1_000]).unwrap();
        assert_eq!(
            read(Some("gzip"), small.clone(), 1_000)
                .await
                .unwrap()
                .len(),
            1_000
        );
        assert_eq!(read(Some("gzip"), small, 999).await.unwrap_err(), 413);
        assert_eq!(
            read(Some("gzip"), b"no".to_vec(), 999).await.unwrap_err(),
            400
        );
        assert_eq!(
            read(Some("br"), b"no".to_vec(), 999).await.unwrap_err(),
            415
        );
    }

    #[tokio::test]
    async fn memory_is_shared_and_given_back() {
        let bodies = Bodies::default();
        let all = bodies.reserve(BODIES_KIB_MAX << 10).unwrap();
        let status = bodies
            .read(&HeaderMap::new(), Body::from("x"), 10)
            .await
            .map(|_| ())
            .unwrap_err()
            .status();
        assert_eq!(status, 503);
        drop(all);
        assert!(
            bodies
                .read(&HeaderMap::new(), Body::from("x"), 10)
                .await
                .is_ok()
        );
    }
}
