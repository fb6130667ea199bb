//! What every handler works with.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio::sync::{Semaphore, watch};

use super::auth::{Auth, Caller};
use super::body::Bodies;
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
    /// Long pages being built: each takes a reading connection and up to 16 MiB.
    pub building: Semaphore,
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

/// Long pages built at once.
const PAGES_BUILDING_MAX: usize = 3;

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
        Ok(Arc::new(Self {
            auth: Auth::new(key),
            rate: Rate::new(per_second),
            bodies: Bodies::default(),
            pages: PageCache::default(),
            building: Semaphore::new(PAGES_BUILDING_MAX),
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

/// Runs a read of the register: a short one at once, a long one on a thread for it, so that it delays no other request.
///
/// # Errors
/// What `read` gives, or 500 when it died.
pub async fn reading<T: Send + 'static>(
    long: bool,
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if long {
        tokio::task::spawn_blocking(read)
            .await
            .map_err(Error::internal)?
    } else {
        read()
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
