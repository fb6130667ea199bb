//! TLS towards peers whose certificate is known by its SHA-256 fingerprint, compared by voice when the peer was added.
//! No authority is trusted for them, and no name is looked at: the fingerprint is the identity.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a certificate as it crosses the wire.
pub type Fingerprint = [u8; 32];

/// The fingerprint of a certificate.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Sha256::digest(certificate.as_ref()).into()
}

/// A fingerprint for people: pairs of hexadecimal digits in groups of four, to be read aloud.
#[must_use]
pub fn fingerprint_text(fingerprint: &Fingerprint) -> String {
    let groups = fingerprint.chunks(4).map(|group| {
        group
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    groups.collect::<Vec<_>>().join(" ")
}

/// Reads a fingerprint however it was written: any case, with spaces, colons or none.
#[must_use]
pub fn parse_fingerprint(text: &str) -> Option<Fingerprint> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|digit| !digit.is_whitespace() && *digit != ':')
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

/// Accepts exactly one certificate, or, while a peer is being added, any, and remembers which.
#[derive(Debug)]
pub struct PinVerifier {
    expected: Option<Fingerprint>,
    seen: Mutex<Option<Fingerprint>>,
    provider: Arc<CryptoProvider>,
}

impl PinVerifier {
    /// Accepts only the certificate with this fingerprint.
    #[must_use]
    pub fn pinned(expected: Fingerprint, provider: Arc<CryptoProvider>) -> Self {
        Self {
            expected: Some(expected),
            seen: Mutex::default(),
            provider,
        }
    }

    /// Accepts any certificate, for fetching a card: nothing secret is sent over it, and a person compares [`Self::seen`].
    #[must_use]
    pub fn learning(provider: Arc<CryptoProvider>) -> Self {
        Self {
            expected: None,
            seen: Mutex::default(),
            provider,
        }
    }

    /// The fingerprint of the certificate that was shown last.
    #[must_use]
    pub fn seen(&self) -> Option<Fingerprint> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = fingerprint(end_entity);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        match self.expected {
            Some(expected) if expected != shown => Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
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
    ) -> Result<HandshakeSignatureValid, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_however_it_is_written() {
        let fingerprint: Fingerprint =
            core::array::from_fn(|index| u8::try_from(index * 7).unwrap());
        let text = fingerprint_text(&fingerprint);
        assert_eq!(text.split(' ').count(), 8);
        for written in [
            text.clone(),
            text.to_uppercase(),
            text.replace(' ', ""),
            text.replace(' ', ":"),
        ] {
            assert_eq!(parse_fingerprint(&written), Some(fingerprint), "{written}");
        }
        for wrong in ["", "ab", "zz", &text[1..]] {
            assert_eq!(parse_fingerprint(wrong), None, "{wrong}");
        }
    }
}
