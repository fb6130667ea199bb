//! TLS of the node (TAXII 2.1 section 8.2.2): 1.3 and 1.2, no early data, HTTP/2 and HTTP/1.1, client certificates by
//! choice of the client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::keys::{self, KeyError};

/// Why the node cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The generated certificate.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A PEM file.
    #[error(
        "cannot use `{path}`: {text}\n  help: it must hold PEM, certificates first the node's own"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        text: String,
    },
    /// One of the two settings is missing.
    #[error("`tls_certificate` and `tls_key` go together")]
    Pair,
    /// The library refuses the combination.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// TLS ready to accept, and what peers pin.
pub struct Tls {
    /// For `tokio_rustls::TlsAcceptor`.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the node's own certificate (DER).
    pub fingerprint: [u8; 32],
}

/// Loads the configured certificate, or makes one at first start.
///
/// # Errors
/// See [`TlsError`].
pub fn load(config: &Config) -> Result<Tls, TlsError> {
    let public = config.public_url.value.as_deref();
    load_files(
        &config.dir,
        &Files {
            certificate: config.tls_certificate.value.as_deref(),
            key: config.tls_key.value.as_deref(),
            client_authorities: config.tls_client_ca.value.as_deref(),
        },
        &names(config.listen().ip(), public),
    )
}

/// PEM files of a certificate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// Certificates, the server's own first.
    pub certificate: Option<&'a Path>,
    /// Its key.
    pub key: Option<&'a Path>,
    /// Authorities of client certificates.
    pub client_authorities: Option<&'a Path>,
}

/// Loads these files; without any, makes a certificate for `names` in `dir`.
///
/// # Errors
/// See [`TlsError`].
pub fn load_files(dir: &Path, files: &Files<'_>, names: &[String]) -> Result<Tls, TlsError> {
    let (certificate, key) = match (files.certificate, files.key) {
        (Some(certificate), Some(key)) => (certificate.to_owned(), key.to_owned()),
        (None, None) => keys::ensure_tls(dir, names)?,
        _ => return Err(TlsError::Pair),
    };
    let chain = certificates(&certificate)?;
    let first = chain
        .first()
        .ok_or_else(|| file_error(&certificate, "no certificate in it"))?;
    let fingerprint = fingerprint(first);
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| file_error(&key, error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = verifier(files.client_authorities, &provider)?;
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(setup)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(setup)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // TAXII 2.1 section 8.2.2: no 0-RTT
    tls.max_early_data_size = 0;
    Ok(Tls {
        config: Arc::new(tls),
        fingerprint,
    })
}

/// What a certificate is known by in the register.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate.as_ref()).into()
}

/// The names a certificate made here is for: what is listened on, and what others reach it by.
#[must_use]
pub fn names(ip: std::net::IpAddr, public_url: Option<&str>) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    if !ip.is_unspecified() && !names.contains(&ip.to_string()) {
        names.push(ip.to_string());
    }
    let public = public_url.and_then(|url| url.parse::<http::Uri>().ok());
    if let Some(host) = public
        .as_ref()
        .and_then(http::Uri::host)
        .filter(|host| !names.iter().any(|name| name == host))
    {
        names.push(host.to_owned());
    }
    names
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| file_error(path, error))
}

fn verifier(
    authorities: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(authorities) = authorities else {
        return Ok(Arc::new(AnyCertificate {
            provider: Arc::clone(provider),
        }));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authorities)? {
        roots
            .add(certificate)
            .map_err(|error| file_error(authorities, error))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .allow_unauthenticated()
        .build()
        .map(|verifier| verifier as Arc<dyn ClientCertVerifier>)
        .map_err(setup)
}

fn file_error(path: &Path, error: impl std::fmt::Display) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        text: error.to_string(),
    }
}

fn setup(error: impl std::fmt::Display) -> TlsError {
    TlsError::Setup(error.to_string())
}

/// Takes any client certificate whose private key the client proves to hold. Whose it is, the register says by its
/// fingerprint (TAXII 2.1 section 8.3.1 leaves the policy to the server); an unknown one counts as none.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
