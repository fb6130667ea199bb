//! What is known of a connection, and how many there may be.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_SOURCE_MAX};

/// The other end of a connection; every request carries it.
#[derive(Debug)]
pub struct Connection {
    /// Where it comes from.
    pub address: SocketAddr,
    /// Whether it is encrypted.
    pub tls: bool,
    /// SHA-256 of the client's certificate, whose key it proved to hold.
    pub certificate: Option<[u8; 32]>,
}

impl Connection {
    /// What limits and lockouts count by: the address, for IPv6 its /64 (one subscriber has that many).
    #[must_use]
    pub fn source(&self) -> IpAddr {
        source(self.address.ip())
    }
}

/// See [`Connection::source`].
#[must_use]
pub fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) & !u128::from(u64::MAX)).to_be_bytes()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Counts open connections. Over the total, accepting waits; over one source's share, the connection is closed.
#[derive(Clone)]
pub struct Places {
    all: Arc<Semaphore>,
    by_source: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            by_source: Arc::default(),
        }
    }
}

impl Places {
    /// Waits for room for one more connection.
    pub async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// Takes a place for `source`; `None` when it has too many.
    #[must_use]
    pub fn take(&self, source: IpAddr, room: OwnedSemaphorePermit) -> Option<Place> {
        let mut by_source = self
            .by_source
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = by_source.entry(source).or_insert(0);
        if *count >= CONNECTIONS_PER_SOURCE_MAX {
            return None;
        }
        *count += 1;
        Some(Place {
            source,
            by_source: Arc::clone(&self.by_source),
            _room: room,
        })
    }
}

/// One open connection's place; given back when dropped.
pub struct Place {
    source: IpAddr,
    by_source: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_source = self
            .by_source
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_source_cannot_take_all_places() {
        let places = Places::default();
        let source = IpAddr::from([192, 0, 2, 1]);
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS_PER_SOURCE_MAX {
            let room = places.room().await.unwrap();
            held.push(places.take(source, room).unwrap());
        }
        let room = places.room().await.unwrap();
        assert!(places.take(source, room).is_none());
        let room = places.room().await.unwrap();
        assert!(places.take(IpAddr::from([192, 0, 2, 2]), room).is_some());
        held.pop();
        let room = places.room().await.unwrap();
        assert!(places.take(source, room).is_some());
    }

    #[test]
    fn one_ipv6_subscriber_is_one_source() {
        let one: IpAddr = "2001:db8:1:2:3::4".parse().unwrap();
        let other: IpAddr = "2001:db8:1:2:ffff::1".parse().unwrap();
        assert_eq!(source(one), source(other));
        assert_eq!(
            source("::ffff:192.0.2.1".parse().unwrap()),
            IpAddr::from([192, 0, 2, 1])
        );
    }
}
