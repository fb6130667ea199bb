//! Signatures of certificates and tokens: RSA (PKCS #1 v1.5 and PSS) from 2,048 bits, ECDSA on P-256 and P-384; SHA-2 only.
//! SHA-1, MD5, DSA and short keys are refused: whoever still uses them proves nothing.

use rsa::BoxedUint;
use rsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::der::{self, DerError, Element, Reader};

const SHA2_PREFIX: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c];
const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
/// Shorter RSA keys are refused (BSI TR-02102, NIST SP 800-131A); longer ones only cost time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// How something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    RsaPkcs1(Hash),
    RsaPss(Hash, usize),
    Ecdsa(Hash),
    /// `rsaEncryption` as a signature algorithm: the hash stands elsewhere (RFC 3370 section 3.2).
    RsaAnyHash,
}

/// A public key.
#[derive(Debug, Clone)]
pub(super) enum PublicKey {
    Rsa(Box<rsa::PublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
}

impl Hash {
    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// From an AlgorithmIdentifier; parameters are absent or NULL (RFC 5754 section 2).
    pub(super) fn read(algorithm: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut inside = algorithm.inside(der::SEQUENCE, "a hash algorithm was expected")?;
        let oid = inside.take(der::OID, "a hash algorithm was expected")?;
        no_parameters(&mut inside)?;
        match oid.value.strip_prefix(SHA2_PREFIX) {
            Some([1]) => Ok(Self::Sha256),
            Some([2]) => Ok(Self::Sha384),
            Some([3]) => Ok(Self::Sha512),
            _ => refuse(oid, "a hash other than SHA-256, SHA-384 or SHA-512"),
        }
    }
}

impl Scheme {
    pub(super) fn read(algorithm: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut inside = algorithm.inside(der::SEQUENCE, "a signature algorithm was expected")?;
        let oid = inside.take(der::OID, "a signature algorithm was expected")?;
        let scheme = match oid.value {
            RSA => Self::RsaAnyHash,
            RSA_SHA256 => Self::RsaPkcs1(Hash::Sha256),
            RSA_SHA384 => Self::RsaPkcs1(Hash::Sha384),
            RSA_SHA512 => Self::RsaPkcs1(Hash::Sha512),
            ECDSA_SHA256 => Self::Ecdsa(Hash::Sha256),
            ECDSA_SHA384 => Self::Ecdsa(Hash::Sha384),
            ECDSA_SHA512 => Self::Ecdsa(Hash::Sha512),
            RSA_PSS => {
                let scheme = pss(&mut inside)?;
                inside.end("something after the signature algorithm")?;
                return Ok(scheme);
            }
            _ => {
                return refuse(oid, "a signature algorithm this program does not accept");
            }
        };
        no_parameters(&mut inside)?;
        Ok(scheme)
    }

    /// The hash the signature is over, when the other place that names one says `said`.
    pub(super) fn hash(self, said: Hash) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss(hash, _) | Self::Ecdsa(hash) => {
                (hash == said).then_some(hash)
            }
            Self::RsaAnyHash => Some(said),
        }
    }
}

impl PublicKey {
    /// From a SubjectPublicKeyInfo.
    pub(super) fn read(info: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut info = info.inside(der::SEQUENCE, "a public key was expected")?;
        let mut algorithm = info.inside(der::SEQUENCE, "a key algorithm was expected")?;
        let oid = algorithm.take(der::OID, "a key algorithm was expected")?;
        let key = match oid.value {
            RSA => {
                no_parameters(&mut algorithm)?;
                let offset = info.clone();
                rsa_key(info.bits("an RSA key was expected")?).ok_or_else(|| {
                    offset
                        .fail::<()>("an RSA key that is malformed, or shorter than 2,048 bits")
                        .err()
                })
            }
            EC => {
                let curve = algorithm.take(der::OID, "a named curve was expected")?;
                algorithm.end("something after the curve")?;
                let offset = info.clone();
                let point = info.bits("a point of the curve was expected")?;
                let key = match curve.value {
                    P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
                        .ok()
                        .map(|key| Self::P256(Box::new(key))),
                    P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
                        .ok()
                        .map(|key| Self::P384(Box::new(key))),
                    _ => return refuse(curve, "a curve other than P-256 and P-384"),
                };
                key.ok_or_else(|| offset.fail::<()>("a point that is not on the curve").err())
            }
            _ => return refuse(oid, "a key that is neither RSA nor ECDSA"),
        };
        let key = match key {
            Ok(key) => key,
            Err(Some(error)) => return Err(error),
            Err(None) => return info.fail("a malformed public key"),
        };
        info.end("something after the public key")?;
        Ok(key)
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match (self, scheme) {
            (Self::Rsa(key), Scheme::RsaPkcs1(hash)) => {
                let digest = hash.of(message);
                let Ok(signature) = rsa::pkcs1v15::Signature::try_from(signature) else {
                    return false;
                };
                let key = (**key).clone();
                match hash {
                    Hash::Sha256 => rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key)
                        .verify_prehash(&digest, &signature),
                    Hash::Sha384 => rsa::pkcs1v15::VerifyingKey::<Sha384>::new(key)
                        .verify_prehash(&digest, &signature),
                    Hash::Sha512 => rsa::pkcs1v15::VerifyingKey::<Sha512>::new(key)
                        .verify_prehash(&digest, &signature),
                }
                .is_ok()
            }
            (Self::Rsa(key), Scheme::RsaPss(hash, salt)) => {
                let digest = hash.of(message);
                let Ok(signature) = rsa::pss::Signature::try_from(signature) else {
                    return false;
                };
                let key = (**key).clone();
                match hash {
                    Hash::Sha256 => rsa::pss::VerifyingKey::<Sha256>::new_with_salt_len(key, salt)
                        .verify_prehash(&digest, &signature),
                    Hash::Sha384 => rsa::pss::VerifyingKey::<Sha384>::new_with_salt_len(key, salt)
                        .verify_prehash(&digest, &signature),
                    Hash::Sha512 => rsa::pss::VerifyingKey::<Sha512>::new_with_salt_len(key, salt)
                        .verify_prehash(&digest, &signature),
                }
                .is_ok()
            }
            (Self::P256(key), Scheme::Ecdsa(hash)) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash.of(message), &signature).is_ok()),
            (Self::P384(key), Scheme::Ecdsa(hash)) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash.of(message), &signature).is_ok()),
            _ => false,
        }
    }
}

/// RSASSA-PSS-params (RFC 4055 section 3.1); everything is named, the SHA-1 defaults are refused.
fn pss(parameters: &mut Reader<'_>) -> Result<Scheme, DerError> {
    let mut inside = parameters.inside(der::SEQUENCE, "PSS parameters were expected")?;
    let mut hash = inside.inside(der::context(0), "PSS without a hash means SHA-1: refused")?;
    let digest = Hash::read(&mut hash)?;
    hash.end("something after the PSS hash")?;
    let mut mask = inside.inside(der::context(1), "PSS without a mask means SHA-1: refused")?;
    let mut mgf = mask.inside(der::SEQUENCE, "a PSS mask was expected")?;
    let oid = mgf.take(der::OID, "a PSS mask was expected")?;
    if oid.value != RSA_MGF1 || Hash::read(&mut mgf)? != digest {
        return refuse(oid, "a PSS mask other than MGF1 with the same hash");
    }
    mgf.end("something after the PSS mask")?;
    mask.end("something after the PSS mask")?;
    let mut salt = inside.inside(der::context(2), "a PSS salt length was expected")?;
    let length = salt.small("a PSS salt length was expected")?;
    salt.end("something after the PSS salt length")?;
    inside.end("a PSS trailer other than the usual one")?;
    match usize::try_from(length) {
        Ok(length) if length <= 64 => Ok(Scheme::RsaPss(digest, length)),
        _ => salt.fail("a PSS salt longer than 64 bytes"),
    }
}

fn rsa_key(bits: &[u8]) -> Option<PublicKey> {
    let mut outer = Reader::new(bits, 0);
    let mut key = outer.inside(der::SEQUENCE, "").ok()?;
    outer.end("").ok()?;
    let modulus = key.unsigned("").ok()?;
    let exponent = key.unsigned("").ok()?;
    key.end("").ok()?;
    if modulus.len() > 1_024 || exponent.len() > 4 {
        return None;
    }
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    let exponent = BoxedUint::from_be_slice_vartime(exponent);
    rsa::PublicKey::new_with_size_limits(modulus, exponent, RSA_BITS)
        .ok()
        .map(|key| PublicKey::Rsa(Box::new(key)))
}

fn no_parameters(inside: &mut Reader<'_>) -> Result<(), DerError> {
    if let Some(null) = inside.optional(der::NULL, "a malformed NULL")?
        && !null.value.is_empty()
    {
        return refuse(null, "a malformed NULL");
    }
    inside.end("unexpected parameters of an algorithm")
}

fn refuse<T>(element: Element<'_>, what: &'static str) -> Result<T, DerError> {
    Err(DerError {
        offset: element.offset,
        what,
    })
}
