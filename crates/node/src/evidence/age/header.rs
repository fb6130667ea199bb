//! The header of an age file for one X25519 recipient, and the nonce that follows it. The format lets a file have more
//! recipients; ours never have, so that a header always has the same length and ranges of a file can be counted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Octets of a header with its nonce.
pub const BYTES: usize = INTRO.len() + STANZA.len() + 44 + 44 + MAC.len() + 1 + 44 + 16;

const INTRO: &str = "age-encryption.org/v1\n";
const STANZA: &str = "-> X25519 ";
const MAC: &str = "---";

/// What a header says. Anything may stand in it until its MAC was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The ephemeral share.
    pub share: [u8; 32],
    /// The wrapped file key.
    pub body: [u8; 32],
    /// HMAC over [`Self::signed`].
    pub mac: [u8; 32],
    /// Of the payload.
    pub nonce: [u8; 16],
}

impl Header {
    /// "the whole header up to and including the `---` mark"
    #[must_use]
    pub fn signed(&self) -> String {
        format!(
            "{INTRO}{STANZA}{}\n{}\n{MAC}",
            STANDARD_NO_PAD.encode(self.share),
            STANDARD_NO_PAD.encode(self.body)
        )
    }

    /// As it stands in a file; always `Some`.
    #[must_use]
    pub fn to_bytes(&self) -> Option<[u8; BYTES]> {
        let mut text = self.signed().into_bytes();
        text.extend_from_slice(format!(" {}\n", STANDARD_NO_PAD.encode(self.mac)).as_bytes());
        text.extend_from_slice(&self.nonce);
        text.try_into().ok()
    }

    /// Reads a header with its nonce; `None` for anything but what [`Self::to_bytes`] writes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        // the length is fixed, so nothing here is longer than a line
        let (text, nonce) = bytes.split_last_chunk()?;
        let text = str::from_utf8(text).ok().filter(|_| bytes.len() == BYTES)?;
        let rest = text.strip_prefix(INTRO)?.strip_prefix(STANZA)?;
        let (share, rest) = rest.split_once('\n')?;
        let (body, rest) = rest.split_once('\n')?;
        let mac = rest.strip_prefix(MAC)?.strip_prefix(' ')?;
        Some(Self {
            share: decoded(share)?,
            body: decoded(body)?,
            mac: decoded(mac.strip_suffix('\n')?)?,
            nonce: *nonce,
        })
    }
}

/// "decoders MUST reject non-canonical encodings and encodings ending with `=`": this engine does both.
fn decoded(text: &str) -> Option<[u8; 32]> {
    STANDARD_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> impl Strategy<Value = Header> {
        (
            any::<[u8; 32]>(),
            any::<[u8; 32]>(),
            any::<[u8; 32]>(),
            any::<[u8; 16]>(),
        )
            .prop_map(|(share, body, mac, nonce)| Header {
                share,
                body,
                mac,
                nonce,
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(header in header()) {
            let bytes = header.to_bytes().unwrap();
            prop_assert_eq!(Header::parse(&bytes), Some(header));
        }

        /// What is read is what would be written: there is one spelling.
        #[test]
        fn one_octet_of_another_kind(header in header(), place in 0..BYTES, octet: u8) {
            let mut bytes = header.to_bytes().unwrap();
            bytes[place] = octet;
            if let Some(read) = Header::parse(&bytes) {
                prop_assert_eq!(read.to_bytes().unwrap(), bytes);
            }
        }

        #[test]
        fn whatever_comes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(Header::parse(&bytes), None);
        }
    }
}
