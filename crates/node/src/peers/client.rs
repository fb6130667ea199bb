//! HTTP towards one peer: its address, its pin, our credentials, and limits on what it may answer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub mod ranges;

use super::head::HEAD_HEADER;
use super::pin::{Fingerprint, PinVerifier};
use super::settings::SignIn;
use super::words;

/// Media type of TAXII 2.1 (section 1.6.8.1).
pub const TAXII: &str = "application/taxii+json;version=2.1";

/// Why a peer could not be asked, or what it said instead of an answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is none, or not of http(s).
    #[error("`{0}` is not an http or https URL")]
    Url(String),
    /// Plain HTTP to another machine.
    #[error(
        "`{0}` is plain HTTP to another machine\n  help: use https; plain HTTP is for loopback only"
    )]
    Plain(String),
    /// A server with a pin would be asked without TLS.
    #[error("`{0}` is plain HTTP, and this peer is known by its certificate\n  help: use https")]
    Unpinned(String),
    /// The server names an address that is not its own.
    #[error(
        "`{server}` names `{named}`, which is another server\n  help: if that is right, give `--api-root`"
    )]
    Elsewhere {
        /// The server.
        server: String,
        /// What it named.
        named: String,
    },
    /// Our own credentials cannot be used.
    #[error("the credentials for this peer cannot be used: {0}")]
    Credentials(String),
    /// No connection, a broken one, or another certificate than the pinned one.
    #[error("`{url}` cannot be reached: {text}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why, with its causes.
        text: String,
    },
    /// It answered with an error.
    #[error("`{url}` answered {status}: {text}")]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Title and description of its error, shortened.
        text: String,
        /// How many entries of our log it knows, when that is what is wrong.
        known_head: Option<u64>,
    },
    /// It answered something that cannot be used.
    #[error("`{url}` answered something unusable: {text}")]
    Answer {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        text: String,
    },
}

impl ClientError {
    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }
}

/// A client for one peer.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    headers: HeaderMap,
    /// The server is known by its certificate: it is never asked without TLS.
    pinned: bool,
}

/// Everything a [`Client`] is made from.
pub struct Access<'a> {
    /// The pin; `None` trusts the system's certificate authorities.
    pub fingerprint: Option<Fingerprint>,
    /// How to sign in.
    pub sign_in: &'a SignIn,
    /// Password or token.
    pub secret: &'a str,
    /// Our certificate chain and key, PEM files, for [`SignIn::Certificate`].
    pub certificate: Option<(&'a Path, &'a Path)>,
}

/// An answer with its headers.
pub struct Answer {
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

/// An answer of any status.
pub struct AnyAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

/// Longest answer taken, octets: a page of ours is at most a quarter of it.
const ANSWER_BYTES_MAX: usize = 64 << 20;
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
const READ_TIME_MAX: Duration = Duration::from_secs(60);

impl Client {
    /// A client that signs in as `access` says.
    ///
    /// # Errors
    /// When the credentials or the TLS set-up cannot be used.
    pub fn new(access: &Access<'_>) -> Result<Self, ClientError> {
        let provider = provider();
        // a server without a pin is judged by the public authorities: reqwest takes the process's own provider for that, and
        // panics without one. Already installed is as good
        let _installed = rustls::crypto::CryptoProvider::install_default((*provider).clone());
        let mut builder = base();
        let identity = match access.sign_in {
            SignIn::Certificate => access
                .certificate
                .map(|(chain, key)| identity(chain, key))
                .transpose()?,
            _ => None,
        };
        if access.fingerprint.is_some() || identity.is_some() {
            let config = config(&provider)?;
            let config = match access.fingerprint {
                Some(pin) => config
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(PinVerifier::pinned(
                        pin,
                        Arc::clone(&provider),
                    ))),
                None => {
                    return Err(ClientError::Credentials(
                        "a client certificate needs a pinned fingerprint".to_owned(),
                    ));
                }
            };
            let config = match identity {
                Some((chain, key)) => config
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| ClientError::Credentials(error.to_string()))?,
                None => config.with_no_client_auth(),
            };
            builder = builder.tls_backend_preconfigured(config);
        }
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization(access.sign_in, access.secret)? {
            headers.insert(AUTHORIZATION, value);
        }
        let http = builder
            .build()
            .map_err(|error| ClientError::Credentials(chain(&error)))?;
        Ok(Self {
            http,
            headers,
            pinned: access.fingerprint.is_some(),
        })
    }

    /// A client that accepts any certificate and remembers its fingerprint: to fetch a card, nothing else.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn learning() -> Result<(Self, Arc<PinVerifier>), ClientError> {
        let provider = provider();
        let verifier = Arc::new(PinVerifier::learning(Arc::clone(&provider)));
        let shared: Arc<dyn rustls::client::danger::ServerCertVerifier> =
            Arc::clone(&verifier) as _;
        let config = config(&provider)?
            .dangerous()
            .with_custom_certificate_verifier(shared)
            .with_no_client_auth();
        let http = base()
            .tls_backend_preconfigured(config)
            .build()
            .map_err(|error| ClientError::Credentials(chain(&error)))?;
        Ok((
            Self {
                http,
                headers: HeaderMap::new(),
                pinned: false,
            },
            verifier,
        ))
    }

    /// GET with an `Accept` of `accept`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get(
        &self,
        url: &str,
        accept: &str,
        extra: &[(&'static str, &str)],
    ) -> Result<Answer, ClientError> {
        let mut request = self
            .http
            .get(self.check(url)?)
            .headers(self.headers.clone())
            .header(ACCEPT, accept);
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        self.send(url, request).await
    }

    /// POST of a TAXII envelope. `told`: how many entries of our log the other side said it knows.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post_taxii(
        &self,
        url: &str,
        body: Vec<u8>,
        told: Option<u64>,
    ) -> Result<Answer, ClientError> {
        self.post(url, TAXII, body, told).await
    }

    /// POST of JSON, as [`Self::post_taxii`].
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post_json(
        &self,
        url: &str,
        body: Vec<u8>,
        told: Option<u64>,
    ) -> Result<Answer, ClientError> {
        self.post(url, "application/json", body, told).await
    }

    async fn post(
        &self,
        url: &str,
        media_type: &'static str,
        body: Vec<u8>,
        told: Option<u64>,
    ) -> Result<Answer, ClientError> {
        let mut request = self
            .http
            .post(self.check(url)?)
            .headers(self.headers.clone())
            .header(ACCEPT, media_type)
            .header(reqwest::header::CONTENT_TYPE, media_type)
            .body(body);
        if let Some(told) = told {
            request = request.header(HEAD_HEADER, told);
        }
        self.send(url, request).await
    }

    /// GET without, POST with a body; gives any status back, with at most `bytes_max` octets of body, within `time_max`.
    ///
    /// # Errors
    /// When there is no answer, or one that is too long.
    pub async fn exchange(
        &self,
        url: &str,
        body: Option<Vec<u8>>,
        time_max: Duration,
        bytes_max: usize,
    ) -> Result<AnyAnswer, ClientError> {
        let checked = check(url)?;
        let request = match body {
            None => self.http.get(checked),
            Some(body) => self.http.post(checked).body(body),
        };
        let response = request
            .headers(self.headers.clone())
            .timeout(time_max)
            .send()
            .await
            .map_err(|error| unreachable(url, &error))?;
        let status = response.status().as_u16();
        let body = read(url, response, bytes_max).await?;
        Ok(AnyAnswer { status, body })
    }

    /// Opens a stream of server-sent events; the caller reads chunks until it ends.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn events(&self, url: &str) -> Result<reqwest::Response, ClientError> {
        let request = self
            .http
            .get(self.check(url)?)
            .headers(self.headers.clone())
            .header(ACCEPT, "text/event-stream");
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(url, &error))?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(refused(url, response).await)
        }
    }

    fn check(&self, url: &str) -> Result<reqwest::Url, ClientError> {
        let parsed = check(url)?;
        if self.pinned && parsed.scheme() != "https" {
            return Err(ClientError::Unpinned(url.to_owned()));
        }
        Ok(parsed)
    }

    async fn send(
        &self,
        url: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, ClientError> {
        let response = request
            .timeout(READ_TIME_MAX * 2)
            .send()
            .await
            .map_err(|error| unreachable(url, &error))?;
        if !response.status().is_success() {
            return Err(refused(url, response).await);
        }
        let headers = response.headers().clone();
        let body = read(url, response, ANSWER_BYTES_MAX).await?;
        Ok(Answer { headers, body })
    }
}

/// For a service that is no peer: judged by the public authorities, no credentials, no redirects.
///
/// # Errors
/// When TLS cannot be set up.
pub fn foreign() -> Result<reqwest::Client, ClientError> {
    // as in `Client::new`
    let _installed = rustls::crypto::CryptoProvider::install_default((*provider()).clone());
    base()
        .build()
        .map_err(|error| ClientError::Credentials(chain(&error)))
}

fn base() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("comity/", env!("CARGO_PKG_VERSION")))
        // a redirect could lead credentials to another host
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME_MAX)
        .read_timeout(READ_TIME_MAX)
        .tcp_nodelay(true)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn config(
    provider: &Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ClientError> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Credentials(error.to_string()))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(chain: &Path, key: &Path) -> Result<Identity, ClientError> {
    let bad = |what: &str, error: &dyn std::fmt::Display| {
        ClientError::Credentials(format!("{what}: {error}"))
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad("certificate", &error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| bad("key", &error))?;
    Ok((certificates, key))
}

fn authorization(sign_in: &SignIn, secret: &str) -> Result<Option<HeaderValue>, ClientError> {
    use base64::Engine as _;
    let text = match sign_in {
        SignIn::Nothing | SignIn::Certificate => return Ok(None),
        SignIn::Basic { user } => {
            format!(
                "Basic {}",
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"))
            )
        }
        SignIn::Token => format!("Bearer {secret}"),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        ClientError::Credentials("the secret has characters no header can carry".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Only http to loopback and https pass.
fn check(url: &str) -> Result<reqwest::Url, ClientError> {
    let parsed = reqwest::Url::parse(url).map_err(|_| ClientError::Url(url.to_owned()))?;
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" => {
            let host = parsed
                .host_str()
                .unwrap_or_default()
                .trim_matches(['[', ']']);
            let loopback = host == "localhost"
                || host
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback());
            if loopback {
                Ok(parsed)
            } else {
                Err(ClientError::Plain(url.to_owned()))
            }
        }
        _ => Err(ClientError::Url(url.to_owned())),
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> ClientError {
    ClientError::Unreachable {
        url: url.to_owned(),
        text: chain(error),
    }
}

/// An error with its causes: "error sending request" alone helps nobody.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

async fn refused(url: &str, response: reqwest::Response) -> ClientError {
    const TEXT_BYTES_MAX: usize = 8 << 10;
    #[derive(serde::Deserialize)]
    struct TaxiiError {
        title: Option<String>,
        description: Option<String>,
    }
    let status = response.status().as_u16();
    let known_head = super::head::told(response.headers());
    let body = read(url, response, TEXT_BYTES_MAX)
        .await
        .unwrap_or_default();
    let text = match serde_json::from_slice::<TaxiiError>(&body) {
        Ok(error) => [error.title, error.description]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": "),
        Err(_) => String::from_utf8_lossy(&body).into_owned(),
    };
    let text = words::plain(&text, words::SHORT_CHARACTERS_MAX);
    ClientError::Status {
        url: url.to_owned(),
        status,
        text,
        known_head,
    }
}

async fn read(
    url: &str,
    response: reqwest::Response,
    bytes_max: usize,
) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| unreachable(url, &error))?;
        if body.len() + chunk.len() > bytes_max {
            return Err(ClientError::Answer {
                url: url.to_owned(),
                text: format!("more than {bytes_max} octets"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
