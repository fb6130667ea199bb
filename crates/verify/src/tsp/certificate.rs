//! X.509 certificates, as far as the chain of a time-stamping authority needs them (RFC 5280).

use super::algorithm::{PublicKey, Scheme};
use super::der::{self, DerError, Element, Reader};

/// Extensions: basic constraints, key usage, extended key usage, and those that say nothing we must heed.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// certificatePolicies: we ask for no particular policy, so any will do (RFC 5280 section 6.1.1 (c)).
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
/// id-kp-timeStamping (RFC 3161 section 2.3).
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
/// Bits of KeyUsage in its first byte (RFC 5280 section 4.2.1.3).
const DIGITAL_SIGNATURE: u8 = 0x80;
const NON_REPUDIATION: u8 = 0x40;
const KEY_CERT_SIGN: u8 = 0x04;
const EXTENSIONS_MAX: usize = 64;

/// A certificate as it came: well-formed, believed by nobody yet.
#[derive(Debug, Clone)]
pub(super) struct Certificate<'a> {
    pub(super) raw: &'a [u8],
    signed: &'a [u8],
    scheme: Scheme,
    signature: &'a [u8],
    pub(super) serial: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    pub(super) key: PublicKey,
    not_before: i64,
    not_after: i64,
    ca: bool,
    path_length: Option<u64>,
    usage: Option<u8>,
    /// Critical and nothing but time stamping.
    time_stamping: bool,
    pub(super) key_id: Option<&'a [u8]>,
}

/// Why a certificate may not stand in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Outside its validity.
    #[error("a certificate of the chain was not valid at that time")]
    Validity,
    /// No CA, or one that may not sign certificates, or a chain longer than it allows.
    #[error("a certificate of the chain is not allowed to issue the one below it")]
    Issuer,
    /// The signature on it does not hold.
    #[error("the signature on a certificate of the chain does not hold")]
    Signature,
    /// Not, or not only, for time stamping.
    #[error(
        "the signer's certificate is not made for time stamping alone (critical extended key usage)"
    )]
    Purpose,
}

impl<'a> Certificate<'a> {
    /// Reads the next certificate.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DerError> {
        let whole = reader.take(der::SEQUENCE, "a certificate was expected")?;
        let mut outer = whole.reader();
        let tbs = outer.take(der::SEQUENCE, "a certificate's body was expected")?;
        let before = outer.clone();
        let scheme = Scheme::read(&mut outer)?;
        let outer_algorithm = before.clone().any("a signature algorithm was expected")?;
        let signature = outer.bits("a certificate's signature was expected")?;
        outer.end("something after a certificate's signature")?;

        let mut body = tbs.reader();
        let mut version =
            body.inside(der::context(0), "a certificate of version 3 was expected")?;
        if version.small("a certificate of version 3 was expected")? != 2 {
            return version.fail("a certificate of version 3 was expected");
        }
        version.end("a certificate of version 3 was expected")?;
        let serial = body.take(der::INTEGER, "a serial number was expected")?;
        let inner_algorithm = body.take(der::SEQUENCE, "a signature algorithm was expected")?;
        // RFC 5280 section 4.1.1.2: "MUST contain the same algorithm identifier"
        if inner_algorithm.raw != outer_algorithm.raw {
            return before.fail("a certificate that names two signature algorithms");
        }
        let issuer = body.take(der::SEQUENCE, "an issuer was expected")?;
        let mut validity = body.inside(der::SEQUENCE, "a validity was expected")?;
        let not_before = validity.time("a time was expected")?;
        let not_after = validity.time("a time was expected")?;
        validity.end("something after a certificate's validity")?;
        let subject = body.take(der::SEQUENCE, "a subject was expected")?;
        let key = PublicKey::read(&mut body)?;
        let _issuer_id = body.optional(der::context_primitive(1), "an identifier was expected")?;
        let _subject_id = body.optional(der::context_primitive(2), "an identifier was expected")?;
        let mut certificate = Self {
            raw: whole.raw,
            signed: tbs.raw,
            scheme,
            signature,
            serial: serial.value,
            issuer: issuer.raw,
            subject: subject.raw,
            key,
            not_before,
            not_after,
            ca: false,
            path_length: None,
            usage: None,
            time_stamping: false,
            key_id: None,
        };
        if let Some(extensions) = body.optional(der::context(3), "extensions were expected")? {
            certificate.extensions(&mut extensions.reader())?;
        }
        body.end("something after a certificate's extensions")?;
        Ok(certificate)
    }

    fn extensions(&mut self, reader: &mut Reader<'a>) -> Result<(), DerError> {
        let mut list = reader.inside(der::SEQUENCE, "extensions were expected")?;
        reader.end("something after the extensions")?;
        let mut seen: Vec<&[u8]> = Vec::new();
        while !list.is_empty() {
            let place = list.clone();
            let mut extension = list.inside(der::SEQUENCE, "an extension was expected")?;
            let oid = extension.take(der::OID, "an extension was expected")?;
            let critical = boolean(&mut extension)?;
            let value = extension.take(der::OCTET_STRING, "an extension's value was expected")?;
            extension.end("something after an extension")?;
            if seen.contains(&oid.value) || seen.len() == EXTENSIONS_MAX {
                return place.fail("an extension that is there twice, or too many");
            }
            seen.push(oid.value);
            self.extension(oid, critical, value)?;
        }
        Ok(())
    }

    fn extension(
        &mut self,
        oid: Element<'a>,
        critical: bool,
        value: Element<'a>,
    ) -> Result<(), DerError> {
        let mut inside = value.reader();
        match oid.value {
            BASIC_CONSTRAINTS => {
                let mut constraints =
                    inside.inside(der::SEQUENCE, "basic constraints were expected")?;
                self.ca = boolean(&mut constraints)?;
                if !constraints.is_empty() {
                    self.path_length = Some(constraints.small("a path length was expected")?);
                }
                constraints.end("something after basic constraints")?;
            }
            KEY_USAGE => {
                let bits = inside.take(der::BIT_STRING, "a key usage was expected")?;
                match bits.value {
                    [_unused, first, ..] => self.usage = Some(*first),
                    _ => return inside.fail("a key usage was expected"),
                }
            }
            EXTENDED_KEY_USAGE => {
                let mut purposes = inside.inside(der::SEQUENCE, "key purposes were expected")?;
                let only = purposes.take(der::OID, "a key purpose was expected")?;
                // RFC 3161 section 2.3: "MUST contain only one instance of ... id-kp-timeStamping", "MUST be critical"
                self.time_stamping = critical && only.value == TIME_STAMPING && purposes.is_empty();
            }
            // subjectKeyIdentifier
            [0x55, 0x1d, 0x0e] => {
                let id = inside.take(der::OCTET_STRING, "a key identifier was expected")?;
                self.key_id = Some(id.value);
            }
            // RFC 5280 section 4.2: "MUST reject the certificate if it encounters a critical extension it does not recognize"
            CERTIFICATE_POLICIES => return Ok(()),
            _ if critical => {
                return Err(DerError {
                    offset: oid.offset,
                    what: "a critical extension this program does not know",
                });
            }
            _ => return Ok(()),
        }
        inside.end("something after an extension's value")
    }

    /// Whether it says of itself that it issued itself.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it was valid then.
    pub(super) fn valid_at(&self, micros: i64) -> Result<(), ChainFault> {
        // to the second: "inclusive" (RFC 5280 section 4.1.2.5)
        if self.not_before <= micros && micros < self.not_after.saturating_add(1_000_000) {
            Ok(())
        } else {
            Err(ChainFault::Validity)
        }
    }

    /// Whether it may sign time stamps.
    pub(super) fn may_stamp(&self) -> Result<(), ChainFault> {
        let signs = self
            .usage
            .is_none_or(|usage| usage & (DIGITAL_SIGNATURE | NON_REPUDIATION) != 0);
        if self.time_stamping && signs && !self.ca {
            Ok(())
        } else {
            Err(ChainFault::Purpose)
        }
    }

    /// Whether this one issued `below`, which has `cas_below` CA certificates under it.
    pub(super) fn issued(&self, below: &Certificate<'_>, cas_below: u64) -> Result<(), ChainFault> {
        let may_sign = self.usage.is_none_or(|usage| usage & KEY_CERT_SIGN != 0);
        let long = self.path_length.is_some_and(|most| cas_below > most);
        if !self.ca || !may_sign || long || below.issuer != self.subject {
            return Err(ChainFault::Issuer);
        }
        if self
            .key
            .verifies(below.scheme, below.signed, below.signature)
        {
            Ok(())
        } else {
            Err(ChainFault::Signature)
        }
    }
}

/// BOOLEAN DEFAULT FALSE: in DER it is there only when TRUE (X.690 section 11.5).
fn boolean(reader: &mut Reader<'_>) -> Result<bool, DerError> {
    match reader.optional(der::BOOLEAN, "a truth value was expected")? {
        None => Ok(false),
        Some(value) if value.value == [0xff] => Ok(true),
        Some(value) => Err(DerError {
            offset: value.offset,
            what: "a truth value that is not the one DER has",
        }),
    }
}
