//! Accepting connections: places, handshake, header time, and a stop that lets running requests finish.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waker, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::connection::{Connection, Place, Places, source};
use super::context::{Context, Ctx};
use super::service::Front;
use super::stall::Stalled;
use super::tls::{self, Tls, TlsError};
use crate::app::App;
use crate::limits::{
    HEADER_BYTES_MAX, HEADER_TIME_MAX, IDLE_TIME_MAX, QUERY_BYTES_MAX, STOP_GRACE,
};

/// Why the node cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address.
    #[error(
        "cannot listen on `{address}`: {source}\n  help: another process may use it; `--listen 127.0.0.1:0` takes a free port"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// No randomness.
    #[error("cannot draw randomness: {0}")]
    Entropy(std::io::Error),
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    ctx: Ctx,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens as configured and serves until [`Self::stop`].
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn start(app: Arc<App>) -> Result<Self, ServeError> {
        let tls = if app.config.insecure_http() {
            None
        } else {
            Some(tls::load(&app.config)?)
        };
        let wanted = app.config.listen();
        let fail = |source| ServeError::Listen {
            address: wanted,
            source,
        };
        let listener = TcpListener::bind(wanted).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let (stop, stopping) = watch::channel(false);
        let fingerprint = tls.as_ref().map(|tls| tls.fingerprint);
        let ctx = Context::new(app, fingerprint, stopping.clone()).map_err(ServeError::Entropy)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let loop_ = AcceptLoop {
            listener,
            tls,
            front: Front::new(Arc::clone(&ctx)),
            stopping,
        };
        let accepting = tokio::spawn(loop_.run());
        Ok(Self {
            address,
            scheme,
            ctx,
            stop,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https://address` or `http://address`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// SHA-256 of its certificate, hexadecimal; `None` over plain HTTP.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.ctx.fingerprint.as_deref()
    }

    /// Takes no more connections, lets running requests finish for [`STOP_GRACE`], then cuts them.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.accepting.await {
            tracing::error!(%error, "the accept loop died");
        }
    }
}

struct AcceptLoop {
    listener: TcpListener,
    tls: Option<Tls>,
    front: Front,
    stopping: watch::Receiver<bool>,
}

impl AcceptLoop {
    async fn run(mut self) {
        let places = Places::default();
        let graceful = GracefulShutdown::new();
        let acceptor = self.tls.take().map(|tls| TlsAcceptor::from(tls.config));
        let mut quiet = tokio::time::interval(Duration::from_secs(30));
        loop {
            let accepted = tokio::select! {
                _ = self.stopping.wait_for(|stop| *stop) => break,
                _ = quiet.tick() => {
                    self.front.context().rate.forget_quiet();
                    self.front.context().pages.forget_idle(self.front.context().app.clock.monotonic());
                    continue;
                }
                accepted = accept(&self.listener, &places) => accepted,
            };
            let Some((stream, address, place)) = accepted else {
                continue;
            };
            let (front, acceptor, watcher) =
                (self.front.clone(), acceptor.clone(), graceful.watcher());
            let stopping = self.stopping.clone();
            tokio::spawn(async move {
                let open = front.context().app.metrics.connections_open.clone();
                open.inc();
                serve(front, acceptor, stream, address, watcher, stopping).await;
                open.dec();
                drop(place);
            });
        }
        if tokio::time::timeout(STOP_GRACE, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests were cut at the end of the grace period");
        }
    }
}

async fn accept(listener: &TcpListener, places: &Places) -> Option<(TcpStream, SocketAddr, Place)> {
    let room = places.room().await?;
    match listener.accept().await {
        Ok((stream, address)) => {
            // small answers leave at once
            let _best_effort = stream.set_nodelay(true);
            Some((stream, address, places.take(source(address.ip()), room)?))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            // out of file descriptors, most likely: give the others time to close
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// A client that takes nothing of its answer for this long is cut.
const WRITE_STALL_MAX: Duration = Duration::from_secs(30);

type Watcher = hyper_util::server::graceful::Watcher;

async fn serve(
    front: Front,
    acceptor: Option<TlsAcceptor>,
    stream: TcpStream,
    address: SocketAddr,
    watcher: Watcher,
    mut stopping: watch::Receiver<bool>,
) {
    let Some(acceptor) = acceptor else {
        let connection = Connection {
            address,
            tls: false,
            certificate: None,
        };
        return http(front, stream, connection, watcher).await;
    };
    let handshake = tokio::select! {
        handshake = tokio::time::timeout(HEADER_TIME_MAX, acceptor.accept(stream)) => handshake,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    match handshake {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            let first = session.peer_certificates().and_then(<[_]>::first);
            let certificate = first.map(tls::fingerprint);
            let connection = Connection {
                address,
                tls: true,
                certificate,
            };
            http(front, stream, connection, watcher).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, source = %address.ip(), "TLS handshake failed"),
        Err(_late) => tracing::debug!(source = %address.ip(), "TLS handshake timed out"),
    }
}

async fn http<S>(front: Front, stream: S, connection: Connection, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = Arc::new(connection);
    let activity = Activity::default();
    let counted = activity.clone();
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (front, connection) = (front.clone(), Arc::clone(&connection));
        // until the last octet of the answer is handed over, or the client has gone
        let busy = counted.begin();
        async move {
            let answer = front.answer(connection, request.map(Body::new)).await?;
            Ok::<_, std::convert::Infallible>(answer.map(|body| Counted { body, _busy: busy }))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // also bounds how long a connection may stay open between two requests
        .header_read_timeout(HEADER_TIME_MAX)
        .max_buf_size(HEADER_BYTES_MAX + QUERY_BYTES_MAX)
        .max_headers(128);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_header_list_size(u32::try_from(HEADER_BYTES_MAX + QUERY_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(HEADER_TIME_MAX);
    let stream = Stalled::new(stream, WRITE_STALL_MAX, HEADER_TIME_MAX);
    let serving = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    tokio::select! {
        ended = watcher.watch(serving) => if let Err(error) = ended {
            // a client that goes away or speaks no HTTP is nothing an operator must know
            tracing::debug!(%error, "connection ended");
        },
        () = activity.idle_for(IDLE_TIME_MAX) => tracing::debug!("an idle connection was closed"),
    }
}

/// Requests of one connection under way, and how many there ever were.
#[derive(Clone, Default)]
struct Activity(watch::Sender<(usize, u64)>);

struct Busy(watch::Sender<(usize, u64)>);

impl Activity {
    fn begin(&self) -> Busy {
        self.0.send_modify(|(busy, begun)| {
            *busy += 1;
            *begun += 1;
        });
        Busy(self.0.clone())
    }

    /// Waits until nothing was under way for `limit`. An HTTP/2 client that opens no stream, or never ends the header of
    /// one, would otherwise keep its place as long as it answers pings.
    async fn idle_for(&self, limit: Duration) {
        let mut changes = self.0.subscribe();
        loop {
            changes.mark_unchanged();
            let busy = changes.borrow().0 > 0;
            let changed = changes.changed();
            if busy {
                // the sender lives as long as `self`
                let _changed = changed.await;
            } else if tokio::time::timeout(limit, changed).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0
            .send_modify(|(busy, _)| *busy = busy.saturating_sub(1));
    }
}

/// An answer that counts as under way until it is gone.
struct Counted {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        waker: &mut Waker<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(waker)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_idle_while_no_answer_is_under_way() {
        let activity = Activity::default();
        let limit = Duration::from_millis(10);
        let busy = activity.begin();
        let waits = tokio::time::timeout(limit * 10, activity.idle_for(limit)).await;
        assert!(waits.is_err(), "an answer is under way");
        drop(busy);
        activity.idle_for(limit).await;
    }
}
