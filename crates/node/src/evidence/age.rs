//! Contents on their way to another authority: an age file (<https://c2sp.org/age>, version 1) with one X25519 recipient.
//!
//! The file is never made as a whole. Its key, its ephemeral share and its nonce are derived from a secret of the sender, the
//! hand-over and the item, so it is the same octets each time it is asked for, and any range of it can be made from the same
//! range of the contents: chunks of 64 KiB are encrypted each by its number (STREAM). So HTTP ranges work as they are
//! meant, a broken transfer goes on at any octet, and memory stays flat. Derived keys are never used for two contents: an
//! item's contents are fixed by its hash, which is part of what is derived from.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{HMAC_SHA256, Key as MacKey, sign as mac, verify as verify_mac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// Octets of plain text in a chunk (age, "Payload").
pub const CHUNK: usize = 64 << 10;
/// What encryption adds to each.
const TAG: usize = 16;
/// A whole chunk, encrypted.
pub const CHUNK_SEALED: usize = CHUNK + TAG;
/// Octets before the first chunk: version line, one X25519 stanza, MAC, nonce. Always the same for one recipient.
pub const HEADER: usize = 168 + NONCE;
const NONCE: usize = 16;
const INTRO: &str = "age-encryption.org/v1\n";

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
    /// Of the cryptographic library.
    #[error("encryption failed")]
    Library,
}

/// Octets of the age file for contents of this size.
#[must_use]
pub fn sealed_size(size: u64) -> u64 {
    HEADER as u64 + size + TAG as u64 * chunks(size)
}

/// Number of chunks; contents of no octets have one, empty.
#[must_use]
pub fn chunks(size: u64) -> u64 {
    size.div_ceil(CHUNK as u64).max(1)
}

/// What encrypts or decrypts the chunks of one age file.
pub struct Payload {
    key: LessSafeKey,
    chunks: u64,
}

/// Encrypts one item for one recipient.
pub struct Sealer {
    header: Vec<u8>,
    payload: Payload,
}

impl Sealer {
    /// `secret` is the sender's and never leaves it; `context` names the hand-over and the item.
    ///
    /// # Errors
    /// [`AgeError::Library`], also for a recipient that is no usable key.
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
        let mut body = file_key.to_vec();
        seal(&wrap, [0; 12], &mut body)?;
        let mut header = format!(
            "{INTRO}-> X25519 {}\n{}\n---",
            STANDARD_NO_PAD.encode(share),
            STANDARD_NO_PAD.encode(&body)
        )
        .into_bytes();
        let tag = mac(&header_mac(&file_key)?, &header);
        header.extend_from_slice(format!(" {}\n", STANDARD_NO_PAD.encode(tag)).as_bytes());
        header.extend_from_slice(&nonce);
        debug_assert_eq!(header.len(), HEADER);
        Ok(Self {
            header,
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
    fn new(file_key: &[u8; 16], nonce: &[u8; NONCE], size: u64) -> Result<Self, AgeError> {
        let key = expand(nonce, file_key, &[b"payload"])?;
        Ok(Self {
            key: unbound(&key)?,
            chunks: chunks(size),
        })
    }

    /// Reads the header of an age file for contents of `size` octets, with the recipient's secret.
    ///
    /// # Errors
    /// See [`AgeError`].
    pub fn open(header: &[u8], identity: &[u8; 32], size: u64) -> Result<Self, AgeError> {
        let (text, nonce) = header.split_last_chunk::<NONCE>().ok_or(AgeError::Header)?;
        let text = str::from_utf8(text).map_err(|_| AgeError::Header)?;
        let rest = text
            .strip_prefix(INTRO)
            .and_then(|rest| rest.strip_prefix("-> X25519 "));
        let mut lines = rest.ok_or(AgeError::Header)?.split('\n');
        let mut decoded = |prefix: &str| {
            let line = lines.next()?.strip_prefix(prefix)?;
            <[u8; 32]>::try_from(STANDARD_NO_PAD.decode(line).ok()?).ok()
        };
        let (Some(share), Some(body), Some(tag)) = (decoded(""), decoded(""), decoded("--- "))
        else {
            return Err(AgeError::Header);
        };
        if lines.next() != Some("") || lines.next().is_some() {
            return Err(AgeError::Header);
        }
        let (_, wrap) =
            wrap_key(identity, &share, Some(&share)).map_err(|_| AgeError::Recipient)?;
        let mut file_key = Zeroizing::new(body.to_vec());
        let opened = unbound(&wrap)?
            .open_in_place(
                Nonce::assume_unique_for_key([0; 12]),
                Aad::empty(),
                &mut file_key,
            )
            .map_err(|_| AgeError::Recipient)?;
        let file_key =
            Zeroizing::new(<[u8; 16]>::try_from(&*opened).map_err(|_| AgeError::Recipient)?);
        let signed = text
            .rfind("---")
            .and_then(|end| text.get(..end + 3))
            .unwrap_or_default();
        verify_mac(&header_mac(&file_key)?, signed.as_bytes(), &tag)
            .map_err(|_| AgeError::Recipient)?;
        Self::new(&file_key, nonce, size)
    }

    /// Decrypts chunk `number` in place.
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

    /// "an 11-byte big-endian counter and a final byte that is 0x01 for the last chunk"
    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().skip(3).zip(number.to_be_bytes()) {
            *to = from;
        }
        if let Some(last) = nonce.last_mut() {
            *last = u8::from(number + 1 == self.chunks);
        }
        nonce
    }
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
    // an all-zero result is refused by the library, as age demands
    let wrap = agree(
        &private,
        UnparsedPublicKey::new(&X25519, other),
        AgeError::Library,
        |shared| expand(&salt, shared, &[b"age-encryption.org/v1/X25519"]),
    )?;
    Ok((share, wrap))
}

/// The public half of an X25519 secret.
///
/// # Errors
/// [`AgeError::Library`]
pub fn recipient_of(identity: &[u8; 32]) -> Result<[u8; 32], AgeError> {
    let private = PrivateKey::from_private_key(&X25519, identity).map_err(|_| AgeError::Library)?;
    public_of(&private)
}

fn public_of(private: &PrivateKey) -> Result<[u8; 32], AgeError> {
    let public = private
        .compute_public_key()
        .map_err(|_| AgeError::Library)?;
    public.as_ref().try_into().map_err(|_| AgeError::Library)
}

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

fn seal(key: &[u8; 32], nonce: [u8; 12], text: &mut Vec<u8>) -> Result<(), AgeError> {
    unbound(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), text)
        .map_err(|_| AgeError::Library)
}

fn first16(bytes: &[u8; 32]) -> [u8; 16] {
    bytes.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(contents: &[u8], identity: &[u8; 32]) -> Vec<u8> {
        let recipient = recipient_of(identity).unwrap();
        let sealer = Sealer::new(
            &[9; 32],
            &[b"hand-over", b"1"],
            &recipient,
            contents.len() as u64,
        )
        .unwrap();
        let mut file = sealer.header().to_vec();
        let mut pieces: Vec<&[u8]> = contents.chunks(CHUNK).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        for (number, piece) in pieces.into_iter().enumerate() {
            let mut chunk = piece.to_vec();
            sealer.seal(number as u64, &mut chunk).unwrap();
            file.extend_from_slice(&chunk);
        }
        assert_eq!(file.len() as u64, sealed_size(contents.len() as u64));
        file
    }

    fn opened(file: &[u8], identity: &[u8; 32], size: u64) -> Result<Vec<u8>, AgeError> {
        let (header, rest) = file.split_at(HEADER);
        let payload = Payload::open(header, identity, size)?;
        let mut contents = Vec::new();
        for (number, chunk) in rest.chunks(CHUNK_SEALED).enumerate() {
            let mut chunk = chunk.to_vec();
            contents.extend_from_slice(payload.open_chunk(number as u64, &mut chunk)?);
        }
        Ok(contents)
    }

    #[test]
    fn what_is_sealed_is_opened_and_is_the_same_each_time() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let contents: Vec<u8> = (0..size).map(|at| at as u8).collect();
            let file = sealed(&contents, &[7; 32]);
            assert_eq!(file, sealed(&contents, &[7; 32]));
            assert_eq!(opened(&file, &[7; 32], size as u64).unwrap(), contents);
        }
    }

    #[test]
    fn changes_other_recipients_and_lost_ends_are_found() {
        let contents = vec![5; 2 * CHUNK + 9];
        let size = contents.len() as u64;
        let file = sealed(&contents, &[7; 32]);
        assert_eq!(opened(&file, &[8; 32], size), Err(AgeError::Recipient));
        for place in [
            0,
            30,
            40,
            90,
            140,
            170,
            HEADER,
            HEADER + CHUNK_SEALED + 3,
            file.len() - 1,
        ] {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert!(opened(&changed, &[7; 32], size).is_err(), "{place}");
        }
        // cut after a chunk, chunks swapped
        let (header, rest) = file.split_at(HEADER);
        let cut = [header, &rest[..CHUNK_SEALED]].concat();
        let payload = Payload::open(header, &[7; 32], CHUNK as u64).unwrap();
        let mut only = cut[HEADER..].to_vec();
        assert_eq!(payload.open_chunk(0, &mut only), Err(AgeError::Chunk(0)));
        let swapped = [
            header,
            &rest[CHUNK_SEALED..2 * CHUNK_SEALED],
            &rest[..CHUNK_SEALED],
            &rest[2 * CHUNK_SEALED..],
        ]
        .concat();
        assert_eq!(opened(&swapped, &[7; 32], size), Err(AgeError::Chunk(0)));
    }
}
