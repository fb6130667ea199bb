//! The response, the token in it, its signer and the chain above.

use super::algorithm::{Hash, Scheme};
use super::certificate::{Certificate, ChainFault};
use super::der::{self, DerError, Element, Reader};

/// id-signedData.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-ct-TSTInfo.
const TST_INFO: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// id-aa-signingCertificateV2.
const SIGNING_CERTIFICATE_V2: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f,
];
/// PKIStatusInfo: granted, no text. The writer reduces what the authority answered to this, since no signature covers it.
const GRANTED: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x00];
const CERTIFICATES_MAX: usize = 16;
const CHAIN_MAX: usize = 8;

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// When, in microseconds since 1970 UTC.
    pub time_micros: i64,
    /// How far off it may be at most, in microseconds, if the authority says so.
    pub accuracy_micros: Option<u64>,
    /// The authority's number of this token, in hexadecimal.
    pub serial: String,
    /// SHA-256 of the signer's certificate.
    pub signer_sha256: [u8; 32],
    /// SHA-256 of the certificate in which the chain ends.
    pub anchor_sha256: [u8; 32],
    /// Who vouches for that one.
    pub anchor: Anchor,
}

/// Where trust in a chain comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// From the caller.
    Given,
    /// From the package alone: whoever wrote it may have made the authority up.
    PackageOnly,
}

/// The first thing that is wrong with a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TspError {
    /// Not a response with one token and nothing else.
    #[error("{0}")]
    Form(#[from] DerError),
    /// A certificate that came with it, not in the token, cannot be read.
    #[error("a certificate beside the token: {0}")]
    Beside(DerError),
    /// The content was changed.
    #[error("the token's digest is not that of its contents")]
    Digest,
    /// Another text was stamped.
    #[error("the token is over another text")]
    Imprint,
    /// The signer's certificate is missing, or is not the one the signed attribute names.
    #[error("the signer's certificate is not there, or not the one the token names")]
    Signer,
    /// The signature does not hold.
    #[error("the token's signature does not hold")]
    Signature,
    /// Something in the chain.
    #[error("{0}")]
    Chain(#[from] ChainFault),
    /// The chain ends in nothing that can be believed.
    #[error("the chain ends in no certificate that was given, and in no root of its own")]
    NoAnchor,
    /// A certificate that is not part of the chain, or is there twice.
    #[error("there is a certificate that is not part of the signer's chain, or is there twice")]
    Unused,
}

/// Verifies a response over `text`. `beside` are the certificates that came with it, `given` those the caller trusts: roots,
/// authorities or the signer itself. Without any given, the chain must reach a root among those that came with it.
///
/// # Errors
/// See [`TspError`].
pub fn verify(
    response: &[u8],
    text: &[u8],
    beside: &[Vec<u8>],
    given: Option<&[Vec<u8>]>,
) -> Result<Timestamp, TspError> {
    let token = Token::read(response)?;
    let signer = token.signer()?;
    token.check_signature(signer)?;
    let info = Info::read(&token.content)?;
    if info.hash.of(text) != info.imprint {
        return Err(TspError::Imprint);
    }
    signer.may_stamp()?;

    let beside = read_all(beside).map_err(TspError::Beside)?;
    // a list of roots may hold some this program does not accept; they are as good as absent
    let given = given.map(|list| -> Vec<_> {
        let read = |bytes| read_all(std::slice::from_ref(bytes)).ok();
        list.iter().filter_map(read).flatten().collect()
    });
    let chain = chain(signer, &token.certificates, &beside, info.time_micros)?;
    for list in [&token.certificates, &beside] {
        for (place, certificate) in list.iter().enumerate() {
            let same = |other: &Certificate<'_>| other.raw == certificate.raw;
            let twice = list.iter().take(place).any(same);
            if twice || !chain.iter().any(|link| same(link)) {
                return Err(TspError::Unused);
            }
        }
    }
    let (anchor, kind) = anchor(&chain, given.as_deref(), info.time_micros)?;
    Ok(Timestamp {
        time_micros: info.time_micros,
        accuracy_micros: info.accuracy_micros,
        serial: hex(info.serial),
        signer_sha256: sha256(signer.raw),
        anchor_sha256: sha256(anchor),
        anchor: kind,
    })
}

/// The certificates above a token's signer, up to its root, out of what the caller has: what is put beside it in a package.
///
/// # Errors
/// When the token cannot be read, or its chain does not reach a root.
pub fn chain_above(response: &[u8], pool: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, TspError> {
    let token = Token::read(response)?;
    let signer = token.signer()?;
    let info = Info::read(&token.content)?;
    let pool: Vec<Certificate<'_>> = pool
        .iter()
        .filter_map(|bytes| read_all(std::slice::from_ref(bytes)).ok())
        .flatten()
        .collect();
    let chain = chain(signer, &token.certificates, &pool, info.time_micros)?;
    anchor(&chain, None, info.time_micros)?;
    Ok(chain.iter().skip(1).map(|it| it.raw.to_vec()).collect())
}

/// What an authority answered, without the texts no signature covers: what is put into a package.
///
/// # Errors
/// When it was not granted, or is no response.
pub fn plain_response(response: &[u8]) -> Result<Vec<u8>, DerError> {
    let mut outer = Reader::new(response, 0);
    let mut inside = outer.inside(der::SEQUENCE, "a time-stamp response was expected")?;
    outer.end("something after the response")?;
    let mut status = inside.inside(der::SEQUENCE, "a status was expected")?;
    // 0 granted, 1 granted with modifications (RFC 3161 section 2.4.2)
    if status.small("a status was expected")? > 1 {
        return status.fail("the authority did not grant a time stamp");
    }
    let token = inside.take(der::SEQUENCE, "a token was expected")?;
    inside.end("something after the token")?;
    let length = u32::try_from(GRANTED.len() + token.raw.len()).unwrap_or(u32::MAX);
    let mut plain = vec![der::SEQUENCE];
    let digits = length.to_be_bytes();
    let short: &[u8] = match length {
        0..0x80 => &digits[3..],
        0x80..0x100 => {
            plain.push(0x81);
            &digits[3..]
        }
        0x100..0x1_0000 => {
            plain.push(0x82);
            &digits[2..]
        }
        _ => {
            plain.push(0x84);
            &digits
        }
    };
    plain.extend(short);
    plain.extend(GRANTED);
    plain.extend(token.raw);
    Ok(plain)
}

/// A token as it came.
struct Token<'a> {
    content: Element<'a>,
    certificates: Vec<Certificate<'a>>,
    issuer_and_serial: Option<(&'a [u8], &'a [u8])>,
    key_id: Option<&'a [u8]>,
    hash: Hash,
    scheme: Scheme,
    attributes: Element<'a>,
    signature: &'a [u8],
    message_digest: &'a [u8],
    certificate_hash: (Hash, &'a [u8]),
}

impl<'a> Token<'a> {
    fn read(response: &'a [u8]) -> Result<Self, DerError> {
        let mut outer = Reader::new(response, 0);
        let mut inside = outer.inside(der::SEQUENCE, "a time-stamp response was expected")?;
        outer.end("something after the end of the response")?;
        let before = inside.clone();
        let status = inside.take(der::SEQUENCE, "a status was expected")?;
        if status.raw != GRANTED {
            return before.fail("a status other than `granted` without a text");
        }
        let mut token = inside.inside(der::SEQUENCE, "a token was expected")?;
        inside.end("something after the token")?;
        expect_oid(&mut token, SIGNED_DATA, "signed data was expected")?;
        let mut explicit = token.inside(der::context(0), "signed data was expected")?;
        token.end("something after the signed data")?;
        let signed = explicit.inside(der::SEQUENCE, "signed data was expected")?;
        explicit.end("something after the signed data")?;
        Self::signed_data(signed)
    }

    /// SignedData (RFC 5652 section 5.1).
    fn signed_data(mut signed: Reader<'a>) -> Result<Self, DerError> {
        expect_small(&mut signed, 3, "signed data of version 3 was expected")?;
        let mut digests = signed.inside(der::SET, "hash algorithms were expected")?;
        let digest = Hash::read(&mut digests)?;
        digests.end("more than one hash algorithm")?;
        let mut encapsulated = signed.inside(der::SEQUENCE, "contents were expected")?;
        expect_oid(
            &mut encapsulated,
            TST_INFO,
            "a time stamp was expected as contents",
        )?;
        let mut explicit = encapsulated.inside(der::context(0), "contents were expected")?;
        encapsulated.end("something after the contents")?;
        let content = explicit.take(der::OCTET_STRING, "contents were expected")?;
        explicit.end("something after the contents")?;
        let mut certificates = Vec::new();
        if let Some(set) = signed.optional(der::context(0), "certificates were expected")? {
            let mut set = set.reader();
            while !set.is_empty() {
                certificates.push(Certificate::read(&mut set)?);
                if certificates.len() > CERTIFICATES_MAX {
                    return set.fail("too many certificates");
                }
            }
        }
        let mut signers = signed.inside(
            der::SET,
            "one signer was expected, and no list of revoked certificates",
        )?;
        signed.end("something after the signer")?;
        let mut signer = signers.inside(der::SEQUENCE, "a signer was expected")?;
        signers.end("more than one signer")?;

        let version = signer.small("a signer's version was expected")?;
        let mut issuer_and_serial = None;
        let mut key_id = None;
        if version == 1 {
            let mut id = signer.inside(der::SEQUENCE, "issuer and number were expected")?;
            let issuer = id.take(der::SEQUENCE, "an issuer was expected")?;
            let serial = id.take(der::INTEGER, "a number was expected")?;
            id.end("something after the number")?;
            issuer_and_serial = Some((issuer.raw, serial.value));
        } else if version == 3 {
            let id = signer.take(der::context_primitive(0), "a key identifier was expected")?;
            key_id = Some(id.value);
        } else {
            return signer.fail("a signer of version 1 or 3 was expected");
        }
        let hash = Hash::read(&mut signer)?;
        if hash != digest {
            return signer.fail("the signer's hash algorithm is not the token's");
        }
        let attributes = signer.take(der::context(0), "signed attributes were expected")?;
        let scheme = Scheme::read(&mut signer)?;
        let signature = signer.take(der::OCTET_STRING, "a signature was expected")?;
        // nothing covers unsigned attributes, so there may be none
        signer.end("something after the signature")?;
        let (message_digest, certificate_hash) = read_attributes(attributes)?;
        Ok(Self {
            content,
            certificates,
            issuer_and_serial,
            key_id,
            hash,
            scheme,
            attributes,
            signature: signature.value,
            message_digest,
            certificate_hash,
        })
    }

    /// The certificate that is named twice: by the signer's identifier, and by the signed attribute that pins it.
    fn signer(&self) -> Result<&Certificate<'a>, TspError> {
        let named = |certificate: &&Certificate<'_>| match (self.issuer_and_serial, self.key_id) {
            (Some((issuer, serial)), _) => {
                certificate.issuer == issuer && certificate.serial == serial
            }
            (None, key_id) => key_id.is_some() && certificate.key_id == key_id,
        };
        let signer = self
            .certificates
            .iter()
            .find(named)
            .ok_or(TspError::Signer)?;
        let (hash, expected) = self.certificate_hash;
        if hash.of(signer.raw) == expected {
            Ok(signer)
        } else {
            Err(TspError::Signer)
        }
    }

    fn check_signature(&self, signer: &Certificate<'_>) -> Result<(), TspError> {
        if self.hash.of(self.content.value) != self.message_digest {
            return Err(TspError::Digest);
        }
        // RFC 5652 section 5.4: signed is "the DER encoding of the SET OF", not the [0] that stands in the message
        let mut signed = self.attributes.raw.to_vec();
        if let Some(tag) = signed.first_mut() {
            *tag = der::SET;
        }
        let scheme = match (self.scheme, self.scheme.hash(self.hash)) {
            (Scheme::RsaAnyHash, Some(hash)) => Scheme::RsaPkcs1(hash),
            (scheme, Some(_)) => scheme,
            (_, None) => return Err(TspError::Signature),
        };
        if signer.key.verifies(scheme, &signed, self.signature) {
            Ok(())
        } else {
            Err(TspError::Signature)
        }
    }
}

type Attributes<'a> = (&'a [u8], (Hash, &'a [u8]));

/// Content type, message digest and the signer's certificate, each once; others may be there, they are signed.
fn read_attributes(attributes: Element<'_>) -> Result<Attributes<'_>, DerError> {
    let mut list = attributes.reader();
    let mut content_type = None;
    let mut digest = None;
    let mut certificate = None;
    while !list.is_empty() {
        let place = list.clone();
        let mut attribute = list.inside(der::SEQUENCE, "an attribute was expected")?;
        let oid = attribute.take(der::OID, "an attribute was expected")?;
        let mut values = attribute.inside(der::SET, "an attribute's value was expected")?;
        attribute.end("something after an attribute")?;
        let seen = match oid.value {
            CONTENT_TYPE => {
                expect_oid(
                    &mut values,
                    TST_INFO,
                    "the signed content type is not a time stamp",
                )?;
                content_type.replace(()).is_some()
            }
            MESSAGE_DIGEST => {
                let value = values.take(der::OCTET_STRING, "a digest was expected")?;
                digest.replace(value.value).is_some()
            }
            SIGNING_CERTIFICATE_V2 => {
                let value = signing_certificate(&mut values)?;
                certificate.replace(value).is_some()
            }
            _ => continue,
        };
        values.end("an attribute with several values")?;
        if seen {
            return place.fail("a signed attribute that is there twice");
        }
    }
    match (content_type, digest, certificate) {
        (Some(()), Some(digest), Some(certificate)) => Ok((digest, certificate)),
        _ => list.fail(
            "the signed attributes content type, digest and signing certificate (version 2) were expected",
        ),
    }
}

/// SigningCertificateV2 (RFC 5035 section 3): the first is the signer's.
fn signing_certificate<'a>(values: &mut Reader<'a>) -> Result<(Hash, &'a [u8]), DerError> {
    let mut whole = values.inside(der::SEQUENCE, "a signing certificate was expected")?;
    let mut list = whole.inside(der::SEQUENCE, "a signing certificate was expected")?;
    let mut first = list.inside(der::SEQUENCE, "a signing certificate was expected")?;
    let mut peek = first.clone();
    let hash = match peek.optional(der::SEQUENCE, "a hash algorithm was expected")? {
        Some(_) => Hash::read(&mut first)?,
        None => Hash::Sha256,
    };
    let digest = first.take(der::OCTET_STRING, "a certificate's hash was expected")?;
    Ok((hash, digest.value))
}

/// TSTInfo (RFC 3161 section 2.4.2).
struct Info<'a> {
    hash: Hash,
    imprint: &'a [u8],
    serial: &'a [u8],
    time_micros: i64,
    accuracy_micros: Option<u64>,
}

impl<'a> Info<'a> {
    fn read(content: &Element<'a>) -> Result<Self, DerError> {
        let mut outer = content.reader();
        let mut info = outer.inside(der::SEQUENCE, "a time stamp was expected")?;
        outer.end("something after the time stamp")?;
        expect_small(&mut info, 1, "a time stamp of version 1 was expected")?;
        let _policy = info.take(der::OID, "a policy was expected")?;
        let mut imprint = info.inside(der::SEQUENCE, "an imprint was expected")?;
        let hash = Hash::read(&mut imprint)?;
        let digest = imprint.take(der::OCTET_STRING, "an imprint was expected")?;
        imprint.end("something after the imprint")?;
        let serial = info.unsigned("a serial number was expected")?;
        let time_micros = info.time("a time was expected")?;
        let accuracy = info.optional(der::SEQUENCE, "an accuracy was expected")?;
        let accuracy_micros = accuracy
            .map(|it| accuracy_of(&mut it.reader()))
            .transpose()?;
        // ordering, nonce, name, extensions: signed, and nothing here rests on them
        let _ordering = info.optional(der::BOOLEAN, "a truth value was expected")?;
        let _nonce = info.optional(der::INTEGER, "a nonce was expected")?;
        let _name = info.optional(der::context(0), "a name was expected")?;
        if !info.is_empty() {
            return info.fail("extensions of a time stamp, which this program does not know");
        }
        Ok(Self {
            hash,
            imprint: digest.value,
            serial,
            time_micros,
            accuracy_micros,
        })
    }
}

/// Seconds, `[0]` milliseconds, `[1]` microseconds.
fn accuracy_of(reader: &mut Reader<'_>) -> Result<u64, DerError> {
    let mut micros = 0_u64;
    for (tag, factor) in [
        (der::INTEGER, 1_000_000),
        (der::context_primitive(0), 1_000),
        (der::context_primitive(1), 1),
    ] {
        if let Some(part) = reader.optional(tag, "an accuracy was expected")? {
            let value = part
                .value
                .iter()
                .take(5)
                .fold(0_u64, |sum, digit| sum << 8 | u64::from(*digit));
            micros = micros.saturating_add(value.saturating_mul(factor));
        }
    }
    reader.end("something after the accuracy")?;
    Ok(micros)
}

/// From the signer up, through the certificates that came along, to a root among them or as far as they reach.
fn chain<'a, 'b>(
    signer: &'b Certificate<'a>,
    inside: &'b [Certificate<'a>],
    beside: &'b [Certificate<'a>],
    time: i64,
) -> Result<Vec<&'b Certificate<'a>>, TspError> {
    signer.valid_at(time)?;
    let mut chain = vec![signer];
    let mut below = signer;
    while !below.is_self_issued() && chain.len() < CHAIN_MAX {
        let mut candidates = inside
            .iter()
            .chain(beside)
            .filter(|candidate| candidate.subject == below.issuer)
            .peekable();
        if candidates.peek().is_none() {
            break;
        }
        let cas_below = chain.len() as u64 - 1;
        let mut fault = None;
        let found = candidates.find(|candidate| {
            let fits = candidate.issued(below, cas_below);
            let fits = fits.and_then(|()| candidate.valid_at(time));
            fault = fits.err().or(fault);
            fits.is_ok()
        });
        match (found, fault) {
            (Some(issuer), _) => {
                chain.push(issuer);
                below = issuer;
            }
            (None, Some(fault)) => return Err(fault.into()),
            (None, None) => break,
        }
    }
    if below.is_self_issued() && !std::ptr::eq(below, signer) {
        // nobody above vouches for a root; its own signature at least finds damage
        below.issued(below, 0)?;
    }
    Ok(chain)
}

/// The certificate in which trust begins.
fn anchor<'b>(
    chain: &[&'b Certificate<'_>],
    given: Option<&'b [Certificate<'_>]>,
    time: i64,
) -> Result<(&'b [u8], Anchor), TspError> {
    let top = chain.last().copied();
    let Some(given) = given else {
        return match top {
            Some(last) if last.is_self_issued() && chain.len() > 1 => {
                Ok((last.raw, Anchor::PackageOnly))
            }
            _ => Err(TspError::NoAnchor),
        };
    };
    let vouches = |depth: usize, link: &Certificate<'_>| {
        given.iter().find(|trusted| {
            let issued = || trusted.issued(link, depth as u64).is_ok();
            trusted.raw == link.raw || issued() && trusted.valid_at(time).is_ok()
        })
    };
    // nothing vouches for what came along above the anchor, so its end must be a root or be vouched for as well
    let covered = top.is_some_and(|top| {
        top.is_self_issued() && chain.len() > 1 || vouches(chain.len() - 1, top).is_some()
    });
    let anchor = chain
        .iter()
        .enumerate()
        .find_map(|(depth, link)| vouches(depth, link));
    match anchor {
        Some(anchor) if covered => Ok((anchor.raw, Anchor::Given)),
        _ => Err(TspError::NoAnchor),
    }
}

fn read_all(list: &[Vec<u8>]) -> Result<Vec<Certificate<'_>>, DerError> {
    list.iter()
        .map(|bytes| {
            let mut reader = Reader::new(bytes, 0);
            let certificate = Certificate::read(&mut reader)?;
            reader.end("something after a certificate")?;
            Ok(certificate)
        })
        .collect()
}

fn expect_oid(reader: &mut Reader<'_>, oid: &[u8], what: &'static str) -> Result<(), DerError> {
    let found = reader.take(der::OID, what)?;
    if found.value == oid {
        Ok(())
    } else {
        Err(DerError {
            offset: found.offset,
            what,
        })
    }
}

fn expect_small(reader: &mut Reader<'_>, value: u64, what: &'static str) -> Result<(), DerError> {
    let place = reader.clone();
    if reader.small(what)? == value {
        Ok(())
    } else {
        place.fail(what)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
