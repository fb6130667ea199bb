//! A stream whose other end must begin to speak, and must keep reading: a connection nobody uses and an answer nobody takes
//! are given up, with the place and the memory they hold.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Wraps a connection; a write that makes no progress for `limit` fails, and so does reading when the client has not said
/// which version of HTTP it speaks by `opening`.
pub struct Stalled<S> {
    stream: S,
    limit: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Runs until the version is known; hyper-util waits for it without a limit of its own.
    opening: Option<Pin<Box<Sleep>>>,
    /// How much of [`PREFACE`] has come so far.
    matched: usize,
}

/// What a client of HTTP/2 sends first (RFC 9113 section 3.4). Anything else is HTTP/1, whose reader has its own limit.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl<S> Stalled<S> {
    /// Gives up after `limit` without progress in writing, or when the version is not known within `opening`.
    #[must_use]
    pub fn new(stream: S, limit: Duration, opening: Duration) -> Self {
        Self {
            stream,
            limit,
            waiting: None,
            opening: Some(Box::pin(tokio::time::sleep(opening))),
            matched: 0,
        }
    }

    /// Looks at the first octets: as soon as they are the whole preface, or no part of it, the version is known.
    fn hear(&mut self, octets: &[u8]) {
        let rest = PREFACE.get(self.matched..).unwrap_or_default();
        let common = rest
            .iter()
            .zip(octets)
            .take_while(|(one, other)| one == other)
            .count();
        self.matched += common;
        if common < octets.len() || self.matched == PREFACE.len() {
            self.opening = None;
        }
    }

    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let limit = self.limit;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(opening) = &mut self.opening else {
            return read;
        };
        if read.is_pending() {
            return opening
                .as_mut()
                .poll(context)
                .map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        let heard = buffer.filled().get(before..).unwrap_or_default().to_vec();
        self.hear(&heard);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalled<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_client_says_what_it_speaks_or_goes() {
        for (said, goes) in [
            ("", true),
            ("PRI * HTTP/2.0\r\n", true),
            ("G", false),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false),
        ] {
            let (near, mut far) = tokio::io::duplex(64);
            let day = Duration::from_secs(86_400);
            let mut stream = Stalled::new(near, day, Duration::from_millis(20));
            far.write_all(said.as_bytes()).await.unwrap();
            let read = async {
                let mut buffer = [0; 64];
                loop {
                    if let Err(error) = stream.read(&mut buffer).await {
                        return error.kind();
                    }
                }
            };
            let read = tokio::time::timeout(Duration::from_millis(300), read).await;
            assert_eq!(read.ok() == Some(io::ErrorKind::TimedOut), goes, "{said}");
        }
    }

    #[tokio::test]
    async fn an_answer_nobody_reads_is_given_up() {
        let (near, far) = tokio::io::duplex(64);
        let mut stream = Stalled::new(near, Duration::from_millis(20), Duration::from_secs(60));
        let error = stream.write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }
}
