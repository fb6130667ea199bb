//! HTTP: accepting connections, TLS, who asks, limits, errors. What is answered lives in `taxii/`, `api/` and `web/`.
//!
//! Start reading at [`server`] (a connection), then [`service`] (a request), then [`router`] (where it goes).

pub mod accept;
pub mod auth;
pub mod base_url;
pub mod body;
pub mod connection;
pub mod context;
pub mod encoding;
pub mod error;
pub mod rate;
pub mod router;
pub mod server;
pub mod service;
pub mod stall;
pub mod tls;

pub use context::{Context, Ctx};
pub use error::{Error, Result};
pub use server::{Handler, Port, ServeError, Server};
