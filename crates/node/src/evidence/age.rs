//! Contents on their way to another authority: an age file (<https://c2sp.org/age>, version 1) with one X25519 recipient.
//!
//! The file is never made as a whole. Its key, its ephemeral share and its nonce are derived from a secret of the sender, the
//! hand-over and the item, so it is the same octets each time it is asked for, and any range of it can be made from the same
//! range of the contents: chunks of 64 KiB are encrypted each by its number (STREAM). So HTTP ranges work as they are
//! meant, a broken transfer goes on at any octet, and memory stays flat. Derived keys are never used for two contents: an
//! item's contents are fixed by its hash, which is part of what is derived from.
//!
//! [`header`] has the text form, [`chunks`] what comes over a line. `docs/EVIDENCE.md` says why this is not the crate `age`; the
//! tests hold it against that crate, both ways, and against the vectors of age's own test kit.

pub mod chunks;
pub mod header;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{HMAC_SHA256, Key as MacKey, sign as mac, verify as verify_mac};
use zeroize::Zeroizing;

use header::Header;

/// Octets of plain text in a chunk (age, "Payload").
pub const CHUNK: usize = 64 << 10;
/// What encryption adds to each.
pub const TAG: usize = 16;
/// A whole chunk, encrypted.
pub const CHUNK_SEALED: usize = CHUNK + TAG;
/// Octets before the first chunk: version line, one X25519 stanza, MAC, nonce. Always the same for one recipient.
pub const HEADER: usize = header::BYTES;

/// Why an age file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// Not a header of the one shape we make.
    #[error("it does not begin as an age file for one X25519 recipient")]
    Header,
    /// For somebody else, or changed on the way.
    #[error("it is not for this node's recipient key, or its header was changed")]
    Recipient,
    /// A chunk that is not what was encrypted.
    #[error("chunk {0} was changed on the way, or is not where it belongs")]
    Chunk(u64),
    /// More than was asked for.
    #[error("more octets came than were asked for")]
    Trailing,
    /// A key to encrypt to that is no usable point.
    #[error("the recipient key cannot be used")]
    Key,
    /// Of the cryptographic library.
    #[error("encryption failed")]
    Library,
}

/// Octets of the age file for contents of this size; `None` for sizes no file has.
#[must_use]
pub fn sealed_size(size: u64) -> Option<u64> {
    let tags = chunk_count(size).checked_mul(TAG as u64)?;
    size.checked_add(tags)?.checked_add(HEADER as u64)
}

/// Number of chunks; contents of no octets have one, empty.
#[must_use]
pub fn chunk_count(size: u64) -> u64 {
    size.div_ceil(CHUNK as u64).max(1)
}

/// What encrypts or decrypts the chunks of one age file.
pub struct Payload {
    key: LessSafeKey,
    size: u64,
}

/// Encrypts one item for one recipient.
pub struct Sealer {
    header: [u8; HEADER],
    payload: Payload,
}

impl Sealer {
    /// `secret` is the sender's and never leaves it; `context` names the hand-over and the item, in parts of fixed length.
    ///
    /// # Errors
    /// [`AgeError::Key`] for a recipient that is no usable key; [`AgeError::Library`].
    pub fn new(
        secret: &[u8; 32],
        context: &[&[u8]],
        recipient: &[u8; 32],
        size: u64,
    ) -> Result<Self, AgeError> {
        let derive = |what: &[u8]| {
            let mut info = vec![b"comity-transfer/v1".as_slice(), what, recipient];
            info.extend_from_slice(context);
            expand(b"", secret, &info)
        };
        let file_key = Zeroizing::new(first16(&*derive(b"file key")?));
        let nonce = first16(&*derive(b"nonce")?);
        let ephemeral = derive(b"ephemeral")?;
        let (share, wrap) = wrap_key(&ephemeral, recipient, None)?;
        let header = Header {
            share,
            body: wrapped(&wrap, &file_key)?,
            mac: [0; 32],
            nonce,
        };
        let tag = mac(&header_mac(&file_key)?, header.signed().as_bytes());
        let header = Header {
            mac: tag.as_ref().try_into().map_err(|_| AgeError::Library)?,
            ..header
        };
        Ok(Self {
            header: header.to_bytes().ok_or(AgeError::Library)?,
            payload: Payload::new(&file_key, &nonce, size)?,
        })
    }

    /// The octets before the first chunk.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Encrypts chunk `number` in place.
    ///
    /// # Errors
    /// [`AgeError::Library`]
    pub fn seal(&self, number: u64, chunk: &mut Vec<u8>) -> Result<(), AgeError> {
        let nonce = self.payload.nonce(number);
        self.payload
            .key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), chunk)
            .map_err(|_| AgeError::Library)
    }
}

impl Payload {
    fn new(file_key: &[u8; 16], nonce: &[u8; 16], size: u64) -> Result<Self, AgeError> {
        // "payload key = HKDF-SHA-256(ikm = file key, salt = nonce, info = "payload")"
        let key = expand(nonce, file_key, &[b"payload"])?;
        Ok(Self {
            key: unbound(&key)?,
            size,
        })
    }

    /// Reads the header of an age file for contents of `size` octets, with the recipient's secret.
    ///
    /// # Errors
    /// See [`AgeError`].
    pub fn open(header: &[u8], identity: &[u8; 32], size: u64) -> Result<Self, AgeError> {
        let header = Header::parse(header).ok_or(AgeError::Header)?;
        let file_key = unwrapped(&header, identity)?;
        // compared in constant time by the library
        verify_mac(
            &header_mac(&file_key)?,
            header.signed().as_bytes(),
            &header.mac,
        )
        .map_err(|_| AgeError::Recipient)?;
        Self::new(&file_key, &header.nonce, size)
    }

    /// Decrypts chunk `number` in place. The last one is good only as the last one.
    ///
    /// # Errors
    /// [`AgeError::Chunk`]
    pub fn open_chunk<'c>(
        &self,
        number: u64,
        chunk: &'c mut [u8],
    ) -> Result<&'c mut [u8], AgeError> {
        let nonce = self.nonce(number);
        self.key
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), chunk)
            .map_err(|_| AgeError::Chunk(number))
    }

    /// Octets of the contents.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// "the first 11 bytes are a big endian chunk counter [..]; the last byte is 0x01 for the final chunk and 0x00 for all
    /// preceding ones"
    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().skip(3).zip(number.to_be_bytes()) {
            *to = from;
        }
        if let Some(last) = nonce.last_mut() {
            *last = u8::from(number == chunk_count(self.size) - 1);
        }
        nonce
    }
}

/// Whether anything can be encrypted to this key: points of low order have no secret.
#[must_use]
pub fn is_usable(recipient: &[u8; 32]) -> bool {
    // any secret shows it
    wrap_key(&[1; 32], recipient, None).is_ok()
}

/// The public half of an X25519 secret.
///
/// # Errors
/// [`AgeError::Library`]
pub fn recipient_of(identity: &[u8; 32]) -> Result<[u8; 32], AgeError> {
    let private = PrivateKey::from_private_key(&X25519, identity).map_err(|_| AgeError::Library)?;
    public_of(&private)
}

/// "body = ChaCha20-Poly1305(key = wrap key, plaintext = file key)", the nonce being twelve zeros.
fn wrapped(wrap: &[u8; 32], file_key: &[u8; 16]) -> Result<[u8; 32], AgeError> {
    // with room for the tag: a vector that grows would leave the file key behind in memory
    let mut body = Zeroizing::new(Vec::with_capacity(32));
    body.extend_from_slice(file_key);
    unbound(wrap)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key([0; 12]),
            Aad::empty(),
            &mut *body,
        )
        .map_err(|_| AgeError::Library)?;
    body.as_slice().try_into().map_err(|_| AgeError::Library)
}

/// The file key. That the body has 32 octets was seen when the header was read, before anything is decrypted with it.
fn unwrapped(header: &Header, identity: &[u8; 32]) -> Result<Zeroizing<[u8; 16]>, AgeError> {
    let (_, wrap) =
        wrap_key(identity, &header.share, Some(&header.share)).map_err(|_| AgeError::Recipient)?;
    let mut body = Zeroizing::new(header.body);
    let opened = unbound(&wrap)?
        .open_in_place(
            Nonce::assume_unique_for_key([0; 12]),
            Aad::empty(),
            &mut *body,
        )
        .map_err(|_| AgeError::Recipient)?;
    let mut file_key = Zeroizing::new([0; 16]);
    if opened.len() != file_key.len() {
        return Err(AgeError::Recipient);
    }
    file_key.copy_from_slice(opened);
    Ok(file_key)
}

/// Our share and the key that wraps the file key (age, "X25519 recipient stanza"). `share` is given by who decrypts.
fn wrap_key(
    secret: &[u8; 32],
    other: &[u8; 32],
    share: Option<&[u8; 32]>,
) -> Result<([u8; 32], Zeroizing<[u8; 32]>), AgeError> {
    let private = PrivateKey::from_private_key(&X25519, secret).map_err(|_| AgeError::Library)?;
    let own = public_of(&private)?;
    let (share, recipient) = match share {
        Some(share) => (*share, own),
        None => (own, *other),
    };
    let salt = [share, recipient].concat();
    // "If the shared secret is all 0x00 bytes, the identity implementation MUST abort": the library fails then
    let wrap = agree(
        &private,
        UnparsedPublicKey::new(&X25519, other),
        AgeError::Key,
        |shared| expand(&salt, shared, &[b"age-encryption.org/v1/X25519"]),
    )?;
    Ok((share, wrap))
}

fn public_of(private: &PrivateKey) -> Result<[u8; 32], AgeError> {
    let public = private
        .compute_public_key()
        .map_err(|_| AgeError::Library)?;
    public.as_ref().try_into().map_err(|_| AgeError::Library)
}

/// "HMAC key = HKDF-SHA-256(ikm = file key, salt = empty, info = "header")"
fn header_mac(file_key: &[u8; 16]) -> Result<MacKey, AgeError> {
    let key = expand(b"", file_key, &[b"header"])?;
    Ok(MacKey::new(HMAC_SHA256, &*key))
}

/// HKDF-SHA-256 (RFC 5869) to 32 octets.
fn expand(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, AgeError> {
    let mut key = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *key))
        .map_err(|_| AgeError::Library)?;
    Ok(key)
}

fn unbound(key: &[u8; 32]) -> Result<LessSafeKey, AgeError> {
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .map(LessSafeKey::new)
        .map_err(|_| AgeError::Library)
}

fn first16(bytes: &[u8; 32]) -> [u8; 16] {
    bytes.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
