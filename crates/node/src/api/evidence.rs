//! Hand-overs of evidence to the node of another authority: the offer, contents by ranges, the answer. What is not handed to the
//! caller's party does not exist for it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse as _, Response};
use comity_access::{Reader, Role};
use comity_store::vault::ObjectReader;
use futures_util::stream;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::app::App;
use crate::control::{ControlError, ErrorKind};
use crate::disclosure::disclose;
use crate::evidence::age::{CHUNK, CHUNK_SEALED, HEADER, Sealer, sealed_size};
use crate::evidence::carry::Arrived;
use crate::evidence::transfer::Answer;
use crate::evidence::{commit, recipient, send, transfer};
use crate::http::auth::Caller;
use crate::http::connection::Connection;
use crate::http::{Ctx, Error, Result};
use crate::limits::EVIDENCE_ANSWER_BYTES_MAX;
use crate::peers::head::told;
use crate::peers::inbound::{self, Proved};
use crate::peers::run;
use crate::peers::settings::PeerSettings;

/// Octets made at a time: a disk's worth, small enough that hundreds of slow readers stay in memory.
const PIECE_CHUNKS: u64 = 16;

/// What is handed over to the caller's party: exhibit, custody, records with their labels.
///
/// # Errors
/// 401, 404 (also for what the caller may not have).
#[utoipa::path(
    get, path = "/api/v1/evidence/{exhibit}", tag = "evidence",
    params(("exhibit" = String, Path, description = "Identifier of an exhibit")),
    responses(
        (status = 200, description = "The exhibit, its items and its custody so far, with the proof that its hand-over was logged", body = Object),
        (status = 404, description = "Not handed to you")
    )
)]
pub async fn offer(
    State(ctx): State<Ctx>,
    caller: Caller,
    Extension(connection): Extension<Arc<Connection>>,
    Path(exhibit): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    by_certificate(&caller, &connection)?;
    let worker = (Arc::clone(&ctx), caller.clone());
    let (offer, released) = blocking(move || {
        let (ctx, caller) = worker;
        send::offer(&ctx.app, &exhibit, &caller.reader, told(&headers))
    })
    .await?;
    // on disk before the bytes leave
    disclose(&ctx.app, &caller.reader, &released, true).await?;
    super::json(&offer)
}

/// Contents of an item, encrypted to the caller's node; item 0 is the list of items.
///
/// # Errors
/// 401, 404, 416.
#[utoipa::path(
    get, path = "/api/v1/evidence/{exhibit}/{item}", tag = "evidence",
    params(("exhibit" = String, Path, description = "Identifier of an exhibit"), ("item" = u64, Path, description = "Number of the item")),
    responses(
        (status = 200, description = "An age file", content_type = "application/age"),
        (status = 206, description = "The part of it that `Range` asks for", content_type = "application/age"),
        (status = 404, description = "Not handed to you"),
        (status = 416, description = "It has no such octets; `Content-Range` says how many it has"),
    )
)]
pub async fn item(
    State(ctx): State<Ctx>,
    caller: Caller,
    Extension(connection): Extension<Arc<Connection>>,
    Path((exhibit, item)): Path<(String, u64)>,
    headers: HeaderMap,
) -> Result<Response> {
    by_certificate(&caller, &connection)?;
    let worker = Arc::clone(&ctx);
    let (sealer, object, size) = blocking(move || {
        let app = &worker.app;
        let (transferred, sha256, size) = send::item(app, &exhibit, item, &caller.reader)?;
        let recipient = recipient_of(app, &caller.reader)?;
        let object = commit::vault(app).open_object(&sha256)?;
        let context = transfer::context(&transferred, item, &sha256);
        let context: Vec<&[u8]> = context.iter().map(Vec::as_slice).collect();
        let sealer = Sealer::new(&app.transfer_secret, &context, &recipient, size)
            .map_err(ControlError::internal)?;
        Ok((sealer, object, size))
    })
    .await?;
    let total = sealed_size(size).ok_or_else(|| Error::internal("an object of impossible size"))?;
    let (start, end, part) = match range(headers.get(RANGE), total) {
        Asked::Whole => (0, total, false),
        Asked::Part(start, end) => (start, end, true),
        Asked::Nothing => return beyond(total),
    };
    let source = Source {
        sealer,
        object,
        size,
    };
    let stream = stream::unfold(Some((source, start)), move |state| async move {
        let (source, at) = state?;
        if at >= end {
            return None;
        }
        let made = tokio::task::spawn_blocking(move || {
            let made = source.make(at, end);
            (source, made)
        });
        match made.await {
            Ok((source, Ok(bytes))) => {
                let next = at + bytes.len() as u64;
                Some((Ok(bytes), Some((source, next))))
            }
            // the reader sees a short body and asks again; what is wrong with the object is in the log
            Ok((_, Err(error))) => {
                tracing::error!(%error, "an object of the vault cannot be read");
                Some((Err(error), None))
            }
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/age"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - start));
    if part {
        let text = format!("bytes {start}-{}/{total}", end - 1);
        headers.insert(
            CONTENT_RANGE,
            HeaderValue::try_from(text).map_err(Error::internal)?,
        );
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// The other side's `received` or `refused`.
///
/// # Errors
/// 400, 401, 404, 409 (the head beside it needs a proof), 422, 503 (an alarm about the caller is open).
#[utoipa::path(
    post, path = "/api/v1/evidence/{exhibit}/answer", tag = "evidence",
    params(("exhibit" = String, Path, description = "Identifier of an exhibit")),
    responses(
        (status = 200, description = "Taken, or known already", body = Object),
        (status = 400, description = "Not understood"),
        (status = 404, description = "Not handed to you"),
        (status = 413, description = "The body is too large"),
        (status = 409, description = "Our log is known up to the entries in `comity-head`: prove that yours continues it"),
        (status = 422, description = "Not sound"),
    )
)]
pub async fn answer(
    State(ctx): State<Ctx>,
    caller: Caller,
    Extension(connection): Extension<Arc<Connection>>,
    Path(exhibit): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    by_certificate(&caller, &connection)?;
    let app = &ctx.app;
    let peer = inbound::comity_peer(app, &caller.reader).ok_or_else(not_for_you)?;
    if let Some(why) = run::paused(app, &peer.key) {
        return Err(Error::unavailable("peer.alarm", why));
    }
    let whole = ctx
        .bodies
        .read(&headers, body, EVIDENCE_ANSWER_BYTES_MAX)
        .await?;
    let answer: Answer = serde_json::from_slice(&whole.bytes)
        .map_err(|error| Error::malformed("evidence.answer", error.to_string()))?;
    let arrived = Arrived::of(&answer.envelope)
        .map_err(|why| Error::unprocessable("evidence.envelope", why))?;
    let proved = Proved::judge(app, peer, &arrived.beside, told(&headers)).await?;
    let worker = Arc::clone(&ctx);
    blocking(move || {
        let reader = &caller.reader;
        send::answered(&worker.app, &exhibit, &answer, arrived, reader, &proved)
    })
    .await?;
    super::json(&serde_json::json!({ "taken": true }))
}

/// Contents go to a node that proves its key, not to whoever holds a password of its account.
fn by_certificate(caller: &Caller, connection: &Connection) -> Result<()> {
    if connection.certificate.is_some() && caller.reader.role() == Role::Peer {
        Ok(())
    } else {
        Err(not_for_you())
    }
}

fn not_for_you() -> Error {
    Error::not_found("there is no such exhibit for you")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?;
    done.map_err(|error| match error.kind {
        ErrorKind::NotFound => not_for_you(),
        ErrorKind::Usage | ErrorKind::Forbidden | ErrorKind::Taken => {
            Error::unprocessable("evidence.refused", error.message)
        }
        _ => Error::internal(error),
    })
}

/// To whom contents are encrypted: the key of the very node that asks, which is active. Not any peer of its party, whose
/// fingerprint perhaps nobody compared.
fn recipient_of(app: &App, reader: &Reader) -> Result<[u8; 32], ControlError> {
    let key = inbound::comity_peer(app, reader).and_then(|peer| {
        let settings: PeerSettings = serde_json::from_value(peer.settings.clone()).ok()?;
        recipient::decode(&settings.recipient?)
    });
    key.ok_or_else(|| ControlError::not_found("recipient key of", reader.principal().as_str()))
}

/// What a `Range` asks for (RFC 9110 section 14.2).
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// No range, one that is not understood, or several: the whole file is an answer to each.
    Whole,
    /// From the first octet to before the second.
    Part(u64, u64),
    /// Only octets that the file does not have.
    Nothing,
}

fn range(header: Option<&HeaderValue>, total: u64) -> Asked {
    let text = header
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("bytes="))
        .and_then(|text| text.split_once('-'));
    let octets = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // a number too large for us is beyond every file
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (start, end) = match text {
        Some(("", last)) => match octets(last) {
            // the last octets, so many
            Some(count) => (total.saturating_sub(count), total),
            None => return Asked::Whole,
        },
        Some((first, "")) => match octets(first) {
            Some(first) => (first, total),
            None => return Asked::Whole,
        },
        Some((first, last)) => match (octets(first), octets(last)) {
            (Some(first), Some(last)) if first <= last => {
                (first, last.saturating_add(1).min(total))
            }
            _ => return Asked::Whole,
        },
        None => return Asked::Whole,
    };
    if start < end {
        Asked::Part(start, end)
    } else {
        Asked::Nothing
    }
}

/// 416, with how many octets there are.
fn beyond(total: u64) -> Result<Response> {
    let text = format!("bytes */{total}");
    let mut response = Error::beyond(total).into_response();
    response.headers_mut().insert(
        CONTENT_RANGE,
        HeaderValue::try_from(text).map_err(Error::internal)?,
    );
    Ok(response)
}

/// Makes any part of the age file of an object.
struct Source {
    sealer: Sealer,
    object: ObjectReader,
    size: u64,
}

impl Source {
    /// Some octets from `at` on, at most up to `end`.
    fn make(&self, at: u64, end: u64) -> std::io::Result<Bytes> {
        let header = HEADER as u64;
        if at < header {
            let from = usize::try_from(at).unwrap_or(HEADER);
            let to = usize::try_from(end.min(header)).unwrap_or(HEADER);
            let part = self.sealer.header().get(from..to).unwrap_or_default();
            return Ok(Bytes::copy_from_slice(part));
        }
        let first = (at - header) / CHUNK_SEALED as u64;
        let mut out = Vec::with_capacity(PIECE_CHUNKS as usize * CHUNK_SEALED);
        let mut number = first;
        while number < first + PIECE_CHUNKS && header + number * (CHUNK_SEALED as u64) < end {
            let mut chunk = self.chunk(number)?;
            self.sealer
                .seal(number, &mut chunk)
                .map_err(std::io::Error::other)?;
            out.extend_from_slice(&chunk);
            number += 1;
        }
        let begin = header + first * CHUNK_SEALED as u64;
        let skip = usize::try_from(at - begin).unwrap_or(0);
        let keep = usize::try_from(end - begin)
            .unwrap_or(usize::MAX)
            .min(out.len());
        Ok(Bytes::from(out).slice(skip.min(keep)..keep))
    }

    fn chunk(&self, number: u64) -> std::io::Result<Vec<u8>> {
        let offset = number * CHUNK as u64;
        let len = usize::try_from(self.size.saturating_sub(offset))
            .unwrap_or(CHUNK)
            .min(CHUNK);
        let mut chunk = vec![0; len];
        let mut filled = 0;
        while filled < len {
            let room = chunk.get_mut(filled..).unwrap_or_default();
            match self.object.read_at(room, offset + filled as u64)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                read => filled += read,
            }
        }
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Asked) {
        let value = HeaderValue::from_str(text).unwrap();
        assert_eq!(range(Some(&value), 100), expect, "{text}");
    }

    #[test]
    fn ranges() {
        assert_eq!(range(None, 100), Asked::Whole);
        check("bytes=0-", Asked::Part(0, 100));
        check("bytes=10-19", Asked::Part(10, 20));
        check("bytes=99-1000", Asked::Part(99, 100));
        check("bytes=99-99999999999999999999999", Asked::Part(99, 100));
        check("bytes=-5", Asked::Part(95, 100));
        check("bytes=-500", Asked::Part(0, 100));
        for beyond in [
            "100-",
            "100-200",
            "18446744073709551615-",
            "-0",
            "99999999999999999999-",
        ] {
            check(&format!("bytes={beyond}"), Asked::Nothing);
        }
        for other in [
            "bytes=9-8",
            "bytes=0-1,5-6",
            "lines=0-1",
            "bytes=-",
            "bytes=+1-2",
            "bytes=a-",
            "bytes=",
        ] {
            check(other, Asked::Whole);
        }
    }
}
