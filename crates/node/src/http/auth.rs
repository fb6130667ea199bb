//! Who asks: HTTP Basic, bearer token or client certificate (TAXII 2.1 sections 1.6.9 and 8.3.1), each to the same account.
//!
//! A verified password is remembered for a short time under a keyed digest, so that Basic costs no argon2 on each request.
//! Failures lock out the source they came from, never the account.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::{Argon2, PasswordVerifier as _};
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use comity_access::Reader;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::connection::Connection;
use super::error::{Error, Result};
use super::rate::Lockout;
use crate::app::App;
use crate::limits::CREDENTIAL_CACHE_TIME;

/// An authenticated account, for the time of one request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account as release sees it.
    pub reader: Arc<Reader>,
    /// What the token allows; all of it for other credentials.
    pub allowed: Allowed,
}

impl Caller {
    /// Its name, `person@party`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.reader.principal().as_str()
    }
}

/// What credentials may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Reading.
    pub read: bool,
    /// Adding and deleting.
    pub write: bool,
}

impl Allowed {
    const ALL: Self = Self {
        read: true,
        write: true,
    };

    fn of_token(scopes: &[String]) -> Self {
        let has = |name: &str| scopes.is_empty() || scopes.iter().any(|scope| scope == name);
        Self {
            read: has("read"),
            write: has("write"),
        }
    }
}

/// Verifies credentials.
pub struct Auth {
    /// Keys the digests of remembered credentials: a dump of memory is no list of passwords to try.
    key: [u8; 32],
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
    lockout: Lockout,
    /// argon2 takes 19 MiB and a core for tens of milliseconds: only so many at once.
    hashing: Semaphore,
    /// Passwords of each source that wait for it or are being verified.
    pending: Mutex<HashMap<IpAddr, usize>>,
}

struct Remembered {
    principal: String,
    /// The hash it was verified against: another password makes it void at once.
    password_hash: String,
    until: Duration,
}

/// Most credentials remembered.
const REMEMBERED_MAX: usize = 10_000;
/// Most password hashes computed at once.
const HASHING_MAX: usize = 2;
/// Most passwords of one source that wait at once: those of others wait behind no more than these, for the places are given
/// in turn. What a source tries beyond it counts as nothing and is answered 429.
const PENDING_PER_SOURCE_MAX: usize = 4;
/// Longest `Authorization` value read, octets.
const CREDENTIALS_BYTES_MAX: usize = 4_096;
/// Verified against when the account does not exist, so that the time does not tell (argon2id, default cost, no one's password).
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y29taXR5LW5vYm9keQ$OM2ESdCVE9Ax8TI6LLZ9lYPRNJqQB8VlBo0TJZ0KhYQ";
/// Clients differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Auth {
    /// `key` is random and lives as long as the process.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            remembered: Mutex::default(),
            lockout: Lockout::default(),
            hashing: Semaphore::new(HASHING_MAX),
            pending: Mutex::default(),
        }
    }

    /// The account behind a request; `None` when it offers no credentials.
    ///
    /// # Errors
    /// 401 when it offers wrong ones, 429 when its source has failed too often.
    pub async fn identify(
        &self,
        app: &Arc<App>,
        connection: &Connection,
        headers: &HeaderMap,
    ) -> Result<Option<Caller>> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = given.next() else {
            return Ok(certificate(app, connection));
        };
        let text = value
            .to_str()
            .ok()
            .filter(|text| text.len() <= CREDENTIALS_BYTES_MAX && given.next().is_none());
        let outcome = match text.and_then(|text| text.trim().split_once(' ')) {
            // RFC 9110 section 11.1: the scheme in any case; MISP sends `basic`
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => {
                self.basic(app, connection, rest.trim()).await?
            }
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
                let caller = bearer(app, rest.trim());
                if caller.is_none() {
                    self.lockout
                        .failed(connection.source(), app.clock.monotonic());
                }
                caller
            }
            _ => {
                self.lockout
                    .failed(connection.source(), app.clock.monotonic());
                None
            }
        };
        if outcome.is_none() {
            app.metrics.authentication_failures_total.inc();
            tracing::warn!(source = %connection.address.ip(), "authentication failed");
            return Err(Error::unauthenticated());
        }
        Ok(outcome)
    }

    async fn basic(
        &self,
        app: &Arc<App>,
        connection: &Connection,
        encoded: &str,
    ) -> Result<Option<Caller>> {
        let now = app.clock.monotonic();
        let source = connection.source();
        let mut digest = Sha256::new();
        digest.update(self.key);
        digest.update(encoded.as_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        if let Some(caller) = self.recall(app, &digest, now) {
            return Ok(Some(caller));
        }
        // only a password that must be verified waits: a client with good credentials is not stopped by its neighbour
        if let Some(wait) = self.lockout.wait(source, now) {
            return Err(Error::too_many("auth.lockout", wait.as_secs() + 1));
        }
        let Some((principal, password)) = decode_basic(app, encoded) else {
            self.lockout.failed(source, now);
            return Ok(None);
        };
        let expected = app
            .catalog()
            .principal(&principal)
            .filter(|row| !row.disabled)
            .and_then(|row| row.password_hash.clone());
        let known = expected.is_some();
        let hash = expected.unwrap_or_else(|| NOBODY.to_owned());
        let _place = self
            .wait_for_turn(source)
            .ok_or_else(|| Error::too_many("auth.pending", 1))?;
        let _turn = self.hashing.acquire().await.map_err(Error::internal)?;
        // while it waited, those before it may have failed: many tries at once are still so many tries
        if let Some(wait) = self.lockout.wait(source, app.clock.monotonic()) {
            return Err(Error::too_many("auth.lockout", wait.as_secs() + 1));
        }
        let against = hash.clone();
        let verified = tokio::task::spawn_blocking(move || {
            Argon2::default()
                .verify_password(password.as_bytes(), against.as_str())
                .is_ok()
        });
        let verified = verified.await.map_err(Error::internal)?;
        if !(verified && known) {
            // before the place is given back: the next of this source must see it
            self.lockout.failed(source, app.clock.monotonic());
            return Ok(None);
        }
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, entry| entry.until > now);
        }
        if remembered.len() < REMEMBERED_MAX {
            let until = now.saturating_add(CREDENTIAL_CACHE_TIME);
            remembered.insert(
                digest,
                Remembered {
                    principal: principal.clone(),
                    password_hash: hash,
                    until,
                },
            );
        }
        drop(remembered);
        Ok(caller(app, &principal, Allowed::ALL))
    }

    fn wait_for_turn(&self, source: IpAddr) -> Option<PendingPlace<'_>> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let count = pending.entry(source).or_default();
        if *count >= PENDING_PER_SOURCE_MAX {
            return None;
        }
        *count += 1;
        Some(PendingPlace { auth: self, source })
    }

    fn recall(&self, app: &App, digest: &[u8; 32], now: Duration) -> Option<Caller> {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = remembered.get(digest)?;
        let catalog = app.catalog();
        let row = catalog
            .principal(&entry.principal)
            .filter(|row| !row.disabled);
        let good = entry.until > now
            && row.is_some_and(|row| {
                row.password_hash.as_deref() == Some(entry.password_hash.as_str())
            });
        if !good {
            remembered.remove(digest);
            return None;
        }
        let reader = catalog.reader(&entry.principal)?;
        Some(Caller {
            reader: Arc::clone(reader),
            allowed: Allowed::ALL,
        })
    }
}

/// A password that waits or is being verified; given back when dropped, also by a client that went away.
struct PendingPlace<'a> {
    auth: &'a Auth,
    source: IpAddr,
}

impl Drop for PendingPlace<'_> {
    fn drop(&mut self) {
        let mut pending = self
            .auth
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = pending.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                pending.remove(&self.source);
            }
        }
    }
}

fn certificate(app: &App, connection: &Connection) -> Option<Caller> {
    let fingerprint = connection.certificate?;
    let catalog = app.catalog();
    let row = catalog.certificate(&fingerprint)?;
    catalog.reader(&row.principal).map(|reader| Caller {
        reader: Arc::clone(reader),
        allowed: Allowed::ALL,
    })
}

fn bearer(app: &App, token: &str) -> Option<Caller> {
    let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
    let catalog = app.catalog();
    let row = catalog.token(&digest)?;
    let same = bool::from(row.sha256.ct_eq(&digest));
    let valid = row
        .expires
        .is_none_or(|expires| expires > app.clock.now_micros());
    (same && valid)
        .then(|| caller(app, &row.principal, Allowed::of_token(&row.scopes)))
        .flatten()
}

fn caller(app: &App, principal: &str, allowed: Allowed) -> Option<Caller> {
    app.reader(principal)
        .map(|reader| Caller { reader, allowed })
}

/// RFC 7617: `user:password` in UTF-8; the user with or without its party.
fn decode_basic(app: &App, encoded: &str) -> Option<(String, Zeroizing<String>)> {
    let bytes = Zeroizing::new(BASE64.decode(encoded).ok()?);
    let text = std::str::from_utf8(&bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((app.full_name(user), Zeroizing::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_a_hash_that_costs_as_much_as_a_real_one() {
        assert!(Argon2::default().verify_password(b"", NOBODY).is_err());
        let parts: Vec<_> = NOBODY.split('$').collect();
        assert_eq!(parts[3], "m=19456,t=2,p=1");
    }

    #[test]
    fn a_token_without_scopes_may_do_everything() {
        assert_eq!(Allowed::of_token(&[]), Allowed::ALL);
        assert_eq!(
            Allowed::of_token(&["read".to_owned()]),
            Allowed {
                read: true,
                write: false
            }
        );
    }
}
