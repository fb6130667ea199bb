//! What every handler works with.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio::sync::{Semaphore, watch};

use super::auth::{Auth, Caller};
use super::body::Bodies;
use super::connection::Connection;
use super::error::{Error, Result};
use super::rate::Rate;
use crate::app::App;
use crate::taxii::page_cache::PageCache;
use crate::taxii::rights::RightsCache;
use crate::taxii::status::Recent;

/// The node and what belongs to its HTTP side.
pub struct Context {
    /// The node.
    pub app: Arc<App>,
    /// Credentials.
    pub auth: Auth,
    /// Requests by source.
    pub rate: Rate,
    /// Memory of request bodies.
    pub bodies: Bodies,
    /// Pages that were given before.
    pub pages: PageCache,
    /// Long reads under way: each takes a reading connection for a while, and a page up to 16 MiB.
    long_reads: Semaphore,
    /// Who may do what in which collection.
    pub rights: RightsCache,
    /// Statuses whose writing may not be finished.
    pub statuses: Recent,
    /// `https://host:port` when configured.
    pub public_base: Option<String>,
    /// SHA-256 of the node's certificate, hexadecimal.
    pub fingerprint: Option<String>,
    /// Becomes true when the node stops: answers without an end must end.
    pub stopping: watch::Receiver<bool>,
}

/// Long reads at once; always fewer than reading connections, so that short reads find one.
const LONG_READS_MAX: usize = 3;

/// How handlers hold it.
pub type Ctx = Arc<Context>;

impl Context {
    /// The HTTP side of `app`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(
        app: Arc<App>,
        fingerprint: Option<[u8; 32]>,
        stopping: watch::Receiver<bool>,
    ) -> std::io::Result<Ctx> {
        let key = crate::entropy::bytes::<32>(&*app.entropy)?;
        let per_second = app.config.requests_per_second.value.unwrap_or(u32::MAX);
        let public_base = app
            .config
            .public_url
            .value
            .as_deref()
            .map(|url| url.trim_end_matches('/').to_owned());
        let readers = app.config.readers.value.unwrap_or(4);
        let long_reads = readers.saturating_sub(1).clamp(1, LONG_READS_MAX);
        Ok(Arc::new(Self {
            auth: Auth::new(key),
            rate: Rate::new(per_second),
            bodies: Bodies::default(),
            pages: PageCache::default(),
            long_reads: Semaphore::new(long_reads),
            rights: RightsCache::default(),
            statuses: Recent::default(),
            public_base,
            fingerprint: fingerprint.map(hex),
            stopping,
            app,
        }))
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Runs a read of the register. A short one runs at once if a connection is free; a long one, and one that would have to
/// wait, on a thread for it, so that it delays no other request. Only so many long ones run at a time.
///
/// # Errors
/// What `read` gives, or 500 when it died.
pub async fn reading<T: Send + 'static>(
    ctx: &Ctx,
    long: bool,
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if !long && ctx.app.store.has_room() {
        return read();
    }
    let _turn = if long {
        Some(ctx.long_reads.acquire().await.map_err(Error::internal)?)
    } else {
        None
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(Error::internal)?
}

/// Whether somebody asks who has an account, or a program on this machine: they may know that the log grows.
pub struct Insider(pub bool);

impl<S: Sync> FromRequestParts<S> for Insider {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        // a proxy on this machine brings others
        let passed_on = ["forwarded", "x-forwarded-for", "x-real-ip", "via"]
            .iter()
            .any(|name| parts.headers.contains_key(*name));
        let local = !passed_on
            && parts
                .extensions
                .get::<Arc<Connection>>()
                .is_some_and(|connection| connection.address.ip().to_canonical().is_loopback());
        Ok(Self(local || parts.extensions.get::<Caller>().is_some()))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let caller = parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(Error::unauthenticated)?;
        let reads = matches!(parts.method, http::Method::GET | http::Method::HEAD);
        if if reads {
            caller.allowed.read
        } else {
            caller.allowed.write
        } {
            Ok(caller)
        } else {
            Err(Error::forbidden("this token is not for that"))
        }
    }
}
