//! HTTP towards a witness (tlog-witness v1.0.0, "HTTP Interface").

use std::time::Duration;

use comity_ledger::note::NOTE_BYTES_MAX;
use comity_ledger::witness::{AddCheckpoint, monitoring_path, parse_conflict};

use crate::peers::client::{Access, Client, ClientError};
use crate::peers::pin::Fingerprint;
use crate::peers::settings::SignIn;

/// A witness has this long to answer; then the log goes on without it.
pub const WITNESS_TIME_MAX: Duration = Duration::from_secs(1);

/// A client for one witness.
#[derive(Clone)]
pub struct WitnessClient {
    http: Client,
    /// With its final `/`.
    prefix: String,
}

/// What a witness answered to a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Signature lines, not verified.
    Cosigned(Vec<u8>),
    /// It has cosigned this size last.
    Conflict(u64),
    /// It refused, in its words.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Shortened.
        text: String,
    },
}

impl WitnessClient {
    /// A client for the witness at `prefix`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(prefix: &str, fingerprint: Option<Fingerprint>) -> Result<Self, ClientError> {
        let http = Client::new(&Access {
            fingerprint,
            sign_in: &SignIn::Nothing,
            secret: "",
            certificate: None,
        })?;
        Ok(Self {
            http,
            prefix: prefix.to_owned(),
        })
    }

    /// `POST add-checkpoint`.
    ///
    /// # Errors
    /// When it cannot be reached in time or answers something unusable.
    pub async fn submit(&self, request: &AddCheckpoint) -> Result<Submitted, ClientError> {
        let url = format!("{}add-checkpoint", self.prefix);
        let body = request.to_string().into_bytes();
        let answer = self
            .http
            .exchange(&url, Some(body), WITNESS_TIME_MAX, NOTE_BYTES_MAX)
            .await?;
        Ok(match answer.status {
            200 => Submitted::Cosigned(answer.body),
            409 => Submitted::Conflict(parse_conflict(&answer.body).ok_or_else(|| {
                ClientError::Answer {
                    url,
                    text: "a conflict without a size".to_owned(),
                }
            })?),
            status => Submitted::Refused {
                status,
                text: words(&answer.body),
            },
        })
    }

    /// The newest head of the log `origin` it has cosigned; `None` if it has none.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn newest(&self, origin: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let url = format!("{}{}", self.prefix, monitoring_path(origin));
        let answer = self
            .http
            .exchange(&url, None, WITNESS_TIME_MAX, NOTE_BYTES_MAX)
            .await?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => Err(ClientError::Status {
                url,
                status,
                text: words(&answer.body),
                known_head: None,
            }),
        }
    }
}

fn words(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .chars()
        .filter(|letter| !letter.is_control())
        .take(200)
        .collect()
}
